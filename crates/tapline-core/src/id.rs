use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The name under which a plugin is known: `[a-z][a-z0-9_-]*`, at most 64 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[a-z][a-z0-9_-]{0,63}$")))]
#[serde(try_from = "String", into = "String")]
pub struct PluginId(Arc<str>);

/// A name that breaks the rules of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a valid {kind}: {rule}")]
pub struct NameError {
    name: String,
    kind: &'static str,
    rule: &'static str,
}

impl PluginId {
    /// Checks a name.
    ///
    /// # Errors
    /// When it does not follow the rule above.
    pub fn new(name: &str) -> Result<Self, NameError> {
        let rule = "lower-case letters, digits, `_` and `-`, beginning with a letter, at most 64";
        let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase());
        let goes_on_well =
            name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c));
        if starts_well && goes_on_well && name.len() <= 64 {
            Ok(Self(name.into()))
        } else {
            Err(NameError { name: name.into(), kind: "plugin id", rule })
        }
    }

    /// The name, shared.
    pub(crate) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PluginId {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl TryFrom<String> for PluginId {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        Self::new(&name)
    }
}

impl From<PluginId> for String {
    fn from(id: PluginId) -> Self {
        id.0.to_string()
    }
}

impl Borrow<str> for PluginId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PluginId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for PluginId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
