use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use tapline_core::Object;

use super::error::RunError;
use super::event::milliseconds;
use super::meter::Amounts;
use crate::definition::NodeDefinition;

/// What came of a run.
#[derive(Debug)]
#[non_exhaustive]
pub struct RunReport {
    /// The run's name in the journal, if it is kept.
    pub id: Option<Arc<str>>,
    /// The pipeline's outputs, or why there are none.
    pub outputs: Result<Object, RunError>,
    /// The nodes, as they are written in the file.
    pub nodes: Vec<NodeReport>,
    /// What it has used up.
    pub used: Amounts,
    /// The time from begin to end.
    pub took: Duration,
}

/// What came of a node.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeReport {
    /// Its name in the pipeline.
    #[serde(rename = "node")]
    pub id: Arc<str>,
    /// Its type, or the key that says what it does.
    #[serde(rename = "type")]
    pub kind: Arc<str>,
    /// The plugin that handles it; empty where none does.
    pub plugin: Arc<str>,
    /// How far it came.
    pub state: NodeState,
    /// How many items it ran for, if it maps.
    pub items: Option<usize>,
    /// How many of its steps failed without ending the run.
    pub tolerated: usize,
    /// How many of its steps were done before the run was resumed, or their outputs kept from another run.
    pub reused: usize,
    /// What it has used up.
    pub used: Amounts,
    /// The time that it took, hooks included.
    #[serde(rename = "took_ms", serialize_with = "milliseconds", deserialize_with = "from_milliseconds")]
    pub took: Duration,
}

/// How far a node came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeState {
    /// It did not begin, or was abandoned when the run ended.
    Waiting,
    /// It has an output.
    Done,
    /// Its `when` was false, or it waits for one that was left out: its output is `null`.
    Skipped,
    /// It has an error.
    Failed,
}

impl NodeReport {
    pub(super) fn waiting(node: &NodeDefinition) -> Self {
        Self {
            id: Arc::clone(&node.id),
            kind: node.step.kind(),
            plugin: node.step.plugin().map_or_else(nobody, Arc::clone),
            state: NodeState::Waiting,
            items: None,
            tolerated: 0,
            reused: 0,
            used: Amounts::default(),
            took: Duration::ZERO,
        }
    }
}

fn nobody() -> Arc<str> {
    static NOBODY: tapline_core::Name = tapline_core::Name::new(|| "".into());
    NOBODY.shared()
}

impl fmt::Display for NodeState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        })
    }
}

fn from_milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let milliseconds = f64::deserialize(deserializer)?;
    Duration::try_from_secs_f64(milliseconds / 1e3).map_err(serde::de::Error::custom)
}
