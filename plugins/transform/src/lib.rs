//! Operations on rows.
//!
//! Each operation is a function `run` of its configuration and of the variables that its expressions may name besides
//! `item`.
//! It fails on the first row that does not fit and names it, changes nothing in place, and shares every row that it
//! does not change.
//!
//! Values are compared and ordered as jq does it: null < false < true < numbers < strings < arrays < objects, `1`
//! equals `1.0`, and a missing field is null.
//! A condition is true as in the template language, in which `0`, `""` and `[]` are false too.

pub mod transform;
pub mod map;
pub mod filter;
pub mod reduce;
pub mod select;
pub mod sort;
pub mod limit;
pub mod join;
pub mod unique;
pub mod flatten;
pub mod explode;
pub mod chunk;
pub mod jq;
pub mod template;
mod error;
mod rows;
mod names;
mod formula;
mod order;
mod key;
mod aggregate;
mod mistakes;

pub use error::OpError;
pub use order::compare;

use names::Names;

use tapline_pdk::prelude::*;
use tapline_pdk::roles::{Findings, NodeOutline, NodeRequest};

/// The plugin: one node type for each operation.
#[derive(Debug)]
pub struct Transform;

#[plugin(id = "transform", requires = { context = { read = ["input"], write = ["output"] } })]
impl Transform {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    /// Refuses what the schemas cannot, before a run begins.
    #[hook(point = "node.validate", kind = "answer")]
    async fn validate(&self, context: &Context) -> Result<Option<Findings>> {
        Ok(mistakes::find(&context.read::<NodeOutline>("input")?))
    }

    #[provides(point = "node", key = "transform", schema = "schemas/transform.json")]
    async fn transform(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        Ok(transform::run(&request.with, &request.scope)?)
    }

    #[provides(point = "node", key = "map", schema = "schemas/map.json")]
    async fn map(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        Ok(map::run(&request.with, &request.scope)?)
    }

    #[provides(point = "node", key = "filter", schema = "schemas/filter.json")]
    async fn filter(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        Ok(filter::run(&request.with, &request.scope)?)
    }

    #[provides(point = "node", key = "reduce", schema = "schemas/reduce.json")]
    async fn reduce(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        Ok(reduce::run(&request.with, &request.scope)?)
    }

    #[provides(point = "node", key = "select", schema = "schemas/select.json")]
    async fn select(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        Ok(select::run(&request.with, &request.scope)?)
    }

    #[provides(point = "node", key = "sort", schema = "schemas/sort.json")]
    async fn sort(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        Ok(sort::run(&request.with, &request.scope)?)
    }

    #[provides(point = "node", key = "limit", schema = "schemas/limit.json")]
    async fn limit(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        Ok(limit::run(&request.with, &request.scope)?)
    }

    #[provides(point = "node", key = "join", schema = "schemas/join.json")]
    async fn join(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        Ok(join::run(&request.with, &request.scope)?)
    }

    #[provides(point = "node", key = "unique", schema = "schemas/unique.json")]
    async fn unique(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        Ok(unique::run(&request.with, &request.scope)?)
    }

    #[provides(point = "node", key = "flatten", schema = "schemas/flatten.json")]
    async fn flatten(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        Ok(flatten::run(&request.with, &request.scope)?)
    }

    #[provides(point = "node", key = "explode", schema = "schemas/explode.json")]
    async fn explode(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        Ok(explode::run(&request.with, &request.scope)?)
    }

    #[provides(point = "node", key = "chunk", schema = "schemas/chunk.json")]
    async fn chunk(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        Ok(chunk::run(&request.with, &request.scope)?)
    }

    #[provides(point = "node", key = "jq", schema = "schemas/jq.json")]
    async fn jq(&self, context: &Context, request: NodeRequest) -> Result<Value> {
        Ok(jq::run_until(&request.with, || context.is_given_up())?)
    }

    #[provides(point = "node", key = "template", schema = "schemas/template.json")]
    async fn template(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        Ok(template::run(&request.with, &request.scope)?)
    }
}

impl From<OpError> for Failure {
    fn from(error: OpError) -> Self {
        let code = match error {
            OpError::Config { .. } => "invalid-config",
            OpError::Expression { .. } | OpError::Program { .. } => "invalid-expression",
            _ => "invalid-data",
        };
        Self::from_error(code, error)
    }
}

#[cfg(test)]
mod tests;
