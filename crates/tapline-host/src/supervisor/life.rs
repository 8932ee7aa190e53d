use std::sync::{Arc, MutexGuard, PoisonError};

use tapline_core::{CallError, Instance, Object, Operation, PluginId};
use tokio::time::Instant;

use super::lease::Held;
use super::restarts::{Ending, Restarts, Verdict};
use super::status::{PluginState, Status};
use super::{Supervisor, ending};

/// How an attempt to start a plugin again came out.
#[derive(Debug)]
pub(crate) enum Revival {
    /// It is active.
    Active,
    /// Something else has become of the plugin meanwhile, and the attempt is void.
    Void,
    /// It did not start, and this follows from it.
    Failed(Verdict),
}

impl Supervisor {
    pub(crate) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    pub(super) fn incarnation(&self) -> u64 {
        self.status.borrow().incarnation
    }

    /// Waits for as long as the plugin is about to be started again.
    pub(crate) async fn settled(&self) {
        // The sender is the supervisor's own, so this ends in no error.
        let _ = self.status.subscribe().wait_for(|status| status.state != PluginState::Backoff).await;
    }

    /// Why a call of the plugin fails now.
    pub(super) fn refusal(&self) -> CallError {
        let refusal = self.status.borrow().state.refusal(&self.plugin);
        refusal.unwrap_or_else(|| self.died())
    }

    /// Lets a call in: at once, or when the plugin has been started again. Says the incarnation that it is for.
    pub(super) async fn admitted(&self) -> Result<u64, CallError> {
        {
            let status = self.status.borrow();
            // What `start` asks for comes back to the plugin, as it does when it is loaded.
            let is_from_start = || status.state == PluginState::Backoff && self.is_held();
            if status.state.is_up() || is_from_start() {
                return Ok(status.incarnation);
            }
        }
        Box::pin(self.admitted_later()).await
    }

    async fn admitted_later(&self) -> Result<u64, CallError> {
        let mut status = self.status.subscribe();
        let settled = status.wait_for(|status| status.state != PluginState::Backoff);
        let settled = self.before_deadline(settled).await?.map_err(|_| self.died())?;
        match settled.state.refusal(&self.plugin) {
            None => Ok(settled.incarnation),
            Some(refusal) => Err(refusal),
        }
    }

    /// Takes notice that the plugin, or an instance of its pool, has ended. What an earlier incarnation says is ignored.
    pub(super) fn end(self: &Arc<Self>, incarnation: u64, ending: Ending) {
        let mut restarts = self.restarts();
        let status = self.status();
        let is_whole = self.is_single || ending != Ending::Fault;
        if status.state == PluginState::Starting && is_whole {
            // The load fails for it.
            self.end_life_in(&status, PluginState::Failed);
        }
        if status.incarnation != incarnation || status.state != PluginState::Active {
            return;
        }
        if ending != Ending::Normal {
            self.count_fault();
        }
        let mut verdict = restarts.after(ending, Instant::now().into_std());
        if self.is_aside() && is_whole {
            // Another version answers, or has yet to take its place.
            verdict = Verdict::Over(ending);
        }
        match verdict {
            Verdict::Again(wait) if !is_whole => {
                let mut grows_from = self.grows_from.lock().unwrap_or_else(PoisonError::into_inner);
                *grows_from = Instant::now() + wait;
                return;
            }
            verdict => drop(self.end_life(state_after(verdict))),
        }
        drop(restarts);
        self.forget_idle(incarnation);
        let Some(host) = self.host.upgrade().filter(|_| !self.is_aside()) else { return };
        tokio::spawn(host.follow(Arc::clone(self), self.incarnation(), verdict));
    }

    /// Ends all calls under way, and has new ones wait until the plugin is started again; `None` when it is over.
    /// The plugin is stopped.
    pub(crate) async fn suspend(self: &Arc<Self>) -> Option<u64> {
        let was = self.status();
        if !matches!(was.state, PluginState::Active | PluginState::Backoff) {
            return None;
        }
        let incarnation = self.end_life_in(&was, PluginState::Backoff)?;
        if was.state == PluginState::Active {
            self.take_over_idle(incarnation);
            self.stop().await;
        }
        self.forget_idle(incarnation);
        Some(incarnation)
    }

    /// Starts the plugin again, unless something else has become of it meanwhile.
    pub(crate) async fn revive(self: &Arc<Self>, incarnation: u64) -> Revival {
        let started = self.start_again(incarnation).await;
        let mut restarts = self.restarts();
        if self.status() != (Status { state: PluginState::Backoff, incarnation }) {
            return Revival::Void;
        }
        match started {
            Ok((instance, ending)) => {
                self.idle().push(Held { instance, incarnation });
                let waiting = Status { state: PluginState::Backoff, incarnation };
                if !self.change_if(&waiting, |status| status.state = PluginState::Active) {
                    return Revival::Void;
                }
                drop(restarts);
                if let Some(ending) = ending {
                    self.end(incarnation, ending);
                }
                Revival::Active
            }
            Err(error) => {
                tracing::warn!(plugin = %self.plugin, %error, "a plugin did not start again");
                self.count_fault();
                let verdict = restarts.after(Ending::Fault, Instant::now().into_std());
                if !matches!(verdict, Verdict::Again(_)) {
                    self.end_life(state_after(verdict));
                }
                Revival::Failed(verdict)
            }
        }
    }

    pub(super) async fn start_again(
        self: &Arc<Self>,
        incarnation: u64,
    ) -> Result<(Box<dyn Instance>, Option<Ending>), CallError> {
        let mut instance = self.fresh(incarnation).await?;
        let context = Arc::new(self.context(Object::new()));
        let start = self.within(incarnation, &context, instance.call(&Operation::Start, &context));
        let start = tapline_core::in_lifecycle(start);
        let answer = tapline_core::holding(self.plugin.clone(), start).await;
        let ending = ending(&answer, &context);
        answer.map(|_| (instance, ending))
    }

    /// Ends what is left of the plugin, because one that it needs is gone.
    pub(crate) async fn block(self: &Arc<Self>, root: &PluginId) {
        if let Some(incarnation) = self.suspend().await {
            let suspended = Status { state: PluginState::Backoff, incarnation };
            self.end_life_in(&suspended, PluginState::Blocked { root: root.clone() });
        }
    }

    /// Stops the plugin, if it runs. Whatever it answers, it is over.
    pub(crate) async fn stop(self: &Arc<Self>) {
        let context = Arc::new(self.context(Object::new()));
        let stop = self.run_in(self.incarnation(), &Operation::Stop, &context);
        if let Err(error) = tapline_core::in_lifecycle(stop).await {
            tracing::warn!(plugin = %self.plugin, %error, "a plugin did not stop well");
        }
    }

    /// Lets no new call in.
    pub(crate) fn close(&self) -> PluginState {
        let was = self.status().state;
        self.change(|status| status.state = PluginState::Stopping);
        was
    }

    /// Ends the beginning, unless the plugin has broken meanwhile.
    pub(super) fn has_begun(&self) -> Result<(), CallError> {
        let starting = Status { state: PluginState::Starting, incarnation: self.incarnation() };
        if self.change_if(&starting, |status| status.state = PluginState::Active) {
            return Ok(());
        }
        Err(self.died())
    }

    /// Whether the call that is under way holds the plugin.
    fn is_held(&self) -> bool {
        self.turns.is_none() && tapline_core::held().contains(&self.plugin)
    }

    /// Ends the calls that are under way, and lets none in that waits for its turn; they fail.
    pub(crate) fn end_calls(&self) {
        let incarnation = self.end_life(PluginState::Absent);
        self.take_over_idle(incarnation);
    }

    /// Takes the instances that rest along into the life that has just begun, so that they can be stopped.
    fn take_over_idle(&self, incarnation: u64) {
        let mut idle = self.idle();
        for held in idle.iter_mut().filter(|held| held.incarnation + 1 == incarnation) {
            held.incarnation = incarnation;
        }
    }

    /// Ends whatever is left.
    pub(crate) fn retire(&self) {
        let incarnation = self.end_life(PluginState::Absent);
        self.forget_idle(incarnation);
    }

    /// Forgets how often the plugin was started again, and that it is over: somebody has looked after it.
    pub(crate) fn forgive(&self) {
        self.restarts().forget();
        let was = self.status();
        if !was.state.is_up() && was.state != PluginState::Absent {
            self.end_life_in(&was, PluginState::Backoff);
        }
    }

    /// Begins another incarnation, in this state.
    pub(super) fn end_life(&self, state: PluginState) -> u64 {
        let mut incarnation = 0;
        self.change(|status| {
            incarnation = status.incarnation + 1;
            *status = Status { state, incarnation };
        });
        incarnation
    }

    /// Begins another incarnation, in this state, unless something else has become of the plugin meanwhile.
    fn end_life_in(&self, was: &Status, state: PluginState) -> Option<u64> {
        let incarnation = was.incarnation + 1;
        self.change_if(was, |status| *status = Status { state, incarnation }).then_some(incarnation)
    }

    /// Changes the status unless something else has become of the plugin meanwhile.
    fn change_if(&self, was: &Status, change: impl FnOnce(&mut Status)) -> bool {
        self.status.send_if_modified(|status| {
            let is_same = status == was;
            if is_same {
                change(status);
                self.tell(status);
            }
            is_same
        })
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Status)) {
        self.status.send_modify(|status| {
            change(status);
            self.tell(status);
        });
    }

    /// Publishes a state before there can be another, so that the last one that is told is the last one.
    fn tell(&self, status: &Status) {
        if let Some(host) = self.host.upgrade().filter(|_| !self.is_aside()) {
            host.tell_state(&self.plugin, status);
        }
    }

    pub(super) fn restarts(&self) -> MutexGuard<'_, Restarts> {
        self.restarts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn state_after(verdict: Verdict) -> PluginState {
    match verdict {
        Verdict::Again(_) => PluginState::Backoff,
        Verdict::Over(Ending::Normal) => PluginState::Stopped,
        Verdict::Over(_) => PluginState::Failed,
        Verdict::TooMany => PluginState::Quarantined,
    }
}
