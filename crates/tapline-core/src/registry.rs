use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use crate::driver::Driver;
use crate::gate::{Gate, OwnedPass};
use crate::hook::{
    CollectPoint, ErasedPoint, Explanation, FilterPoint, FirstPoint, HookInfo, HookObserver, HookPoint, Mode,
    NotifyPoint, PointDeclaration, PointInfo, Slot, Types, Watch,
};
use crate::id::PluginId;
use crate::manifest::Selector;
use crate::payload::Payload;
use crate::sync::{AtomicBool, Loaded, Mutex, MutexGuard, Swap};

mod registration;
mod error;
mod staging;
mod explain;

pub use error::{Misfit, RegisterError};
pub use registration::{Contribution, Handler, Offer, Registration, Removal};

use registration::HookRecord;
use staging::Newcomers;

/// Who joins in where, and who answers what.
///
/// All that a plugin brings is staged, validated whole, and published by one swap: readers see all of it or nothing.
pub struct Registry {
    snapshot: Swap<Snapshot>,
    /// Held while a change is staged; no plugin code runs meanwhile.
    table: Mutex<Table>,
    watch: Arc<Watch>,
}

/// What the operator says of hooks; it wins over what plugins declare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HookRules {
    /// Hooks that are not entered.
    pub disabled: Vec<Selector>,
    /// Hooks that stand before others, whatever their priorities and what they ask for themselves.
    pub order: Vec<(Selector, Selector)>,
    /// The plugin that replaces the core operation of a point, where several want to.
    pub replace: BTreeMap<Arc<str>, PluginId>,
}

/// What is published: never changes, and is replaced whole.
pub(crate) struct Snapshot {
    generation: u64,
    /// By the places of their points: `Arc<HookChain<I, O>>` each.
    pub(crate) chains: Vec<Box<dyn Any + Send + Sync>>,
    hooks: Vec<Vec<HookInfo>>,
    contributions: staging::Contributions,
    capabilities: BTreeMap<Arc<str>, Vec<Offer>>,
    /// Dropped with the snapshot: whoever drains a plugin waits for the last reader of what came before.
    _readers: Option<OwnedPass>,
}

#[derive(Default)]
struct Table {
    points: Vec<Point>,
    registrations: Vec<Arc<Registration>>,
    rules: HookRules,
    /// The readers of the snapshot that is published, and of earlier ones that are still read.
    readers: Vec<Arc<Gate>>,
}

struct Point {
    info: Arc<PointInfo>,
    types: Arc<dyn ErasedPoint>,
    is_empty: Arc<AtomicBool>,
}

impl Registry {
    /// A registry without points and plugins.
    #[must_use]
    pub fn new(driver: Arc<dyn Driver>) -> Arc<Self> {
        let snapshot = Snapshot {
            generation: 0,
            chains: Vec::new(),
            hooks: Vec::new(),
            contributions: staging::Contributions::new(),
            capabilities: BTreeMap::new(),
            _readers: None,
        };
        let (table, watch) = (Mutex::new(Table::default()), Watch::new(driver));
        Arc::new(Self { snapshot: Swap::new(snapshot), table, watch })
    }

    /// Declares a hook point around operations from `I` to `O`.
    ///
    /// # Errors
    /// When the id is taken, or a hook that waited for the point does not fit it.
    pub fn hook_point<I: Payload, O: Payload>(
        self: &Arc<Self>,
        point: impl Into<PointDeclaration>,
        owner: &str,
    ) -> Result<HookPoint<I, O>, RegisterError> {
        self.declare(point.into(), owner, Mode::Chain).map(HookPoint)
    }

    /// Declares a point through whose hooks a value goes.
    ///
    /// # Errors
    /// As [`hook_point`](Self::hook_point).
    pub fn filter_point<T: Payload>(
        self: &Arc<Self>,
        point: impl Into<PointDeclaration>,
        owner: &str,
    ) -> Result<FilterPoint<T>, RegisterError> {
        self.declare(point.into(), owner, Mode::Filter).map(FilterPoint)
    }

    /// Declares a point at which the first answer wins.
    ///
    /// # Errors
    /// As [`hook_point`](Self::hook_point).
    pub fn first_point<I: Payload, O: Payload>(
        self: &Arc<Self>,
        point: impl Into<PointDeclaration>,
        owner: &str,
    ) -> Result<FirstPoint<I, O>, RegisterError> {
        self.declare(point.into(), owner, Mode::First).map(FirstPoint)
    }

    /// Declares a point that collects answers.
    ///
    /// # Errors
    /// As [`hook_point`](Self::hook_point).
    pub fn collect_point<I: Payload, O: Payload>(
        self: &Arc<Self>,
        point: impl Into<PointDeclaration>,
        owner: &str,
    ) -> Result<CollectPoint<I, O>, RegisterError> {
        self.declare(point.into(), owner, Mode::Collect).map(CollectPoint)
    }

    /// Declares a point that tells its hooks of something.
    ///
    /// # Errors
    /// As [`hook_point`](Self::hook_point).
    pub fn notify_point<I: Payload>(
        self: &Arc<Self>,
        point: impl Into<PointDeclaration>,
        owner: &str,
    ) -> Result<NotifyPoint<I>, RegisterError> {
        self.declare(point.into(), owner, Mode::Notify).map(NotifyPoint)
    }

    fn declare<I: Payload, O: Payload>(
        self: &Arc<Self>,
        declaration: PointDeclaration,
        owner: &str,
        mode: Mode,
    ) -> Result<Slot<I, O>, RegisterError> {
        let info = Arc::new(declaration.into_info(owner, mode, I::schema(), O::schema()));
        let mut table = self.table();
        if let Some(point) = table.points.iter().find(|point| point.info.id == info.id) {
            let (first, second) = (Arc::clone(&point.info.owner), owner.into());
            return Err(RegisterError::PointTaken { point: Arc::clone(&info.id), first, second });
        }
        let is_empty = Arc::new(AtomicBool::new(false));
        let index = table.points.len();
        table.points.push(Point {
            info: Arc::clone(&info),
            types: Arc::new(Types::<I, O>(PhantomData)),
            is_empty: Arc::clone(&is_empty),
        });
        match self.build(&table, &table.registrations, &table.rules, &Newcomers::All) {
            Ok(staged) => self.publish(&mut table, staged),
            Err(error) => {
                table.points.pop();
                return Err(error);
            }
        }
        Ok(Slot { registry: Arc::clone(self), index, info, is_empty, types: PhantomData })
    }

    /// Publishes all that some plugins bring, by one swap.
    ///
    /// # Errors
    /// What is wrong with any of them; then nothing has changed.
    pub fn register(&self, registrations: Vec<Registration>) -> Result<(), RegisterError> {
        let mut table = self.table();
        let mut all = table.registrations.clone();
        let newcomers: Vec<_> =
            registrations.iter().map(|registration| registration.plugin.clone()).collect();
        for mut registration in registrations {
            if all.iter().any(|known| known.plugin == registration.plugin) {
                return Err(RegisterError::Duplicate { plugin: registration.plugin });
            }
            registration.records = registration.hooks.iter().map(|_| HookRecord::default()).collect();
            all.push(Arc::new(registration));
        }
        let staged = self.build(&table, &all, &table.rules, &Newcomers::These(&newcomers))?;
        table.registrations = all;
        self.publish(&mut table, staged);
        Ok(())
    }

    /// Puts the operator's rules in the place of the ones before.
    ///
    /// # Errors
    /// When no order satisfies them; then nothing has changed.
    pub fn set_rules(&self, rules: HookRules) -> Result<(), RegisterError> {
        let mut table = self.table();
        let staged = self.build(&table, &table.registrations, &rules, &Newcomers::None)?;
        table.rules = rules;
        self.publish(&mut table, staged);
        Ok(())
    }

    /// Hides all that a plugin brought and lets no new call in; `None` when it is not registered. No code of it runs
    /// any more once the removal has drained.
    pub fn remove(&self, plugin: &PluginId) -> Option<Removal> {
        let mut table = self.table();
        let place = table.registrations.iter().position(|known| known.plugin == *plugin)?;
        let removed = table.registrations.remove(place);
        removed.gate.close();
        // What was in order stays in order when something is taken out of it.
        if let Ok(staged) = self.build(&table, &table.registrations, &table.rules, &Newcomers::None) {
            self.publish(&mut table, staged);
        }
        let earlier = table.readers.iter().rev().skip(1).cloned();
        let leaving = [Arc::clone(&removed.gate)].into_iter().chain(earlier).collect();
        Some(Removal { gate: Arc::downgrade(&removed.gate), leaving })
    }

    /// Puts what another version of a plugin brings in the place of what it brought before, by one swap. Nothing is
    /// inherited: hooks begin with no statistics and out of quarantine. Calls that began before it are still let in by
    /// the version that they took, so that none skips a hook; the removal has drained when all of them have ended.
    ///
    /// # Errors
    /// When the plugin is not registered, or what is wrong with the other version; then nothing has changed.
    pub fn replace(&self, mut by: Registration) -> Result<Removal, RegisterError> {
        let mut table = self.table();
        let place = table.registrations.iter().position(|known| known.plugin == by.plugin);
        let place = place.ok_or_else(|| RegisterError::NotRegistered { plugin: by.plugin.clone() })?;
        by.records = by.hooks.iter().map(|_| HookRecord::default()).collect();
        let newcomer = [by.plugin.clone()];
        let mut all = table.registrations.clone();
        all[place] = Arc::new(by);
        let staged = self.build(&table, &all, &table.rules, &Newcomers::These(&newcomer))?;
        let before = std::mem::replace(&mut table.registrations, all);
        let replaced = &before[place];
        let removal =
            Removal { gate: Arc::downgrade(&replaced.gate), leaving: vec![Arc::clone(&replaced.holders)] };
        self.publish(&mut table, staged);
        Ok(removal)
    }

    /// Whether a plugin is registered.
    #[must_use]
    pub fn has(&self, plugin: &PluginId) -> bool {
        self.table().registrations.iter().any(|known| known.plugin == *plugin)
    }

    /// Whether a hook of a plugin is in quarantine.
    #[must_use]
    pub fn has_quarantined_hook(&self, plugin: &PluginId) -> bool {
        let table = self.table();
        let registration = table.registrations.iter().find(|known| known.plugin == *plugin);
        registration.is_some_and(|known| known.records.iter().any(|record| record.quarantine.is_closed()))
    }

    /// The contribution with this key, if anyone makes it.
    #[must_use]
    pub fn contribution(&self, point: &str, key: &str) -> Option<Arc<Contribution>> {
        self.snapshot.load().contributions.get(point)?.get(key).cloned()
    }

    /// The contribution to an extension point of the first plugin that offers a capability, in lookup order.
    #[must_use]
    pub fn contribution_by_capability(&self, point: &str, capability: &str) -> Option<Arc<Contribution>> {
        let snapshot = self.snapshot.load();
        let contributions = snapshot.contributions.get(point)?;
        let of = |offer: &Offer| contributions.values().find(|one| one.plugin == offer.plugin).cloned();
        snapshot.capabilities.get(capability)?.iter().find_map(of)
    }

    /// All contributions that a plugin makes, by extension point and key.
    #[must_use]
    pub fn contributions_of(&self, plugin: &PluginId) -> Vec<Arc<Contribution>> {
        let snapshot = self.snapshot.load();
        let all = snapshot.contributions.values().flat_map(BTreeMap::values);
        all.filter(|contribution| contribution.plugin == *plugin).cloned().collect()
    }

    /// All contributions to an extension point, by key.
    #[must_use]
    pub fn contributions(&self, point: &str) -> Vec<Arc<Contribution>> {
        self.snapshot
            .load()
            .contributions
            .get(point)
            .into_iter()
            .flat_map(|all| all.values().cloned())
            .collect()
    }

    /// The plugins that offer a capability in lookup order: by rank, then version, both highest first, then load order.
    #[must_use]
    pub fn offers(&self, capability: &str) -> Vec<Offer> {
        self.snapshot.load().capabilities.get(capability).cloned().unwrap_or_default()
    }

    /// The hooks of a point in calling order; `None` when there is no such point.
    #[must_use]
    pub fn hooks(&self, point: &str) -> Option<Vec<HookInfo>> {
        let slot = self.table().points.iter().position(|known| *known.info.id == *point)?;
        self.snapshot.load().hooks.get(slot).cloned()
    }

    /// Why the hooks of a point stand where they stand, and how they fare; `None` when nobody has declared such a point
    /// and no hook waits for it.
    #[must_use]
    pub fn explain(&self, point: &str) -> Option<Explanation> {
        let table = self.table();
        match table.points.iter().find(|known| *known.info.id == *point) {
            Some(point) => explain::explain(point, &table.registrations, &table.rules, &self.watch),
            None => explain::pending(point, &table.registrations, &self.watch),
        }
    }

    /// All hook points, in the order of their declaration.
    #[must_use]
    pub fn points(&self) -> Vec<PointInfo> {
        self.table().points.iter().map(|point| (*point.info).clone()).collect()
    }

    /// The hooks that wait for a point that nobody has declared, those left out that are optional, as
    /// `(plugin, hook, point)`.
    #[must_use]
    pub fn pending(&self) -> Vec<(PluginId, Arc<str>, Arc<str>)> {
        let table = self.table();
        let hooks =
            table.registrations.iter().flat_map(|one| one.hooks.iter().map(|hook| (&one.plugin, hook)));
        hooks
            .filter(|(_, hook)| !hook.declaration.optional)
            .filter(|(_, hook)| table.points.iter().all(|point| point.info.id != hook.declaration.point))
            .map(|(plugin, hook)| {
                (plugin.clone(), hook.declaration.name.clone(), hook.declaration.point.clone())
            })
            .collect()
    }

    /// Has somebody told of what happens to hooks and no caller learns of.
    pub fn observe(&self, observer: HookObserver) {
        self.watch.observe(observer);
    }

    /// How many changes have been published.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.snapshot.load().generation
    }

    #[inline]
    pub(crate) fn snapshot(&self) -> Loaded<Snapshot> {
        self.snapshot.load()
    }

    pub(crate) const fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    fn build(
        &self,
        table: &Table,
        registrations: &[Arc<Registration>],
        rules: &HookRules,
        newcomers: &Newcomers<'_>,
    ) -> Result<staging::Staged, RegisterError> {
        staging::build(&table.points, registrations, rules, newcomers, &self.watch)
    }

    fn publish(&self, table: &mut Table, staged: staging::Staged) {
        // A point is called empty only while the published snapshot has no hooks for it.
        for (point, _) in table.points.iter().zip(&staged.hooks).filter(|(_, hooks)| !hooks.is_empty()) {
            point.is_empty.store(false, Ordering::Release);
        }
        let generation = self.generation() + 1;
        let staging::Staged { chains, hooks, contributions, capabilities } = staged;
        let empty: Vec<_> = hooks.iter().map(Vec::is_empty).collect();
        let readers = Arc::new(Gate::default());
        let _readers = readers.enter_owned();
        readers.close();
        table.readers.retain(|readers| readers.inside() > 0);
        table.readers.push(readers);
        let snapshot = Snapshot { generation, chains, hooks, contributions, capabilities, _readers };
        self.snapshot.store(snapshot);
        for (point, empty) in table.points.iter().zip(empty) {
            point.is_empty.store(empty, Ordering::Release);
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A panic while staging leaves the table as it was, because it is changed last.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Registry").field("generation", &self.generation()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
