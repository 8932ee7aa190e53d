use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
    /// Look for mistakes in a pipeline without running it or its plugins.
    Check(CheckArguments),
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
    /// Look at plugins, and write them.
    #[command(subcommand)]
    Plugin(PluginVerb),
}

/// The verb with which this command calls itself to compile.
pub(crate) const COMPILE: &str = "compile-component";

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The pipeline file.
    pub(crate) file: PathBuf,
    /// Give an input; text as it is, any other type as JSON; may be repeated.
    #[arg(short, long = "input", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub(crate) inputs: Vec<(String, String)>,
    /// Write one JSON object to standard output: outputs, error, nodes, plugins, reports; times in milliseconds.
    #[arg(long)]
    pub(crate) json: bool,
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

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The hook point, as in `node.execute`.
    pub(crate) point: String,
    /// The pipeline whose plugins join in.
    #[arg(default_value = "pipeline.yaml")]
    pub(crate) file: PathBuf,
    /// Write JSON to standard output, times in nanoseconds.
    #[arg(long)]
    pub(crate) json: bool,
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

#[derive(Debug, Subcommand)]
pub(crate) enum PluginVerb {
    /// List all plugins that are there.
    List(ListArguments),
    /// Show all that is known of a plugin.
    Info(InfoArguments),
    /// Show what a plugin asks for, what it is granted here, and what it has used.
    Grants(GrantsArguments),
    /// Tell why a pipeline uses a plugin or not.
    Why(WhyArguments),
    /// Write a plugin that builds, passes its cases and runs in a pipeline.
    New(NewArguments),
    /// Build a plugin from its source.
    Build(BuildArguments),
    /// Run the cases of a plugin in the sandbox.
    Test(TestArguments),
    /// Build a plugin at each change of its source, and swap it into a pipeline.
    Dev(DevArguments),
}

/// What a plugin is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PluginKind {
    /// Answers prompts.
    Provider,
    /// Is a node type of its own.
    Handler,
    /// Refuses what is wrong.
    Validator,
    /// Watches what others do.
    Extension,
    /// Brings other plugins or systems in.
    Integration,
}

/// What a plugin is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PluginLanguage {
    /// Rust.
    Rust,
}

#[derive(Debug, Args)]
pub(crate) struct NewArguments {
    /// The plugin's id, and the name of its folder.
    pub(crate) name: String,
    /// What it is for.
    #[arg(long = "type", value_enum, default_value_t = PluginKind::Handler)]
    pub(crate) kind: PluginKind,
    /// A capability that it offers; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) capability: Vec<String>,
    /// What it is written in.
    #[arg(long, value_enum, default_value_t = PluginLanguage::Rust)]
    pub(crate) lang: PluginLanguage,
    /// The folder in which its folder is made.
    #[arg(long, default_value = ".")]
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct BuildArguments {
    /// The folder of its source.
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    /// The plugin's folder; its cases lie in `cases`.
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Run only the cases that have this in their name.
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// Take the package as it is, and do not build it first.
    #[arg(long)]
    pub(crate) no_build: bool,
    /// Write JSON to standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DevArguments {
    /// The folder of its source.
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// The pipeline into which it is swapped; `pipeline.yaml` in the folder unless said.
    #[arg(long, value_name = "FILE")]
    pub(crate) pipeline: Option<PathBuf>,
    /// Give an input; text as it is, any other type as JSON.
    #[arg(short, long = "input", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub(crate) inputs: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// A folder that holds plugins, each in a folder of its own.
    #[arg(long, default_value = "plugins")]
    pub(crate) folder: PathBuf,
    /// Write JSON to standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InfoArguments {
    /// The plugin's id, or its folder.
    pub(crate) plugin: String,
    /// A folder that holds plugins, each in a folder of its own.
    #[arg(long, default_value = "plugins")]
    pub(crate) folder: PathBuf,
    /// Write JSON to standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GrantsArguments {
    /// The plugin's id.
    pub(crate) id: String,
    /// A folder that holds plugins, each in a folder of its own.
    #[arg(long, default_value = "plugins")]
    pub(crate) folder: PathBuf,
    /// The audit of its runs, instead of the one of the settings.
    #[arg(long, value_name = "FILE")]
    pub(crate) audit: Option<PathBuf>,
    /// Write JSON to standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WhyArguments {
    /// The plugin's id, or a capability.
    pub(crate) id: String,
    /// The pipeline that chooses.
    #[arg(default_value = "pipeline.yaml")]
    pub(crate) file: PathBuf,
    /// Write JSON to standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.into(), value.into()))
}
