//! The pipeline's extension points as types: what a node handler, a provider and a validator are asked and answer.
//!
//! They are ordinary contributions to the extension points [`NODE`], [`PROVIDER`] and [`VALIDATOR`], and ordinary hook
//! points; nothing in the plugin system
//! knows them.

mod node;
mod provider;
mod validator;
mod pipeline;

pub use node::{NODE, NODE_EXECUTE, NodeInfo, NodeRequest, Page};
pub use pipeline::{
    Findings, NODE_ERROR, NODE_VALIDATE, NodeError, NodeOutline, PIPELINE_COMPLETE, PIPELINE_START,
    PIPELINE_VALIDATE, PipelineOutline, RunEnd, RunInfo, StepInfo, TOOL, TOOL_CALL,
};
pub use provider::{Completion, CompletionRequest, PROVIDER, PROVIDER_REQUEST, Usage};
pub use validator::{Finding, VALIDATOR, Validation, ValidationRequest};
