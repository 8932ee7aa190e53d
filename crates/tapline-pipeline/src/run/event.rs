use std::sync::Arc;
use std::time::Duration;

use serde::{Serialize, Serializer};
use tapline_core::{Object, Value};

use super::report::NodeReport;

/// Something that happens during a run; as JSON, an object with `event` and the fields.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RunEvent<'a> {
    /// A run begins, or goes on.
    RunStarted {
        /// The pipeline's name.
        pipeline: &'a str,
        /// The run's name in the journal, if it is kept.
        run: Option<&'a str>,
        /// How many nodes the pipeline has.
        nodes: usize,
        /// Whether the run began before.
        resumed: bool,
    },
    /// A node begins.
    NodeStarted {
        /// The node.
        node: &'a Arc<str>,
    },
    /// A node has given a piece of its answer.
    Token {
        /// The node.
        node: &'a Arc<str>,
        /// The step of it, as in `answer[3]`.
        path: &'a str,
        /// The piece: text, or whatever the handler gives.
        piece: &'a Value,
    },
    /// A node that maps has come further.
    Progress {
        /// The node.
        node: &'a Arc<str>,
        /// How many items are done.
        done: usize,
        /// How many there are.
        total: usize,
    },
    /// A step failed and is tried again.
    Retry {
        /// The node.
        node: &'a Arc<str>,
        /// The step of it.
        path: &'a str,
        /// How often it was tried so far.
        attempt: usize,
        /// Why it failed.
        error: &'a str,
        /// How long it waits before.
        #[serde(rename = "wait_ms", serialize_with = "milliseconds")]
        wait: Duration,
    },
    /// A step failed, and the run goes on without its output.
    Tolerated {
        /// The node.
        node: &'a Arc<str>,
        /// The step of it.
        path: &'a str,
        /// Why it failed.
        error: &'a str,
    },
    /// A node has come to its end.
    NodeFinished {
        /// What came of it.
        #[serde(flatten)]
        report: &'a NodeReport,
    },
    /// The run has come to its end.
    RunFinished {
        /// Its outputs, if it has any.
        outputs: Option<&'a Object>,
        /// Why it has none.
        error: Option<&'a str>,
        /// How long it took.
        #[serde(rename = "took_ms", serialize_with = "milliseconds")]
        took: Duration,
    },
}

/// Watches a run; called from the tasks that do the work, so it must return at once.
pub trait Observer: Send + Sync {
    /// Takes note of an event.
    fn event(&self, event: &RunEvent<'_>);

    /// Whether it wants [`RunEvent::Token`]s; handlers then give their answers in pieces, if they can.
    fn wants_tokens(&self) -> bool {
        false
    }
}

/// An observer that looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _event: &RunEvent<'_>) {}
}

pub(super) fn milliseconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    // Fractions of a microsecond are noise.
    serializer.serialize_f64(time.as_micros() as f64 / 1e3)
}
