use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use tapline_core::{CallError, Operation, Phase};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::deadline::after;

use super::Supervisor;
use super::lease::Lease;

/// How many calls are inside a plugin, and who waits for one of them to leave.
#[derive(Debug, Default)]
pub(super) struct Room {
    inside: AtomicU32,
    waiting: AtomicUsize,
    left: Notify,
}

/// A call that is inside the plugin.
pub(super) struct Inside<'a>(&'a Room);

/// A call that waits for room.
struct Waiting<'a>(&'a Room);

/// So many calls may wait for room in a plugin.
const LONGEST_QUEUE: usize = 4096;

impl Supervisor {
    /// Lets a call in and lends it an instance. Where the plugin may have no more of either now, the call waits for another
    /// to leave, unless it is itself inside another call of the plugin: that one would wait for it.
    pub(super) async fn room(
        self: &Arc<Self>,
        incarnation: u64,
        operation: &Operation,
    ) -> Result<(Inside<'_>, Lease<'_>), CallError> {
        let is_first = self.room.waiting.load(Ordering::Relaxed) == 0 || *operation == Operation::Stop;
        let may_wait = !tapline_core::is_inside_again(&self.plugin);
        if is_first || !may_wait {
            match self.room_now(incarnation, operation).await {
                Err(CallError::Exhausted { .. }) if may_wait => {}
                taken => return taken,
            }
        }
        Box::pin(self.room_later(incarnation, operation)).await
    }

    async fn room_now(
        self: &Arc<Self>,
        incarnation: u64,
        operation: &Operation,
    ) -> Result<(Inside<'_>, Lease<'_>), CallError> {
        let inside = self.come_in(operation)?;
        match self.lease(incarnation).await {
            Ok(lease) => Ok((inside, lease)),
            Err(error) => {
                inside.turn_back();
                Err(error)
            }
        }
    }

    /// Waits for room, in the order in which calls came, as long as a call of the plugin may take and no longer than the
    /// calls around it.
    async fn room_later(
        self: &Arc<Self>,
        incarnation: u64,
        operation: &Operation,
    ) -> Result<(Inside<'_>, Lease<'_>), CallError> {
        let _waiting = self.wait()?;
        let begun = Instant::now();
        let until = after(begun, self.limits.wall);
        let until = tapline_core::deadline().map_or(until, |deadline| until.min(deadline.into()));
        loop {
            let mut left = pin!(self.room.left.notified());
            left.as_mut().enable();
            match self.room_now(incarnation, operation).await {
                // Nobody is there who could leave.
                Err(error @ CallError::Exhausted { .. }) if self.room.is_empty() => return Err(error),
                Err(CallError::Exhausted { .. }) => {}
                taken => return taken,
            }
            if self.in_this_life(incarnation, timeout_at(until, left)).await?.is_err() {
                return Err(CallError::DeadlineExceeded { limit: begun.elapsed(), phase: Phase::Queued });
            }
        }
    }

    fn wait(&self) -> Result<Waiting<'_>, CallError> {
        let before = self.room.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(&self.room);
        if before < LONGEST_QUEUE {
            return Ok(waiting);
        }
        Err(CallError::MailboxFull { plugin: self.plugin.to_string(), waiting: before })
    }

    /// Counts a call as inside, unless there are too many; what ends the plugin is always let in.
    fn come_in(&self, operation: &Operation) -> Result<Inside<'_>, CallError> {
        let before = self.room.inside.fetch_add(1, Ordering::Relaxed);
        let inside = Inside(&self.room);
        if before < self.limits.calls || *operation == Operation::Stop {
            return Ok(inside);
        }
        inside.turn_back();
        let reason = format!("{} calls are inside it, which is its limit", self.limits.calls);
        Err(CallError::Exhausted { plugin: self.plugin.to_string(), reason })
    }
}

impl Room {
    fn is_empty(&self) -> bool {
        self.inside.load(Ordering::Relaxed) == 0
    }
}

impl Inside<'_> {
    /// Leaves no room that was not there before; whoever waits for some, the one who turns back among them, is not woken.
    fn turn_back(self) {
        self.0.inside.fetch_sub(1, Ordering::Relaxed);
        std::mem::forget(self);
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::Relaxed);
        if self.0.waiting.load(Ordering::Relaxed) > 0 {
            self.0.left.notify_one();
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
