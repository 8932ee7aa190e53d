use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct PipelineTestArguments {
    /// The pipeline file; the cases of `NAME.yaml` lie beside it, in `NAME.test.yaml`.
    pub(crate) file: PathBuf,
    /// Ask providers for real, and write what they answer to the files that the cases replay.
    #[arg(long)]
    pub(crate) record: bool,
    /// Run only the cases that have this in their name; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// Write JSON to standard output.
    #[arg(long)]
    pub(crate) json: bool,
}
