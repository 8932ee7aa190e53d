use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tapline_core::{Manifest, Value};

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
    /// The JSON Schemas of its contributions, by extension point and key.
    pub schemas: BTreeMap<(Arc<str>, Arc<str>), Value>,
    /// What it asks for and is refused, as far as it is needed to run: one sentence each.
    pub refused: Vec<String>,
}

/// Where a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The application brings it: it takes part unless the file disables it.
    BuiltIn,
    /// A folder: it takes part if the file names it.
    Folder(PathBuf),
}

impl Catalog {
    /// The plugin of that name.
    #[must_use]
    pub fn plugin(&self, name: &str) -> Option<&KnownPlugin> {
        self.plugins.iter().find(|plugin| plugin.name() == name)
    }
}

impl KnownPlugin {
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
