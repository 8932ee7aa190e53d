use std::future::Future;
use std::sync::{Arc, MutexGuard, PoisonError};

use tapline_core::{CallError, Fault, Instance, Object, Phase};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::deadline::after;

use super::Supervisor;
use super::restarts::Ending;

/// An instance that waits for calls.
pub(super) struct Held {
    pub(super) instance: Box<dyn Instance>,
    pub(super) incarnation: u64,
}

/// An instance on loan.
pub(super) struct Lease<'a> {
    supervisor: &'a Supervisor,
    pub(super) instance: Option<Box<dyn Instance>>,
    incarnation: u64,
    /// Whether this is a handle to an instance that others use, too.
    pub(super) is_shared: bool,
    /// Whether the call ended well; until then the instance is not trusted.
    pub(super) keep: bool,
}

/// No pool keeps more instances than this between calls; a burst may use more.
const IDLE_INSTANCES: usize = 16;

impl Supervisor {
    /// Lends an instance of this incarnation, and starts one where none is to spare.
    pub(super) async fn lease(self: &Arc<Self>, incarnation: u64) -> Result<Lease<'_>, CallError> {
        let (instance, is_shared) = match self.spare(incarnation) {
            Some(spare) => spare,
            None => (Box::pin(self.added(incarnation)).await?, false),
        };
        Ok(Lease { supervisor: self, instance: Some(instance), incarnation, is_shared, keep: false })
    }

    /// An instance that waits, and whether it is a handle to one that others use, too.
    fn spare(&self, incarnation: u64) -> Option<(Box<dyn Instance>, bool)> {
        let mut idle = self.idle();
        let place = idle.iter().rposition(|held| held.incarnation == incarnation)?;
        let shared = idle[place].instance.share().map(|shared| (shared, true));
        shared.or_else(|| Some((idle.swap_remove(place).instance, false)))
    }

    /// An instance more. After one has broken, it waits as long as a restart would.
    async fn added(self: &Arc<Self>, incarnation: u64) -> Result<Box<dyn Instance>, CallError> {
        let grows_from = *self.grows_from.lock().unwrap_or_else(PoisonError::into_inner);
        if grows_from > Instant::now() {
            self.in_this_life(incarnation, self.before_deadline(sleep_until(grows_from))).await??;
        }
        let added = self.fresh(incarnation).await;
        if added.as_ref().is_err_and(CallError::is_fault) {
            self.end(incarnation, Ending::Fault);
        }
        added
    }

    /// Makes an instance and lets it initialise itself.
    pub(super) async fn fresh(&self, incarnation: u64) -> Result<Box<dyn Instance>, CallError> {
        let context = Arc::new(self.context(Object::new()).addressed().asked(self.config.clone()));
        let start = tapline_core::in_lifecycle(self.loaded.start(&context));
        let start = timeout_at(after(Instant::now(), self.limits.wall), start);
        let started = self.in_this_life(incarnation, start).await?;
        started.unwrap_or(Err(Fault::Wall { limit: self.limits.wall }.into()))
    }

    /// Waits for something for as long as the plugin's incarnation is this one.
    pub(super) async fn in_this_life<F: Future>(
        &self,
        incarnation: u64,
        future: F,
    ) -> Result<F::Output, CallError> {
        let mut status = self.status.subscribe();
        tokio::select! {
            biased;
            _ = status.wait_for(|status| status.incarnation != incarnation) => Err(self.refusal()),
            done = future => Ok(done),
        }
    }

    /// Waits for something that has to come before the calls around have to be done.
    pub(super) async fn before_deadline<F: Future>(&self, future: F) -> Result<F::Output, CallError> {
        let Some(deadline) = tapline_core::deadline() else { return Ok(future.await) };
        let begun = Instant::now();
        let done = timeout_at(deadline.into(), future).await;
        done.map_err(|_| CallError::DeadlineExceeded { limit: begun.elapsed(), phase: Phase::Queued })
    }

    /// Forgets the instances of this life and of earlier ones that are not on loan.
    pub(super) fn forget_idle(&self, incarnation: u64) {
        // Plugins drop their state outside of the lock.
        let idle: Vec<_> = self.idle().extract_if(.., |held| held.incarnation <= incarnation).collect();
        drop(idle);
    }

    pub(super) fn idle(&self) -> MutexGuard<'_, Vec<Held>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // A handle to an instance that others use, too, goes without being looked at.
        let Some(instance) = self.instance.take().filter(|_| self.keep && !self.is_shared) else { return };
        let mut idle = self.supervisor.idle();
        if self.supervisor.incarnation() != self.incarnation {
            return;
        }
        // A shared instance that had to be started for this call is the one that later calls share.
        let has_room = if instance.share().is_some() { idle.is_empty() } else { idle.len() < IDLE_INSTANCES };
        if has_room {
            idle.push(Held { instance, incarnation: self.incarnation });
        }
    }
}
