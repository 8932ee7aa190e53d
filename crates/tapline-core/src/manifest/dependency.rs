use std::fmt;
use std::sync::Arc;

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

use crate::id::PluginId;

use super::is_false;

/// A name that a plugin offers and others can ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "CapabilityForm", into = "CapabilityForm")]
pub struct Capability {
    /// The name.
    pub name: Arc<str>,
    /// Which of several that offer it is taken first: the one of the highest rank; 0 unless said.
    pub rank: i32,
    /// The version of what is offered; the plugin's own unless said.
    pub version: Option<Version>,
}

/// `"search"`, or `{ name = "search", rank = 10, version = "2.0.0" }`.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
enum CapabilityForm {
    Name(Arc<str>),
    Table(CapabilityTable),
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct CapabilityTable {
    /// The name.
    name: Arc<str>,
    /// Which of several that offer it is taken first: the one of the highest rank.
    #[serde(default)]
    rank: i32,
    /// The version of what is offered; the plugin's own unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<Version>,
}

/// A plugin that is meant: one by its id, or any that offers a capability.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// The plugin of this id.
    Plugin(PluginId),
    /// Whoever offers this.
    Capability(Arc<str>),
}

/// A plugin that another one needs: `{ id = "numbers", version = "^1" }`, or `{ capability = "chat" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "TargetForm", into = "TargetForm")]
pub struct Dependency {
    /// What is needed.
    pub on: Target,
    /// The versions that will do: of the plugin, or of the capability.
    pub version: VersionReq,
    /// Whether the plugin starts without it, too.
    pub optional: bool,
}

/// A plugin beside which another one cannot be loaded: `{ id = "numbers", version = "<2" }`, or
/// `{ capability = "chat" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "TargetForm", into = "TargetForm")]
pub struct Conflict {
    /// What is in the way. A plugin is never in its own way.
    pub with: Target,
    /// The versions that are.
    pub version: VersionReq,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct TargetForm {
    /// The plugin that is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<PluginId>,
    /// What the plugins that are meant offer; either this or `id` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    capability: Option<Arc<str>>,
    /// The versions that are meant: of the plugin, or of the capability.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    version: VersionReq,
    /// Whether the plugin starts without it, too; for what it needs, and not for what is in its way.
    #[serde(default, skip_serializing_if = "is_false")]
    optional: bool,
}

impl Capability {
    /// The version of what a plugin of this version offers.
    #[must_use]
    pub fn version_in<'a>(&'a self, plugin: &'a Version) -> &'a Version {
        self.version.as_ref().unwrap_or(plugin)
    }
}

impl From<CapabilityForm> for Capability {
    fn from(form: CapabilityForm) -> Self {
        match form {
            CapabilityForm::Name(name) => Self { name, rank: 0, version: None },
            CapabilityForm::Table(CapabilityTable { name, rank, version }) => Self { name, rank, version },
        }
    }
}

impl From<Capability> for CapabilityForm {
    fn from(capability: Capability) -> Self {
        match capability {
            Capability { name, rank: 0, version: None } => Self::Name(name),
            Capability { name, rank, version } => Self::Table(CapabilityTable { name, rank, version }),
        }
    }
}

impl TryFrom<TargetForm> for Target {
    type Error = &'static str;

    fn try_from(form: TargetForm) -> Result<Self, &'static str> {
        match (form.id, form.capability) {
            (Some(id), None) => Ok(Self::Plugin(id)),
            (None, Some(capability)) => Ok(Self::Capability(capability)),
            _ => Err("give either `id` or `capability`"),
        }
    }
}

impl TryFrom<TargetForm> for Dependency {
    type Error = &'static str;

    fn try_from(form: TargetForm) -> Result<Self, &'static str> {
        let (version, optional) = (form.version.clone(), form.optional);
        Ok(Self { on: form.try_into()?, version, optional })
    }
}

impl TryFrom<TargetForm> for Conflict {
    type Error = &'static str;

    fn try_from(form: TargetForm) -> Result<Self, &'static str> {
        if form.optional {
            return Err("a conflict cannot be `optional`");
        }
        let version = form.version.clone();
        Ok(Self { with: form.try_into()?, version })
    }
}

impl TargetForm {
    fn new(target: Target, version: VersionReq, optional: bool) -> Self {
        let (id, capability) = match target {
            Target::Plugin(id) => (Some(id), None),
            Target::Capability(name) => (None, Some(name)),
        };
        Self { id, capability, version, optional }
    }
}

impl From<Dependency> for TargetForm {
    fn from(dependency: Dependency) -> Self {
        Self::new(dependency.on, dependency.version, dependency.optional)
    }
}

impl From<Conflict> for TargetForm {
    fn from(conflict: Conflict) -> Self {
        Self::new(conflict.with, conflict.version, false)
    }
}

/// `numbers`, or `capability chat`.
impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plugin(id) => write!(formatter, "{id}"),
            Self::Capability(name) => write!(formatter, "capability {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Lists {
        needs: Vec<Dependency>,
        conflicts: Vec<Conflict>,
        capabilities: Vec<Capability>,
    }

    #[test]
    fn what_is_written_reads_back() {
        let text = "needs = [{ id = 'a', version = '^1' }, { capability = 'chat', optional = true }]\n\
            conflicts = [{ id = 'b', version = '<2' }, { capability = 'x' }]\n\
            capabilities = ['chat', { name = 'x', rank = 3, version = '2.0.0' }]\n";
        let lists: Lists = toml::from_str(text).unwrap();
        assert_eq!(lists.needs[1].on, Target::Capability("chat".into()));
        assert_eq!(lists.capabilities[0].version_in(&Version::new(1, 0, 0)).to_string(), "1.0.0");
        assert_eq!(lists.capabilities[1].version_in(&Version::new(1, 0, 0)).to_string(), "2.0.0");
        assert_eq!(toml::from_str::<Lists>(&toml::to_string(&lists).unwrap()).unwrap(), lists);
    }

    #[test]
    fn a_target_is_either_a_plugin_or_a_capability() {
        let refused = |text: &str| toml::from_str::<Lists>(text).unwrap_err().message().trim().to_owned();
        let rest = "\nneeds = []\ncapabilities = []";
        assert_eq!(refused(&format!("conflicts = [{{}}]{rest}")), "give either `id` or `capability`");
        let both = "conflicts = [{ id = 'a', capability = 'b' }]";
        assert_eq!(refused(&format!("{both}{rest}")), "give either `id` or `capability`");
        let optional = "conflicts = [{ id = 'a', optional = true }]";
        assert_eq!(refused(&format!("{optional}{rest}")), "a conflict cannot be `optional`");
    }
}
