use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use semver::VersionReq;
use tapline_core::PluginId;
use tapline_roles::VALIDATOR;

use crate::catalog::{Catalog, KnownPlugin, Rival, Standing};
use crate::definition::{Draft, PluginEntry};

/// Which plugins of a catalog can be chosen, and who of them handles the nodes.
#[derive(Debug, Clone, Default)]
pub(super) struct Candidacy {
    /// For each plugin of the catalog why it cannot be chosen.
    pub(super) excluded: Vec<Option<Exclusion>>,
    /// For each type of node that the file uses who handles it.
    pub(super) handlers: BTreeMap<Arc<str>, PluginId>,
    /// For each validator that the file uses whose it is.
    pub(super) validators: BTreeMap<Arc<str>, PluginId>,
}

/// Why a plugin that is there cannot be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Exclusion {
    Blocked,
    Disabled,
    /// The file does not name it.
    Unnamed,
    /// It asks for a server that its configuration names, and the file says nothing of it.
    Unconfigured,
    Passed(Rival),
    /// The file can do without it, and accepts no version that is there.
    Unaccepted(VersionReq),
    /// The file can do without it, and it may not do what it has to.
    Refused(Vec<String>),
    /// Others of its id handle a type of node that the file uses, and it does not.
    LacksType(Arc<str>),
}

impl Candidacy {
    pub(super) fn new(draft: &Draft, catalog: &Catalog) -> Self {
        let excluded = catalog.plugins.iter().map(|plugin| exclusion(plugin, entry(draft, plugin)));
        let mut candidacy = Self { excluded: excluded.collect(), ..Self::default() };
        candidacy.leave_out_optional(draft, catalog);
        candidacy.find_handlers(draft, catalog);
        candidacy.find_validators(draft, catalog);
        candidacy
    }

    /// Those of the catalog's plugins that can be chosen.
    pub(super) fn eligible<'a>(&self, known: &'a [KnownPlugin]) -> impl Iterator<Item = &'a KnownPlugin> {
        known.iter().zip(&self.excluded).filter(|(_, excluded)| excluded.is_none()).map(|(plugin, _)| plugin)
    }

    fn leave_out_optional(&mut self, draft: &Draft, catalog: &Catalog) {
        for (name, entry) in draft.plugins.iter().filter(|(_, entry)| entry.optional) {
            let is_accepted = self.eligible(&catalog.plugins).any(|plugin| accepts(entry, name, plugin));
            let unaccepted = entry.version.clone().filter(|_| !is_accepted).map(Exclusion::Unaccepted);
            for (plugin, excluded) in catalog.plugins.iter().zip(&mut self.excluded) {
                if plugin.name() == &**name && excluded.is_none() {
                    let refused = (!plugin.refused.is_empty()).then(|| plugin.refused.clone());
                    *excluded = unaccepted.clone().or(refused.map(Exclusion::Refused));
                }
            }
        }
    }

    /// Of each type the first plugin that handles it does; its versions that do not are of no use.
    fn find_handlers(&mut self, draft: &Draft, catalog: &Catalog) {
        for node_type in draft.node_types().collect::<BTreeSet<_>>() {
            let handles = |plugin: &&KnownPlugin| {
                let entry = entry(draft, plugin);
                plugin.handles(node_type) && self.is_in_range(catalog, plugin, entry)
            };
            let Some(handler) = self.eligible(&catalog.plugins).find(handles) else { continue };
            let id = handler.manifest.id();
            self.handlers.insert(Arc::clone(node_type), id.clone());
            for (plugin, excluded) in catalog.plugins.iter().zip(&mut self.excluded) {
                if plugin.manifest.id() == id && !plugin.handles(node_type) && excluded.is_none() {
                    *excluded = Some(Exclusion::LacksType(Arc::clone(node_type)));
                }
            }
        }
    }

    /// Of each validator the first plugin that provides it.
    fn find_validators(&mut self, draft: &Draft, catalog: &Catalog) {
        for validator in draft.validators().collect::<BTreeSet<_>>() {
            let provides = |plugin: &&KnownPlugin| {
                plugin.provides(VALIDATOR, validator)
                    && self.is_in_range(catalog, plugin, entry(draft, plugin))
            };
            let found = self.eligible(&catalog.plugins).find(provides);
            if let Some(id) = found.map(|plugin| plugin.manifest.id().clone()) {
                self.validators.insert(Arc::clone(validator), id);
            }
        }
    }

    /// Whether the file accepts a version, or none that can be chosen.
    fn is_in_range(&self, catalog: &Catalog, plugin: &KnownPlugin, entry: Option<&PluginEntry>) -> bool {
        let range = entry.and_then(|entry| self.range(&catalog.plugins, plugin.name(), entry));
        range.is_none_or(|range| range.matches(plugin.version()))
    }

    /// The range of an entry, if a version that can be chosen is in it.
    pub(super) fn range<'e>(
        &self,
        known: &[KnownPlugin],
        name: &str,
        entry: &'e PluginEntry,
    ) -> Option<&'e VersionReq> {
        let is_accepted = self.eligible(known).any(|plugin| accepts(entry, name, plugin));
        entry.version.as_ref().filter(|_| is_accepted)
    }
}

fn entry<'d>(draft: &'d Draft, plugin: &KnownPlugin) -> Option<&'d PluginEntry> {
    draft.plugins.get(plugin.name())
}

fn accepts(entry: &PluginEntry, name: &str, plugin: &KnownPlugin) -> bool {
    plugin.name() == name && entry.version.as_ref().is_none_or(|range| range.matches(plugin.version()))
}

fn exclusion(plugin: &KnownPlugin, entry: Option<&PluginEntry>) -> Option<Exclusion> {
    match plugin.standing {
        Standing::Blocked => Some(Exclusion::Blocked),
        _ if entry.is_some_and(|entry| !entry.enabled) => Some(Exclusion::Disabled),
        Standing::Passed(rival) => Some(Exclusion::Passed(rival)),
        Standing::Named if entry.is_none() => Some(Exclusion::Unnamed),
        _ if entry.is_none() && plugin.needs_configuration() => Some(Exclusion::Unconfigured),
        Standing::Named | Standing::Available | Standing::Locked => None,
    }
}

impl fmt::Display for Exclusion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked => formatter.write_str("the operator has blocked it"),
            Self::Disabled => formatter.write_str("the pipeline disables it"),
            Self::Unnamed => formatter.write_str("the pipeline does not name it"),
            Self::Unconfigured => formatter.write_str("the pipeline does not configure it"),
            Self::Passed(Rival::Named) => formatter.write_str("the pipeline names another by its `path`"),
            Self::Passed(Rival::BuiltIn) => formatter.write_str("another of its id is built in"),
            Self::Passed(Rival::Same) => {
                formatter.write_str("another of this version is locked or was found first")
            }
            Self::Unaccepted(range) => write!(formatter, "the pipeline asks for `{range}`"),
            Self::Refused(sentences) => formatter.write_str(&sentences.join("; ")),
            Self::LacksType(node_type) => write!(formatter, "does not handle the node type `{node_type}`"),
        }
    }
}
