//! What is measured, whoever is told of it.

use std::time::Duration;

use tapline_pdk::roles::Usage;

/// How something came to its end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End<'e> {
    /// It has an output.
    Done,
    /// It failed, with this code and message.
    Failed(&'e str, &'e str),
    /// It was given up before it was done: its time was over, the run ended, or the plugin was unloaded.
    GivenUp,
}

/// An execution of a node, which is one attempt of one item.
#[derive(Debug)]
pub(crate) struct Execution<'e> {
    pub(crate) node_type: &'e str,
    pub(crate) plugin: &'e str,
    /// From 1.
    pub(crate) attempt: usize,
    pub(crate) end: End<'e>,
    pub(crate) took: Duration,
}

/// A request to a model.
#[derive(Debug)]
pub(crate) struct ModelRequest<'r> {
    pub(crate) operation: &'r str,
    pub(crate) provider: &'r str,
    pub(crate) request_model: Option<&'r str>,
    pub(crate) response_model: Option<&'r str>,
    pub(crate) usage: Option<Usage>,
    pub(crate) end: End<'r>,
    pub(crate) took: Duration,
}

/// A run.
#[derive(Debug)]
pub(crate) struct WholeRun<'r> {
    pub(crate) pipeline: &'r str,
    pub(crate) end: End<'r>,
    pub(crate) took: Duration,
}

impl End<'_> {
    /// In one word.
    pub(crate) const fn outcome(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed(..) => "failed",
            Self::GivenUp => "given-up",
        }
    }

    /// What kind of error it was, if it was one.
    pub(crate) const fn error_type(&self) -> Option<&str> {
        match self {
            Self::Done => None,
            Self::Failed(code, _) => Some(code),
            Self::GivenUp => Some(self.outcome()),
        }
    }
}

impl ModelRequest<'_> {
    /// The model that answered, or the one that was asked for.
    pub(crate) fn model(&self) -> &str {
        self.response_model.or(self.request_model).unwrap_or_default()
    }
}
