use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::call_error::CallError;
use crate::context::CallContext;
use crate::failure::Failure;
use crate::gate::{Gate, Pass};
use crate::hook::chain::{Next, Repeat};
use crate::hook::error::{HookError, LayerName};
use crate::hook::quarantine::Quarantine;
use crate::hook::stats::LayerStats;
use crate::hook::watch::{HookEvent, Watch};
use crate::manifest::{HookDeclaration, On, OnFailure};
use crate::payload::Payload;
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
pub(crate) type RepeatFn<I, O> =
    dyn for<'a> Fn(I, Repeat<'a, I, O>) -> BoxFuture<'a, Outcome<O>> + Send + Sync;
pub(crate) type ReplaceFn<I, O> = dyn Fn(I) -> BoxFuture<'static, Result<O, Failure>> + Send + Sync;
pub(crate) type AnswerFn<I, O> = dyn Fn(&I) -> Result<Option<O>, Failure> + Send + Sync;
pub(crate) type SlowAnswerFn<I, O> =
    dyn for<'a> Fn(&'a I) -> BoxFuture<'a, Result<Option<O>, Failure>> + Send + Sync;

/// What a hook runs.
pub(crate) enum Body<I, O> {
    Before(Box<BeforeFn<I, O>>),
    After(Box<AfterFn<O>>),
    Around(Box<AroundFn<I, O>>),
    Repeat(Box<RepeatFn<I, O>>),
    Replace(Box<ReplaceFn<I, O>>),
    Answer(Box<AnswerFn<I, O>>),
    SlowAnswer(Box<SlowAnswerFn<I, O>>),
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
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) name: LayerName,
    /// Facts and the values that they must have.
    pub(crate) when: Vec<(String, String)>,
    pub(crate) on_failure: OnFailure,
    pub(crate) on: On,
    pub(crate) repeats: bool,
    pub(crate) gate: Arc<Gate>,
    pub(crate) stats: Arc<LayerStats>,
    pub(crate) quarantine: Arc<Quarantine>,
    pub(crate) watch: Arc<Watch>,
}

impl Hook {
    /// A hook that runs behind a boundary.
    #[must_use]
    pub fn boundary(declaration: HookDeclaration, boundary: Arc<dyn Boundary>) -> Self {
        Self { declaration, body: HookBody::Boundary(boundary) }
    }

    /// What it declares.
    #[must_use]
    pub const fn declaration(&self) -> &HookDeclaration {
        &self.declaration
    }

    /// The same hook with other declarations; what it runs, and therefore its kind, stays.
    #[must_use]
    pub fn declared(mut self, declare: impl FnOnce(&mut HookDeclaration)) -> Self {
        let kind = self.declaration.kind;
        declare(&mut self.declaration);
        self.declaration.kind = kind;
        self
    }

    /// Places the hook among the others of its point.
    #[must_use]
    pub fn priority(self, priority: crate::manifest::Priority) -> Self {
        self.declared(|declaration| declaration.priority = priority)
    }

    /// Stands before the hooks that the selector names, whatever the priorities.
    #[must_use]
    pub fn before(self, selector: &str) -> Self {
        self.declared(|declaration| declaration.before.push(selector.into()))
    }

    /// Stands after the hooks that the selector names, whatever the priorities.
    #[must_use]
    pub fn after(self, selector: &str) -> Self {
        self.declared(|declaration| declaration.after.push(selector.into()))
    }

    /// Enters the hook only for calls with this fact.
    #[must_use]
    pub fn when(self, fact: &str, value: &str) -> Self {
        self.declared(|declaration| drop(declaration.when.insert(fact.into(), value.into())))
    }

    /// Tells an after hook of these outcomes.
    #[must_use]
    pub fn on(self, on: On) -> Self {
        self.declared(|declaration| declaration.on = on)
    }

    /// Lets calls go on when the hook fails.
    #[must_use]
    pub fn skip_on_failure(self) -> Self {
        self.declared(|declaration| declaration.on_failure = OnFailure::Skip)
    }
}

impl Layer {
    /// Whether the call is one of those that the hook asked for.
    pub(crate) fn is_for<I: Payload>(&self, input: &I) -> bool {
        self.when.iter().all(|(name, value)| input.fact(name) == Some(value))
    }

    /// Lets a call in, unless it is not for this hook or the plugin is on its way out.
    ///
    /// # Errors
    /// When the hook is in quarantine and calls do not go on without it.
    pub(crate) fn enter<I: Payload>(&self, input: &I) -> Result<Option<Pass<'_>>, HookError> {
        if !self.is_for(input) || !self.is_trusted()? {
            return Ok(None);
        }
        Ok(self.gate.enter())
    }

    /// Whether the hook may be entered; one in quarantine is as if it had failed.
    #[inline]
    pub(crate) fn is_trusted(&self) -> Result<bool, HookError> {
        if self.quarantine.is_closed() { self.quarantined() } else { Ok(true) }
    }

    #[cold]
    fn quarantined(&self) -> Result<bool, HookError> {
        if self.can_be_skipped() {
            return Ok(false);
        }
        let (plugin, hook) = (self.name.plugin.to_string(), self.name.hook.to_string());
        Err(HookError::from(CallError::Quarantined { plugin, hook }).arisen_in(self))
    }

    #[inline]
    pub(crate) fn can_be_skipped(&self) -> bool {
        self.on_failure == OnFailure::Skip
    }

    /// Whether an after hook is told of this outcome.
    pub(crate) fn wants<O>(&self, outcome: &Outcome<O>) -> bool {
        match self.on {
            On::Success => outcome.is_ok(),
            On::Error => outcome.is_err(),
            On::Always => true,
        }
    }

    /// Counts a fault of the hook.
    pub(crate) fn fault(&self) {
        if self.quarantine.fault(self.watch.now()) {
            self.watch.tell(&HookEvent::Quarantined { layer: &self.name });
        }
    }

    /// Tells whoever watches of a failure that no caller learns of.
    pub(crate) fn tell_failed(&self, error: &HookError) {
        self.watch.tell(&HookEvent::Failed { layer: &self.name, error });
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Hook").field(&self.declaration).finish()
    }
}

impl fmt::Debug for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Layer").field(&self.name).finish()
    }
}
