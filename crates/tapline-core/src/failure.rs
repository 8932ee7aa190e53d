use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::grants::Denied;
use crate::limits::Bytes;
use crate::value::Value;

/// An error that a plugin or a core operation returns on purpose; never counted against the plugin.
#[derive(Clone)]
pub struct Failure {
    code: Arc<str>,
    message: Arc<str>,
    details: Value,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// A plugin that broke: it ends the instance in which it happened, and counts against the plugin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The code of a native plugin panicked.
    #[error("panicked: {message}")]
    Panic {
        /// What the panic said.
        message: String,
    },
    /// The sandbox stopped the code.
    #[error("trapped: {message}")]
    Trap {
        /// What the sandbox said.
        message: String,
    },
    /// The call computed for longer than it may.
    #[error("computed for longer than its {} of cpu time", humantime::format_duration(*limit))]
    Cpu {
        /// The limit in force.
        limit: Duration,
    },
    /// The plugin asked for more memory than it may have.
    #[error("asked for more than its {limit} of memory")]
    Memory {
        /// The limit in force.
        limit: Bytes,
    },
    /// The call took longer than it may.
    #[error("took longer than its {} of wall time", humantime::format_duration(*limit))]
    Wall {
        /// The limit in force.
        limit: Duration,
    },
    /// The answer does not follow the contract.
    #[error("answered against the contract: {message}")]
    Contract {
        /// What is wrong with the answer.
        message: String,
    },
}

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
    /// It is not loaded, or is being unloaded.
    #[error("plugin `{plugin}` is not active")]
    NotActive {
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
    /// The call was given up by its caller.
    #[error("the call was cancelled")]
    Cancelled,
    /// The call was not done by its deadline.
    #[error("the call was not done within {}", humantime::format_duration(*limit))]
    DeadlineExceeded {
        /// The time that it had.
        limit: Duration,
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
    /// Another instance of the plugin was needed and could not be started.
    #[error("plugin `{plugin}` has no instance to spare: {reason}")]
    Exhausted {
        /// The plugin.
        plugin: String,
        /// Why there is none.
        reason: String,
    },
}

impl Failure {
    /// An error with a code for programs and a message for people.
    pub fn new(code: impl Into<Arc<str>>, message: impl Into<Arc<str>>) -> Self {
        Self { code: code.into(), message: message.into(), details: Value::Null, source: None }
    }

    /// An error that stands for another.
    pub fn from_error(code: impl Into<Arc<str>>, source: impl Error + Send + Sync + 'static) -> Self {
        let message = source.to_string().into();
        Self { code: code.into(), message, details: Value::Null, source: Some(Arc::new(source)) }
    }

    /// The same error with machine-readable details.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// A short constant for programs, such as `invalid-config`.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What went wrong, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Machine-readable details, `null` where there are none.
    #[must_use]
    pub const fn details(&self) -> &Value {
        &self.details
    }

    /// Whether the other says the same; the source is not compared.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.code == other.code && self.message == other.message && self.details == other.details
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Failure({}: {})", self.code, self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // The message is the source's own, so the chain goes on below it.
        self.source.as_ref().and_then(|source| source.source())
    }
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
            Self::NoSuchContribution { .. } => "no-such-contribution",
            Self::Cancelled => "cancelled",
            Self::DeadlineExceeded { .. } => "deadline-exceeded",
            Self::DepthExceeded { .. } => "depth-exceeded",
            Self::Quarantined { .. } => "quarantined",
            Self::Exhausted { .. } => "exhausted",
        };
        Failure::new(code, self.to_string())
    }
}
