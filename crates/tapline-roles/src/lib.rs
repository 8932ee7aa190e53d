//! The pipeline's extension points as types: what a node handler, a provider and a validator are asked and answer.
//!
//! They are ordinary contributions to the extension points [`NODE`] and [`PROVIDER`]; nothing in the plugin system
//! knows them.

mod node;
mod provider;

pub use node::{NODE, NODE_EXECUTE, NodeInfo, NodeRequest};
pub use provider::{Completion, CompletionRequest, PROVIDER, PROVIDER_REQUEST};
