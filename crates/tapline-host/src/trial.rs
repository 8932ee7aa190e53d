//! What becomes of a version that another has taken the place of.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tapline_core::{PluginId, RegisterError, Removal, Value};
use tokio::sync::watch;

use crate::loaded::{Drain, Loaded};
use crate::shared::Shared;
use crate::supervisor::{PluginState, Resumed, Supervision, Turn};

/// What a swap has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Settled {
    /// The new version stays, and the one before is gone: its calls came to their end in this way.
    Kept(Drain),
    /// The version before is in place again.
    RolledBack {
        /// What the new version did.
        reason: String,
    },
    /// The new version did badly, and the one before could not come back: the new one is still in place.
    Stuck {
        /// What the new version did.
        reason: String,
        /// Why the one before could not come back.
        obstacle: String,
    },
}

/// The versions that have taken the place of others, until they are settled.
#[derive(Debug, Default)]
pub(crate) struct Trials(Mutex<Vec<OnTrial>>);

#[derive(Debug)]
struct OnTrial {
    plugin: PluginId,
    /// Ends the trial well.
    acquit: watch::Sender<bool>,
    settled: watch::Receiver<Option<Settled>>,
}

/// A version that has been replaced by one that has yet to prove itself.
pub(crate) struct Trial {
    pub(crate) before: Loaded,
    pub(crate) new: Loaded,
    pub(crate) replaced: Replaced,
    /// What the version before knew when it was replaced.
    pub(crate) state: Option<Value>,
}

/// What is left of a version in calls that began before it was replaced.
pub(crate) struct Replaced {
    removal: Removal,
    /// Closed when the events that had come for it have been delivered.
    deliveries: watch::Receiver<()>,
}

/// How a trial ends.
enum Verdict {
    Acquitted,
    Condemned(String),
}

impl Trials {
    fn all(&self) -> MutexGuard<'_, Vec<OnTrial>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the trials of a plugin well, and waits until what was replaced is gone.
    pub(crate) async fn settle(&self, plugin: &PluginId) {
        for mut settled in self.acquit(plugin) {
            // A trial that is dropped is over, too.
            let _ = settled.wait_for(Option::is_some).await;
        }
    }

    fn acquit(&self, plugin: &PluginId) -> Vec<watch::Receiver<Option<Settled>>> {
        let mut all = self.all();
        all.retain(|one| one.settled.borrow().is_none());
        let these = all.iter().filter(|one| one.plugin == *plugin);
        let acquitted = these.map(|one| {
            one.acquit.send_replace(true);
            one.settled.clone()
        });
        acquitted.collect()
    }
}

impl Shared {
    /// Puts one version of a plugin in the place of another by one swap.
    pub(crate) fn switch(&self, from: &Loaded, to: &Loaded) -> Result<Replaced, RegisterError> {
        to.supervisor.take_place();
        let removal = self.registry.replace(to.registration()).inspect_err(|_| to.supervisor.step_aside())?;
        for loaded in self.plugins().iter_mut().filter(|one| Arc::ptr_eq(&one.supervisor, &from.supervisor)) {
            *loaded = to.clone();
        }
        let listeners = to.listen_in_place_of(from, &self.bus);
        let (delivering, deliveries) = watch::channel(());
        tokio::spawn(async move {
            for listener in listeners {
                listener.drain().await;
            }
            drop(delivering);
        });
        from.supervisor.step_aside();
        Ok(Replaced { removal, deliveries })
    }

    /// Puts a version on trial that has just taken its place; those before it have passed theirs.
    pub(crate) fn try_out(self: &Arc<Self>, trial: Trial) -> watch::Receiver<Option<Settled>> {
        let (acquit, acquitted) = watch::channel(false);
        let (sender, settled) = watch::channel(None);
        let plugin = trial.new.id().clone();
        self.trials.acquit(&plugin);
        self.trials.all().push(OnTrial { plugin, acquit, settled: settled.clone() });
        let (host, drain, rules) = (Arc::downgrade(self), self.drain, self.supervision);
        tokio::spawn(async move {
            let outcome = trial.run(&host, drain, &rules, acquitted).await;
            sender.send_replace(Some(outcome));
        });
        settled
    }

    /// Puts the version before back in its place, with what the new one knows if that can be had.
    async fn roll_back(self: &Arc<Self>, trial: &Trial, reason: &str) -> Result<Replaced, String> {
        let Trial { before, new, state, .. } = trial;
        let (turn, newer) = self.state_of(new, before).await;
        let resumed = before.supervisor.resume().await.map_err(|error| error.to_string())?;
        let version = &new.info.manifest.plugin.version;
        let is_given = match newer {
            Some(newer) => before.supervisor.import_state(newer, version).await.is_ok(),
            None => false,
        };
        // It may have broken just by what it was given.
        let resumed_again = before.supervisor.resume().await.map_err(|error| error.to_string())?;
        let is_anew = [resumed, resumed_again].contains(&Resumed::Anew);
        if let Some(state) = state.as_ref().filter(|_| is_anew && !is_given) {
            let own = &before.info.manifest.plugin.version;
            let imported = before.supervisor.import_state(state.clone(), own).await;
            imported.map_err(|error| error.to_string())?;
        }
        let replaced = self.switch(new, before).map_err(|error| error.to_string())?;
        new.supervisor.rest();
        drop(turn);
        self.tell_version(before, Some((version, reason)));
        Ok(replaced)
    }

    /// What a version knows that is to give way, if both can hand state over and it still can; with its turn.
    async fn state_of(&self, from: &Loaded, to: &Loaded) -> (Option<Turn>, Option<Value>) {
        let has_state = |loaded: &Loaded| loaded.info.manifest.plugin.state;
        if !has_state(from) || !has_state(to) || from.supervisor.status().state != PluginState::Active {
            return (None, None);
        }
        let Ok(Ok(turn)) = tokio::time::timeout(self.drain, from.supervisor.turn()).await else {
            return (None, None);
        };
        (turn, from.supervisor.export_state().await.ok())
    }
}

impl Trial {
    async fn run(
        self,
        host: &Weak<Shared>,
        drain: Duration,
        rules: &Supervision,
        mut acquitted: watch::Receiver<bool>,
    ) -> Settled {
        let reason = {
            let mut verdict = pin!(self.verdict(rules, acquitted.clone()));
            let mut emptied = pin!(self.replaced.drain(&self.before, drain));
            let mut drained = None;
            loop {
                tokio::select! {
                    biased;
                    verdict = &mut verdict => match (verdict, drained) {
                        (Verdict::Condemned(reason), _) => break reason,
                        (Verdict::Acquitted, Some(drained)) => return self.keep(drained).await,
                        (Verdict::Acquitted, None) => {
                            let drained = emptied.await;
                            return self.keep(drained).await;
                        }
                    },
                    done = &mut emptied, if drained.is_none() => drained = Some(done),
                }
            }
        };
        let Some(host) = host.upgrade() else { return self.keep(Drain::Drained).await };
        // Whoever changes something meanwhile may end the trial, and waits for it.
        let change = tokio::select! {
            biased;
            _ = acquitted.wait_for(|acquitted| *acquitted) => None,
            change = host.change.lock() => Some(change),
        };
        if change.is_none() || !host.has(&self.new) {
            drop(change);
            return self.let_go(drain).await;
        }
        match host.roll_back(&self, &reason).await {
            Ok(replaced) => {
                drop(change);
                replaced.drain(&self.new, drain).await;
                self.new.supervisor.dismiss().await;
                Settled::RolledBack { reason }
            }
            Err(obstacle) => {
                drop(change);
                tracing::error!(plugin = %self.new.id(), %reason, %obstacle, "a plugin could not be rolled back");
                self.let_go(drain).await;
                Settled::Stuck { reason, obstacle }
            }
        }
    }

    async fn verdict(&self, rules: &Supervision, mut acquitted: watch::Receiver<bool>) -> Verdict {
        tokio::select! {
            biased;
            _ = acquitted.wait_for(|acquitted| *acquitted) => Verdict::Acquitted,
            () = tokio::time::sleep(rules.trial) => Verdict::Acquitted,
            reason = self.new.supervisor.fails(rules.trial_faults) => Verdict::Condemned(reason),
        }
    }

    /// Lets the calls of the version before come to their end, and stops it.
    async fn let_go(&self, drain: Duration) -> Settled {
        let drained = self.replaced.drain(&self.before, drain).await;
        self.keep(drained).await
    }

    /// Stops the version before, whose calls have ended.
    async fn keep(&self, drained: Drain) -> Settled {
        self.before.supervisor.dismiss().await;
        Settled::Kept(drained)
    }
}

impl Replaced {
    /// Lets the calls come to their end that a version still has, after which it lets none in.
    async fn drain(&self, loaded: &Loaded, time: Duration) -> Drain {
        let mut deliveries = self.deliveries.clone();
        let quiet = async {
            while deliveries.changed().await.is_ok() {}
            self.removal.drained().await;
        };
        let drained = loaded.drain(time, &self.removal, quiet).await;
        loaded.supervisor.rest();
        drained
    }
}
