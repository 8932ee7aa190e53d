use std::fmt;
use std::sync::{Arc, Weak};

use semver::Version;

use crate::call_error::CallError;
use crate::gate::Gate;
use crate::grants::ContextGrants;
use crate::hook::{Hook, LayerStats, Quarantine};
use crate::id::PluginId;
use crate::manifest::Capability;
use crate::plugin::BoxFuture;
use crate::scope;
use crate::stream::Origin;
use crate::value::Value;

/// All that one plugin brings.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The plugin.
    pub plugin: PluginId,
    /// Its version.
    pub version: Version,
    /// The plugins that it depends on; at equal priority their hooks stand outside its own.
    pub depends_on: Vec<PluginId>,
    /// As [`depends_on`](Self::depends_on), where that closes no circle: the plugins that it can do without.
    pub may_depend_on: Vec<PluginId>,
    /// The names that it offers to others.
    pub capabilities: Vec<Capability>,
    /// The places of a context that it may reach, which the points that it joins have to have.
    pub context: ContextGrants,
    /// Where it joins in.
    pub hooks: Vec<Hook>,
    /// What it contributes to extension points.
    pub contributions: Vec<Contribution>,
    pub(super) gate: Arc<Gate>,
    /// Those who hold the gate, and could enter the plugin's code.
    pub(super) holders: Arc<Gate>,
    pub(super) records: Vec<HookRecord>,
}

/// What is kept of a hook for as long as it is registered, whatever chains are built meanwhile.
#[derive(Debug, Clone, Default)]
pub(super) struct HookRecord {
    pub(super) stats: Arc<LayerStats>,
    pub(super) quarantine: Arc<Quarantine>,
}

/// A named contribution to an extension point.
#[derive(Clone)]
pub struct Contribution {
    /// The extension point.
    pub point: Arc<str>,
    /// The name under which it is looked up there.
    pub key: Arc<str>,
    /// Both, as `point/key`.
    pub name: Arc<str>,
    /// The plugin that contributes it.
    pub plugin: PluginId,
    /// What answers the requests made to it.
    pub handler: Arc<dyn Handler>,
}

/// What answers the requests made to a contribution.
pub trait Handler: Send + Sync {
    /// Answers one request. Dropping the future gives the request up.
    fn handle<'a>(
        &'a self,
        method: &'a Arc<str>,
        request: Value,
        origin: Origin,
    ) -> BoxFuture<'a, Result<Value, CallError>>;
}

/// A plugin that offers a capability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The plugin.
    pub plugin: PluginId,
    /// The version of what it offers.
    pub version: Version,
    /// The rank that it gives itself.
    pub rank: i32,
}

/// A plugin that has been hidden and may still have calls inside it.
#[derive(Debug)]
pub struct Removal {
    pub(super) gate: Weak<Gate>,
    /// Those who have to leave before none of the plugin's code runs any more.
    pub(super) leaving: Vec<Arc<Gate>>,
}

impl Registration {
    /// A registration of nothing yet.
    #[must_use]
    pub fn new(plugin: PluginId) -> Self {
        let (gate, holders) = Gate::held();
        Self {
            plugin,
            version: Version::new(0, 0, 0),
            depends_on: Vec::new(),
            may_depend_on: Vec::new(),
            capabilities: Vec::new(),
            context: ContextGrants::default(),
            hooks: Vec::new(),
            contributions: Vec::new(),
            gate,
            holders,
            records: Vec::new(),
        }
    }

    /// The entrance to the plugin's code, which closes when the plugin is removed.
    #[must_use]
    pub const fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Adds a hook.
    #[must_use]
    pub fn hook(mut self, hook: Hook) -> Self {
        self.hooks.push(hook);
        self
    }
}

impl Removal {
    /// How many calls are inside the plugin.
    #[must_use]
    pub fn inside(&self) -> usize {
        self.gate.upgrade().map_or(0, |gate| gate.inside())
    }

    /// Waits until no code of the plugin runs any more. Dropping the future loses nothing.
    pub async fn drained(&self) {
        for leaving in &self.leaving {
            leaving.drained().await;
        }
    }

    /// Waits until no call is inside the plugin. Of one that was replaced, calls that took it before may still come.
    /// Dropping the future loses nothing.
    pub async fn left(&self) {
        if let Some(gate) = self.gate.upgrade() {
            gate.drained().await;
        }
    }
}

impl Contribution {
    /// A contribution of a plugin.
    #[must_use]
    pub fn new(point: Arc<str>, key: Arc<str>, plugin: PluginId, handler: Arc<dyn Handler>) -> Self {
        let name = format!("{point}/{key}").into();
        Self { point, key, name, plugin, handler }
    }

    /// Answers a request, nested in whatever calls the current future runs inside of.
    ///
    /// # Errors
    /// When it is nested too deep in requests of the same, or what the handler answers.
    pub async fn answer(
        &self,
        method: &Arc<str>,
        request: Value,
        origin: Origin,
    ) -> Result<Value, CallError> {
        scope::nested(&self.name, self.handler.handle(method, request, origin)).await
    }
}

impl fmt::Debug for Contribution {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of {}", self.name, self.plugin)
    }
}
