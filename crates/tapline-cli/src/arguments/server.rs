use std::path::PathBuf;

use clap::Args;
use url::Url;

/// A server that `tapline serve` has started.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServerArguments {
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:7878")]
    pub(crate) url: Url,
    /// The file of its token; `.tapline/token` unless said, or the variable `TAPLINE_TOKEN`.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct LoadArguments {
    /// The plugin's id, or its folder seen from the folder of the pipelines.
    pub(crate) plugin: String,
    /// What it is given when it starts, as JSON, instead of what the pipelines say.
    #[arg(long, value_name = "JSON", value_parser = json)]
    pub(crate) config: Option<serde_json::Value>,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// Write JSON to standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UnloadArguments {
    /// The plugin's id.
    pub(crate) plugin: String,
    /// Unload those that need it, too, and let pipelines stop that do.
    #[arg(long)]
    pub(crate) cascade: bool,
    /// Say what would happen, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// Write JSON to standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReloadArguments {
    /// The plugin's id.
    pub(crate) plugin: String,
    /// The folder of another version, seen from the folder of the pipelines; the one that it came from unless said.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) from: Option<String>,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// Write JSON to standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SwapArguments {
    #[command(flatten)]
    pub(crate) what: ReloadArguments,
    /// Let it be granted more than the version that runs.
    #[arg(long)]
    pub(crate) accept_more: bool,
    /// Wait until it is settled which version stays; the command fails when the new one was taken back.
    #[arg(long)]
    pub(crate) wait: bool,
}

fn json(text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}
