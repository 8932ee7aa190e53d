//! Layers that see the types of their point. A panic in one is an error of that layer alone.
//!
//! The types need not be `Clone`, so a layer that may be skipped is given a copy made the way of the boundary: it
//! costs what entering a sandbox costs, and only hooks that ask for it pay.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Fault};
use crate::hook::chain::{Inside, Next, Repeat, joined};
use crate::hook::error::{HookError, contract};
use crate::hook::layer::{
    AfterFn, AnswerFn, AroundFn, BeforeFn, Layer, Outcome, RepeatFn, ReplaceFn, SlowAnswerFn, Step,
};
use crate::hook::trace::{Trace, What};
use crate::payload::Payload;
use crate::plugin::{contained, panicked};

/// What came out of the `next` of an around hook.
pub(crate) enum Passed<O> {
    /// It has not been called.
    Nothing,
    /// It was called, and did not come to its end or cannot be had twice.
    Gone,
    /// It answered with this.
    Outcome(Outcome<O>),
}

/// The place where `next` leaves what came out of it, for when the hook breaks afterwards.
pub(crate) struct Record<O> {
    was_called: AtomicBool,
    keeps_output: bool,
    is_timed: bool,
    /// Set when there is something to keep, which is seldom.
    kept: Mutex<Option<Outcome<O>>>,
    in_next: Mutex<Duration>,
}

impl<O: Payload> Record<O> {
    const fn new(keeps_output: bool, is_timed: bool) -> Self {
        let was_called = AtomicBool::new(false);
        Self {
            was_called,
            keeps_output,
            is_timed,
            kept: Mutex::new(None),
            in_next: Mutex::new(Duration::ZERO),
        }
    }

    /// Tells that `next` was entered; the time is for [`left`](Self::left).
    pub(crate) fn entered(&self) -> Option<Instant> {
        self.was_called.store(true, Ordering::Relaxed);
        self.is_timed.then(Instant::now)
    }

    pub(crate) fn left(&self, entered: Option<Instant>, outcome: &Outcome<O>) {
        if let Some(entered) = entered {
            *self.in_next.lock().unwrap_or_else(PoisonError::into_inner) += entered.elapsed();
        }
        let kept = match outcome {
            Err(error) => Err(error.clone()),
            Ok(output) if self.keeps_output => copy(output),
            Ok(_) => return,
        };
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
    }

    fn in_next(&self) -> Duration {
        *self.in_next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn into_passed(self) -> Passed<O> {
        match self.kept.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(outcome) => Passed::Outcome(outcome),
            None if self.was_called.into_inner() => Passed::Gone,
            None => Passed::Nothing,
        }
    }
}

pub(crate) fn before<I: Payload, O>(
    layer: &Layer,
    run: &BeforeFn<I, O>,
    input: &mut I,
) -> Result<Step<O>, HookError> {
    let spare = if layer.can_be_skipped() { Some(copy(input)?) } else { None };
    let begun = layer.stats.begin_native();
    let answer = caught(|| run(input).map_err(HookError::from));
    layer.stats.end_native(begun, Duration::ZERO, answer.is_err());
    // A hook that is skipped has changed nothing.
    if answer.is_err()
        && let Some(spare) = spare
    {
        *input = spare;
    }
    finish(layer, answer)
}

/// Applies the failure policy of a layer on the way in.
pub(crate) fn finish<O>(layer: &Layer, step: Result<Step<O>, HookError>) -> Result<Step<O>, HookError> {
    match step.map_err(|error| error.arisen_in(layer)) {
        Err(error) if layer.can_be_skipped() => {
            layer.tell_failed(&error);
            Ok(Step::Proceed)
        }
        step => step,
    }
}

pub(crate) async fn around<I: Payload, O: Payload>(
    layer: &Layer,
    run: &AroundFn<I, O>,
    input: I,
    inside: Inside<'_, I, O>,
) -> Outcome<O> {
    let Inside { chain, index, core, trace } = inside;
    let can_skip = layer.can_be_skipped();
    let spare = if can_skip { copy(&input).ok() } else { None };
    let begun = layer.stats.begin_native();
    let record = Record::new(can_skip, begun.is_some());
    let next = Next(Repeat { inside: Inside { chain, index, core: &mut *core, trace }, record: &record });
    // The hook's own function runs inside, too: it can panic before it gives a future.
    let answer = contained(async { run(input, next).await }).await;
    layer.stats.end_native(begun, record.in_next(), failed_itself(&answer));
    let passed = record.into_passed();
    let error = match (answer, &passed) {
        (Ok(Ok(output)), passed) => {
            if matches!(passed, Passed::Nothing) {
                Trace::note(trace, layer, What::DidWithoutNext);
            }
            return Ok(output);
        }
        (Ok(Err(error)), _) => error.arisen_in(layer),
        (Err(fault), Passed::Outcome(Err(inner))) => {
            let broken = HookError::from(fault).arisen_in(layer);
            if !can_skip {
                return Err(joined(Some(inner.clone()), broken));
            }
            broken
        }
        (Err(fault), _) => HookError::from(fault).arisen_in(layer),
    };
    if !can_skip {
        return Err(error);
    }
    match (passed, spare) {
        (Passed::Outcome(outcome), _) => {
            tell_own_failure(layer, &error);
            outcome
        }
        (Passed::Nothing, Some(input)) => {
            tell_own_failure(layer, &error);
            Inside { chain, index, core, trace }.run(input).await
        }
        _ => Err(error),
    }
}

/// An around hook that may call `next` any number of times; what it answers counts, and its failure fails the call.
pub(crate) async fn repeat<I: Payload, O: Payload>(
    layer: &Layer,
    run: &RepeatFn<I, O>,
    input: I,
    inside: Inside<'_, I, O>,
) -> Outcome<O> {
    let Inside { chain, index, core, trace } = inside;
    let begun = layer.stats.begin_native();
    let record = Record::new(false, begun.is_some());
    let next = Repeat { inside: Inside { chain, index, core: &mut *core, trace }, record: &record };
    let answer = contained(async { run(input, next).await }).await;
    layer.stats.end_native(begun, record.in_next(), failed_itself(&answer));
    if matches!(answer, Ok(Ok(_))) && matches!(record.into_passed(), Passed::Nothing) {
        Trace::note(trace, layer, What::DidWithoutNext);
    }
    answer.map_err(HookError::from).and_then(|answer| answer).map_err(|error| error.arisen_in(layer))
}

pub(crate) fn after<O: Payload>(layer: &Layer, run: &AfterFn<O>, outcome: Outcome<O>) -> Outcome<O> {
    if !layer.wants(&outcome) {
        return outcome;
    }
    let earlier = match &outcome {
        Err(error) => Some(Err(error.clone())),
        Ok(output) if layer.can_be_skipped() => copy(output).ok().map(Ok),
        Ok(_) => None,
    };
    let begun = layer.stats.begin_native();
    let answer = catch_unwind(AssertUnwindSafe(|| run(outcome))).map_err(|panic| panicked(&*panic));
    let is_own = failed_itself(&answer);
    layer.stats.end_native(begun, Duration::ZERO, is_own);
    let error = match answer.map_err(HookError::from).and_then(|answer| answer) {
        Ok(output) => return Ok(output),
        Err(error) => error.arisen_in(layer),
    };
    match earlier {
        Some(earlier) if layer.can_be_skipped() && is_own => {
            layer.tell_failed(&error);
            earlier
        }
        Some(Err(earlier)) if is_own => Err(joined(Some(earlier), error)),
        _ => Err(error),
    }
}

pub(crate) async fn replace<I, O>(layer: &Layer, run: &ReplaceFn<I, O>, input: I) -> Outcome<O> {
    let begun = layer.stats.begin_native();
    let answer = contained(async { run(input).await }).await;
    layer.stats.end_native(begun, Duration::ZERO, !matches!(answer, Ok(Ok(_))));
    let answer: Result<O, Failure> = answer?;
    Ok(answer?)
}

pub(crate) fn answer<I, O>(layer: &Layer, run: &AnswerFn<I, O>, input: &I) -> Outcome<Option<O>> {
    let begun = layer.stats.begin_native();
    let answer = caught(|| run(input).map_err(HookError::from));
    layer.stats.end_native(begun, Duration::ZERO, answer.is_err());
    answer
}

pub(crate) async fn slow_answer<I, O>(
    layer: &Layer,
    run: &SlowAnswerFn<I, O>,
    input: &I,
) -> Outcome<Option<O>> {
    let begun = layer.stats.begin_native();
    let answer = contained(async { run(input).await }).await;
    layer.stats.end_native(begun, Duration::ZERO, !matches!(answer, Ok(Ok(_))));
    Ok(answer??)
}

/// Runs code that may panic.
fn caught<T>(code: impl FnOnce() -> Result<T, HookError>) -> Result<T, HookError> {
    catch_unwind(AssertUnwindSafe(code)).unwrap_or_else(|panic| Err(panicked(&*panic).into()))
}

/// Whether an error arose in the hook, as against one that came through it.
fn failed_itself<O>(answer: &Result<Outcome<O>, Fault>) -> bool {
    match answer {
        Ok(Ok(_)) => false,
        Ok(Err(error)) => error.is_unplaced(),
        Err(_) => true,
    }
}

/// Tells of a failure that is skipped, unless the error only came through the hook.
fn tell_own_failure(layer: &Layer, error: &HookError) {
    if error.layer() == Some(&layer.name) {
        layer.tell_failed(error);
    }
}

/// Another value that says the same.
pub(crate) fn copy<T: Payload>(value: &T) -> Outcome<T> {
    T::from_value(&value.to_value().map_err(contract)?).map_err(contract)
}
