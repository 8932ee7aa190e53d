use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tapline_core::{NotifyPoint, Payload, Registry};
use tokio::runtime::Handle;

/// The hook point that is told what becomes of plugins: of [`PluginChange`].
pub const PLUGIN_CHANGED: &str = "plugin.changed";

/// The owner of the point.
const OWNER: &str = "host";

/// What has become of a plugin. A hook's `when` can ask for `plugin` and `state`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginChange {
    /// Its id.
    pub plugin: String,
    /// The [state](crate::PluginState) that it has now.
    pub state: String,
    /// How often everything of it has begun anew.
    pub incarnation: u64,
    /// The version that is in place, where that is what changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Why the version before was put in place again, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back: Option<RolledBack>,
    /// The plugin that it is blocked by, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
}

/// A version that was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolledBack {
    /// The version.
    pub from: String,
    /// What it did.
    pub reason: String,
}

impl Payload for PluginChange {
    fn fact(&self, name: &str) -> Option<&str> {
        match name {
            "plugin" => Some(&self.plugin),
            "state" => Some(&self.state),
            _ => None,
        }
    }
}

/// Tells hooks of changes, one after the other, while whoever made the change goes on.
pub(crate) struct Lifecycle {
    /// A registry that is new has nothing that could be in the way of it.
    point: Option<NotifyPoint<PluginChange>>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    changes: VecDeque<PluginChange>,
    is_told: bool,
}

impl Lifecycle {
    pub(crate) fn new(registry: &Arc<Registry>) -> Arc<Self> {
        let point = registry.notify_point(PLUGIN_CHANGED, OWNER).ok();
        Arc::new(Self { point, waiting: Mutex::default() })
    }

    pub(crate) fn tell(self: &Arc<Self>, change: PluginChange) {
        // A host that is dropped outside of any runtime, at the end of the process, has nobody left to tell.
        let Ok(runtime) = Handle::try_current() else { return };
        let mut waiting = self.waiting();
        waiting.changes.push_back(change);
        if !std::mem::replace(&mut waiting.is_told, true) {
            runtime.spawn(Arc::clone(self).tell_all());
        }
    }

    async fn tell_all(self: Arc<Self>) {
        let told = Told(&self);
        while let Some(change) = told.next() {
            if let Some(point) = &self.point {
                point.call(&change).await;
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who tells; when it is dropped before it has told all, as at the end of a runtime, the next change begins again.
struct Told<'a>(&'a Lifecycle);

impl Told<'_> {
    fn next(&self) -> Option<PluginChange> {
        let mut waiting = self.0.waiting();
        let change = waiting.changes.pop_front();
        waiting.is_told = change.is_some();
        change
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting();
        waiting.is_told &= waiting.changes.is_empty();
    }
}
