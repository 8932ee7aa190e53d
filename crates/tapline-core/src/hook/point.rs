use std::any::Any;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::{Either, select};

use crate::call_error::{CallError, Phase};
use crate::failure::Failure;
use crate::hook::chain::{Core, CoreRef, HookChain, Many, Next, Once, Repeat};
use crate::hook::declaration::PointInfo;
use crate::hook::error::HookError;
use crate::hook::layer::{Body, Hook, HookBody, Layer, Outcome, Step};
use crate::hook::trace::Trace;
use crate::hook::typed;
use crate::manifest::{HookDeclaration, HookKind};
use crate::payload::Payload;
use crate::plugin::BoxFuture;
use crate::registry::Registry;
use crate::scope::{Place, within};
use crate::sync::AtomicBool;

/// A typed place where plugins join in around an operation.
///
/// Cloning gives another handle to the same point. Every call takes one snapshot of the hooks: what is added
/// meanwhile belongs to later calls, and what is removed and not yet entered is skipped.
pub struct HookPoint<I, O>(pub(crate) Slot<I, O>);

/// A point's place in its registry.
pub(crate) struct Slot<I, O> {
    pub(crate) registry: Arc<Registry>,
    pub(crate) index: usize,
    pub(crate) info: Arc<PointInfo>,
    /// Without hooks, a call need not look at the snapshot.
    pub(crate) is_empty: Arc<AtomicBool>,
    pub(crate) types: PhantomData<fn(I) -> O>,
}

/// A hook with the layer that it becomes.
#[derive(Debug)]
pub(crate) struct PlacedHook<'a> {
    pub(crate) layer: Layer,
    pub(crate) hook: &'a Hook,
}

/// A hook point whose types are not known.
pub(crate) trait ErasedPoint: Send + Sync {
    /// Makes a chain of hooks in calling order: an `Arc<HookChain<I, O>>`.
    fn chain(&self, hooks: &[PlacedHook<'_>]) -> Box<dyn Any + Send + Sync>;

    /// Whether the hook was made for the types of this point.
    fn accepts(&self, hook: &Hook) -> bool;
}

/// Where a call goes on after the native before hooks that stand first.
enum Begun<I, O> {
    /// Outward.
    Done(Outcome<O>),
    /// There is nothing else around the operation.
    Core(I),
    /// The rest of the chain, from a place in it.
    Rest(Arc<HookChain<I, O>>, usize, I),
}

impl<I: Payload, O: Payload> HookPoint<I, O> {
    /// What is known of the point without its types.
    #[must_use]
    pub fn info(&self) -> &PointInfo {
        &self.0.info
    }

    /// Runs the hooks around `core`. Dropping the future ends the call; the layers that it has entered are told.
    ///
    /// # Errors
    /// The first error of a hook or of the core operation that no outer layer recovered from. A panic of the operation
    /// is one that names no hook, where hooks that can wait are around it; otherwise it goes on to the caller.
    #[inline]
    pub async fn call<F, Fut>(&self, input: I, core: F) -> Result<O, HookError>
    where
        F: FnOnce(I) -> Fut + Send,
        Fut: Future<Output = Result<O, CallError>> + Send,
    {
        if self.0.is_empty() {
            return core(input).await.map_err(HookError::arisen_in_core);
        }
        match self.begin(input) {
            Begun::Done(outcome) => outcome,
            Begun::Core(input) => core(input).await.map_err(HookError::arisen_in_core),
            // Boxed, so that calls without such hooks do not pay for moving a future that is as large as a chain.
            Begun::Rest(chain, index, input) => {
                let mut core = Once(Some(core));
                Box::pin(async move { chain.call(&self.0.info.id, index, input, &mut core, None).await })
                    .await
            }
        }
    }

    /// As [`call`](Self::call), with a core operation that hooks which repeat can run again.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_again<F, Fut>(&self, input: I, core: F) -> Result<O, HookError>
    where
        F: FnMut(I) -> Fut + Send,
        Fut: Future<Output = Result<O, CallError>> + Send,
    {
        self.0.run(input, &mut Many(core), None).await
    }

    /// As [`call`](Self::call), and ends the call when it is not done in time. Calls inside it inherit the deadline;
    /// a later one of theirs is cut to it.
    ///
    /// # Errors
    /// As [`call`](Self::call), and [`CallError::DeadlineExceeded`]; the layers that were entered learn that the call
    /// was cancelled.
    pub async fn call_within<F, Fut>(&self, limit: Duration, input: I, core: F) -> Result<O, HookError>
    where
        F: FnOnce(I) -> Fut + Send,
        Fut: Future<Output = Result<O, CallError>> + Send,
    {
        let watch = self.0.registry.watch();
        let deadline = watch.now() + limit;
        let call = within(Place::Deadline(deadline), self.call(input, core));
        let call = std::pin::pin!(call);
        // The time is looked at first: what hooks make of their inherited deadline comes too late then.
        match select(watch.sleep_until(deadline), call).await {
            Either::Left(_) => {
                Err(HookError::arisen_in_core(CallError::DeadlineExceeded { limit, phase: Phase::Running }))
            }
            Either::Right((outcome, _)) => outcome,
        }
    }

    /// As [`call`](Self::call), and tells which hooks were entered and which of them gave the answer.
    pub async fn call_traced<F, Fut>(&self, input: I, core: F) -> (Result<O, HookError>, Trace)
    where
        F: FnOnce(I) -> Fut + Send,
        Fut: Future<Output = Result<O, CallError>> + Send,
    {
        let trace = Trace::default();
        let outcome = self.0.run(input, &mut Once(Some(core)), Some(&trace)).await;
        (outcome, trace)
    }

    /// Runs the native before hooks that stand first. They cannot wait, so the snapshot itself keeps their plugins from
    /// being drained, and entering them costs no more than calling them.
    fn begin(&self, mut input: I) -> Begun<I, O> {
        let snapshot = self.0.registry.snapshot();
        let Some(chain) = self.0.chain(&snapshot) else { return Begun::Core(input) };
        for (place, (layer, body)) in chain.layers.iter().enumerate() {
            let Body::Before(before) = &**body else { return Begun::Rest(Arc::clone(chain), place, input) };
            if layer.gate.is_closed() || !layer.is_for(&input) {
                continue;
            }
            match layer.is_trusted() {
                Ok(true) => {}
                Ok(false) => continue,
                Err(error) => return Begun::Done(Err(error)),
            }
            match typed::before(layer, before, &mut input) {
                Ok(Step::Proceed) => {}
                Ok(Step::Finish(output)) => return Begun::Done(Ok(output)),
                Err(error) => return Begun::Done(Err(error)),
            }
        }
        match &chain.replacement {
            None => Begun::Core(input),
            Some(_) => Begun::Rest(Arc::clone(chain), chain.layers.len(), input),
        }
    }

    /// A hook that runs on the way in.
    pub fn before<F>(&self, name: &str, run: F) -> Hook
    where
        F: Fn(&mut I) -> Result<Step<O>, Failure> + Send + Sync + 'static,
    {
        self.0.hook(name, HookKind::Before, Body::Before(Box::new(run)))
    }

    /// A hook that runs on the way out of a call that has an output; [`Hook::on`] lets it see errors, too.
    pub fn after<F>(&self, name: &str, run: F) -> Hook
    where
        F: Fn(Outcome<O>) -> Outcome<O> + Send + Sync + 'static,
    {
        self.0.hook(name, HookKind::After, Body::After(Box::new(run)))
    }

    /// A hook that runs on both ways, and calls what is inside it.
    pub fn around<F>(&self, name: &str, run: F) -> Hook
    where
        F: for<'a> Fn(I, Next<'a, I, O>) -> BoxFuture<'a, Outcome<O>> + Send + Sync + 'static,
    {
        self.0.hook(name, HookKind::Around, Body::Around(Box::new(run)))
    }

    /// An around hook that may call what is inside it any number of times, at points that are repeating.
    pub fn repeat<F>(&self, name: &str, run: F) -> Hook
    where
        F: for<'a> Fn(I, Repeat<'a, I, O>) -> BoxFuture<'a, Outcome<O>> + Send + Sync + 'static,
    {
        let hook = self.0.hook(name, HookKind::Around, Body::Repeat(Box::new(run)));
        hook.declared(|declaration| declaration.repeats = true)
    }

    /// A hook that stands in for the core operation.
    pub fn replace<F, Fut>(&self, name: &str, run: F) -> Hook
    where
        F: Fn(I) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, Failure>> + Send + 'static,
    {
        self.0.hook(name, HookKind::Replace, Body::Replace(Box::new(move |input| Box::pin(run(input)))))
    }
}

impl<I: Payload, O: Payload> Slot<I, O> {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty.load(Ordering::Acquire)
    }

    /// The point's chain in a snapshot.
    pub(crate) fn chain<'a>(
        &self,
        snapshot: &'a crate::registry::Snapshot,
    ) -> Option<&'a Arc<HookChain<I, O>>> {
        snapshot.chains.get(self.index)?.downcast_ref()
    }

    /// The point's chain as it is now.
    pub(crate) fn current(&self) -> Option<Arc<HookChain<I, O>>> {
        self.chain(&self.registry.snapshot()).cloned()
    }

    async fn run<C: Core<I, O>>(&self, input: I, core: &mut C, trace: Option<&Trace>) -> Outcome<O> {
        match self.current() {
            Some(chain) => chain.call(&self.info.id, 0, input, core, trace).await,
            None => CoreRef(core).run(input).await,
        }
    }

    pub(crate) fn hook(&self, name: &str, kind: HookKind, body: Body<I, O>) -> Hook {
        let declaration = HookDeclaration::new(Arc::clone(&self.info.id), name, kind);
        Hook { declaration, body: HookBody::Typed(Arc::new(body)) }
    }
}

/// The types of a point, and nothing else of it.
pub(crate) struct Types<I, O>(pub(crate) PhantomData<fn(I) -> O>);

impl<I: Payload, O: Payload> ErasedPoint for Types<I, O> {
    fn chain(&self, hooks: &[PlacedHook<'_>]) -> Box<dyn Any + Send + Sync> {
        let entries =
            hooks.iter().filter_map(|placed| Some((placed.layer.clone(), body::<I, O>(placed.hook)?)));
        let (replacements, layers) =
            entries.partition::<Vec<_>, _>(|(layer, _)| layer.name.kind == HookKind::Replace);
        Box::new(Arc::new(HookChain { layers, replacement: replacements.into_iter().next() }))
    }

    fn accepts(&self, hook: &Hook) -> bool {
        body::<I, O>(hook).is_some()
    }
}

fn body<I: 'static, O: 'static>(hook: &Hook) -> Option<Arc<Body<I, O>>> {
    match &hook.body {
        HookBody::Typed(body) => Arc::clone(body).downcast().ok(),
        HookBody::Boundary(boundary) => Some(Arc::new(Body::Boundary(Arc::clone(boundary)))),
    }
}

impl<I, O> Clone for Slot<I, O> {
    fn clone(&self) -> Self {
        Self {
            registry: Arc::clone(&self.registry),
            index: self.index,
            info: Arc::clone(&self.info),
            is_empty: Arc::clone(&self.is_empty),
            types: PhantomData,
        }
    }
}

impl<I, O> fmt::Debug for Slot<I, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Slot").field(&self.info.id).finish()
    }
}

impl<I, O> Clone for HookPoint<I, O> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<I, O> fmt::Debug for HookPoint<I, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("HookPoint").field(&self.0.info.id).finish()
    }
}
