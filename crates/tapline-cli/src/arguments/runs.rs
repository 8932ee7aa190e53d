use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum RunsVerb {
    /// List runs, the newest first.
    List(ListRunsArguments),
    /// Show what is kept of a run.
    Show(ShowRunArguments),
    /// Show in which steps two runs differ.
    Diff(DiffArguments),
    /// Remove old runs.
    Prune(PruneArguments),
}

/// Where runs are kept, and how they are shown.
#[derive(Debug, Args)]
pub(crate) struct RunsPlace {
    /// The folder of the pipeline.
    #[arg(long, default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Write JSON to standard output, times in milliseconds.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ListRunsArguments {
    #[command(flatten)]
    pub(crate) place: RunsPlace,
    /// How many at most.
    #[arg(long, default_value_t = 20)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct ShowRunArguments {
    /// The run, or the first letters of its name.
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) place: RunsPlace,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// One run.
    pub(crate) left: String,
    /// The other.
    pub(crate) right: String,
    #[command(flatten)]
    pub(crate) place: RunsPlace,
}

#[derive(Debug, Args)]
pub(crate) struct PruneArguments {
    /// How many of the newest stay.
    #[arg(long)]
    pub(crate) keep: usize,
    #[command(flatten)]
    pub(crate) place: RunsPlace,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArguments {
    /// The run, or the first letters of its name.
    pub(crate) id: String,
    /// The folder of the pipeline.
    #[arg(long, default_value = ".")]
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) how: super::HowToRun,
}
