use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tapline_core::{HookError, Object};

use crate::definition::{NodeDefinition, RenderError};

/// What came of a run.
#[derive(Debug)]
#[non_exhaustive]
pub struct RunReport {
    /// The pipeline's outputs, or why there are none.
    pub outputs: Result<Object, RunError>,
    /// The nodes, as they are written in the file.
    pub nodes: Vec<NodeReport>,
    /// The time from begin to end.
    pub took: Duration,
}

/// What came of a node.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NodeReport {
    /// Its name in the pipeline.
    pub id: Arc<str>,
    /// Its type.
    pub node_type: Arc<str>,
    /// The plugin that handles the type.
    pub plugin: Arc<str>,
    /// How far it came.
    pub state: NodeState,
    /// How many items it ran for, if it maps.
    pub items: Option<usize>,
    /// The time that it took, hooks included.
    pub took: Duration,
}

/// How far a node came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeState {
    /// It did not begin, or was abandoned when the run ended.
    Waiting,
    /// It has an output.
    Done,
    /// Its `when` was false: its output is `null`.
    Skipped,
    /// It has an error.
    Failed,
}

/// Why a run has no outputs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A node failed.
    #[error("node `{node}` failed{}", item.map(|item| format!(" on item {item}")).unwrap_or_default())]
    Node {
        /// The node.
        node: Arc<str>,
        /// The place of the item that it failed on, from 0, if it maps.
        item: Option<usize>,
        /// What its handler or a hook answered.
        source: HookError,
    },
    /// A template or condition could not be evaluated.
    #[error(transparent)]
    Render(RenderError),
    /// A node maps over something that is no list.
    #[error("node `{node}` maps over {found}, and not over a list")]
    NotAList {
        /// The node.
        node: Arc<str>,
        /// What it is instead.
        found: &'static str,
    },
    /// The run took longer than it may.
    #[error("the run took longer than its limit of {}", humantime::format_duration(*limit))]
    Wall {
        /// The limit.
        limit: Duration,
    },
    /// The engine itself broke.
    #[error("the engine broke: {message}")]
    Engine {
        /// What it said.
        message: String,
    },
}

/// Something that happens during a run.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum RunEvent<'a> {
    /// A node begins.
    Started {
        /// The node.
        id: &'a Arc<str>,
    },
    /// A node that maps has come further.
    Progress {
        /// The node.
        id: &'a Arc<str>,
        /// How many items are done.
        done: usize,
        /// How many there are.
        total: usize,
    },
    /// A node has come to its end.
    Finished {
        /// What came of it.
        report: &'a NodeReport,
    },
}

/// Watches a run; called from the tasks that do the work, so it must return at once.
pub trait Observer: Send + Sync {
    /// Takes note of an event.
    fn event(&self, event: &RunEvent<'_>);
}

/// An observer that looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _event: &RunEvent<'_>) {}
}

impl NodeReport {
    pub(super) fn waiting(node: &NodeDefinition) -> Self {
        Self {
            id: Arc::clone(&node.id),
            node_type: Arc::clone(&node.node_type),
            plugin: Arc::clone(&node.plugin),
            state: NodeState::Waiting,
            items: None,
            took: Duration::ZERO,
        }
    }
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
