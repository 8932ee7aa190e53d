use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::name_and_value;

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
    /// Python.
    Python,
    /// JavaScript.
    #[value(name = "javascript")]
    JavaScript,
}

/// What runs a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PluginRuntime {
    /// The sandbox.
    Wasm,
    /// A process of its own; for plugins in Python.
    Process,
}

#[derive(Debug, Args)]
pub(crate) struct NewArguments {
    /// The plugin's id, and the name of its folder.
    pub(crate) name: String,
    /// What it is for.
    #[arg(long = "type", value_enum, default_value_t = PluginKind::Handler)]
    pub(crate) kind: PluginKind,
    /// A capability that it offers; may be repeated.
    #[arg(long, value_name = "NAME", value_parser = capability)]
    pub(crate) capability: Vec<String>,
    /// What it is written in.
    #[arg(long, value_enum, default_value_t = PluginLanguage::Rust)]
    pub(crate) lang: PluginLanguage,
    /// What runs it.
    #[arg(long, value_enum, default_value_t = PluginRuntime::Wasm)]
    pub(crate) runtime: PluginRuntime,
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

/// A name that needs no quoting in any language.
fn capability(name: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if !name.is_empty() && name.chars().all(is_plain) {
        Ok(name.to_owned())
    } else {
        Err("letters, digits, `_`, `-` and `.`".to_owned())
    }
}
