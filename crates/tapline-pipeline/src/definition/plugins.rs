use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;
use semver::VersionReq;
use tapline_core::{Grants, PluginId, Value};

use super::fields::Fields;
use super::rate::RateLimit;
use super::rules;
use crate::source::Entry;

/// What a pipeline file says about one plugin.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PluginEntry {
    /// The folder of the plugin, from the folder of the file; a built-in plugin has none.
    pub path: Option<PathBuf>,
    /// The versions that will do; any unless said.
    pub version: Option<VersionReq>,
    /// What the plugin is given when it starts; `null` unless said.
    pub config: Value,
    /// Whether it takes part; `true` unless said.
    pub enabled: bool,
    /// Whether the pipeline runs without it when it is missing; `false` unless said.
    pub optional: bool,
    /// What it may do at most; `None` leaves it what its manifest asks for, and `{}` grants nothing.
    pub grants: Option<Grants>,
    /// How often it may be asked as a provider, whoever asks; as often as anybody wants unless said.
    pub rate_limit: Option<RateLimit>,
}

impl Default for PluginEntry {
    fn default() -> Self {
        Self {
            path: None,
            version: None,
            config: Value::Null,
            enabled: true,
            optional: false,
            grants: None,
            rate_limit: None,
        }
    }
}

pub(super) const KEYS: [&str; 7] =
    ["path", "version", "config", "enabled", "optional", "grants", "rate_limit"];

pub(super) fn read(fields: &mut Fields<'_>, section: Option<&Entry>) -> IndexMap<Arc<str>, PluginEntry> {
    let mapping = section.and_then(|entry| fields.mapping(&entry.element, &entry.key, "`plugins`"));
    let mut plugins = IndexMap::new();
    for (name, entry) in mapping.into_iter().flatten() {
        if let Err(error) = PluginId::new(name) {
            fields.invalid_name(
                &entry.key,
                error.to_string(),
                "write the id that the plugin has in its manifest",
            );
        }
        plugins.insert(Arc::clone(name), read_entry(fields, name, entry));
    }
    plugins
}

fn read_entry(fields: &mut Fields<'_>, name: &str, entry: &Entry) -> PluginEntry {
    let mut plugin = PluginEntry::default();
    let Some(mapping) = fields.known(entry, &format!("plugin `{name}`"), &KEYS) else { return plugin };
    if let Some(entry) = mapping.get("path") {
        plugin.path = fields.text(entry, "`path`").map(|path| PathBuf::from(&*path.value));
    }
    if let Some(entry) = mapping.get("version") {
        plugin.version = read_version(fields, entry);
    }
    if let Some(entry) = mapping.get("config") {
        plugin.config = entry.element.to_value();
    }
    if let Some(entry) = mapping.get("enabled") {
        plugin.enabled = fields.flag(entry, "`enabled`").unwrap_or(true);
    }
    if let Some(entry) = mapping.get("optional") {
        plugin.optional = fields.flag(entry, "`optional`").unwrap_or(false);
    }
    if let Some(entry) = mapping.get("grants") {
        plugin.grants = read_grants(fields, entry);
    }
    if let Some(entry) = mapping.get("rate_limit") {
        plugin.rate_limit = rules::read_rate_limit(fields, entry);
    }
    plugin
}

fn read_version(fields: &mut Fields<'_>, entry: &Entry) -> Option<VersionReq> {
    let text = fields.text(entry, "`version`")?;
    match VersionReq::parse(&text.value) {
        Ok(version) => Some(version),
        Err(error) => {
            let message = format!("`{}` is not a range of versions: {error}", text.value);
            fields.invalid(&text.range, message, Some("write it as in `^1.2` or `>=1, <3`".into()));
            None
        }
    }
}

/// Broken grants are read as none at all, for a mistake must not widen them.
fn read_grants(fields: &mut Fields<'_>, entry: &Entry) -> Option<Grants> {
    let grants = entry.element.to_value().to::<Grants>();
    Some(grants.unwrap_or_else(|error| {
        let hint = "write them as in a manifest's `requires`; `{}` grants nothing";
        let range = entry.element.as_scalar().map_or(&entry.key, |_| &entry.element.range);
        fields.invalid(range, format!("these are no grants: {error}"), Some(hint.into()));
        Grants::default()
    }))
}
