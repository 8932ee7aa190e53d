//! What bounds a program of jq while it runs: how much work it does, and how deep it calls itself.
//!
//! Every term that is evaluated and every value that is made is counted. Where a bound is passed, the thread unwinds: an
//! error of jq could be caught by the program's own `try`, and then it would go on.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread::{Builder, scope};

use crate::OpError;

/// The work of one evaluation: one unit is one term that is evaluated, one element that is visited or made, or 64 bytes
/// of text. It bounds the time to about a second and the memory to about 256 MiB.
///
/// Tests without optimisation get less of it.
const FUEL: u64 = if cfg!(test) { 500_000 } else { 4_000_000 };
/// As many bytes of the stack a program may use.
const DEEPEST: usize = 128 << 20;
/// The stack of the thread that evaluates. Beyond what programs may use, it holds what dropping needs: a list of as many
/// links as there is fuel is dropped recursively. It is address space; what is not used takes no memory.
const STACK: usize = 1 << 30;

/// Which bound was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Exceeded {
    #[error("the program takes too much work or memory; does it come to an end?")]
    Work,
    #[error("the program calls itself too deeply")]
    Calls,
    #[error("the program makes a value that nests more than {} deep", super::item::DEEPEST)]
    Nesting,
    #[error("the program broke the interpreter")]
    Broken,
}

/// What an evaluation may still use.
#[derive(Clone, Copy)]
struct Left {
    fuel: u64,
    /// The address near which its stack begins.
    stack: usize,
}

thread_local! {
    static LEFT: Cell<Left> = const { Cell::new(Left { fuel: FUEL, stack: 0 }) };
}

/// Does something on a thread whose stack is as large as programs need.
pub(super) fn on_large_stack<T: Send>(
    work: impl FnOnce() -> Result<T, OpError> + Send,
) -> Result<T, OpError> {
    let done = scope(|scope| {
        let thread = Builder::new().name("jq".to_owned()).stack_size(STACK).spawn_scoped(scope, work);
        thread.map(|thread| thread.join().unwrap_or_else(|_| Err(exceeded(Exceeded::Broken))))
    });
    done.unwrap_or_else(|error| Err(OpError::Value { message: format!("no thread for jq: {error}") }))
}

fn exceeded(bound: Exceeded) -> OpError {
    OpError::Value { message: bound.to_string() }
}

/// Evaluates with a full measure of everything.
pub(super) fn bounded<T>(evaluate: impl FnOnce() -> T) -> Result<T, Exceeded> {
    LEFT.set(Left { fuel: FUEL, stack: stack_pointer() });
    // Nothing that is seen again outlives an evaluation that unwinds.
    catch_unwind(AssertUnwindSafe(evaluate))
        .map_err(|payload| payload.downcast_ref().copied().unwrap_or(Exceeded::Broken))
}

/// Counts work, and ends the evaluation when there was too much of it or it is too deep.
pub(super) fn charge(units: usize) {
    let left = LEFT.get();
    let fuel = left.fuel.checked_sub(units as u64).unwrap_or_else(|| end(Exceeded::Work));
    if left.stack.abs_diff(stack_pointer()) > DEEPEST {
        end(Exceeded::Calls);
    }
    LEFT.set(Left { fuel, ..left });
}

/// Ends the evaluation. It is no panic: no hook is told of it, and nothing is printed.
pub(super) fn end(bound: Exceeded) -> ! {
    resume_unwind(Box::new(bound))
}

#[inline(never)]
fn stack_pointer() -> usize {
    let here = 0_u8;
    std::hint::black_box(std::ptr::from_ref(&here)).addr()
}
