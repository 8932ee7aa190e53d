use std::fmt;
use std::future::Future;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::call_error::CallError;
use crate::failure::Failure;
use crate::gate::Pass;
use crate::hook::error::HookError;
use crate::hook::layer::{Body, Layer, Outcome, Step};
use crate::hook::trace::{Trace, What};
use crate::hook::typed::Record;
use crate::hook::{boundary, typed};
use crate::manifest::On;
use crate::payload::Payload;
use crate::plugin::{BoxFuture, contained};
use crate::scope::{Place, Within, within};
use crate::value::Object;

/// The hooks of one point in calling order, outermost first; never changes once built.
pub(crate) struct HookChain<I, O> {
    pub(crate) layers: Vec<Entry<I, O>>,
    /// What stands in for the core operation.
    pub(crate) replacement: Option<Entry<I, O>>,
}

/// A layer and what it runs.
pub(crate) type Entry<I, O> = (Layer, Arc<Body<I, O>>);

/// What is inside an around hook: the rest of the chain, and the core operation. It can be called once.
pub struct Next<'a, I, O>(pub(crate) Repeat<'a, I, O>);

/// What is inside an around hook that may call it more than once; the point has to allow it.
pub struct Repeat<'a, I, O> {
    pub(crate) inside: Inside<'a, I, O>,
    /// Where to leave what comes out.
    pub(crate) record: &'a Record<O>,
}

/// The rest of a chain from a place in it, and the core operation.
pub(crate) struct Inside<'a, I, O> {
    pub(crate) chain: &'a HookChain<I, O>,
    pub(crate) index: usize,
    pub(crate) core: &'a mut dyn ErasedCore<I, O>,
    pub(crate) trace: Option<&'a Trace>,
}

/// The operation that a hook point wraps.
pub(crate) trait Core<I, O>: Send {
    fn run(&mut self, input: I) -> impl Future<Output = Outcome<O>> + Send;
}

/// A [`Core`] whose future is boxed, so that `Next` need not know its type.
pub(crate) trait ErasedCore<I, O>: Send {
    fn run_boxed(&mut self, input: I) -> BoxFuture<'_, Outcome<O>>;
}

impl<I: Send, O, C: Core<I, O>> ErasedCore<I, O> for C
where
    I: 'static,
    O: 'static,
{
    fn run_boxed(&mut self, input: I) -> BoxFuture<'_, Outcome<O>> {
        Box::pin(self.run(input))
    }
}

/// A core that is only known by reference.
pub(crate) struct CoreRef<'a, I, O>(pub(crate) &'a mut dyn ErasedCore<I, O>);

impl<I: Send, O> Core<I, O> for CoreRef<'_, I, O> {
    fn run(&mut self, input: I) -> impl Future<Output = Outcome<O>> + Send {
        self.0.run_boxed(input)
    }
}

/// A core operation that is consumed by its one run.
pub(crate) struct Once<F>(pub(crate) Option<F>);

impl<I, O, F, Fut> Core<I, O> for Once<F>
where
    I: Send,
    F: FnOnce(I) -> Fut + Send,
    Fut: Future<Output = Result<O, CallError>> + Send,
{
    async fn run(&mut self, input: I) -> Outcome<O> {
        match self.0.take() {
            Some(core) => operation(async { core(input).await }).await,
            None => Err(Failure::new("already-called", "the core operation can run once, and it has").into()),
        }
    }
}

/// A core operation that can run any number of times.
pub(crate) struct Many<F>(pub(crate) F);

impl<I, O, F, Fut> Core<I, O> for Many<F>
where
    I: Send,
    F: FnMut(I) -> Fut + Send,
    Fut: Future<Output = Result<O, CallError>> + Send,
{
    async fn run(&mut self, input: I) -> Outcome<O> {
        operation(async { (self.0)(input).await }).await
    }
}

/// Runs the operation that hooks surround: a panic of it is no fault of theirs.
async fn operation<O>(core: impl Future<Output = Result<O, CallError>>) -> Outcome<O> {
    let answer = contained(core).await.unwrap_or_else(|fault| Err(fault.into()));
    answer.map_err(HookError::arisen_in_core)
}

impl<I: Payload, O: Payload> Inside<'_, I, O> {
    /// Boxed, because a chain nests as deep as it has around hooks.
    pub(crate) fn run(&mut self, input: I) -> BoxFuture<'_, Outcome<O>> {
        Box::pin(async move { self.chain.run(self.index, input, &mut CoreRef(self.core), self.trace).await })
    }
}

impl<'a, I: Payload, O: Payload> Next<'a, I, O> {
    /// Runs what is inside. Cancel safe: dropping the future ends the inner call, and the layers that it has entered
    /// are told.
    ///
    /// # Errors
    /// What an inner layer or the core operation answers.
    pub fn call(mut self, input: I) -> BoxFuture<'a, Outcome<O>> {
        Box::pin(async move { self.0.run(input).await })
    }
}

impl<I: Payload, O: Payload> Repeat<'_, I, O> {
    /// Runs what is inside, again if it has run before. Cancel safe as [`Next::call`] is.
    ///
    /// # Errors
    /// What an inner layer or the core operation answers; `already-called` when the caller of the point gave it a core
    /// operation that can run once.
    pub fn call(&mut self, input: I) -> BoxFuture<'_, Outcome<O>> {
        Box::pin(self.run(input))
    }

    async fn run(&mut self, input: I) -> Outcome<O> {
        let entered = self.record.entered();
        let Inside { chain, index, core, trace } = &mut self.inside;
        let outcome = chain.run(*index, input, &mut CoreRef(*core), *trace).await;
        self.record.left(entered, &outcome);
        outcome
    }
}

/// The after hooks that a call has entered, innermost last. Those that are still there when it is dropped learn that
/// their call was cancelled.
struct Entered<'a, I: Payload, O: Payload>(SmallVec<[EnteredLayer<'a, I, O>; 4]>);

/// An after hook on the way in.
struct EnteredLayer<'a, I, O> {
    entry: &'a Entry<I, O>,
    pass: Pass<'a>,
    /// What a hook behind a boundary will see on the way out.
    context: Option<Box<Object>>,
}

impl<I: Payload, O: Payload> EnteredLayer<'_, I, O> {
    async fn outward(self, outcome: Outcome<O>) -> Outcome<O> {
        let (layer, body) = self.entry;
        match &**body {
            Body::After(after) => typed::after(layer, after, outcome),
            Body::Boundary(hook) => {
                let context = self.context.unwrap_or_default();
                boxed(within_plugin(layer, boundary::outward(layer, &**hook, context, outcome))).await
            }
            _ => outcome,
        }
    }

    fn cancelled(self) {
        let (layer, body) = self.entry;
        if layer.on != On::Always {
            return;
        }
        let cancelled = HookError::arisen_in_core(CallError::Cancelled);
        match &**body {
            Body::After(after) => drop(typed::after(layer, after, Err(cancelled))),
            Body::Boundary(hook) => {
                boundary::cancelled(layer, hook, self.context.unwrap_or_default(), &cancelled, self.pass);
            }
            _ => {}
        }
    }
}

impl<I: Payload, O: Payload> Drop for Entered<'_, I, O> {
    fn drop(&mut self) {
        while let Some(layer) = self.0.pop() {
            layer.cancelled();
        }
    }
}

impl<I: Payload, O: Payload> HookChain<I, O> {
    /// Runs the whole chain as one call.
    pub(crate) async fn call<C: Core<I, O>>(
        &self,
        point: &Arc<str>,
        index: usize,
        input: I,
        core: &mut C,
        trace: Option<&Trace>,
    ) -> Outcome<O> {
        within(Place::call(point)?, self.run(index, input, core, trace)).await
    }

    /// Runs the layers from `index` inward, then the core, then the after hooks outward.
    pub(crate) async fn run<C: Core<I, O>>(
        &self,
        index: usize,
        input: I,
        core: &mut C,
        trace: Option<&Trace>,
    ) -> Outcome<O> {
        let mut entered = Entered(SmallVec::new());
        let mut outcome = self.inward(index, input, core, trace, &mut entered).await;
        while let Some(layer) = entered.0.pop() {
            outcome = layer.outward(outcome).await;
        }
        outcome
    }

    /// The loop that enters one layer after the other, and the core when nothing has ended the call before.
    async fn inward<'a, C: Core<I, O>>(
        &'a self,
        index: usize,
        mut input: I,
        core: &mut C,
        trace: Option<&Trace>,
        entered: &mut Entered<'a, I, O>,
    ) -> Outcome<O> {
        for (place, entry) in self.layers.iter().enumerate().skip(index) {
            let (layer, body) = entry;
            let Some(pass) = layer.enter(&input)? else { continue };
            Trace::note(trace, layer, What::Entered);
            let inside = Inside { chain: self, index: place + 1, core: &mut *core, trace };
            let step = match &**body {
                Body::Before(before) => typed::before(layer, before, &mut input),
                Body::Around(around) => {
                    return within_plugin(layer, typed::around(layer, around, input, inside)).await;
                }
                Body::Repeat(repeat) => {
                    return boxed(within_plugin(layer, typed::repeat(layer, repeat, input, inside))).await;
                }
                Body::After(_) => {
                    entered.0.push(EnteredLayer { entry, pass, context: None });
                    continue;
                }
                Body::Boundary(hook) => {
                    let inward = boundary::inward(layer, &**hook, input, inside, pass);
                    match boxed(within_plugin(layer, inward)).await {
                        boundary::Inward::Done(outcome) => return outcome,
                        boundary::Inward::Entered(given_back, context, pass) => {
                            input = given_back;
                            entered.0.push(EnteredLayer { entry, pass, context: Some(context) });
                            continue;
                        }
                        boundary::Inward::Step(given_back, step) => {
                            input = given_back;
                            step
                        }
                    }
                }
                Body::Replace(_) | Body::Answer(_) | Body::SlowAnswer(_) => continue,
            };
            if let Step::Finish(output) = step? {
                Trace::note(trace, layer, What::Finished);
                return Ok(output);
            }
        }
        self.run_core(input, core, trace).await
    }

    /// Runs the core operation, or what replaces it.
    async fn run_core<C: Core<I, O>>(&self, input: I, core: &mut C, trace: Option<&Trace>) -> Outcome<O> {
        let Some((layer, body)) = &self.replacement else { return core.run(input).await };
        let Some(_pass) = layer.enter(&input)? else { return core.run(input).await };
        let spare = if layer.can_be_skipped() { typed::copy(&input).ok() } else { None };
        let outcome = match &**body {
            Body::Replace(replace) => {
                boxed(within_plugin(layer, typed::replace(layer, replace, input))).await
            }
            Body::Boundary(hook) => {
                boxed(within_plugin(layer, boundary::replace(layer, &**hook, input))).await
            }
            _ => return core.run(input).await,
        };
        match (outcome.map_err(|error| error.arisen_in(layer)), spare) {
            (Err(error), Some(input)) => {
                layer.tell_failed(&error);
                core.run(input).await
            }
            (outcome, _) => {
                Trace::note(trace, layer, What::Replaced);
                outcome
            }
        }
    }
}

/// Keeps what few calls come to from making the future of every call larger: futures are moved, and large ones slowly.
fn boxed<'a, F: Future + Send + 'a>(future: F) -> BoxFuture<'a, F::Output>
where
    F::Output: 'a,
{
    Box::pin(future)
}

/// Runs code of a layer's plugin, and what that code calls.
pub(crate) fn within_plugin<F: Future>(layer: &Layer, code: F) -> Within<F> {
    within(Place::Plugin(Arc::clone(&layer.name.plugin)), code)
}

/// The first error, with a later one beside it.
pub(crate) fn joined(earlier: Option<HookError>, later: HookError) -> HookError {
    match earlier {
        Some(first) => first.suppress(later),
        None => later,
    }
}

impl<I, O> fmt::Debug for Next<'_, I, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Next").field("index", &self.0.inside.index).finish_non_exhaustive()
    }
}

impl<I, O> fmt::Debug for Repeat<'_, I, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Repeat").field("index", &self.inside.index).finish_non_exhaustive()
    }
}
