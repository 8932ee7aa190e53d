use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// The pipeline file.
    pub(crate) file: PathBuf,
    /// Write JSON to standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GraphArguments {
    /// The pipeline file.
    pub(crate) file: PathBuf,
    /// The language of the drawing.
    #[arg(long, value_enum, default_value_t = GraphFormat::Mermaid)]
    pub(crate) format: GraphFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// For Markdown pages.
    Mermaid,
    /// For Graphviz.
    Dot,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArguments {
    /// The pipeline whose plugins it is to know beside the built-in ones; it may have mistakes.
    pub(crate) file: Option<PathBuf>,
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
