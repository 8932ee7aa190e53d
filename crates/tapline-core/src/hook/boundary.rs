//! Layers that see values instead of types: the typed input becomes a context, and what comes back becomes typed again.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use futures_util::future::{Either, select};

use crate::call_error::CallError;
use crate::context::CallContext;
use crate::failure::{Failure, Fault};
use crate::gate::Pass;
use crate::hook::chain::{Inside, joined};
use crate::hook::error::{HookError, contract};
use crate::hook::layer::{Boundary, Layer, Outcome, Step};
use crate::hook::trace::{Trace, What};
use crate::hook::typed::{copy, finish};
use crate::manifest::HookKind;
use crate::payload::Payload;
use crate::plugin::{BoxFuture, Flow};
use crate::scope::within_carried;
use crate::value::{OUTPUT, Object, Value};

/// What a layer on the way in leads to.
pub(crate) enum Inward<'a, I, O> {
    /// An around hook ran with everything inside it.
    Done(Outcome<O>),
    /// An after hook waits for the way out, with the context that it will see, and its right to be there.
    Entered(I, Box<Object>, Pass<'a>),
    /// A before hook ran.
    Step(I, Result<Step<O>, HookError>),
}

/// Enters a layer on the way in.
pub(crate) async fn inward<'a, I: Payload, O: Payload>(
    layer: &Layer,
    hook: &dyn Boundary,
    mut input: I,
    inside: Inside<'_, I, O>,
    pass: Pass<'a>,
) -> Inward<'a, I, O> {
    let root = match input.context() {
        Ok(root) => root,
        Err(error) => return Inward::Done(Err(contract(error).arisen_in(layer))),
    };
    match layer.name.kind {
        HookKind::After => Inward::Entered(input, Box::new(root), pass),
        HookKind::Around => {
            let context = hook.context(root);
            context.offer_next(layer.repeats);
            Inward::Done(around(layer, hook.enter(&context), &context, (input, pass), inside).await)
        }
        HookKind::Before | HookKind::Replace | HookKind::Answer => {
            let step = before(layer, hook, &hook.context(root), &mut input).await;
            Inward::Step(input, finish(layer, step))
        }
    }
}

async fn before<I: Payload, O: Payload>(
    layer: &Layer,
    hook: &dyn Boundary,
    context: &Arc<CallContext>,
    input: &mut I,
) -> Result<Step<O>, HookError> {
    match timed(layer, context, hook.enter(context)).await? {
        Flow::Finish => output(context).map(Step::Finish),
        Flow::Proceed => {
            absorb(context, input)?;
            Ok(Step::Proceed)
        }
    }
}

/// Runs an around hook, and what is inside it when the hook asks for it. The hook and what is inside it take turns
/// within one future, so that neither needs to outlive the caller.
async fn around<I: Payload, O: Payload>(
    layer: &Layer,
    mut answer: BoxFuture<'_, Result<Flow, CallError>>,
    context: &Arc<CallContext>,
    (input, pass): (I, Pass<'_>),
    mut inside: Inside<'_, I, O>,
) -> Outcome<O> {
    let entered = Instant::now();
    let (mut given, mut pass) = (Some(input), Some(pass));
    let mut inner: Option<Outcome<O>> = None;
    let flow = loop {
        if let Turn::Answered(flow) = turn(&mut answer, context).await {
            break flow;
        }
        // The context offers `next` once, unless the hook repeats, and then there is a copy left.
        let Some(input) = given.take() else {
            context
                .answer_next(Err(Failure::new("not-repeatable", "the input cannot be given a second time")));
            continue;
        };
        if layer.repeats {
            given = copy(&input).ok();
        }
        let passed = pin!(run_inside(layer, context, input, &mut inside));
        // The hook is looked at meanwhile, because it can be ended while it rests.
        match select(passed, &mut answer).await {
            Either::Left((outcome, _)) => inner = Some(outcome),
            // A hook that calls can go on without is taken out, and what is inside goes on.
            Either::Right((Err(error), passed)) if layer.can_be_skipped() => {
                drop(pass.take());
                inner = Some(passed.await);
                break Err(error);
            }
            Either::Right((flow, _)) => break flow,
        }
    };
    drop(answer);
    let answer = flow.and_then(|_| changed(context));
    layer.stats.record(entered, context.spent_in_next(), failed_itself(&answer, inner.as_ref()));
    if inner.is_none() && matches!(answer, Ok(Some(_))) {
        Trace::note(inside.trace, layer, What::DidWithoutNext);
    }
    settle(layer, answer, inner, given, inside).await
}

async fn run_inside<I: Payload, O: Payload>(
    layer: &Layer,
    context: &Arc<CallContext>,
    mut input: I,
    inside: &mut Inside<'_, I, O>,
) -> Outcome<O> {
    let outcome = match absorb(context, &mut input).map_err(|error| error.arisen_in(layer)) {
        Ok(()) => carrying(context, inside, input).await,
        Err(error) if layer.can_be_skipped() => {
            layer.tell_failed(&error);
            inside.run(input).await
        }
        Err(error) => Err(error),
    };
    let written =
        outcome.as_ref().map_err(Clone::clone).and_then(|output| output.to_value().map_err(contract));
    match written {
        Ok(output) => {
            context.put_output(output);
            context.answer_next(Ok(()));
        }
        Err(error) => context.answer_next(Err(error.to_failure())),
    }
    outcome
}

/// What is inside, with what the hook leaves for it.
fn carrying<'a, I: Payload, O: Payload>(
    context: &CallContext,
    inside: &'a mut Inside<'_, I, O>,
    input: I,
) -> BoxFuture<'a, Outcome<O>> {
    let inside = inside.run(input);
    match context.changed_carried() {
        Some(carried) => Box::pin(within_carried(Arc::new(carried), inside)),
        None => inside,
    }
}

/// Makes one outcome of what an around hook answered and what came out of `next`.
async fn settle<I: Payload, O: Payload>(
    layer: &Layer,
    answer: Result<Option<O>, CallError>,
    inner: Option<Outcome<O>>,
    given: Option<I>,
    mut inside: Inside<'_, I, O>,
) -> Outcome<O> {
    let (error, inner) = match (answer, inner) {
        (Ok(Some(output)), _) | (Ok(None), Some(Ok(output))) => return Ok(output),
        (Ok(None), inner) => (unanswered(), inner),
        (Err(error), inner) => (error, inner),
    };
    if let Some(Err(inner)) = &inner
        && passes_on(&error, inner)
    {
        return Err(inner.clone());
    }
    let is_fault = error.is_fault();
    let error = HookError::from(error).arisen_in(layer);
    match (inner, given) {
        (Some(inner), _) if layer.can_be_skipped() => {
            layer.tell_failed(&error);
            inner
        }
        (None, Some(input)) if layer.can_be_skipped() => {
            layer.tell_failed(&error);
            inside.run(input).await
        }
        // An answer may stand for the inner error; one that broke only hides it.
        (Some(Err(inner)), _) if is_fault => Err(joined(Some(inner), error)),
        _ => Err(error),
    }
}

/// Enters an after hook on the way out.
pub(crate) async fn outward<O: Payload>(
    layer: &Layer,
    hook: &dyn Boundary,
    mut root: Box<Object>,
    outcome: Outcome<O>,
) -> Outcome<O> {
    if !layer.wants(&outcome) {
        return outcome;
    }
    match outcome.as_ref().map(Payload::to_value) {
        Ok(Ok(output)) => root.insert(OUTPUT.shared(), output),
        Ok(Err(error)) => return Err(contract(error).arisen_in(layer)),
        Err(error) => root.insert("error".into(), describe(error)),
    };
    let context = hook.context(*root);
    let error = match timed(layer, &context, hook.enter(&context)).await.and_then(|_| changed(&context)) {
        Ok(Some(changed)) => return Ok(changed),
        Ok(None) => return outcome,
        Err(error) => HookError::from(error).arisen_in(layer),
    };
    if layer.can_be_skipped() {
        layer.tell_failed(&error);
        return outcome;
    }
    Err(joined(outcome.err(), error))
}

/// Tells an after hook that its call was cancelled, in a task of its own, because nobody waits for it any more.
pub(crate) fn cancelled(
    layer: &Layer,
    hook: &Arc<dyn Boundary>,
    mut root: Box<Object>,
    error: &HookError,
    pass: Pass<'_>,
) {
    root.insert("error".into(), describe(error));
    let pass = pass.owned_of(&layer.gate);
    let (layer, hook) = (layer.clone(), Arc::clone(hook));
    let watch = Arc::clone(&layer.watch);
    watch.spawn(Box::pin(async move {
        let context = hook.context(*root);
        if let Err(error) = timed(&layer, &context, hook.enter(&context)).await {
            layer.tell_failed(&HookError::from(error).arisen_in(&layer));
        }
        drop(pass);
    }));
}

/// Runs what stands in for the core operation.
pub(crate) async fn replace<I: Payload, O: Payload>(
    layer: &Layer,
    hook: &dyn Boundary,
    input: I,
) -> Outcome<O> {
    let context = hook.context(input.context().map_err(contract)?);
    timed(layer, &context, hook.enter(&context)).await?;
    output(&context)
}

/// Runs an answer hook; its answer is the output that it sets, if it sets one.
pub(crate) async fn answer<I: Payload, O: Payload>(
    layer: &Layer,
    hook: &dyn Boundary,
    input: &I,
) -> Outcome<Option<O>> {
    let context = hook.context(input.context().map_err(contract)?);
    timed(layer, &context, hook.enter(&context)).await?;
    Ok(changed(&context)?)
}

enum Turn {
    Answered(Result<Flow, CallError>),
    AsksForNext,
}

/// Lets the hook run until it answers or waits in `next`.
async fn turn(answer: &mut BoxFuture<'_, Result<Flow, CallError>>, context: &CallContext) -> Turn {
    poll_fn(|task| match answer.as_mut().poll(task) {
        Poll::Ready(flow) => Poll::Ready(Turn::Answered(flow)),
        Poll::Pending if context.take_next_request() => Poll::Ready(Turn::AsksForNext),
        Poll::Pending => Poll::Pending,
    })
    .await
}

async fn timed(
    layer: &Layer,
    context: &CallContext,
    answer: BoxFuture<'_, Result<Flow, CallError>>,
) -> Result<Flow, CallError> {
    let entered = Instant::now();
    let flow = answer.await;
    layer.stats.record(entered, context.spent_in_next(), flow.is_err());
    flow
}

fn absorb<I: Payload>(context: &CallContext, input: &mut I) -> Result<(), HookError> {
    match context.changed_input() {
        Some(changed) => input.absorb(&changed).map_err(contract),
        None => Ok(()),
    }
}

/// The output that the hook has set, if it has.
fn changed<O: Payload>(context: &CallContext) -> Result<Option<O>, CallError> {
    let output = context.changed_output().map(|output| O::from_value(&output)).transpose();
    output.map_err(|error| Fault::Contract { message: error.to_string() }.into())
}

fn unanswered() -> CallError {
    let message = "an around hook has to call `next` or set `output`, and to pass on an inner error";
    Fault::Contract { message: message.into() }.into()
}

fn output<O: Payload>(context: &CallContext) -> Outcome<O> {
    let output =
        context.changed_output().ok_or_else(|| contract("it finished the call without setting `output`"))?;
    O::from_value(&output).map_err(contract)
}

/// Whether a hook answers with just the error that its `next` gave it.
fn passes_on(error: &CallError, inner: &HookError) -> bool {
    matches!(error, CallError::Failure(failure) if failure.is_same(&inner.to_failure()))
}

fn failed_itself<O>(answer: &Result<Option<O>, CallError>, inner: Option<&Outcome<O>>) -> bool {
    match (answer, inner) {
        (Err(error), Some(Err(inner))) => !passes_on(error, inner),
        (Ok(None), Some(Ok(_))) => false,
        (answer, _) => !matches!(answer, Ok(Some(_))),
    }
}

fn describe(error: &HookError) -> Value {
    let failure = error.to_failure();
    Value::from_iter([
        ("code", failure.code().into()),
        ("message", failure.message().into()),
        ("details", failure.details().clone()),
    ])
}
