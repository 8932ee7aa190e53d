use std::fmt;

use tapline_core::{CallError, PluginId};

/// Where a plugin stands in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PluginState {
    /// It is being started for the first time.
    Starting,
    /// It is loaded and answers.
    Active,
    /// It answers, and at least one of its hooks is in quarantine.
    Degraded,
    /// It has ended, and is about to be started again; calls wait.
    Backoff,
    /// It is being unloaded.
    Stopping,
    /// It has ended itself, having done what it was there for.
    Stopped,
    /// It has ended with an error, and is not started again.
    Failed,
    /// It broke too often, and is not entered any more; what needs it is blocked.
    Quarantined,
    /// A plugin that it needs has failed or is in quarantine.
    Blocked {
        /// The plugin with which it began.
        root: PluginId,
    },
    /// The application has blocked its id: it is not loaded, and that is no error.
    Disabled,
    /// Nobody has loaded it.
    Absent,
    /// Another version has taken its place, and it is there to come back if that one does badly.
    Replaced,
}

/// How a plugin fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginHealth {
    /// What has become of it.
    pub state: PluginState,
    /// How often everything that runs of it has begun anew, from 1.
    pub incarnation: u64,
    /// How many of its answers came when nobody waited for them any more.
    pub late_answers: u64,
}

/// The state of a loaded plugin, and which of its lives it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) state: PluginState,
    /// Counts up whenever everything that runs of the plugin ends; what carries an earlier number is not heard.
    pub(crate) incarnation: u64,
}

impl PluginState {
    /// Its name, for programs: `active`, `backoff`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Active => "active",
            Self::Degraded => "degraded",
            Self::Backoff => "backoff",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Quarantined => "quarantined",
            Self::Blocked { .. } => "blocked",
            Self::Disabled => "disabled",
            Self::Absent => "absent",
            Self::Replaced => "replaced",
        }
    }

    /// Whether the plugin is gone though it was not done.
    pub(crate) const fn is_failure(&self) -> bool {
        matches!(self, Self::Failed | Self::Quarantined | Self::Blocked { .. })
    }

    /// Whether calls are let in; of a plugin that is being unloaded, those that have come before.
    pub(crate) const fn is_up(&self) -> bool {
        matches!(self, Self::Starting | Self::Active | Self::Stopping)
    }

    /// Why calls of the plugin fail; `None` when they are let in, or wait.
    pub(crate) fn refusal(&self, plugin: &PluginId) -> Option<CallError> {
        let plugin = plugin.to_string();
        match self {
            Self::Starting | Self::Active | Self::Degraded | Self::Backoff | Self::Stopping => None,
            Self::Quarantined => Some(CallError::PluginQuarantined { plugin }),
            Self::Blocked { root } => Some(CallError::Blocked { plugin, root: root.to_string() }),
            Self::Stopped | Self::Failed | Self::Disabled | Self::Absent | Self::Replaced => {
                Some(CallError::NotActive { plugin })
            }
        }
    }
}

impl fmt::Display for PluginState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked { root } => write!(formatter, "blocked, because `{root}` is gone"),
            other => formatter.write_str(other.name()),
        }
    }
}
