use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use semver::{Version, VersionReq};
use tapline_core::{PluginId, Target};

/// Why a plugin cannot be loaded with the others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// Two plugins have the same id.
    #[error("there are two plugins `{id}`: {first} and {second}")]
    Duplicate {
        /// The id.
        id: PluginId,
        /// One version.
        first: Version,
        /// The other.
        second: Version,
    },
    /// A plugin that another one needs is not there.
    #[error("plugin `{plugin}` needs `{needed} {wanted}`, and there is no such plugin")]
    Missing {
        /// Who needs it.
        plugin: PluginId,
        /// What it needs.
        needed: PluginId,
        /// The versions that would do.
        wanted: VersionReq,
        /// The folder of this name whose manifest is wrong.
        broken: Option<PathBuf>,
    },
    /// A plugin that another one needs is there in the wrong version.
    #[error("plugin `{plugin}` needs `{needed} {wanted}`, and there {}", are(found))]
    WrongVersion {
        /// Who needs it.
        plugin: PluginId,
        /// What it needs.
        needed: PluginId,
        /// The versions that would do.
        wanted: VersionReq,
        /// The versions that are there.
        found: Vec<Version>,
    },
    /// Nobody offers a capability that a plugin needs.
    #[error("plugin `{plugin}` needs capability `{capability} {wanted}`, and {}", offered_as(offered))]
    NoProvider {
        /// Who needs it.
        plugin: PluginId,
        /// What it needs.
        capability: Arc<str>,
        /// The versions that would do.
        wanted: VersionReq,
        /// Who offers it in which other version.
        offered: Vec<(PluginId, Version)>,
    },
    /// Plugins need each other.
    #[error("plugins need each other: {}", cycles.join("; "))]
    Cycle {
        /// Each cycle, as `a needs b needs a`; a capability for which one is needed stands behind it, and of a long one
        /// the middle is left out.
        cycles: Arc<[String]>,
        /// The plugins of the cycles.
        members: Arc<[PluginId]>,
    },
    /// Two plugins cannot be loaded together, because one of them says so.
    #[error(
        "plugins `{plugin}` and `{other} {version}` cannot be loaded together: `conflicts` of `{plugin}` names {}",
        named(rule, range)
    )]
    Conflict {
        /// The plugin whose manifest says so.
        plugin: PluginId,
        /// The one that is in its way.
        other: PluginId,
        /// The version of that one.
        version: Version,
        /// What the manifest names.
        rule: Target,
        /// The versions that it names.
        range: VersionReq,
    },
    /// One plugin is asked for in ranges that no version of it satisfies together.
    #[error(
        "no version of `{id}` will do for all who ask for it: {}, and there {}",
        asking(id, asks),
        are(found)
    )]
    NoVersion {
        /// The plugin.
        id: PluginId,
        /// Who asks for it, and for what.
        asks: Vec<Ask>,
        /// The versions that are there.
        found: Vec<Version>,
    },
    /// A plugin that is needed is itself left out.
    #[error("plugin `{plugin}` is left out, because `{}` is: {}", path.last().unwrap_or(plugin), needing(path))]
    Blocked {
        /// The plugin.
        plugin: PluginId,
        /// The plugins from this one to the one with which it began, each needing the next.
        path: Vec<PluginId>,
    },
}

/// That somebody asks for a plugin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ask {
    /// The application asks for this version.
    Application(Version),
    /// A plugin asks for it, by its id or for what it offers.
    Plugin {
        /// Who asks.
        plugin: PluginId,
        /// For what.
        target: Target,
        /// The versions that will do, as [`VersionReq`] writes them.
        range: String,
        /// Whether it only asks so far as there is one.
        is_optional: bool,
    },
}

impl ResolveError {
    /// What can be done about it, and where.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Duplicate { id, .. } => format!("load one `{id}`, or unload the one that is there first"),
            Self::Missing { needed, broken: Some(folder), .. } => {
                format!("`{}` may be meant to be `{needed}`, and its manifest is wrong", folder.display())
            }
            Self::Missing { plugin, needed, .. } => {
                format!("add `{needed}`, or make it optional under `depends_on` of `{plugin}`")
            }
            Self::WrongVersion { plugin, needed, wanted, .. } => format!(
                "add a `{needed}` of a version that is `{wanted}`, or widen the range under `depends_on` of `{plugin}`"
            ),
            Self::NoProvider { plugin, capability, wanted, .. } => format!(
                "add a plugin that offers `{capability}` as `{wanted}`, or change `depends_on` of `{plugin}`"
            ),
            Self::Cycle { .. } => "take one of these needs out of `depends_on`, or make it optional".into(),
            Self::Conflict { plugin, other, .. } => {
                format!("leave out `{plugin}` or `{other}`, or take another version of one of them")
            }
            Self::NoVersion { id, asks, .. } => way_out(id, asks),
            Self::Blocked { .. } => return None,
        })
    }

    /// Whether this plugin plays a part in it.
    pub(super) fn names(&self, id: &PluginId) -> bool {
        match self {
            Self::Conflict { plugin, other, .. } => plugin == id || other == id,
            Self::NoVersion { id: subject, asks, .. } => {
                subject == id || asks.iter().any(|ask| ask.is_by(id))
            }
            Self::WrongVersion { plugin, .. } => plugin == id,
            _ => true,
        }
    }
}

impl Ask {
    fn is_by(&self, id: &PluginId) -> bool {
        matches!(self, Self::Plugin { plugin, .. } if plugin == id)
    }
}

/// `is 1.0.0`, or `are 1.0.0 and 2.0.0`.
fn are(versions: &[Version]) -> String {
    let verb = if versions.len() == 1 { "is" } else { "are" };
    format!("{verb} {}", listed(versions))
}

fn listed<T: fmt::Display>(items: &[T]) -> String {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    match items.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => "none".to_owned(),
    }
}

fn offered_as(offered: &[(PluginId, Version)]) -> String {
    if offered.is_empty() {
        return "no plugin offers it".to_owned();
    }
    let offered: Vec<_> =
        offered.iter().map(|(plugin, version)| format!("{version} by `{plugin}`")).collect();
    format!("it is offered as {}", listed(&offered))
}

pub(super) fn named(target: &Target, range: &(impl fmt::Display + ?Sized)) -> String {
    match target {
        Target::Plugin(id) => format!("`{id} {range}`"),
        Target::Capability(name) => format!("capability `{name} {range}`"),
    }
}

fn asking(id: &PluginId, asks: &[Ask]) -> String {
    let asks: Vec<_> = asks
        .iter()
        .map(|ask| match ask {
            Ask::Application(version) => format!("the application loads `{id} {version}`"),
            Ask::Plugin { plugin, target, range, is_optional } => {
                let verb = if *is_optional { "accepts only" } else { "needs" };
                format!("`{plugin}` {verb} {}", named(target, range))
            }
        })
        .collect();
    listed(&asks)
}

fn way_out(id: &PluginId, asks: &[Ask]) -> String {
    let plugins = asks.iter().filter_map(|ask| match ask {
        Ask::Plugin { plugin, .. } => Some(format!("`{plugin}`")),
        Ask::Application(_) => None,
    });
    let plugins: Vec<_> = plugins.collect();
    let other = if plugins.len() < asks.len() {
        format!("load another version of `{id}`")
    } else {
        format!("add a version of `{id}` that all of them accept")
    };
    format!("{other}, or change `depends_on` of {}", plugins.join(" or "))
}

fn needing(path: &[PluginId]) -> String {
    path.iter().map(PluginId::as_str).collect::<Vec<_>>().join(" needs ")
}
