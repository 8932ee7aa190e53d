use tapline_core::{BoxFuture, Failure, Flow, Operation};

use crate::Result;
use crate::context::Context;

/// A plugin as [`#[plugin]`](crate::plugin) defines it; written by the attribute, not by hand.
pub trait Define: Send + Sync + Sized + 'static {
    /// The text of the manifest.
    const MANIFEST: &'static str;

    /// Makes the plugin's state from its configuration.
    fn init(context: &Context) -> BoxFuture<'_, Result<Self>>;

    /// Answers one call.
    fn call<'a>(&'a self, operation: &'a Operation, context: &'a Context) -> BoxFuture<'a, Result<Flow>>;
}

/// The answer to an operation that the plugin has no method for. Beginning and ending need none.
#[doc(hidden)]
pub fn not_declared(operation: &Operation) -> Result<Flow> {
    match operation {
        Operation::Start | Operation::Stop | Operation::Health => Ok(Flow::Proceed),
        Operation::ExportState | Operation::ImportState { .. } => {
            Err(Failure::new("no-state", "the plugin hands over no state"))
        }
        Operation::Event { subscription } => Err(Failure::new(
            "no-such-subscription",
            format!("there is no such subscription as `{subscription}`"),
        )),
        Operation::Handle { contribution, method } => {
            Err(Failure::new("no-such-method", format!("`{contribution}` has no method `{method}`")))
        }
        Operation::Before { hook }
        | Operation::After { hook }
        | Operation::Around { hook }
        | Operation::Replace { hook }
        | Operation::Answer { hook } => {
            Err(Failure::new("no-such-hook", format!("there is no such hook as `{hook}`")))
        }
    }
}
