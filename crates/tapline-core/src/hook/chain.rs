use std::fmt;
use std::future::Future;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::failure::{CallError, Failure};
use crate::gate::Pass;
use crate::hook::error::HookError;
use crate::hook::layer::{Body, Layer, Outcome, Step};
use crate::hook::typed::Record;
use crate::hook::{boundary, typed};
use crate::manifest::OnFailure;
use crate::payload::Payload;
use crate::plugin::BoxFuture;
use crate::value::Object;

/// The hooks of one point in calling order, outermost first; never changes once built.
pub(crate) struct HookChain<I, O> {
    pub(crate) layers: Vec<(Layer, Arc<Body<I, O>>)>,
    /// What stands in for the core operation.
    pub(crate) replacement: Option<(Layer, Arc<Body<I, O>>)>,
}

/// What is inside an around hook: the rest of the chain, and the core operation. It can be called once.
pub struct Next<'a, I, O> {
    pub(crate) chain: &'a HookChain<I, O>,
    pub(crate) index: usize,
    pub(crate) core: &'a mut dyn ErasedCore<I, O>,
    /// Where to leave what comes out.
    pub(crate) record: Option<&'a Record<O>>,
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
struct CoreRef<'a, I, O>(&'a mut dyn ErasedCore<I, O>);

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
            Some(core) => core(input).await.map_err(HookError::arisen_in_core),
            None => Err(Failure::new("already-called", "the core operation ran before").into()),
        }
    }
}

impl<'a, I: Payload, O: Payload> Next<'a, I, O> {
    /// Runs what is inside. Cancel safe: dropping the future ends the inner call.
    ///
    /// # Errors
    /// What an inner layer or the core operation answers.
    pub fn call(self, input: I) -> BoxFuture<'a, Outcome<O>> {
        // Boxed, because a chain nests as deep as it has around hooks.
        Box::pin(async move {
            if let Some(record) = self.record {
                record.entered();
            }
            let outcome = self.chain.run(self.index, input, &mut CoreRef(self.core)).await;
            if let Some(record) = self.record {
                record.left(&outcome);
            }
            outcome
        })
    }
}

/// The after hooks that a call has entered, innermost last.
type Entered<'a, I, O> = SmallVec<[(&'a (Layer, Arc<Body<I, O>>), Pass, Object); 4]>;

impl<I: Payload, O: Payload> HookChain<I, O> {
    /// Runs the layers from `index` inward, then the core, then the after hooks outward.
    pub(crate) async fn run<C: Core<I, O>>(&self, index: usize, mut input: I, core: &mut C) -> Outcome<O> {
        let mut entered: Entered<'_, I, O> = SmallVec::new();
        let mut outcome = 'inward: {
            for (place, entry) in self.layers.iter().enumerate().skip(index) {
                let (layer, body) = entry;
                let Some(pass) = enter(layer, &input) else { continue };
                let step = match &**body {
                    Body::Before(before) => finish(layer, typed::before(before, &mut input)),
                    Body::Around(around) => {
                        break 'inward typed::around(layer, around, input, self, place + 1, core).await;
                    }
                    Body::After(_) => {
                        entered.push((entry, pass, Object::new()));
                        continue;
                    }
                    Body::Boundary(hook) => match boundary::inward(layer, &**hook, input, || Next {
                        chain: self,
                        index: place + 1,
                        core: &mut *core,
                        record: None,
                    })
                    .await
                    {
                        boundary::Inward::Done(outcome) => break 'inward outcome,
                        boundary::Inward::Entered(given_back, context) => {
                            input = given_back;
                            entered.push((entry, pass, context));
                            continue;
                        }
                        boundary::Inward::Step(given_back, step) => {
                            input = given_back;
                            finish(layer, step)
                        }
                    },
                    Body::Replace(_) => continue,
                };
                match step {
                    Ok(Step::Proceed) => {}
                    Ok(Step::Finish(output)) => break 'inward Ok(output),
                    Err(error) => break 'inward Err(error),
                }
            }
            self.run_core(input, core).await
        };
        while let Some(((layer, body), _pass, context)) = entered.pop() {
            outcome = match &**body {
                Body::After(after) => typed::after(layer, after, outcome),
                Body::Boundary(hook) => boundary::outward(layer, &**hook, context, outcome).await,
                _ => outcome,
            };
        }
        outcome
    }

    /// Runs the core operation, or what replaces it.
    async fn run_core<C: Core<I, O>>(&self, input: I, core: &mut C) -> Outcome<O> {
        let Some((layer, body)) = &self.replacement else { return core.run(input).await };
        let Some(_pass) = enter(layer, &input) else { return core.run(input).await };
        let can_skip = layer.on_failure == OnFailure::Skip;
        let spare = if can_skip { typed::copy(&input).ok() } else { None };
        let outcome = match &**body {
            Body::Replace(replace) => typed::replace(replace, input).await,
            Body::Boundary(hook) => boundary::replace(layer, &**hook, input).await,
            _ => return core.run(input).await,
        };
        match (outcome, spare) {
            (Err(_), Some(input)) => core.run(input).await,
            (outcome, _) => outcome.map_err(|error| error.arisen_in(layer)),
        }
    }
}

fn enter<I: Payload>(layer: &Layer, input: &I) -> Option<Pass> {
    layer.enter(|name| input.fact(name) == layer.when.get(name).map(String::as_str))
}

/// Applies the failure policy of a layer on the way in.
fn finish<O>(layer: &Layer, step: Result<Step<O>, HookError>) -> Result<Step<O>, HookError> {
    match step {
        Err(_) if layer.on_failure == OnFailure::Skip => Ok(Step::Proceed),
        step => step.map_err(|error| error.arisen_in(layer)),
    }
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
        formatter.debug_struct("Next").field("index", &self.index).finish_non_exhaustive()
    }
}
