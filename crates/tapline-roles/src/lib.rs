//! The pipeline's extension points as types: what a node handler, a provider and a validator are asked and answer.
//!
//! They are ordinary contributions to the extension points [`NODE`], [`PROVIDER`], [`VALIDATOR`] and [`TOOL`], and
//! ordinary hook points; nothing in the plugin system knows them.

mod node;
mod provider;
mod tool;
mod validator;
mod pipeline;

pub use node::{NODE, NODE_EXECUTE, NodeInfo, NodeRequest, Page};
pub use pipeline::{
    Findings, NODE_ERROR, NODE_VALIDATE, NodeError, NodeOutline, PIPELINE_COMPLETE, PIPELINE_START,
    PIPELINE_VALIDATE, PipelineOutline, RunEnd, RunInfo, StepInfo,
};
pub use provider::{
    COMPLETE, Completion, CompletionRequest, EMBED, EmbeddingRequest, Embeddings, Message, PROVIDER,
    PROVIDER_REQUEST, Role, ToolCall, Usage,
};
pub use tool::{CALL, CALL_WITH, DESCRIBE, DESCRIBE_WITH, TOOL, TOOL_CALL, ToolOutline};
pub use validator::{Finding, VALIDATOR, Validation, ValidationRequest};
