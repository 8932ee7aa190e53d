use std::path::PathBuf;

use clap::{Args, Subcommand};
use tapline::host::Digest;

use super::author::{BuildArguments, DevArguments, NewArguments, TestArguments};
use super::{LoadArguments, ReloadArguments, SwapArguments, UnloadArguments};

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
    /// Make an archive of the package in a folder.
    Pack(PackArguments),
    /// Put a package into the folder of plugins.
    Install(InstallArguments),
    /// Remove a package that was installed.
    Remove(RemoveArguments),
    /// Tell what has changed in packages since they were installed and locked.
    Verify(VerifyArguments),
    /// Load a plugin into a server while it runs pipelines.
    Load(LoadArguments),
    /// Unload a plugin from a server, unless plugins or pipelines need it.
    Unload(UnloadArguments),
    /// End a plugin of a server and those that need it, and start them again.
    Reload(ReloadArguments),
    /// Put another version in the place of a plugin of a server, while calls go on.
    Swap(SwapArguments),
    /// Tell which walls stand around plugins that are processes.
    Doctor(DoctorArguments),
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Write JSON to standard output.
    #[arg(long)]
    pub(crate) json: bool,
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

#[derive(Debug, Args)]
pub(crate) struct PackArguments {
    /// The folder of the package, with its `plugin.toml`.
    pub(crate) package: PathBuf,
    /// The archive to write, instead of `ID-VERSION.tar.gz` in this folder.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct InstallArguments {
    /// The folder of a package, an archive, or the address of one.
    #[arg(value_name = "FOLDER|FILE|URL")]
    pub(crate) source: String,
    /// The folder to put it into.
    #[arg(long, default_value = "plugins")]
    pub(crate) folder: PathBuf,
    /// Refuse an archive with another SHA-256; of a folder, a package with another digest.
    #[arg(long, value_name = "HEX", value_parser = sha256)]
    pub(crate) sha256: Option<Digest>,
    /// The Python with which the environment of a plugin is made that is a process of it, instead of `python3` of the path.
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) python: Option<String>,
    /// Agree to what it asks for in addition, and to files that are not those of `tapline.lock`.
    #[arg(long)]
    pub(crate) accept: bool,
    /// Tell what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveArguments {
    /// The plugin's id, with the version where several are there.
    #[arg(value_name = "ID[@VERSION]")]
    pub(crate) plugin: String,
    /// The folder to remove it from.
    #[arg(long, default_value = "plugins")]
    pub(crate) folder: PathBuf,
    /// Remove it though others need it.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The plugin's id; without it, all that are there.
    pub(crate) id: Option<String>,
    /// The folder that holds the packages.
    #[arg(long, default_value = "plugins")]
    pub(crate) folder: PathBuf,
}

fn sha256(text: &str) -> Result<Digest, String> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
    format!("sha256:{digits}").parse().map_err(|_| "write it as 64 hex digits".into())
}
