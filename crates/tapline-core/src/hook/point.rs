use std::any::Any;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::{CallError, Failure};
use crate::hook::chain::{HookChain, Next, Once};
use crate::hook::error::{HookError, LayerName};
use crate::hook::layer::{Body, Hook, HookBody, Layer, Outcome, Step};
use crate::hook::stats::LayerStats;
use crate::manifest::{HookDeclaration, HookKind, Priority};
use crate::payload::Payload;
use crate::plugin::BoxFuture;
use crate::registry::Registry;

/// A typed place where plugins join in around an operation.
///
/// Cloning gives another handle to the same point. Every call takes one snapshot of the hooks: what is added
/// meanwhile belongs to later calls, and what is removed and not yet entered is skipped.
pub struct HookPoint<I, O> {
    registry: Arc<Registry>,
    slot: usize,
    info: Arc<PointInfo>,
    /// Without hooks, a call need not look at the snapshot.
    is_empty: Arc<AtomicBool>,
    types: PhantomData<fn(I) -> O>,
}

/// What is known of a hook point without its types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointInfo {
    /// Its dotted name.
    pub id: Arc<str>,
    /// Who declared it.
    pub owner: Arc<str>,
}

/// One hook in its place, for people who ask why.
#[derive(Debug, Clone)]
pub struct HookInfo {
    /// Point, plugin, hook and kind.
    pub name: LayerName,
    /// Its priority.
    pub priority: Priority,
    /// What it has cost so far.
    pub stats: Arc<LayerStats>,
}

/// A hook with the layer that it becomes.
#[derive(Debug)]
pub(crate) struct PlacedHook<'a> {
    pub(crate) layer: Layer,
    pub(crate) hook: &'a Hook,
}

/// A hook point whose types are not known.
pub(crate) trait ErasedPoint: Send + Sync {
    /// Makes a chain of hooks in calling order.
    fn chain(&self, hooks: &[PlacedHook<'_>]) -> Arc<dyn Any + Send + Sync>;

    /// Whether the hook was made for the types of this point.
    fn accepts(&self, hook: &Hook) -> bool;
}

struct Types<I, O>(PhantomData<fn(I) -> O>);

impl<I: Payload, O: Payload> HookPoint<I, O> {
    pub(crate) const fn new(
        registry: Arc<Registry>,
        slot: usize,
        info: Arc<PointInfo>,
        is_empty: Arc<AtomicBool>,
    ) -> Self {
        Self { registry, slot, info, is_empty, types: PhantomData }
    }

    pub(crate) fn erased() -> Arc<dyn ErasedPoint> {
        Arc::new(Types::<I, O>(PhantomData))
    }

    /// What is known of the point without its types.
    #[must_use]
    pub fn info(&self) -> &PointInfo {
        &self.info
    }

    /// Runs the hooks around `core`. Dropping the future ends the call.
    ///
    /// # Errors
    /// The first error of a hook or of the core operation that no outer layer recovered from.
    pub async fn call<F, Fut>(&self, input: I, core: F) -> Result<O, HookError>
    where
        F: FnOnce(I) -> Fut + Send,
        Fut: Future<Output = Result<O, CallError>> + Send,
    {
        if self.is_empty.load(Ordering::Acquire) {
            return core(input).await.map_err(HookError::arisen_in_core);
        }
        let chain = self.registry.chain::<HookChain<I, O>>(self.slot);
        let mut core = Once(Some(core));
        match chain {
            Some(chain) => chain.run(0, input, &mut core).await,
            None => crate::hook::chain::Core::run(&mut core, input).await,
        }
    }

    /// A hook that runs on the way in.
    pub fn before<F>(&self, name: &str, run: F) -> Hook
    where
        F: Fn(&mut I) -> Result<Step<O>, Failure> + Send + Sync + 'static,
    {
        self.hook(name, HookKind::Before, Body::Before(Box::new(run)))
    }

    /// A hook that runs on the way out, whatever the outcome.
    pub fn after<F>(&self, name: &str, run: F) -> Hook
    where
        F: Fn(Outcome<O>) -> Outcome<O> + Send + Sync + 'static,
    {
        self.hook(name, HookKind::After, Body::After(Box::new(run)))
    }

    /// A hook that runs on both ways, and calls what is inside it.
    pub fn around<F>(&self, name: &str, run: F) -> Hook
    where
        F: for<'a> Fn(I, Next<'a, I, O>) -> BoxFuture<'a, Outcome<O>> + Send + Sync + 'static,
    {
        self.hook(name, HookKind::Around, Body::Around(Box::new(run)))
    }

    /// A hook that stands in for the core operation.
    pub fn replace<F, Fut>(&self, name: &str, run: F) -> Hook
    where
        F: Fn(I) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, Failure>> + Send + 'static,
    {
        self.hook(name, HookKind::Replace, Body::Replace(Box::new(move |input| Box::pin(run(input)))))
    }

    fn hook(&self, name: &str, kind: HookKind, body: Body<I, O>) -> Hook {
        let declaration = HookDeclaration::new(Arc::clone(&self.info.id), name, kind);
        Hook { declaration, body: HookBody::Typed(Arc::new(body)) }
    }
}

impl<I: Payload, O: Payload> ErasedPoint for Types<I, O> {
    fn chain(&self, hooks: &[PlacedHook<'_>]) -> Arc<dyn Any + Send + Sync> {
        let entries =
            hooks.iter().filter_map(|placed| Some((placed.layer.clone(), body::<I, O>(placed.hook)?)));
        let (replacements, layers) =
            entries.partition::<Vec<_>, _>(|(layer, _)| layer.name.kind == HookKind::Replace);
        Arc::new(HookChain { layers, replacement: replacements.into_iter().next() })
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

impl<I, O> Clone for HookPoint<I, O> {
    fn clone(&self) -> Self {
        Self {
            registry: Arc::clone(&self.registry),
            slot: self.slot,
            info: Arc::clone(&self.info),
            is_empty: Arc::clone(&self.is_empty),
            types: PhantomData,
        }
    }
}

impl<I, O> fmt::Debug for HookPoint<I, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("HookPoint").field(&self.info.id).finish()
    }
}
