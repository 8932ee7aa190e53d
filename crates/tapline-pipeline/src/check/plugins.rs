use std::ops::Range;
use std::sync::Arc;

use tapline_core::{Dependency, Target};

use super::Checker;
use crate::catalog::{self, Catalog, KnownPlugin, Standing};
use crate::definition::{Draft, DraftNode, PluginEntry};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::suggest::did_you_mean;

const WITHOUT: &str = "without it: `enabled: false`, or `optional: true` if the pipeline can do without";

/// The plugins that take part in a pipeline.
pub(super) struct ActivePlugins<'a> {
    draft: &'a Draft,
    catalog: &'a Catalog,
    /// Those that may take part.
    active: Vec<&'a KnownPlugin>,
    /// Those of them that do.
    needed: Vec<&'a KnownPlugin>,
}

impl<'a> ActivePlugins<'a> {
    pub(super) fn new(draft: &'a Draft, catalog: &'a Catalog) -> Self {
        let entry = |plugin: &KnownPlugin| draft.plugins.get(plugin.name());
        let is_active = |plugin: &&KnownPlugin| {
            plugin.may_join(entry(plugin))
                && entry(plugin).is_none_or(|entry| accepts(entry, plugin) || !entry.optional)
        };
        let active: Vec<_> = catalog.plugins.iter().filter(is_active).collect();
        let handles = |plugin: &KnownPlugin| {
            let first = |node_type: &Arc<str>| active.iter().find(|other| provides(other, node_type));
            draft.node_types().any(|node_type| first(node_type).is_some_and(|it| it.name() == plugin.name()))
        };
        let needed = catalog::needed(&active, |plugin| entry(plugin).is_some() || handles(plugin));
        Self { draft, catalog, active, needed }
    }

    /// Whether every plugin that the file names is there, and every active one has what it needs.
    pub(super) fn check(&self) -> Vec<Diagnostic> {
        let enabled = self.draft.plugins.iter().filter(|(_, entry)| entry.enabled);
        let mut diagnostics: Vec<_> =
            enabled.filter_map(|(name, entry)| self.check_entry(name, entry)).collect();
        for plugin in &self.needed {
            diagnostics.extend(plugin.refused.iter().map(|refused| self.missing_grant(plugin, refused)));
            let needed = plugin.manifest.plugin.depends_on.iter().filter(|dependency| !dependency.optional);
            diagnostics.extend(needed.filter_map(|dependency| self.check_dependency(plugin, dependency)));
        }
        diagnostics
    }

    fn provider(&self, node_type: &str) -> Option<&'a KnownPlugin> {
        self.active.iter().find(|plugin| provides(plugin, node_type)).copied()
    }

    fn check_entry(&self, name: &str, entry: &PluginEntry) -> Option<Diagnostic> {
        let severity = if entry.optional { Severity::Warning } else { Severity::Error };
        let diagnostic = match (self.catalog.problems.get(name), self.catalog.plugin(name)) {
            (Some(problem), _) => self
                .at_entry(name, "path", Code::MissingPlugin, format!("plugin `{name}`: {problem}"))
                .hint(WITHOUT),
            (None, None) => self.not_found(name, entry),
            (None, Some(plugin)) if plugin.standing == Standing::Blocked => {
                let message = format!("plugin `{name}` is blocked by the operator");
                self.at_entry(name, "path", Code::MissingPlugin, message).hint(WITHOUT)
            }
            (None, Some(plugin)) if !accepts(entry, plugin) => {
                let wanted = entry.version.as_ref()?;
                let found = &plugin.manifest.plugin.version;
                let message = format!("plugin `{name}` has version {found}, which is not in `{wanted}`");
                self.at_entry(name, "version", Code::PluginVersion, message)
                    .hint("change the range, or the plugin that it is about")
            }
            (None, Some(_)) => return None,
        };
        Some(diagnostic.severity(severity))
    }

    fn not_found(&self, name: &str, entry: &PluginEntry) -> Diagnostic {
        if let Some(path) = &entry.path {
            let message = format!("plugin `{name}` was not found in `{}`", path.display());
            let hint = "the path starts at the folder of this file";
            return self.at_entry(name, "path", Code::MissingPlugin, message).hint(hint);
        }
        let available = self.catalog.plugins.iter().filter(|plugin| plugin.standing == Standing::Available);
        let hint = did_you_mean(name, available.map(KnownPlugin::name));
        let message = format!("there is no built-in plugin `{name}`");
        let path = format!("say where it is: `path: plugins/{name}`");
        self.at_entry(name, "path", Code::MissingPlugin, message).hint(path).maybe_hint(hint)
    }

    fn missing_grant(&self, plugin: &KnownPlugin, refused: &str) -> Diagnostic {
        let name = plugin.name();
        let entry = self.draft.plugins.get(name);
        let optional = entry.is_some_and(|entry| entry.optional);
        let hint = if entry.is_some_and(|entry| entry.grants.is_some()) {
            format!("grant it under `plugins.{name}.grants`, or disable the plugin")
        } else {
            "the policy of the host refuses it: change the policy, or disable the plugin".to_owned()
        };
        self.at_entry(name, "grants", Code::MissingGrant, format!("plugin `{name}`: {refused}"))
            .hint(hint)
            .severity(if optional { Severity::Warning } else { Severity::Error })
    }

    fn check_dependency(&self, plugin: &KnownPlugin, dependency: &Dependency) -> Option<Diagnostic> {
        let name = plugin.name();
        let Target::Plugin(wanted) = &dependency.on else {
            return self.check_capability(plugin, dependency);
        };
        let wanted = wanted.as_str();
        let active = self.active.iter().find(|other| other.name() == wanted);
        let (message, hint) = match active {
            Some(other) if dependency.version.matches(&other.manifest.plugin.version) => return None,
            Some(other) => {
                let (range, found) = (&dependency.version, &other.manifest.plugin.version);
                let message =
                    format!("plugin `{name}` needs plugin `{wanted}` in `{range}`, and {found} is here");
                (message, format!("use a version of `{wanted}` that both accept"))
            }
            None => {
                let hint = match self.draft.plugins.get(wanted) {
                    _ if self.is_blocked(wanted) => {
                        format!("the operator has blocked `{wanted}`; disable `{name}` too")
                    }
                    Some(entry) if entry.enabled => format!("see what is wrong with `{wanted}`"),
                    Some(_) => format!("enable `{wanted}`, or disable `{name}` too"),
                    None => format!("name `{wanted}` under `plugins`, with its `path`"),
                };
                (format!("plugin `{name}` needs plugin `{wanted}`, which does not take part"), hint)
            }
        };
        let entry = if self.draft.plugins.contains_key(name) { name } else { wanted };
        Some(self.at(entry, name, None, Code::MissingDependency, message).hint(hint))
    }

    fn check_capability(&self, plugin: &KnownPlugin, dependency: &Dependency) -> Option<Diagnostic> {
        let mut others = self.active.iter().filter(|other| other.name() != plugin.name());
        if others.any(|other| other.manifest.is(&dependency.on, &dependency.version)) {
            return None;
        }
        let name = plugin.name();
        let message = format!(
            "plugin `{name}` needs {} in `{}`, which no plugin that takes part offers",
            dependency.on, dependency.version
        );
        let hint = "name a plugin that offers it under `plugins`, with its `path`";
        Some(self.at(name, name, None, Code::MissingDependency, message).hint(hint))
    }

    fn is_blocked(&self, name: &str) -> bool {
        self.catalog.plugin(name).is_some_and(|plugin| plugin.standing == Standing::Blocked)
    }

    fn at_entry(&self, name: &str, key: &str, code: Code, message: String) -> Diagnostic {
        self.at(name, name, Some(key), code, message)
    }

    /// At an entry of `plugins`, or at the first node that a plugin without an entry handles.
    fn at(&self, entry: &str, plugin: &str, key: Option<&str>, code: Code, message: String) -> Diagnostic {
        let range = self.draft.plugin_range(entry, key).or_else(|| self.first_use(plugin)).unwrap_or(0..0);
        Diagnostic::error(self.draft.source(), code, &range, message)
    }

    fn first_use(&self, plugin: &str) -> Option<Range<usize>> {
        let plugin = self.catalog.plugin(plugin)?;
        let types = self.draft.nodes.values().filter_map(|node| node.node_type.as_ref());
        types
            .filter(|node_type| provides(plugin, &node_type.value))
            .map(|node_type| node_type.range.clone())
            .next()
    }

    fn unknown_type(&self, node_type: &str) -> (String, String) {
        if let Some(plugin) = self.catalog.plugins.iter().find(|plugin| provides(plugin, node_type)) {
            let name = plugin.name();
            return match self.draft.plugins.get(name) {
                _ if self.is_blocked(name) => (
                    format!(
                        "the node type `{node_type}` belongs to plugin `{name}`, which the operator has blocked"
                    ),
                    "remove the node".to_owned(),
                ),
                Some(_) => (
                    format!("the node type `{node_type}` belongs to plugin `{name}`, which is disabled"),
                    format!("enable `{name}`, or remove the node"),
                ),
                None => (
                    format!(
                        "the node type `{node_type}` belongs to plugin `{name}`, which the file does not name"
                    ),
                    format!("name `{name}` under `plugins`, with its `path`"),
                ),
            };
        }
        let types = self.active.iter().flat_map(|plugin| plugin.node_types().map(Arc::as_ref));
        let missing = self
            .draft
            .plugins
            .iter()
            .find(|(name, entry)| entry.enabled && self.catalog.plugin(name).is_none());
        let hint = did_you_mean(node_type, types).unwrap_or_else(|| match missing {
            Some((name, _)) => format!("it may belong to plugin `{name}`, which is missing"),
            None => "`tapline plugin list` shows which plugins there are".into(),
        });
        (format!("no plugin provides the node type `{node_type}`"), hint)
    }
}

impl<'a> Checker<'a> {
    /// The plugin that handles a node; that there is none is a mistake.
    pub(super) fn provider(&mut self, node: &DraftNode) -> Option<&'a KnownPlugin> {
        let node_type = node.node_type.as_ref()?;
        let provider = self.plugins.provider(&node_type.value);
        if provider.is_none() {
            let (message, hint) = self.plugins.unknown_type(&node_type.value);
            let source = self.draft.source();
            let diagnostic = Diagnostic::error(source, Code::UnknownNodeType, &node_type.range, message);
            self.diagnostics.push(diagnostic.hint(hint));
        }
        provider
    }
}

fn accepts(entry: &PluginEntry, plugin: &KnownPlugin) -> bool {
    entry.version.as_ref().is_none_or(|wanted| wanted.matches(&plugin.manifest.plugin.version))
}

fn provides(plugin: &KnownPlugin, node_type: &str) -> bool {
    plugin.node_types().any(|key| **key == *node_type)
}
