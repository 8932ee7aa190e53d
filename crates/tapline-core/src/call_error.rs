use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::failure::{Failure, Fault};
use crate::grants::Denied;
use crate::value::Value;

/// Why a call to a plugin gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// It answered with an error.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// It broke.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// It, or its caller, reached for something without a grant.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// It is not loaded, is being unloaded, or has ended itself.
    #[error("plugin `{plugin}` is not active")]
    NotActive {
        /// The plugin.
        plugin: String,
    },
    /// A plugin that it needs is not there any more.
    #[error("plugin `{plugin}` is blocked, because `{root}` is gone")]
    Blocked {
        /// The plugin.
        plugin: String,
        /// The plugin with which it began.
        root: String,
    },
    /// It died while it was answering, and not because of this call.
    #[error("plugin `{plugin}` died during the call")]
    TargetDied {
        /// The plugin.
        plugin: String,
    },
    /// Nobody contributes what was called.
    #[error("nothing provides `{key}` at `{point}`")]
    NoSuchContribution {
        /// The extension point.
        point: String,
        /// The key looked up.
        key: String,
    },
    /// There is no plugin of this id that offers methods.
    #[error("there is no plugin `{plugin}` that answers calls")]
    NoSuchPlugin {
        /// The id looked up.
        plugin: String,
    },
    /// No plugin that answers calls offers the capability.
    #[error("no plugin that answers calls offers the capability `{capability}`")]
    NoProvider {
        /// The capability looked up.
        capability: String,
    },
    /// What was called has no such method.
    #[error("`{target}` has no method `{method}`{}", others(methods))]
    NoSuchMethod {
        /// What was called.
        target: String,
        /// The method looked up.
        method: String,
        /// The methods that it has.
        methods: Vec<Arc<str>>,
    },
    /// The call was given up by its caller.
    #[error("the call was cancelled")]
    Cancelled,
    /// The call was not done by its deadline.
    #[error("the call was not {phase} within {}", humantime::format_duration(*limit))]
    DeadlineExceeded {
        /// The time that it had.
        limit: Duration,
        /// How far it had come.
        phase: Phase,
    },
    /// So many calls wait for the plugin already that it takes no more.
    #[error("plugin `{plugin}` has {waiting} calls waiting, and takes no more")]
    MailboxFull {
        /// The plugin.
        plugin: String,
        /// How many wait.
        waiting: usize,
    },
    /// The call would wait for a call that waits for it.
    #[error("plugins would wait for each other: {}", path.join(" → "))]
    Deadlock {
        /// The plugins from the one that was called on, each waiting for the next, to the same one again.
        path: Vec<String>,
    },
    /// The call is nested too deep in calls of the same.
    #[error("calls of the same are nested too deep: {}", path.join(" → "))]
    DepthExceeded {
        /// The calls from the outermost inward, with the plugins between them in brackets.
        path: Vec<String>,
    },
    /// The hook broke too often and is not entered any more; what its failure means for a call applies to every call.
    #[error("hook `{hook}` of plugin `{plugin}` is in quarantine: it broke too often")]
    Quarantined {
        /// The plugin.
        plugin: String,
        /// The hook.
        hook: String,
    },
    /// The plugin broke too often and is not entered any more; its hooks fail as each says what its failure means.
    #[error("plugin `{plugin}` is in quarantine: it broke too often")]
    PluginQuarantined {
        /// The plugin.
        plugin: String,
    },
    /// Another instance of the plugin was needed and could not be started.
    #[error("plugin `{plugin}` has no instance to spare: {reason}")]
    Exhausted {
        /// The plugin.
        plugin: String,
        /// Why there is none.
        reason: String,
    },
}

/// How far a call had come when its time was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It waited for the plugin to begin with it.
    Queued,
    /// The plugin was answering it.
    Running,
}

impl CallError {
    /// Whether the plugin broke, as against answering with an error or being refused.
    #[must_use]
    pub const fn is_fault(&self) -> bool {
        matches!(self, Self::Fault(_))
    }

    /// The error in the form that is handed to a plugin.
    #[must_use]
    pub fn to_failure(&self) -> Failure {
        let code = match self {
            Self::Failure(failure) => return failure.clone(),
            Self::Fault(_) => "fault",
            Self::Denied(_) => "denied",
            Self::NotActive { .. } => "not-active",
            Self::Blocked { .. } => "blocked",
            Self::TargetDied { .. } => "target-died",
            Self::NoSuchContribution { .. } => "no-such-contribution",
            Self::NoSuchPlugin { .. } => "no-such-plugin",
            Self::NoProvider { .. } => "no-provider",
            Self::NoSuchMethod { .. } => "no-such-method",
            Self::Cancelled => "cancelled",
            Self::DeadlineExceeded { .. } => "deadline-exceeded",
            Self::MailboxFull { .. } => "mailbox-full",
            Self::Deadlock { .. } => "deadlock",
            Self::DepthExceeded { .. } => "depth-exceeded",
            Self::Quarantined { .. } | Self::PluginQuarantined { .. } => "quarantined",
            Self::Exhausted { .. } => "exhausted",
        };
        Failure::new(code, self.to_string()).with_details(self.details())
    }
}

impl CallError {
    /// What programs may want to know besides the code.
    fn details(&self) -> Value {
        match self {
            Self::DeadlineExceeded { phase: Phase::Queued, .. } => {
                Value::from_iter([("phase", "queued".into())])
            }
            Self::DeadlineExceeded { phase: Phase::Running, .. } => {
                Value::from_iter([("phase", "running".into())])
            }
            Self::Deadlock { path } | Self::DepthExceeded { path } => {
                let path: Vec<_> = path.iter().map(|step| Value::from(step.as_str())).collect();
                Value::from_iter([("path", path.into())])
            }
            _ => Value::Null,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Queued => "begun",
            Self::Running => "done",
        })
    }
}

/// What may have been meant instead.
fn others(methods: &[Arc<str>]) -> String {
    match methods {
        [] => String::new(),
        methods => format!(
            "; it has {}",
            methods.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ),
    }
}
