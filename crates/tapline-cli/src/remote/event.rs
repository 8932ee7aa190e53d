use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tapline::Value;
use tapline::core::Object;
use tapline::pipeline::{NodeReport, Observer, RunEvent};

/// An event of a run as a server tells it.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Told {
    RunStarted {
        pipeline: String,
        run: Option<String>,
        nodes: usize,
        resumed: bool,
    },
    NodeStarted {
        node: Arc<str>,
    },
    Token {
        node: Arc<str>,
        path: String,
        piece: Value,
    },
    Progress {
        node: Arc<str>,
        done: usize,
        total: usize,
    },
    Retry {
        node: Arc<str>,
        path: String,
        attempt: usize,
        error: String,
        wait_ms: f64,
    },
    Tolerated {
        node: Arc<str>,
        path: String,
        error: String,
    },
    NodeFinished(NodeReport),
    RunFinished {
        outputs: Option<Object>,
        error: Option<String>,
        took_ms: f64,
    },
    /// So many were not read in time.
    Missed {
        count: u64,
    },
    /// Something that a later version tells.
    #[serde(other)]
    Other,
}

impl Told {
    /// Tells it to somebody who watches.
    pub(super) fn to(&self, observer: &impl Observer) {
        let event = match self {
            Self::RunStarted { pipeline, run, nodes, resumed } => {
                RunEvent::RunStarted { pipeline, run: run.as_deref(), nodes: *nodes, resumed: *resumed }
            }
            Self::NodeStarted { node } => RunEvent::NodeStarted { node },
            Self::Token { node, path, piece } => RunEvent::Token { node, path, piece },
            Self::Progress { node, done, total } => RunEvent::Progress { node, done: *done, total: *total },
            Self::Retry { node, path, attempt, error, wait_ms } => {
                RunEvent::Retry { node, path, attempt: *attempt, error, wait: time(*wait_ms) }
            }
            Self::Tolerated { node, path, error } => RunEvent::Tolerated { node, path, error },
            Self::NodeFinished(report) => RunEvent::NodeFinished { report },
            Self::RunFinished { outputs, error, took_ms } => RunEvent::RunFinished {
                outputs: outputs.as_ref(),
                error: error.as_deref(),
                took: time(*took_ms),
            },
            Self::Missed { .. } | Self::Other => return,
        };
        observer.event(&event);
    }
}

fn time(milliseconds: f64) -> Duration {
    // What somebody else says may be no time at all.
    Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default()
}
