use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use semver::{Version, VersionReq};
use tapline_core::{
    About, Dependency, Instances, LimitsAsked, Manifest, PluginId, Requires, Restart, RuntimeKind, Target,
};
use tapline_host::Standing;

use super::candidacy::Candidacy;
use crate::catalog::{Catalog, KnownPlugin};
use crate::definition::Draft;

/// The plugins that a pipeline itself asks for.
#[derive(Debug, Clone, Default)]
pub(super) struct Asks(pub(super) BTreeMap<PluginId, Ask>);

/// That a pipeline asks for a plugin.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    versions: VersionReq,
    pub(super) because: Because,
    necessity: Necessity,
}

/// Why a pipeline asks for a plugin.
#[derive(Debug, Clone)]
pub(super) enum Because {
    /// The file names it.
    Named,
    /// It handles nodes of this type.
    Handles(Arc<str>),
    /// It has this validator.
    Validates(Arc<str>),
    /// This plugin may call it.
    Called(PluginId),
}

/// Whether a pipeline can do without a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Necessity {
    Required,
    Optional,
}

/// A plugin that stands for one ask of a pipeline among the candidates, so that the solver sees it as any other.
///
/// One for each, and not one for all: what cannot be had is left out alone, and each has its own reasons.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    pub(super) manifest: Manifest,
    pub(super) standing: Standing,
    /// For whom it asks.
    pub(super) whom: PluginId,
}

impl Asks {
    /// What the file names, and who handles its nodes.
    pub(super) fn new(draft: &Draft, catalog: &Catalog, candidacy: &Candidacy) -> Self {
        let mut asks = Self::default();
        let eligible = candidacy.eligible(&catalog.plugins);
        let ids: BTreeMap<_, _> =
            eligible.map(|plugin| (plugin.name(), plugin.manifest.id().clone())).collect();
        for (name, entry) in &draft.plugins {
            let Some(id) = ids.get(&**name) else { continue };
            let versions = candidacy.range(&catalog.plugins, name, entry).cloned().unwrap_or_default();
            let necessity = if entry.optional { Necessity::Optional } else { Necessity::Required };
            asks.0.insert(id.clone(), Ask { versions, because: Because::Named, necessity });
        }
        for (node_type, handler) in &candidacy.handlers {
            asks.require(handler, Because::Handles(Arc::clone(node_type)));
        }
        for (validator, plugin) in &candidacy.validators {
            asks.require(plugin, Because::Validates(Arc::clone(validator)));
        }
        asks
    }

    pub(super) fn require(&mut self, id: &PluginId, because: Because) {
        let necessity = Necessity::Required;
        let ask = Ask { versions: VersionReq::STAR, because, necessity };
        self.0.entry(id.clone()).or_insert(ask).necessity = necessity;
    }

    /// The askers, under names that nobody of the known plugins has or knows.
    pub(super) fn askers(&self, known: &[KnownPlugin]) -> Vec<Asker> {
        let taken = names(known);
        let free = (0..).filter_map(|number: u32| PluginId::new(&format!("pipeline-{number:09}")).ok());
        let free = free.filter(|name| !taken.iter().any(|taken| taken.contains(name.as_str())));
        let needs = self.0.iter().flat_map(|(id, ask)| ask.needs(id));
        let askers = free.zip(needs).map(|(name, (whom, standing, need))| Asker {
            manifest: manifest(name, need),
            standing,
            whom: whom.clone(),
        });
        askers.collect()
    }
}

impl Asker {
    /// Whether the pipeline can do without what it asks for. It never does with a version that it does not accept.
    pub(super) fn necessity(&self) -> Necessity {
        if self.standing == Standing::Wanted { Necessity::Optional } else { Necessity::Required }
    }
}

impl Ask {
    /// What the asker of a plugin needs. One that asks for a plugin which the pipeline can do without is itself left
    /// out where it cannot be had; a second one sees to its version where another needs it.
    fn needs<'a>(&self, id: &'a PluginId) -> impl Iterator<Item = (&'a PluginId, Standing, Dependency)> {
        let need = |optional| Dependency {
            on: Target::Plugin(id.clone()),
            version: self.versions.clone(),
            optional,
        };
        let needs = match self.necessity {
            Necessity::Required => vec![(Standing::Required, need(false))],
            Necessity::Optional => vec![(Standing::Wanted, need(false)), (Standing::Required, need(true))],
        };
        needs.into_iter().map(move |(standing, need)| (id, standing, need))
    }
}

/// The names of all plugins and capabilities that are told of.
fn names(known: &[KnownPlugin]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for about in known.iter().map(|plugin| &plugin.manifest.plugin) {
        names.insert(about.id.to_string());
        names.extend(about.capabilities.iter().map(|capability| capability.name.to_string()));
        names.extend(about.depends_on.iter().map(|need| need.on.to_string()));
        names.extend(about.conflicts.iter().map(|conflict| conflict.with.to_string()));
    }
    names
}

fn manifest(id: PluginId, need: Dependency) -> Manifest {
    let plugin = About {
        id,
        version: Version::new(0, 0, 0),
        description: String::new(),
        authors: Vec::new(),
        host: VersionReq::STAR,
        runtime: RuntimeKind::Native,
        capabilities: Vec::new(),
        depends_on: vec![need],
        conflicts: Vec::new(),
        instances: Instances::default(),
        restart: Restart::default(),
        health: false,
        state: false,
    };
    Manifest {
        plugin,
        provides: Vec::new(),
        hooks: Vec::new(),
        subscriptions: Vec::new(),
        requires: Requires::default(),
        process: None,
        mcp: None,
        limits: LimitsAsked::default(),
    }
}
