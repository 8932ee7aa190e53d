use std::collections::BTreeSet;
use std::sync::Arc;

use tapline_core::{CallTarget, Object, Provides, RegisterError};
use tapline_host::Host;
use tapline_roles::{NODE, NODE_EXECUTE, PROVIDER, PROVIDER_REQUEST};

use crate::catalog::{Catalog, KnownPlugin, Origin};
use crate::definition::Definition;
use crate::run::{Observer, Run, RunReport};

/// Runs pipelines on a host: declares the hook points of pipelines there, and reaches plugins through it alone.
#[derive(Debug, Clone)]
pub struct Engine {
    host: Host,
}

impl Engine {
    /// Makes a host one that runs pipelines.
    ///
    /// # Errors
    /// When the host has the hook points of pipelines already.
    pub fn new(host: Host) -> Result<Self, RegisterError> {
        host.wrap(NODE, NODE_EXECUTE)?;
        host.wrap(PROVIDER, PROVIDER_REQUEST)?;
        Ok(Self { host })
    }

    /// The host.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// Runs a pipeline to its end. Dropping the future ends the run: what is under way is abandoned, and what nodes
    /// have done outside of the pipeline stays done.
    pub async fn run(
        &self,
        definition: Arc<Definition>,
        inputs: Object,
        observer: Arc<dyn Observer>,
    ) -> RunReport {
        Run::new(self.host.clone(), definition, inputs, observer).finish().await
    }
}

/// The plugins that a pipeline needs, in the order of the catalog: those that its file names, those that handle its
/// nodes, and those whose contributions these may call.
#[must_use]
pub fn needed<'a>(definition: &Definition, catalog: &'a Catalog) -> Vec<&'a KnownPlugin> {
    let handlers: BTreeSet<_> = definition.nodes.values().map(|node| &*node.plugin).collect();
    let is_disabled =
        |plugin: &KnownPlugin| definition.plugins.get(plugin.name()).is_some_and(|entry| !entry.enabled);
    let is_named = |plugin: &KnownPlugin| definition.plugins.contains_key(plugin.name());
    let available: Vec<_> = catalog.plugins.iter().filter(|plugin| !is_disabled(plugin)).collect();
    let mut needed: Vec<_> =
        available.iter().map(|plugin| is_named(plugin) || handlers.contains(plugin.name())).collect();
    // What is needed may need more, until nothing is added.
    while let Some(place) = (0..available.len()).find(|place| {
        let (candidate, is_needed) = (available[*place], needed[*place]);
        let callers = available.iter().zip(&needed).filter(|(_, needed)| **needed);
        !is_needed
            && candidate.origin == Origin::BuiltIn
            && callers.into_iter().any(|(caller, _)| uses(caller, candidate))
    }) {
        needed[place] = true;
    }
    available.into_iter().zip(needed).filter_map(|(plugin, needed)| needed.then_some(plugin)).collect()
}

/// Whether a plugin asks to call a contribution of another, or depends on it.
fn uses(caller: &KnownPlugin, other: &KnownPlugin) -> bool {
    let manifest = &caller.manifest;
    let calls = |provides: &Provides| {
        let (point, key) = (Arc::clone(&provides.point), Arc::clone(&provides.key));
        manifest.requires.allow_call(&CallTarget::Contribution { point, key })
    };
    other.manifest.provides.iter().any(calls)
        || manifest.plugin.depends_on.iter().any(|need| other.manifest.is(&need.on, &need.version))
}
