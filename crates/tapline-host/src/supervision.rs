//! What the end of one plugin means for the others.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tapline_core::{BoxFuture, Event, PluginId, Topic, Value, Version};

use crate::dependents::with_dependents;
use crate::lifecycle::{PluginChange, RolledBack};
use crate::loaded::Loaded;
use crate::shared::{Shared, manifests};
use crate::supervisor::{PluginState, Revival, Status, Strategy, Supervisor, Verdict};

/// A plugin that waits to be started again, and the incarnation in which it does.
type Suspended = (Arc<Supervisor>, u64);

impl Shared {
    /// Does what follows from the end of a plugin: starts it again with those that need it, or blocks those.
    pub(crate) fn follow(
        self: Arc<Self>,
        supervisor: Arc<Supervisor>,
        incarnation: u64,
        verdict: Verdict,
    ) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            match verdict {
                Verdict::Again(wait) => self.recover((supervisor, incarnation), wait).await,
                verdict if verdict.is_failure() => self.block_dependents(&supervisor.plugin).await,
                _ => {}
            }
        })
    }

    /// Starts a plugin again, and after it those that need it.
    async fn recover(self: Arc<Self>, suspended: Suspended, wait: Duration) {
        let id = suspended.0.plugin.clone();
        let dependents = match self.supervision.strategy {
            Strategy::OneForOne => Vec::new(),
            Strategy::RestForDependents => self.suspend_all(&self.dependents(&id)).await,
        };
        // A host that is dropped meanwhile is not kept by those that wait.
        let host = Arc::downgrade(&self);
        drop(self);
        bring_back(&host, &suspended, wait).await;
        // Those that were stopped last come back first.
        for dependent in dependents.iter().rev() {
            needs_are_settled(&host, dependent).await;
            bring_back(&host, dependent, Duration::ZERO).await;
        }
    }

    /// Restarts a plugin and those that need it at once, whatever has become of them, and forgets how often they broke.
    pub(crate) async fn restart(self: &Arc<Self>, plugin: &Arc<Supervisor>) {
        let mut supervisors = vec![Arc::clone(plugin)];
        supervisors.extend(self.dependents(&plugin.plugin));
        for supervisor in &supervisors {
            supervisor.forgive();
        }
        let suspended = self.suspend_all(&supervisors).await;
        for one in suspended.iter().rev() {
            if !Arc::ptr_eq(&one.0, plugin) {
                needs_are_settled(&Arc::downgrade(self), one).await;
            }
            bring_back(&Arc::downgrade(self), one, Duration::ZERO).await;
        }
    }

    /// Stops plugins in the reverse of their order, until they are started again.
    async fn suspend_all(&self, supervisors: &[Arc<Supervisor>]) -> Vec<Suspended> {
        let mut suspended = Vec::new();
        for supervisor in supervisors.iter().rev() {
            let incarnation = supervisor.suspend().await;
            suspended.extend(incarnation.map(|incarnation| (Arc::clone(supervisor), incarnation)));
        }
        suspended
    }

    /// Ends those that need a plugin which does not come back.
    async fn block_dependents(&self, root: &PluginId) {
        for dependent in self.dependents(root).iter().rev() {
            dependent.block(root).await;
        }
    }

    /// Ends those plugins that need one which has failed while they were being loaded.
    pub(crate) async fn block_stranded(&self, loaded: &[Loaded]) {
        for one in loaded {
            let needed = self.needed_by(one.id());
            let gone = needed.iter().find(|needed| needed.status().state.is_failure());
            if let Some(gone) = gone {
                one.supervisor.block(&gone.plugin).await;
            }
        }
    }

    /// Those that cannot be there without a plugin, in the order in which they were started.
    pub(crate) fn dependents(&self, id: &PluginId) -> Vec<Arc<Supervisor>> {
        let plugins = self.plugins();
        let mut needing = with_dependents(&manifests(&plugins), id);
        needing.remove(id);
        let needing = plugins.iter().filter(|loaded| needing.contains(loaded.id()));
        needing.map(|loaded| Arc::clone(&loaded.supervisor)).collect()
    }

    /// Those that were chosen for a plugin because it cannot be there without them.
    fn needed_by(&self, id: &PluginId) -> Vec<Arc<Supervisor>> {
        let plugins = self.plugins();
        let Some(needing) = plugins.iter().find(|loaded| loaded.id() == id) else { return Vec::new() };
        let is_needed = |loaded: &&Loaded| {
            let mut needs = needing.info.manifest.plugin.depends_on.iter().filter(|need| !need.optional);
            needing.readied.needs.contains(loaded.id())
                && needs.any(|need| loaded.info.manifest.is(&need.on, &need.version))
        };
        plugins.iter().filter(is_needed).map(|loaded| Arc::clone(&loaded.supervisor)).collect()
    }

    /// Takes notice that a hook of a plugin is in quarantine, unless it was one of a version that has been replaced.
    pub(crate) fn condemn(&self, plugin: &str) {
        let Ok(id) = PluginId::new(plugin) else { return };
        if self.registry.has_quarantined_hook(&id)
            && let Some(loaded) = self.plugins().iter().find(|loaded| *loaded.id() == id)
        {
            loaded.supervisor.condemn();
        }
    }

    /// Tells that another version of a plugin is in place, and why if the one before was taken back.
    pub(crate) fn tell_version(&self, loaded: &Loaded, taken_back: Option<(&Version, &str)>) {
        let (id, version) = (loaded.id(), &loaded.info.manifest.plugin.version);
        if let Some((from, reason)) = taken_back {
            tracing::warn!(plugin = %id, %version, %from, reason, "a plugin was rolled back");
        } else {
            tracing::info!(plugin = %id, %version, "another version of a plugin is in place");
        }
        let rolled_back =
            taken_back.map(|(from, reason)| RolledBack { from: from.to_string(), reason: reason.to_owned() });
        let version = Some(version.to_string());
        self.tell(PluginChange { version, rolled_back, ..change(id, &loaded.supervisor.status()) });
    }

    /// Tells what has become of a plugin.
    pub(crate) fn tell_state(&self, plugin: &PluginId, status: &Status) {
        tracing::debug!(%plugin, state = %status.state, status.incarnation, "a plugin's state");
        self.tell(change(plugin, status));
    }

    /// Tells hooks of a change, and publishes it under `host.plugins.` and the plugin's id.
    fn tell(&self, change: PluginChange) {
        if let (Ok(topic), Ok(payload)) =
            (Topic::new(&format!("host.plugins.{}", change.plugin)), Value::from_serialize(&change))
        {
            let event = Event { topic, payload };
            if change.state == PluginState::Absent.name() {
                self.bus.publish_last(&event);
            } else {
                self.bus.publish_state(&event);
            }
        }
        self.lifecycle.tell(change);
    }
}

fn change(plugin: &PluginId, Status { state, incarnation }: &Status) -> PluginChange {
    let root = if let PluginState::Blocked { root } = state { Some(root.to_string()) } else { None };
    PluginChange {
        plugin: plugin.to_string(),
        state: state.name().to_owned(),
        incarnation: *incarnation,
        version: None,
        rolled_back: None,
        root,
    }
}

/// Starts a plugin again until it stays up, or has been tried too often.
async fn bring_back(host: &Weak<Shared>, (supervisor, incarnation): &Suspended, first: Duration) {
    let mut wait = first;
    loop {
        tokio::time::sleep(wait).await;
        let Some(host) = host.upgrade() else { return };
        match supervisor.revive(*incarnation).await {
            Revival::Active | Revival::Void => return,
            Revival::Failed(Verdict::Again(again)) => wait = again,
            Revival::Failed(_) => return host.block_dependents(&supervisor.plugin).await,
        }
    }
}

/// Waits until none of those that a plugin cannot do without is about to be started again: several of them may have
/// ended, each with a restart of its own.
async fn needs_are_settled(host: &Weak<Shared>, (supervisor, _): &Suspended) {
    let needed = host.upgrade().map(|host| host.needed_by(&supervisor.plugin)).unwrap_or_default();
    for needed in needed {
        needed.settled().await;
    }
}
