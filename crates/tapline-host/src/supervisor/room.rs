use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tapline_core::{CallError, Operation, Phase};
use tokio::sync::{Mutex, Notify, Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use crate::deadline::after;

use super::Supervisor;
use super::lease::Lease;

/// How many calls may be inside a plugin, and who waits for one of them to leave.
#[derive(Debug)]
pub(super) struct Room {
    /// The places of calls.
    places: Semaphore,
    /// How many calls wait for a place.
    waiting: AtomicUsize,
    /// How many calls have an instance.
    leased: AtomicUsize,
    /// Held by the one call that waits for the memory of an instance; others are behind it.
    next: Mutex<()>,
    /// How many calls wait for the memory of an instance.
    crowd: AtomicUsize,
    /// A call has given its instance back.
    left: Notify,
}

/// A call that is inside the plugin, with an instance.
pub(super) struct Inside<'a> {
    room: &'a Room,
    _place: Option<SemaphorePermit<'a>>,
}

/// Counts whoever waits, until it is dropped.
struct Counted<'a>(&'a AtomicUsize);

/// So many calls may wait for a place in a plugin.
const LONGEST_QUEUE: usize = 4096;

impl Room {
    pub(super) fn new(places: u32) -> Self {
        Self {
            places: Semaphore::new((places as usize).min(Semaphore::MAX_PERMITS)),
            waiting: AtomicUsize::new(0),
            leased: AtomicUsize::new(0),
            next: Mutex::new(()),
            crowd: AtomicUsize::new(0),
            left: Notify::new(),
        }
    }
}

impl Supervisor {
    /// Lets a call in and lends it an instance. Where the plugin may have no more of either now, the call waits for another
    /// to leave, as long as a call of the plugin may take and no longer than the calls around it; unless it is itself inside
    /// another call of the plugin, which would wait for it.
    pub(super) async fn room(
        self: &Arc<Self>,
        incarnation: u64,
        operation: &Operation,
    ) -> Result<(Inside<'_>, Lease<'_>), CallError> {
        let place = match self.room.places.try_acquire() {
            Ok(place) => Some(place),
            // What ends the plugin is always let in.
            Err(_) if *operation == Operation::Stop => None,
            Err(_) if self.may_wait() => Some(Box::pin(self.place(incarnation)).await?),
            Err(_) => return Err(self.crowded()),
        };
        if self.room.crowd.load(Ordering::Relaxed) == 0 || !self.may_wait() {
            match self.lease(incarnation).await {
                Err(CallError::Exhausted { .. }) if self.may_wait() => {}
                lease => return Ok((self.inside(place), lease?)),
            }
        }
        let lease = Box::pin(self.lease_later(incarnation)).await?;
        Ok((self.inside(place), lease))
    }

    fn may_wait(&self) -> bool {
        !tapline_core::is_inside_again(&self.plugin)
    }

    /// Waits for a place, in the order in which calls came.
    async fn place(&self, incarnation: u64) -> Result<SemaphorePermit<'_>, CallError> {
        let waiting = self.room.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Counted(&self.room.waiting);
        if waiting >= LONGEST_QUEUE {
            return Err(CallError::MailboxFull { plugin: self.plugin.to_string(), waiting });
        }
        let place = self.in_time(incarnation, self.room.places.acquire()).await?;
        // The semaphore is never closed.
        place.map_err(|_| self.not_active())
    }

    /// Waits for the memory of an instance, in the order in which calls came to wait for it.
    async fn lease_later(self: &Arc<Self>, incarnation: u64) -> Result<Lease<'_>, CallError> {
        self.room.crowd.fetch_add(1, Ordering::Relaxed);
        let _crowd = Counted(&self.room.crowd);
        self.in_time(incarnation, async {
            let _next = self.room.next.lock().await;
            loop {
                let mut left = pin!(self.room.left.notified());
                left.as_mut().enable();
                let others = self.room.leased.load(Ordering::Acquire);
                match self.lease(incarnation).await {
                    Err(CallError::Exhausted { .. }) if others > 0 => left.await,
                    lease => return lease,
                }
            }
        })
        .await?
    }

    async fn in_time<T>(&self, incarnation: u64, wait: impl Future<Output = T>) -> Result<T, CallError> {
        let begun = Instant::now();
        let until = after(begun, self.limits.wall);
        let until = tapline_core::deadline().map_or(until, |deadline| until.min(deadline.into()));
        let waited = self.in_this_life(incarnation, timeout_at(until, wait)).await?;
        waited.map_err(|_| CallError::DeadlineExceeded { limit: begun.elapsed(), phase: Phase::Queued })
    }

    fn inside<'a>(&'a self, place: Option<SemaphorePermit<'a>>) -> Inside<'a> {
        self.room.leased.fetch_add(1, Ordering::AcqRel);
        Inside { room: &self.room, _place: place }
    }

    fn crowded(&self) -> CallError {
        let reason = format!("{} calls are inside it, which is its limit", self.limits.calls);
        CallError::Exhausted { plugin: self.plugin.to_string(), reason }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        // The instance has been given back before, because it was lent after.
        self.room.leased.fetch_sub(1, Ordering::AcqRel);
        self.room.left.notify_one();
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
