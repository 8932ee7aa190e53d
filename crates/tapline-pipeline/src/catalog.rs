use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use semver::Version;
use tapline_core::{CallTarget, Manifest, Provides, Value};

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
    /// As [`Available`](Self::Available), and taken before others of its id where both will do: it was taken before.
    Locked,
    /// It takes part if the file names it.
    Named,
    /// Another of its id stands in its place: it never takes part.
    Passed(Rival),
    /// The operator has blocked it: it never takes part.
    Blocked,
}

/// Which other plugin stands in the place of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rival {
    /// The one that the file names by its path.
    Named,
    /// The one that the application brings.
    BuiltIn,
    /// One of the same version, which was found first or is locked.
    Same,
}

impl Catalog {
    /// The versions of a plugin between which there is a choice.
    pub fn versions(&self, name: &str) -> impl Iterator<Item = &KnownPlugin> {
        self.plugins
            .iter()
            .filter(move |plugin| plugin.name() == name && !matches!(plugin.standing, Standing::Passed(_)))
    }
}

impl KnownPlugin {
    /// Whether it asks to call a contribution of another.
    pub(crate) fn may_call(&self, other: &Self) -> bool {
        let calls = |provides: &Provides| {
            let (point, key) = (Arc::clone(&provides.point), Arc::clone(&provides.key));
            self.manifest.requires.allow_call(&CallTarget::Contribution { point, key })
        };
        other.manifest.provides.iter().any(calls)
    }

    /// Whether it asks for a host that its configuration has to name.
    pub(crate) fn needs_configuration(&self) -> bool {
        self.manifest.requires.resolved(&Value::Null).is_err()
    }

    /// Whether it handles nodes of a type.
    pub(crate) fn handles(&self, node_type: &str) -> bool {
        self.node_types().any(|key| **key == *node_type)
    }

    /// Whether it makes a contribution.
    pub(crate) fn provides(&self, point: &str, key: &str) -> bool {
        self.manifest.provides.iter().any(|provides| *provides.point == *point && *provides.key == *key)
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.manifest.plugin.version
    }

    /// The plugin's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.manifest.id().as_str()
    }

    /// The types of nodes that it handles.
    pub fn node_types(&self) -> impl Iterator<Item = &Arc<str>> {
        self.keys_at(tapline_roles::NODE)
    }

    /// The names under which it is asked as a provider.
    pub(crate) fn providers(&self) -> impl Iterator<Item = &Arc<str>> {
        self.keys_at(tapline_roles::PROVIDER)
    }

    fn keys_at(&self, point: &'static str) -> impl Iterator<Item = &Arc<str>> {
        self.manifest.provides.iter().filter(move |provides| *provides.point == *point).map(|it| &it.key)
    }

    /// The JSON Schema of the settings of a node type, if the plugin declares one.
    #[must_use]
    pub fn node_schema(&self, node_type: &str) -> Option<&Value> {
        self.schemas.get(&(tapline_roles::NODE.into(), node_type.into()))
    }
}
