use serde::{Deserialize, Serialize};
use tapline_core::{Payload, Value};

use crate::Finding;

/// The hook point that is told of every run that begins: of [`RunInfo`].
pub const PIPELINE_START: &str = "pipeline.start";
/// The hook point that is told of every run that has come to its end: of [`RunEnd`].
pub const PIPELINE_COMPLETE: &str = "pipeline.complete";
/// The hook point that is told of every step that failed, whatever the run does about it: of [`NodeError`].
pub const NODE_ERROR: &str = "node.error";
/// The hook point that collects what is wrong with a node before a run: of [`NodeOutline`], [`Findings`].
pub const NODE_VALIDATE: &str = "node.validate";
/// The hook point that collects what is wrong with a pipeline before a run: of [`PipelineOutline`], [`Findings`].
pub const PIPELINE_VALIDATE: &str = "pipeline.validate";

/// A run: one that begins, or, under `carried.run`, the one that a request of a step belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInfo {
    /// The pipeline's name.
    pub pipeline: String,
    /// The run's name in the journal, if it is kept.
    pub run: Option<String>,
    /// Tells the run from all others of this process, whether it is kept or not.
    pub number: u64,
}

/// The step that a request belongs to, under `carried.step`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepInfo {
    /// Which step of the run it is, as in `answer[3]`.
    pub path: String,
    /// The plugin that handles it.
    pub plugin: String,
    /// How often it has been tried, with this time, from 1.
    pub attempt: usize,
}

/// A run that has come to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunEnd {
    /// The pipeline's name.
    pub pipeline: String,
    /// The run's name in the journal, if it is kept.
    pub run: Option<String>,
    /// Tells the run from all others of this process, whether it is kept or not.
    pub number: u64,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub milliseconds: f64,
}

/// A step that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeError {
    /// The node.
    pub node: String,
    /// The step of it, as in `answer[3]`.
    pub path: String,
    /// Why it failed.
    pub error: String,
}

/// A node as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeOutline {
    /// Its name in the pipeline.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub node_type: String,
    /// Its settings, templates and all.
    pub with: Value,
}

/// A pipeline as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PipelineOutline {
    /// Its name.
    pub name: String,
    /// The whole file.
    pub document: Value,
}

/// What a hook has found; paths begin at `with` of the node, or at the whole file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings(pub Vec<Finding>);

impl Payload for RunInfo {}
impl Payload for RunEnd {}
impl Payload for NodeError {}
impl Payload for PipelineOutline {}
impl Payload for Findings {}

impl Payload for NodeOutline {
    fn fact(&self, name: &str) -> Option<&str> {
        match name {
            "id" => Some(&self.id),
            "type" => Some(&self.node_type),
            _ => None,
        }
    }
}
