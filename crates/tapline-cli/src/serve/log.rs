use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tapline::host::PluginChange;
use utoipa::ToSchema;

use crate::history::moment;

/// What has become of each plugin lately.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<BTreeMap<String, VecDeque<Change>>>);

/// Something that became of a plugin.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Change {
    /// When, as RFC 3339 has it.
    at: String,
    /// The state that the plugin had then.
    state: String,
    /// How often everything of it had begun anew.
    incarnation: u64,
    /// The version that was put in place, where that is what changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// Why a new version was taken back, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    rolled_back: Option<TakenBack>,
    /// The plugin that it is blocked by, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<String>,
}

/// A version that was taken back.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct TakenBack {
    /// The version.
    from: String,
    /// What it did.
    reason: String,
}

/// So many changes of each plugin are kept.
const KEPT: usize = 20;

impl Log {
    pub(crate) fn note(&self, change: PluginChange) {
        let PluginChange { plugin, state, incarnation, version, rolled_back, root } = change;
        let rolled_back = rolled_back.map(|back| TakenBack { from: back.from, reason: back.reason });
        let at = moment(SystemTime::now());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_plugin = all.entry(plugin).or_default();
        of_plugin.push_back(Change { at, state, incarnation, version, rolled_back, root });
        if of_plugin.len() > KEPT {
            of_plugin.pop_front();
        }
    }

    /// The latest changes of a plugin, the newest last.
    pub(crate) fn of(&self, plugin: &str) -> Vec<Change> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(plugin).into_iter().flatten().cloned().collect()
    }
}
