use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::grants::Grants;
use crate::id::PluginId;
use crate::stream::Stream;
use crate::value::Value;

/// The extension point of methods that plugins offer to each other under their own ids.
pub const METHODS: &str = "plugin";

const CAPABILITY: &str = "capability:";

/// Whom a call is for: `provider/echo` (a contribution), `counter` (a plugin's own methods), or `capability:chat`
/// (those of the first plugin that offers it).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallTarget {
    /// A contribution to an extension point; a plugin's own methods are its contribution to `plugin`.
    Contribution {
        /// The extension point.
        point: Arc<str>,
        /// The key there.
        key: Arc<str>,
    },
    /// The methods of the first plugin, in lookup order, that offers a capability.
    Capability(Arc<str>),
}

/// The calls that a plugin may make: `point/key`, `point/*`, a plugin's id, `plugin/*` for all of them,
/// `capability:name` or `capability:*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct CallPattern(CallTarget);

/// A text that is no target of a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is nothing that can be called: write `point/key`, a plugin's id, or `capability:name`")]
pub struct CallTargetError(String);

/// Who makes a call, and what may be done for it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The plugin.
    pub plugin: PluginId,
    /// What it may do in the call that it is answering.
    pub grants: Arc<Grants>,
}

/// How a plugin calls another one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calling {
    /// How long it waits at most; the host's default unless said.
    pub within: Option<Duration>,
    /// Whether whoever reads along with the caller's own answer reads along with this one.
    pub relays: bool,
}

/// A call from one plugin to another.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who makes it.
    pub caller: Caller,
    /// Whom it is for.
    pub target: CallTarget,
    /// What is asked.
    pub method: Arc<str>,
    /// The request itself.
    pub request: Value,
    /// Who reads the answer while it is made.
    pub stream: Option<Stream>,
}

/// With whose grants a contribution answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Authority {
    /// With what both its plugin and the caller were granted: nobody gets more done through it than alone.
    #[default]
    Caller,
    /// With its plugin's own grants, whoever calls; the policy has to allow it.
    Own,
}

impl CallTarget {
    /// The methods that a plugin offers under its id.
    #[must_use]
    pub fn plugin(id: &PluginId) -> Self {
        Self::Contribution { point: METHODS.into(), key: id.shared() }
    }
}

impl CallPattern {
    /// Whether the target may be called.
    #[must_use]
    pub fn covers(&self, target: &CallTarget) -> bool {
        match (&self.0, target) {
            (
                CallTarget::Contribution { point: allowed_point, key: allowed_key },
                CallTarget::Contribution { point, key },
            ) => allowed_point == point && (**allowed_key == *"*" || allowed_key == key),
            (CallTarget::Capability(allowed), CallTarget::Capability(name)) => {
                **allowed == *"*" || allowed == name
            }
            _ => false,
        }
    }

    /// Whether everything that the other allows may be called.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        self.covers(&other.0)
    }
}

impl FromStr for CallTarget {
    type Err = CallTargetError;

    fn from_str(text: &str) -> Result<Self, CallTargetError> {
        let is_name = |name: &str| !name.is_empty() && !name.contains(['*', '/']);
        let is_name_or_all = |name: &str| name == "*" || is_name(name);
        let target = match (text.strip_prefix(CAPABILITY), text.split_once('/')) {
            (Some(name), None) if is_name_or_all(name) => Some(Self::Capability(name.into())),
            (None, Some((point, key))) if is_name(point) && is_name_or_all(key) => {
                Some(Self::Contribution { point: point.into(), key: key.into() })
            }
            (None, None) => PluginId::new(text).ok().map(|id| Self::plugin(&id)),
            _ => None,
        };
        target.ok_or_else(|| CallTargetError(text.into()))
    }
}

impl fmt::Display for CallTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // What is no plugin's id would be read as something else, or not at all.
            Self::Contribution { point, key } if **point == *METHODS && PluginId::new(key).is_ok() => {
                formatter.write_str(key)
            }
            Self::Contribution { point, key } => write!(formatter, "{point}/{key}"),
            Self::Capability(name) => write!(formatter, "{CAPABILITY}{name}"),
        }
    }
}

impl FromStr for CallPattern {
    type Err = CallTargetError;

    fn from_str(text: &str) -> Result<Self, CallTargetError> {
        text.parse().map(Self)
    }
}

impl TryFrom<String> for CallPattern {
    type Error = CallTargetError;

    fn try_from(text: String) -> Result<Self, CallTargetError> {
        text.parse()
    }
}

impl From<CallPattern> for String {
    fn from(pattern: CallPattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for CallPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_read_back_as_they_are_written() {
        let texts =
            ["provider/echo", "counter", "capability:chat", "provider/*", "plugin/*", "plugin/capability:x"];
        for text in texts {
            assert_eq!(text.parse::<CallTarget>().unwrap().to_string(), text);
        }
        for text in ["", "/", "a/", "/b", "a/b/c", "Counter", "capability:", "capability:a/b", "*/x", "a/b*"]
        {
            assert!(text.parse::<CallTarget>().is_err(), "{text}");
        }
    }

    #[track_caller]
    fn check(pattern: &str, target: &str, expected: bool) {
        let (pattern, target): (CallPattern, CallTarget) =
            (pattern.parse().unwrap(), target.parse().unwrap());
        assert_eq!(pattern.covers(&target), expected, "{pattern} {target}");
    }

    #[test]
    fn a_pattern_covers_what_it_names_and_no_more() {
        check("provider/echo", "provider/echo", true);
        check("provider/*", "provider/echo", true);
        check("provider/*", "node/echo", false);
        check("counter", "counter", true);
        check("counter", "plugin/counter", true);
        check("counter", "capability:counter", false);
        check("capability:chat", "capability:chat", true);
        check("plugin/*", "counter", true);
        check("plugin/*", "capability:chat", false);
        check("capability:*", "capability:chat", true);
    }
}
