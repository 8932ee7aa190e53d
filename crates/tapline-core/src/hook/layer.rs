use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::context::CallContext;
use crate::failure::{CallError, Failure};
use crate::gate::{Gate, Pass};
use crate::hook::chain::Next;
use crate::hook::error::{HookError, LayerName};
use crate::hook::stats::LayerStats;
use crate::manifest::{HookDeclaration, OnFailure};
use crate::plugin::{BoxFuture, Flow};
use crate::value::Object;

/// How a hook call goes on after a before hook.
#[derive(Debug)]
pub enum Step<O> {
    /// Inward.
    Proceed,
    /// Outward, with this output; nothing further in is entered.
    Finish(O),
}

/// What came out of a hook call so far.
pub type Outcome<O> = Result<O, HookError>;

pub(crate) type BeforeFn<I, O> = dyn Fn(&mut I) -> Result<Step<O>, Failure> + Send + Sync;
pub(crate) type AfterFn<O> = dyn Fn(Outcome<O>) -> Outcome<O> + Send + Sync;
pub(crate) type AroundFn<I, O> = dyn for<'a> Fn(I, Next<'a, I, O>) -> BoxFuture<'a, Outcome<O>> + Send + Sync;
pub(crate) type ReplaceFn<I, O> = dyn Fn(I) -> BoxFuture<'static, Result<O, Failure>> + Send + Sync;

/// What a hook runs.
pub(crate) enum Body<I, O> {
    Before(Box<BeforeFn<I, O>>),
    After(Box<AfterFn<O>>),
    Around(Box<AroundFn<I, O>>),
    Replace(Box<ReplaceFn<I, O>>),
    Boundary(Arc<dyn Boundary>),
}

/// A hook of a plugin that sees values instead of types: one that runs elsewhere, or is written against the PDK.
pub trait Boundary: Send + Sync {
    /// The context of one call, with the grants of the plugin.
    fn context(&self, root: Object) -> Arc<CallContext>;

    /// Runs the hook. Dropping the future ends the call.
    fn enter<'a>(&'a self, context: &'a Arc<CallContext>) -> BoxFuture<'a, Result<Flow, CallError>>;
}

/// A hook that is ready to be registered: its declaration and what it runs.
#[derive(Clone)]
pub struct Hook {
    pub(crate) declaration: HookDeclaration,
    pub(crate) body: HookBody,
}

#[derive(Clone)]
pub(crate) enum HookBody {
    /// A `Body<I, O>`, whose types only the hook point knows.
    Typed(Arc<dyn Any + Send + Sync>),
    Boundary(Arc<dyn Boundary>),
}

/// A hook in its place in a chain.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) name: LayerName,
    pub(crate) when: BTreeMap<String, String>,
    pub(crate) on_failure: OnFailure,
    pub(crate) gate: Arc<Gate>,
    pub(crate) stats: Arc<LayerStats>,
}

impl Hook {
    /// A hook that runs behind a boundary.
    #[must_use]
    pub fn boundary(declaration: HookDeclaration, boundary: Arc<dyn Boundary>) -> Self {
        Self { declaration, body: HookBody::Boundary(boundary) }
    }

    /// Places the hook among the others of its point.
    #[must_use]
    pub fn priority(mut self, priority: crate::manifest::Priority) -> Self {
        self.declaration.priority = priority;
        self
    }

    /// Stands before the hooks that the selector names, whatever the priorities.
    #[must_use]
    pub fn before(mut self, selector: &str) -> Self {
        self.declaration.before.push(selector.into());
        self
    }

    /// Stands after the hooks that the selector names, whatever the priorities.
    #[must_use]
    pub fn after(mut self, selector: &str) -> Self {
        self.declaration.after.push(selector.into());
        self
    }

    /// Enters the hook only for calls with this fact.
    #[must_use]
    pub fn when(mut self, fact: &str, value: &str) -> Self {
        self.declaration.when.insert(fact.into(), value.into());
        self
    }

    /// Lets calls go on when the hook fails.
    #[must_use]
    pub fn skip_on_failure(mut self) -> Self {
        self.declaration.on_failure = OnFailure::Skip;
        self
    }
}

impl Layer {
    /// Lets a call in, unless it is filtered out or the plugin is on its way out.
    pub(crate) fn enter(&self, fact: impl Fn(&str) -> bool) -> Option<Pass> {
        if !self.when.keys().all(|name| fact(name)) {
            return None;
        }
        self.gate.enter()
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Hook").field(&self.declaration).finish()
    }
}
