use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use url::Url;

mod author;
mod look;
mod mcp;
mod plugin;
mod runs;
mod serve;
mod server;
mod test;

pub(crate) use author::{
    BuildArguments, DevArguments, NewArguments, PluginKind, PluginLanguage, PluginRuntime, TestArguments,
};
pub(crate) use look::{ExplainArguments, GraphArguments, GraphFormat, PlanArguments, SchemaArguments};
pub(crate) use mcp::{McpAddArguments, McpUpdateArguments, McpVerb};
pub(crate) use plugin::{
    DoctorArguments, GrantsArguments, InfoArguments, InstallArguments, ListArguments, PackArguments,
    PluginVerb, RemoveArguments, VerifyArguments, WhyArguments,
};
pub(crate) use runs::{
    DiffArguments, ListRunsArguments, PruneArguments, ResumeArguments, RunsVerb, ShowRunArguments,
};
pub(crate) use serve::ServeArguments;
pub(crate) use server::{LoadArguments, ReloadArguments, ServerArguments, SwapArguments, UnloadArguments};
pub(crate) use test::PipelineTestArguments;

/// Runs pipelines whose every part is a plugin.
#[derive(Debug, Parser)]
#[command(name = "tapline", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
    /// Show what plugins log; twice for all of it.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a pipeline.
    Run(RunArguments),
    /// Go on with a run that did not come to its end.
    Resume(ResumeArguments),
    /// Look at the runs that are kept.
    #[command(subcommand)]
    Runs(RunsVerb),
    /// Stay up: run pipelines for whoever asks over http, and change plugins meanwhile.
    Serve(ServeArguments),
    /// Look for mistakes in a pipeline without running it or its plugins.
    Check(CheckArguments),
    /// Run the cases that lie beside a pipeline.
    Test(PipelineTestArguments),
    /// Show what a run would do: in which order, by which plugins, and what these may touch.
    Plan(PlanArguments),
    /// Draw a pipeline.
    Graph(GraphArguments),
    /// Write a JSON Schema of pipeline files, with which editors help.
    Schema(SchemaArguments),
    /// Write down which plugins a pipeline has, so that none can change unnoticed.
    Lock(LockArguments),
    /// Show the hooks of a hook point in calling order, and why they stand so.
    Explain(ExplainArguments),
    /// Write a small pipeline that runs.
    Init(InitArguments),
    /// Compile a component from standard input to standard output; how this command calls itself.
    #[command(name = COMPILE, hide = true)]
    Compile,
    /// Write what the reference in the docs is made from to standard output.
    #[command(hide = true)]
    Reference,
    /// Make plugins of MCP servers.
    #[command(subcommand)]
    Mcp(McpVerb),
    /// Look at plugins, write, install and remove them.
    #[command(subcommand)]
    Plugin(PluginVerb),
}

/// The verb with which this command calls itself to compile.
pub(crate) const COMPILE: &str = "compile-component";

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The pipeline file; with `--url`, the name of a pipeline there, or its file.
    pub(crate) file: PathBuf,
    /// Run it on this server, which `tapline serve` has started, and show the same here.
    #[arg(long, conflicts_with_all = ["locked", "audit"])]
    pub(crate) url: Option<Url>,
    /// The file of the server's token; `.tapline/token` unless said, or the variable `TAPLINE_TOKEN`.
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(crate) token_file: Option<PathBuf>,
    /// Give an input; text as it is, any other type as JSON; may be repeated.
    #[arg(short, long = "input", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub(crate) inputs: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) how: HowToRun,
}

/// What a run does besides what its file says.
#[derive(Debug, Args)]
pub(crate) struct HowToRun {
    /// Write one JSON object to standard output: outputs, error, nodes, plugins, reports; times in milliseconds.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write what happens to this file while it happens, an event a line as JSON; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// Show, after the run, how the hooks of a hook point fared: calls, errors, times; may be repeated.
    #[arg(long, value_name = "POINT")]
    pub(crate) explain: Vec<String>,
    /// Refuse plugins that are not those of `tapline.lock`.
    #[arg(long)]
    pub(crate) locked: bool,
    /// Add a line to this file for each privileged act of a plugin and for each refusal, instead of the one of the
    /// settings.
    #[arg(long, value_name = "FILE")]
    pub(crate) audit: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The pipeline file.
    pub(crate) file: PathBuf,
    /// How mistakes are written.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// Refuse plugins that are not those of `tapline.lock`.
    #[arg(long)]
    pub(crate) locked: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LockArguments {
    /// The pipeline file.
    pub(crate) file: PathBuf,
    /// Choose versions as if nothing were locked, so that higher ones are taken.
    #[arg(long)]
    pub(crate) update: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people, on standard error.
    Human,
    /// For programs, on standard output.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// The folder to write it to; made where it does not exist.
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.into(), value.into()))
}
