use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tapline_core::{CallTarget, Manifest, Provides, Value};

use crate::definition::PluginEntry;

/// What is known of the plugins that a pipeline can use, without running any of them.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// The plugins that are there and whole.
    pub plugins: Vec<KnownPlugin>,
    /// Why an entry of the file's `plugins` is not among them: a sentence for each, by the entry's name.
    pub problems: BTreeMap<String, String>,
}

/// What is known of one plugin.
#[derive(Debug, Clone)]
pub struct KnownPlugin {
    /// What its author declares.
    pub manifest: Arc<Manifest>,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether it takes part without being named.
    pub standing: Standing,
    /// The JSON Schemas of its contributions, by extension point and key.
    pub schemas: BTreeMap<(Arc<str>, Arc<str>), Value>,
    /// What it asks for and is refused, as far as it is needed to run: one sentence each.
    pub refused: Vec<String>,
}

/// Where a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The application brings it.
    BuiltIn,
    /// A folder.
    Folder(PathBuf),
}

/// Whether a plugin takes part without being named by the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is there for whoever needs it, unless the file disables it.
    Available,
    /// It takes part if the file names it.
    Named,
    /// The operator has blocked it: it never takes part.
    Blocked,
}

impl Catalog {
    /// The plugin of that name.
    #[must_use]
    pub fn plugin(&self, name: &str) -> Option<&KnownPlugin> {
        self.plugins.iter().find(|plugin| plugin.name() == name)
    }
}

impl KnownPlugin {
    /// Whether it may take part, given what the file says of it.
    pub(crate) fn may_join(&self, entry: Option<&PluginEntry>) -> bool {
        match self.standing {
            Standing::Blocked => false,
            Standing::Available => entry.is_none_or(|entry| entry.enabled),
            Standing::Named => entry.is_some_and(|entry| entry.enabled),
        }
    }

    /// Whether it asks to call a contribution of another, or depends on it.
    fn uses(&self, other: &Self) -> bool {
        let manifest = &self.manifest;
        let calls = |provides: &Provides| {
            let (point, key) = (Arc::clone(&provides.point), Arc::clone(&provides.key));
            manifest.requires.allow_call(&CallTarget::Contribution { point, key })
        };
        other.manifest.provides.iter().any(calls)
            || manifest.plugin.depends_on.iter().any(|need| other.manifest.is(&need.on, &need.version))
    }

    /// The plugin's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.manifest.id().as_str()
    }

    /// The types of nodes that it handles.
    pub fn node_types(&self) -> impl Iterator<Item = &Arc<str>> {
        self.manifest
            .provides
            .iter()
            .filter(|provides| &*provides.point == tapline_roles::NODE)
            .map(|it| &it.key)
    }

    /// The JSON Schema of the settings of a node type, if the plugin declares one.
    #[must_use]
    pub fn node_schema(&self, node_type: &str) -> Option<&Value> {
        self.schemas.get(&(tapline_roles::NODE.into(), node_type.into()))
    }
}

/// Those of `candidates` that take part: the roots, and what these may call or depend on.
pub(crate) fn needed<'a>(
    candidates: &[&'a KnownPlugin],
    is_root: impl Fn(&KnownPlugin) -> bool,
) -> Vec<&'a KnownPlugin> {
    let mut needed: Vec<_> = candidates.iter().map(|plugin| is_root(plugin)).collect();
    // What is needed may need more, until nothing is added.
    while let Some(place) = (0..candidates.len()).find(|place| {
        let mut users = candidates.iter().zip(&needed).filter(|(_, needed)| **needed);
        !needed[*place] && users.any(|(user, _)| user.uses(candidates[*place]))
    }) {
        needed[place] = true;
    }
    candidates.iter().zip(needed).filter_map(|(plugin, needed)| needed.then_some(*plugin)).collect()
}
