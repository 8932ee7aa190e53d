use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tapline_core::{CallContext, CallError, Failure, Fault, Flow, Traffic, Value};
use tapline_wire::{self as wire, Answer, Ask, Done, FromHost, encode};

use crate::asks::{Asked, Outcome, failure, refused};
use crate::bodies::Bodies;
use crate::calls::Said;
use crate::process::Process;

/// What a piece of an answer may have, in bytes: many of them may wait to be read.
const LARGEST_PIECE: usize = 1 << 20;

impl Process {
    /// Has the process do something, and does what it asks for meanwhile. A future that is dropped before its end tells the
    /// process that nobody waits any more.
    pub(crate) async fn call(
        self: &Arc<Self>,
        operation: wire::Operation,
        context: &Arc<CallContext>,
    ) -> Result<Flow, CallError> {
        let is_before = matches!(operation, wire::Operation::Before { .. });
        let Some((number, mut said)) = self.calls.begin() else { return Err(self.ending.fault()) };
        let _open = OpenCall { process: self, number };
        let mut traffic = self.launch.traffic();
        let call = FromHost::Call(wire::Call {
            call: number,
            input: input(&operation, context),
            operation,
            caller: context.caller().map(ToString::to_string),
            streamed: context.is_streamed(),
        });
        self.send(&call, &mut traffic).await?;
        let bodies = Bodies::default();
        let asked = Asked { context, bodies: &bodies, most: self.launch.enclosure.limits.input };
        let mut waiting = FuturesUnordered::new();
        loop {
            // Until something is waited for, the process alone can go on.
            let patience = waiting.is_empty().then(|| self.launch.patience());
            let said = tokio::select! {
                biased;
                said = said.recv() => said,
                Some((ask, answer)) = waiting.next() => {
                    self.answer(number, ask, answer, &mut traffic).await?;
                    continue;
                }
            };
            drop(patience);
            match said {
                None => return Err(self.ending.fault()),
                Some(Said::Done { done, bytes }) => {
                    traffic.leave(bytes)?;
                    return finished(done, context).map(|flow| match flow {
                        Some(wire::Flow::Finish) if is_before => Flow::Finish,
                        _ => Flow::Proceed,
                    });
                }
                Some(Said::Ask { ask, what, bytes }) => {
                    let taken = traffic.leave(bytes).and_then(|()| check(&what, bytes));
                    let outcome = match taken {
                        Ok(()) => asked.at_once(what),
                        Err(failure) => Outcome::Answered(refused(&failure.into())),
                    };
                    match outcome {
                        Outcome::Answered(answer) => self.answer(number, ask, answer, &mut traffic).await?,
                        Outcome::Waits(waits) => waiting.push(asked.numbered(ask, waits)),
                    }
                }
            }
        }
    }

    /// Tells the process what came of something that it asked for, or that it takes too much.
    async fn answer(
        &self,
        call: u64,
        ask: u64,
        with: Answer<Value>,
        traffic: &mut Traffic,
    ) -> Result<(), CallError> {
        self.calls.answered(call);
        let answer = FromHost::Answer { call, ask, with };
        match self.send(&answer, traffic).await {
            Err(CallError::Failure(failure)) => {
                let with = refused(&failure.into());
                self.send(&FromHost::Answer { call, ask, with }, &mut self.launch.traffic()).await
            }
            sent => sent,
        }
    }

    /// Sends a message that counts as taken by the call.
    async fn send(&self, message: &FromHost<Value>, traffic: &mut Traffic) -> Result<(), CallError> {
        let mut frame = Vec::new();
        encode(message, self.launch.frame, &mut frame)
            .map_err(|error| Failure::from_error("too-large", error))?;
        traffic.take(frame.len())?;
        self.outbox.send(frame).await.map_err(|_| self.ending.fault())
    }
}

fn check(what: &Ask<Value>, bytes: usize) -> Result<(), Failure> {
    if matches!(what, Ask::Emit { .. }) && bytes > LARGEST_PIECE {
        let message = format!("a piece of an answer has {LARGEST_PIECE} bytes at most, and this one {bytes}");
        return Err(Failure::new("too-large", message));
    }
    Ok(())
}

/// What came of a call that the process has ended.
fn finished(done: Done<Value>, context: &Arc<CallContext>) -> Result<Option<wire::Flow>, CallError> {
    if let Some(message) = done.fault {
        return Err(Fault::Process { message }.into());
    }
    if let Some(wire) = done.failure {
        return Err(failure(wire).into());
    }
    if let Some(output) = done.output {
        context.set("output", output)?;
    }
    Ok(done.flow)
}

/// What is handed to the process with the call, because it would ask for it first.
fn input(operation: &wire::Operation, context: &Arc<CallContext>) -> Option<Value> {
    use wire::Operation::{Event, Handle, ImportState, Init};
    let is_about_it = matches!(operation, Init | Handle { .. } | Event { .. } | ImportState { .. });
    if is_about_it { context.get("input").ok().flatten() } else { None }
}

/// A call that somebody waits for.
struct OpenCall<'a> {
    process: &'a Arc<Process>,
    number: u64,
}

impl Drop for OpenCall<'_> {
    fn drop(&mut self) {
        if self.process.calls.give_up(self.number) {
            self.process.cancel(self.number);
        }
    }
}
