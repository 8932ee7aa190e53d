use std::collections::BTreeMap;

use tapline_core::PluginId;
use tapline_host::{Candidate, Resolution, Standing, resolve};

use crate::catalog::{self, Catalog, KnownPlugin};
use crate::definition::Draft;

mod asks;
mod candidacy;
mod reason;
mod refusal;

pub use reason::{ChoiceReason, UnknownSubject};

pub(crate) use asks::Necessity;
pub(crate) use candidacy::Exclusion;
pub(crate) use refusal::Refusal;

use asks::{Asker, Asks, Because};
use candidacy::Candidacy;

/// Which plugins a pipeline uses, in which versions, and why not others.
///
/// It uses those that its file names, those that handle its nodes, those that these need, and those whose contributions
/// all of them may call, but none that only a configuration tells which server it asks.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    known: Vec<KnownPlugin>,
    candidacy: Candidacy,
    asks: Asks,
    askers: Vec<Asker>,
    /// In its places stand the known plugins that can be chosen, and the askers behind them.
    resolution: Resolution,
}

impl Choice {
    pub(crate) fn new(draft: &Draft, catalog: &Catalog) -> Self {
        let candidacy = Candidacy::new(draft, catalog);
        let asks = Asks::new(draft, catalog, &candidacy);
        let known = catalog.plugins.clone();
        let mut choice = Self { known, candidacy, asks, ..Self::default() };
        // Whom a plugin may call is known when it is chosen, and may call others in turn.
        loop {
            choice.resolve();
            let called = choice.called();
            if called.is_empty() {
                return choice;
            }
            for (id, caller) in called {
                choice.asks.require(&id, Because::Called(caller));
            }
        }
    }

    /// The plugins that are used, what is needed first.
    pub fn plugins(&self) -> impl Iterator<Item = &KnownPlugin> {
        let eligible: Vec<_> = self.eligible().collect();
        self.resolution.order.iter().filter_map(move |place| eligible.get(*place).copied())
    }

    /// Those that could be used, whether or not anything asks for them.
    pub fn eligible(&self) -> impl Iterator<Item = &KnownPlugin> {
        self.candidacy.eligible(&self.known)
    }

    /// Those that are there and cannot be used, and why.
    pub(crate) fn excluded(&self) -> impl Iterator<Item = (&KnownPlugin, &Exclusion)> {
        let known = self.known.iter().zip(&self.candidacy.excluded);
        known.filter_map(|(plugin, excluded)| Some((plugin, excluded.as_ref()?)))
    }

    /// The plugin that handles nodes of a type; where it is left out, the one that would be the best.
    pub(crate) fn handler(&self, node_type: &str) -> Option<&KnownPlugin> {
        let id = self.candidacy.handlers.get(node_type)?;
        let is_meant = |plugin: &&KnownPlugin| plugin.manifest.id() == id;
        let best = || self.eligible().filter(is_meant).max_by_key(|plugin| plugin.version());
        self.plugins().find(is_meant).or_else(best)
    }

    /// Whether a validator can be used.
    pub(crate) fn has_validator(&self, validator: &str) -> bool {
        self.candidacy.validators.contains_key(validator)
    }

    /// The plugin for which the pipeline asks for another.
    pub(crate) fn caller(&self, id: &PluginId) -> Option<&PluginId> {
        match &self.asks.0.get(id)?.because {
            Because::Called(caller) => Some(caller),
            Because::Named | Because::Handles(_) | Because::Validates(_) => None,
        }
    }

    fn resolve(&mut self) {
        self.askers = self.asks.askers(&self.known);
        let resolution = resolve(&self.candidates());
        self.resolution = resolution;
    }

    fn candidates(&self) -> Vec<Candidate<'_>> {
        let known = self.eligible().map(|plugin| Candidate {
            manifest: &plugin.manifest,
            standing: match plugin.standing {
                catalog::Standing::Locked => Standing::Locked,
                _ => Standing::Available,
            },
        });
        let askers = self.askers.iter();
        let askers = askers.map(|asker| Candidate { manifest: &asker.manifest, standing: asker.standing });
        known.chain(askers).collect()
    }

    fn asker(&self, place: usize) -> Option<&Asker> {
        self.askers.get(place.checked_sub(self.eligible().count())?)
    }

    /// The plugins that the chosen may call and that nobody asks for yet, each with who may call it.
    fn called(&self) -> BTreeMap<PluginId, PluginId> {
        let mut called = BTreeMap::new();
        let chosen: Vec<_> = self.plugins().collect();
        let is_there = |id| self.asks.0.contains_key(id) || chosen.iter().any(|one| one.manifest.id() == id);
        for other in self.eligible().filter(|other| !is_there(other.manifest.id())) {
            if let Some(caller) = chosen.iter().find(|caller| caller.may_call(other)) {
                called.insert(other.manifest.id().clone(), caller.manifest.id().clone());
            }
        }
        called
    }
}
