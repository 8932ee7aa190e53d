//! Layers that see the types of their point. A panic in one is an error of that layer alone.
//!
//! The types need not be `Clone`, so a layer that may be skipped is given a copy made the way of the boundary: it
//! costs what entering a sandbox costs, and only hooks that ask for it pay.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use crate::failure::{Failure, Fault};
use crate::hook::chain::{ErasedCore, HookChain, Next, joined};
use crate::hook::error::{HookError, contract};
use crate::hook::layer::{AfterFn, AroundFn, BeforeFn, Layer, Outcome, ReplaceFn, Step};
use crate::manifest::OnFailure;
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
    passed: Mutex<Passed<O>>,
    keeps_output: bool,
}

impl<O: Payload> Record<O> {
    const fn new(keeps_output: bool) -> Self {
        Self { passed: Mutex::new(Passed::Nothing), keeps_output }
    }

    pub(crate) fn entered(&self) {
        self.put(Passed::Gone);
    }

    pub(crate) fn left(&self, outcome: &Outcome<O>) {
        match outcome {
            Err(error) => self.put(Passed::Outcome(Err(error.clone()))),
            Ok(output) if self.keeps_output => self.put(Passed::Outcome(copy(output))),
            Ok(_) => {}
        }
    }

    fn put(&self, passed: Passed<O>) {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner) = passed;
    }

    fn into_passed(self) -> Passed<O> {
        self.passed.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn before<I, O>(run: &BeforeFn<I, O>, input: &mut I) -> Result<Step<O>, HookError> {
    match catch_unwind(AssertUnwindSafe(|| run(input))) {
        Ok(answer) => answer.map_err(HookError::from),
        Err(panic) => Err(panicked(&*panic).into()),
    }
}

pub(crate) async fn around<I: Payload, O: Payload>(
    layer: &Layer,
    run: &AroundFn<I, O>,
    input: I,
    chain: &HookChain<I, O>,
    index: usize,
    core: &mut dyn ErasedCore<I, O>,
) -> Outcome<O> {
    let can_skip = layer.on_failure == OnFailure::Skip;
    let spare = if can_skip { copy(&input).ok() } else { None };
    let record = Record::new(can_skip);
    let next = Next { chain, index, core: &mut *core, record: Some(&record) };
    // The hook's own function runs inside, too: it can panic before it gives a future.
    let answer = contained(async { run(input, next).await }).await;
    let passed = record.into_passed();
    match (answer, passed) {
        (Ok(Ok(output)), _) => Ok(output),
        (Ok(Err(_)) | Err(_), Passed::Outcome(outcome)) if can_skip => outcome,
        (Ok(Err(_)) | Err(_), Passed::Nothing) if can_skip && let Some(input) = spare => {
            Next { chain, index, core, record: None }.call(input).await
        }
        (Ok(Err(error)), _) => Err(error.arisen_in(layer)),
        (Err(fault), passed) => Err(broken_after(layer, passed, fault)),
    }
}

/// The error of an around hook that broke, after that of what is inside it if there is one.
fn broken_after<O>(layer: &Layer, passed: Passed<O>, fault: Fault) -> HookError {
    let inner = if let Passed::Outcome(Err(inner)) = passed { Some(inner) } else { None };
    joined(inner, HookError::from(fault).arisen_in(layer))
}

pub(crate) fn after<O: Payload>(layer: &Layer, run: &AfterFn<O>, outcome: Outcome<O>) -> Outcome<O> {
    let can_skip = layer.on_failure == OnFailure::Skip;
    let earlier = match &outcome {
        Err(error) => Some(Err(error.clone())),
        Ok(output) if can_skip => copy(output).ok().map(Ok),
        Ok(_) => None,
    };
    match (catch_unwind(AssertUnwindSafe(|| run(outcome))), earlier) {
        (Ok(Ok(output)), _) => Ok(output),
        (Ok(Err(_)) | Err(_), Some(earlier)) if can_skip => earlier,
        (Ok(Err(error)), _) => Err(error.arisen_in(layer)),
        (Err(panic), earlier) => {
            let broken = HookError::from(panicked(&*panic)).arisen_in(layer);
            Err(joined(earlier.and_then(Result::err), broken))
        }
    }
}

pub(crate) async fn replace<I, O>(run: &ReplaceFn<I, O>, input: I) -> Outcome<O> {
    let answer: Result<O, Failure> = contained(async { run(input).await }).await?;
    Ok(answer?)
}

/// Another value that says the same.
pub(crate) fn copy<T: Payload>(value: &T) -> Outcome<T> {
    T::from_value(&value.to_value().map_err(contract)?).map_err(contract)
}
