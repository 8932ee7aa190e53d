use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::failure::CallError;
use crate::gate::Gate;
use crate::hook::{ErasedPoint, Hook, HookInfo, HookPoint, LayerStats, PointInfo};
use crate::id::PluginId;
use crate::payload::Payload;
use crate::plugin::BoxFuture;
use crate::value::Value;

mod staging;

/// Who joins in where, and who answers what.
///
/// All that a plugin brings is staged, validated whole, and published by one swap: readers see all of it or nothing.
pub struct Registry {
    snapshot: ArcSwap<Snapshot>,
    /// Held while a change is staged; no plugin code runs meanwhile.
    table: Mutex<Table>,
}

/// All that one plugin brings.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The plugin.
    pub plugin: PluginId,
    /// The plugins that it depends on; at equal priority their hooks stand outside its own.
    pub depends_on: Vec<PluginId>,
    /// Where it joins in.
    pub hooks: Vec<Hook>,
    /// What it contributes to extension points.
    pub contributions: Vec<Contribution>,
    gate: Arc<Gate>,
    stats: Vec<Arc<LayerStats>>,
}

/// A named contribution to an extension point.
#[derive(Clone)]
pub struct Contribution {
    /// The extension point.
    pub point: Arc<str>,
    /// The name under which it is looked up there.
    pub key: Arc<str>,
    /// The plugin that contributes it.
    pub plugin: PluginId,
    /// What answers the requests made to it.
    pub handler: Arc<dyn Handler>,
}

/// What answers the requests made to a contribution.
pub trait Handler: Send + Sync {
    /// Answers one request. Dropping the future ends the request.
    fn handle<'a>(&'a self, method: &'a str, request: Value) -> BoxFuture<'a, Result<Value, CallError>>;
}

/// Why a registration was refused; nothing of it has been published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// The id is taken.
    #[error("plugin `{plugin}` is registered already")]
    Duplicate {
        /// The plugin.
        plugin: PluginId,
    },
    /// A point was declared before.
    #[error("hook point `{point}` of `{second}` was declared by `{first}` before")]
    PointTaken {
        /// The point.
        point: Arc<str>,
        /// Who declared it.
        first: Arc<str>,
        /// Who declares it again.
        second: Arc<str>,
    },
    /// A contribution was made before.
    #[error("`{key}` at `{point}` is contributed by both `{first}` and `{second}`")]
    ContributionTaken {
        /// The extension point.
        point: Arc<str>,
        /// The key.
        key: Arc<str>,
        /// Who contributes it.
        first: PluginId,
        /// Who contributes it, too.
        second: PluginId,
    },
    /// Two hooks want to stand in for the same core operation.
    #[error("`{first}` and `{second}` both replace the core operation of `{point}`")]
    TwoReplacements {
        /// The point.
        point: Arc<str>,
        /// Who replaces it.
        first: PluginId,
        /// Who replaces it, too.
        second: PluginId,
    },
    /// A native hook was made for other types than those of the point.
    #[error("hook `{hook}` of plugin `{plugin}` does not have the types of `{point}`")]
    WrongTypes {
        /// The point.
        point: Arc<str>,
        /// The plugin.
        plugin: PluginId,
        /// The hook.
        hook: Arc<str>,
    },
    /// The constraints of the hooks of a point, or the dependencies of plugins, contradict each other.
    #[error("no order satisfies {subject}: {}", cycles.join("; "))]
    Cycle {
        /// What cannot be ordered.
        subject: String,
        /// Each cycle with its reasons.
        cycles: Vec<String>,
    },
}

struct Snapshot {
    generation: u64,
    chains: Vec<Arc<dyn Any + Send + Sync>>,
    hooks: Vec<Vec<HookInfo>>,
    contributions: staging::Contributions,
}

#[derive(Default)]
struct Table {
    points: Vec<Point>,
    registrations: Vec<Arc<Registration>>,
}

struct Point {
    info: Arc<PointInfo>,
    types: Arc<dyn ErasedPoint>,
    is_empty: Arc<AtomicBool>,
}

impl Registration {
    /// A registration of nothing yet.
    #[must_use]
    pub fn new(plugin: PluginId) -> Self {
        Self {
            plugin,
            depends_on: Vec::new(),
            hooks: Vec::new(),
            contributions: Vec::new(),
            gate: Arc::default(),
            stats: Vec::new(),
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

impl Registry {
    /// A registry without points and plugins.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let snapshot = Snapshot {
            generation: 0,
            chains: Vec::new(),
            hooks: Vec::new(),
            contributions: staging::Contributions::new(),
        };
        Arc::new(Self { snapshot: ArcSwap::from_pointee(snapshot), table: Mutex::default() })
    }

    /// Declares a hook point around operations from `I` to `O`.
    ///
    /// # Errors
    /// When the id is taken, or a hook that waited for the point does not fit it.
    pub fn hook_point<I: Payload, O: Payload>(
        self: &Arc<Self>,
        id: &str,
        owner: &str,
    ) -> Result<HookPoint<I, O>, RegisterError> {
        let mut table = self.table();
        if let Some(point) = table.points.iter().find(|point| *point.info.id == *id) {
            let first = Arc::clone(&point.info.owner);
            return Err(RegisterError::PointTaken { point: id.into(), first, second: owner.into() });
        }
        let info = Arc::new(PointInfo { id: id.into(), owner: owner.into() });
        let is_empty = Arc::new(AtomicBool::new(false));
        let slot = table.points.len();
        table.points.push(Point {
            info: Arc::clone(&info),
            types: HookPoint::<I, O>::erased(),
            is_empty: Arc::clone(&is_empty),
        });
        match staging::build(&table.points, &table.registrations) {
            Ok(staged) => self.publish(&table, staged),
            Err(error) => {
                table.points.pop();
                return Err(error);
            }
        }
        Ok(HookPoint::new(Arc::clone(self), slot, info, is_empty))
    }

    /// Publishes all that some plugins bring, by one swap.
    ///
    /// # Errors
    /// What is wrong with any of them; then nothing has changed.
    pub fn register(&self, registrations: Vec<Registration>) -> Result<(), RegisterError> {
        let mut table = self.table();
        let mut all = table.registrations.clone();
        for mut registration in registrations {
            if all.iter().any(|known| known.plugin == registration.plugin) {
                return Err(RegisterError::Duplicate { plugin: registration.plugin });
            }
            registration.stats = registration.hooks.iter().map(|_| Arc::default()).collect();
            all.push(Arc::new(registration));
        }
        let staged = staging::build(&table.points, &all)?;
        table.registrations = all;
        self.publish(&table, staged);
        Ok(())
    }

    /// Hides all that a plugin brought and lets no new call in. The gate returned is drained once no code of the
    /// plugin runs any more; `None` when the plugin is not registered.
    pub fn remove(&self, plugin: &PluginId) -> Option<Arc<Gate>> {
        let mut table = self.table();
        let place = table.registrations.iter().position(|known| known.plugin == *plugin)?;
        let removed = table.registrations.remove(place);
        removed.gate.close();
        // What was in order stays in order when something is taken out of it.
        if let Ok(staged) = staging::build(&table.points, &table.registrations) {
            self.publish(&table, staged);
        }
        Some(Arc::clone(&removed.gate))
    }

    /// The contribution with this key, if anyone makes it.
    #[must_use]
    pub fn contribution(&self, point: &str, key: &str) -> Option<Contribution> {
        self.snapshot.load().contributions.get(point)?.get(key).cloned()
    }

    /// All contributions to an extension point, by key.
    #[must_use]
    pub fn contributions(&self, point: &str) -> Vec<Contribution> {
        self.snapshot
            .load()
            .contributions
            .get(point)
            .into_iter()
            .flat_map(|all| all.values().cloned())
            .collect()
    }

    /// The hooks of a point in calling order; `None` when there is no such point.
    #[must_use]
    pub fn hooks(&self, point: &str) -> Option<Vec<HookInfo>> {
        let slot = self.table().points.iter().position(|known| *known.info.id == *point)?;
        self.snapshot.load().hooks.get(slot).cloned()
    }

    /// All hook points, in the order of their declaration.
    #[must_use]
    pub fn points(&self) -> Vec<PointInfo> {
        self.table().points.iter().map(|point| (*point.info).clone()).collect()
    }

    /// The hooks that wait for a point that nobody has declared, as `(plugin, hook, point)`.
    #[must_use]
    pub fn pending(&self) -> Vec<(PluginId, Arc<str>, Arc<str>)> {
        let table = self.table();
        let hooks =
            table.registrations.iter().flat_map(|one| one.hooks.iter().map(|hook| (&one.plugin, hook)));
        hooks
            .filter(|(_, hook)| table.points.iter().all(|point| point.info.id != hook.declaration.point))
            .map(|(plugin, hook)| {
                (plugin.clone(), hook.declaration.name.clone(), hook.declaration.point.clone())
            })
            .collect()
    }

    /// How many changes have been published.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.snapshot.load().generation
    }

    pub(crate) fn chain<C: Any + Send + Sync>(&self, slot: usize) -> Option<Arc<C>> {
        Arc::clone(self.snapshot.load().chains.get(slot)?).downcast().ok()
    }

    fn publish(&self, table: &Table, staged: staging::Staged) {
        // A point is called empty only while the published snapshot has no hooks for it.
        for (point, _) in table.points.iter().zip(&staged.hooks).filter(|(_, hooks)| !hooks.is_empty()) {
            point.is_empty.store(false, Ordering::Release);
        }
        let generation = self.generation() + 1;
        let staging::Staged { chains, hooks, contributions } = staged;
        let empty: Vec<_> = hooks.iter().map(Vec::is_empty).collect();
        self.snapshot.store(Arc::new(Snapshot { generation, chains, hooks, contributions }));
        for (point, empty) in table.points.iter().zip(empty) {
            point.is_empty.store(empty, Ordering::Release);
        }
    }

    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        // A panic while staging leaves the table as it was, because it is changed last.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Registry").field("generation", &self.generation()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Contribution {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{} of {}", self.point, self.key, self.plugin)
    }
}

#[cfg(test)]
mod tests;
