use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

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
    /// The process of the plugin, or its code in there, came to an end that nobody meant.
    #[error("broke: {message}")]
    Process {
        /// What is known of it.
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
