use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum McpVerb {
    /// Start a server once, and make a package of it and its tools.
    Add(McpAddArguments),
    /// Show what has changed in a server since its tools were accepted, and accept it.
    Update(McpUpdateArguments),
}

#[derive(Debug, Args)]
pub(crate) struct McpAddArguments {
    /// The id of the plugin that it becomes; its tools are the node types `NAME.TOOL`.
    pub(crate) name: String,
    /// The program that is the server, and its arguments.
    #[arg(last = true, value_name = "COMMAND", required_unless_present = "url", conflicts_with = "url")]
    pub(crate) command: Vec<String>,
    /// The address of a server that runs elsewhere.
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// A variable of its environment: the one of the same name here, or a text with `${env:NAME}` in it; may be repeated.
    #[arg(long, value_name = "NAME[=TEXT]", conflicts_with = "url")]
    pub(crate) env: Vec<String>,
    /// A header of requests to it, with `${secret:name}` for a secret of the settings; may be repeated.
    #[arg(long, value_name = "NAME=TEXT", requires = "url", value_parser = super::name_and_value)]
    pub(crate) header: Vec<(String, String)>,
    /// A folder that it sees, and writes to with `:rw`; may be repeated.
    #[arg(long, value_name = "PATH[:rw]", conflicts_with = "url")]
    pub(crate) folder: Vec<String>,
    /// It may have connections of its own.
    #[arg(long, conflicts_with = "url")]
    pub(crate) network: bool,
    /// It may start processes of its own.
    #[arg(long, conflicts_with = "url")]
    pub(crate) processes: bool,
    /// It is started by the first call of a run, and not before.
    #[arg(long)]
    pub(crate) lazy: bool,
    /// How long a call may take without a word from it, as in `30s`.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) idle: Option<Duration>,
    /// How long a call may take in all.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) total: Option<Duration>,
    /// The folder to put the package into.
    #[arg(long, value_name = "FOLDER", default_value = "plugins")]
    pub(crate) plugins: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct McpUpdateArguments {
    /// The id of the plugin.
    pub(crate) name: String,
    /// The folder that holds the package.
    #[arg(long, value_name = "FOLDER", default_value = "plugins")]
    pub(crate) plugins: PathBuf,
    /// Accept what has changed without asking.
    #[arg(long)]
    pub(crate) yes: bool,
}
