//! The next snapshot, made of points and registrations alone: a pure function that either succeeds or changes nothing.

use std::any::Any;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::error::Misfit;
use super::{Contribution, HookRules, Offer, Point, RegisterError, Registration};
use crate::hook::{Hook, HookInfo, Layer, LayerName, PlacedHook, Watch, linearize};
use crate::id::PluginId;
use crate::manifest::{HookKind, Priority, Selector};

pub(super) struct Staged {
    pub(super) chains: Vec<Box<dyn Any + Send + Sync>>,
    pub(super) hooks: Vec<Vec<HookInfo>>,
    pub(super) contributions: Contributions,
    pub(super) capabilities: BTreeMap<Arc<str>, Vec<Offer>>,
}

/// Contributions by extension point and key.
pub(super) type Contributions = BTreeMap<Arc<str>, BTreeMap<Arc<str>, Arc<Contribution>>>;

/// A hook and where its plugin stands in the load order.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) registration: &'a Registration,
    load_index: usize,
    index: usize,
}

/// The hooks of one point.
pub(super) struct Placed<'a> {
    /// Those that are entered, in calling order; a replace hook stands where it would be entered.
    pub(super) active: Vec<Candidate<'a>>,
    /// Replace hooks that another one has taken the place of.
    pub(super) shadowed: Vec<Candidate<'a>>,
    /// Those that the operator has disabled.
    pub(super) disabled: Vec<Candidate<'a>>,
    pub(super) edges: Vec<Edge<'a>>,
}

/// One hook before another, and who wants it so.
#[derive(Clone, Copy)]
pub(super) struct Edge<'a> {
    pub(super) earlier: Candidate<'a>,
    pub(super) later: Candidate<'a>,
    pub(super) by: EdgeBy<'a>,
}

#[derive(Clone, Copy)]
pub(super) enum EdgeBy<'a> {
    /// The earlier one says `before`.
    Before(&'a Selector),
    /// The later one says `after`.
    After(&'a Selector),
    /// The operator.
    Operator,
}

/// The plugins that a change adds: what does not fit is theirs to answer for.
pub(super) enum Newcomers<'a> {
    None,
    All,
    These(&'a [PluginId]),
}

impl Newcomers<'_> {
    fn contains(&self, plugin: &PluginId) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::These(plugins) => plugins.contains(plugin),
        }
    }
}

pub(super) fn build(
    points: &[Point],
    registrations: &[Arc<Registration>],
    rules: &HookRules,
    newcomers: &Newcomers<'_>,
    watch: &Arc<Watch>,
) -> Result<Staged, RegisterError> {
    let loaded = load_order(registrations)?;
    let (contributions, capabilities) = (contributions(&loaded)?, capabilities(&loaded));
    check_paths(points, &loaded)?;
    let mut staged = Staged { chains: Vec::new(), hooks: Vec::new(), contributions, capabilities };
    for point in points {
        let placed = place(point, &loaded, rules, newcomers)?;
        let hooks: Vec<_> = placed.active.iter().map(|candidate| candidate.placed(watch)).collect();
        staged.hooks.push(hooks.iter().map(info).collect());
        staged.chains.push(point.types.chain(&hooks));
    }
    Ok(staged)
}

/// The plugins in the canonical order of their dependencies: when they were registered plays no part.
pub(super) fn load_order(registrations: &[Arc<Registration>]) -> Result<Vec<&Registration>, RegisterError> {
    let keys: Vec<_> = registrations.iter().map(|one| &one.plugin).collect();
    let needed = edges(registrations, |one| &one.depends_on);
    let wanted = edges(registrations, |one| &one.may_depend_on);
    let order = linearize(&keys, &needed.union(&wanted).copied().collect());
    let order = order.or_else(|_| linearize(&keys, &without_circles(&keys, needed, wanted)));
    let order = order.map_err(|cycles| RegisterError::Cycle {
        subject: "the dependencies of the plugins".into(),
        cycles: cycles
            .iter()
            .map(|cycle| closed_path(cycle.iter().map(|index| keys[*index].to_string())))
            .collect(),
    })?;
    Ok(order.into_iter().map(|index| &*registrations[index]).collect())
}

type Edges = BTreeSet<(usize, usize)>;

/// From those that are depended on to those that depend on them.
fn edges(registrations: &[Arc<Registration>], of: impl Fn(&Registration) -> &[PluginId]) -> Edges {
    let place: BTreeMap<_, _> =
        registrations.iter().enumerate().map(|(place, one)| (&one.plugin, place)).collect();
    let pairs = registrations.iter().flat_map(|one| of(one).iter().map(move |other| (other, &one.plugin)));
    pairs.filter_map(|(other, one)| Some((*place.get(other)?, *place.get(one)?))).collect()
}

/// The needed edges, and of the others, by name, each that closes no circle with those before it.
fn without_circles(keys: &[&PluginId], needed: Edges, wanted: Edges) -> Edges {
    let mut wanted: Vec<_> = wanted.into_iter().collect();
    wanted.sort_by_key(|(other, one)| (keys[*one], keys[*other]));
    wanted.into_iter().fold(needed, |mut edges, edge| {
        let is_new = edges.insert(edge);
        if is_new && linearize(keys, &edges).is_err() {
            edges.remove(&edge);
        }
        edges
    })
}

fn contributions(loaded: &[&Registration]) -> Result<Contributions, RegisterError> {
    let mut points = Contributions::new();
    for contribution in loaded.iter().flat_map(|registration| &registration.contributions) {
        let keys = points.entry(Arc::clone(&contribution.point)).or_default();
        if let Some(first) = keys.insert(Arc::clone(&contribution.key), Arc::new(contribution.clone())) {
            return Err(RegisterError::ContributionTaken {
                point: Arc::clone(&contribution.point),
                key: Arc::clone(&contribution.key),
                first: first.plugin.clone(),
                second: contribution.plugin.clone(),
            });
        }
    }
    Ok(points)
}

/// Who offers what, in lookup order.
fn capabilities(loaded: &[&Registration]) -> BTreeMap<Arc<str>, Vec<Offer>> {
    let mut capabilities: BTreeMap<Arc<str>, Vec<Offer>> = BTreeMap::new();
    for registration in loaded {
        for capability in &registration.capabilities {
            let plugin = registration.plugin.clone();
            let version = capability.version_in(&registration.version).clone();
            let offer = Offer { plugin, version, rank: capability.rank };
            capabilities.entry(Arc::clone(&capability.name)).or_default().push(offer);
        }
    }
    for offers in capabilities.values_mut() {
        // The sort keeps the load order of those that are equal.
        offers.sort_by_key(|offer| (Reverse(offer.rank), Reverse(offer.version.clone())));
    }
    capabilities
}

/// Holds what each plugin may reach against the schemas of the points that it joins; a point that is still to come is
/// looked at when it is declared.
fn check_paths(points: &[Point], loaded: &[&Registration]) -> Result<(), RegisterError> {
    for registration in loaded {
        let find = |hook: &Hook| points.iter().find(|point| point.info.id == hook.declaration.point);
        let joined: Option<Vec<_>> =
            registration.hooks.iter().map(|hook| Some((hook, find(hook)?))).collect();
        let Some(joined) = joined else { continue };
        let paths = registration.context.read.patterns().chain(registration.context.write.patterns());
        for path in paths {
            let mut refusals =
                joined.iter().map(|(hook, point)| Some((*hook, *point, point.info.refuses(path)?)));
            let Some(Some((hook, point, reason))) = refusals.next() else { continue };
            if refusals.all(|refusal| refusal.is_some()) {
                let misfit = Misfit::Path { path: path.to_owned(), reason };
                return Err(misfit_error(point, registration, hook, misfit));
            }
        }
    }
    Ok(())
}

/// All hooks of the plugins.
pub(super) fn candidates<'a>(loaded: &[&'a Registration]) -> impl Iterator<Item = Candidate<'a>> {
    loaded.iter().enumerate().flat_map(|(load_index, registration)| {
        let registration: &'a Registration = registration;
        (0..registration.hooks.len()).map(move |index| Candidate { registration, load_index, index })
    })
}

/// The hooks of one point in calling order.
pub(super) fn place<'a>(
    point: &Point,
    loaded: &[&'a Registration],
    rules: &HookRules,
    newcomers: &Newcomers<'_>,
) -> Result<Placed<'a>, RegisterError> {
    let all: Vec<_> =
        candidates(loaded).filter(|candidate| candidate.hook().declaration.point == point.info.id).collect();
    for candidate in &all {
        if let Some(misfit) = misfit(point, candidate.hook()) {
            return Err(misfit_error(point, candidate.registration, candidate.hook(), misfit));
        }
    }
    let is_disabled = |candidate: &Candidate<'_>| rules.disabled.iter().any(|one| candidate.is_named_by(one));
    let (disabled, candidates) = all.into_iter().partition::<Vec<_>, _>(is_disabled);
    let shadowed = shadowed(point, &candidates, rules, newcomers)?;

    // Those that are shadowed have to be in order, too: they come back without being asked.
    let keys: Vec<_> = candidates.iter().map(Candidate::sort_key).collect();
    let constraints = constraints(&candidates, rules);
    let edges = constraints.iter().map(|(earlier, later, _)| (*earlier, *later)).collect();
    let order = linearize(&keys, &edges).map_err(|cycles| RegisterError::Cycle {
        subject: format!("the hooks of `{}`", point.info.id),
        cycles: cycles
            .iter()
            .map(|cycle| closed_path(cycle.iter().map(|index| candidates[*index].label())))
            .collect(),
    })?;
    let edges = constraints.into_iter().map(|(earlier, later, by)| Edge {
        earlier: candidates[earlier],
        later: candidates[later],
        by,
    });
    let edges = edges.collect();
    let is_shadowed = |candidate: &Candidate<'_>| shadowed.iter().any(|one| one.is(candidate));
    let mut active: Vec<_> =
        order.into_iter().map(|index| candidates[index]).filter(|one| !is_shadowed(one)).collect();
    // Whatever its place in the list, what stands in for the operation is where the operation is.
    active.sort_by_key(Candidate::is_replacement);
    Ok(Placed { active, shadowed, disabled, edges })
}

fn misfit(point: &Point, hook: &Hook) -> Option<Misfit> {
    let (info, declaration) = (&point.info, &hook.declaration);
    if let Some(mistake) = declaration.mistake() {
        return Some(Misfit::Declaration(mistake));
    }
    if !info.kinds.contains(&declaration.kind) {
        return Some(Misfit::Kind { mode: info.mode, taken: info.kinds.clone(), kind: declaration.kind });
    }
    if !declaration.version.matches(&info.version) {
        return Some(Misfit::Version { wanted: declaration.version.clone(), found: info.version.clone() });
    }
    if !point.types.accepts(hook) {
        return Some(Misfit::Types);
    }
    if !info.allows(declaration.on_failure) {
        return Some(Misfit::Skips);
    }
    (declaration.repeats && !info.repeats).then_some(Misfit::Repeats)
}

fn misfit_error(point: &Point, registration: &Registration, hook: &Hook, misfit: Misfit) -> RegisterError {
    RegisterError::Misfit {
        point: Arc::clone(&point.info.id),
        plugin: registration.plugin.clone(),
        hook: Arc::clone(&hook.declaration.name),
        misfit,
    }
}

/// The replace hooks that another one takes the place of: all but one.
///
/// Which of several it is has to be said by them or by the operator when one of them is new. When those who said it
/// have left, the first in order stays, because what is registered cannot be refused any more.
fn shadowed<'a>(
    point: &Point,
    candidates: &[Candidate<'a>],
    rules: &HookRules,
    newcomers: &Newcomers<'_>,
) -> Result<Vec<Candidate<'a>>, RegisterError> {
    let mut replacements: Vec<_> = candidates.iter().copied().filter(Candidate::is_replacement).collect();
    replacements.sort_by_key(Candidate::sort_key);
    let picked = rules.replace.get(&point.info.id).filter(|id| replacements.iter().any(|one| one.is_of(id)));
    let is_overridden = |candidate: &Candidate<'_>| match picked {
        Some(picked) => !candidate.is_of(picked),
        None => replacements.iter().any(|other| {
            let overrides = &other.hook().declaration.overrides;
            !other.is_of(&candidate.registration.plugin) && overrides.contains(&candidate.registration.plugin)
        }),
    };
    let mut left: Vec<_> = replacements.iter().filter(|one| !is_overridden(one)).collect();
    if left.is_empty() {
        // Each takes the place of another.
        left = replacements.iter().collect();
    }
    if let [first, second, ..] = left.as_slice()
        && left.iter().any(|one| newcomers.contains(&one.registration.plugin))
    {
        return Err(RegisterError::TwoReplacements {
            point: Arc::clone(&point.info.id),
            first: first.registration.plugin.clone(),
            second: second.registration.plugin.clone(),
        });
    }
    let winner = left.first().copied().copied();
    Ok(replacements.into_iter().filter(|one| winner.is_some_and(|winner| !one.is(&winner))).collect())
}

/// The edges that hooks and operator ask for: `(earlier, later)`. A selector that matches nothing else makes none.
fn constraints<'a>(candidates: &[Candidate<'a>], rules: &HookRules) -> Vec<(usize, usize, EdgeBy<'a>)> {
    let mut edges = Vec::new();
    for (place, candidate) in candidates.iter().enumerate() {
        for (other_place, other) in candidates.iter().enumerate() {
            let declaration = &candidate.hook().declaration;
            // A tag names others: a hook that carries the tag that it stands before does not stand before itself.
            let is_itself = place == other_place;
            let named =
                |selector: &&Selector| other.is_named_by(selector) && !(is_itself && selector.is_tag());
            if let Some(selector) = declaration.before.iter().find(named) {
                edges.push((place, other_place, EdgeBy::Before(selector)));
            }
            if let Some(selector) = declaration.after.iter().find(named) {
                edges.push((other_place, place, EdgeBy::After(selector)));
            }
            if rules.order.iter().any(|(e, l)| !is_itself && candidate.is_named_by(e) && other.is_named_by(l))
            {
                edges.push((place, other_place, EdgeBy::Operator));
            }
        }
    }
    // The operator wins: what a hook asks for against it does not count.
    let ruled: BTreeSet<_> =
        edges.iter().filter(|edge| matches!(edge.2, EdgeBy::Operator)).map(|(e, l, _)| (*e, *l)).collect();
    edges.retain(|(earlier, later, by)| {
        matches!(by, EdgeBy::Operator) || !ruled.contains(&(*later, *earlier))
    });
    edges
}

impl<'a> Candidate<'a> {
    pub(super) fn hook(&self) -> &'a Hook {
        &self.registration.hooks[self.index]
    }

    pub(super) fn is_named_by(&self, selector: &Selector) -> bool {
        let declaration = &self.hook().declaration;
        selector.matches(self.registration.plugin.as_str(), &declaration.name, &declaration.tags)
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self.registration, other.registration) && self.index == other.index
    }

    pub(super) fn is_replacement(&self) -> bool {
        self.hook().declaration.kind == HookKind::Replace
    }

    fn is_of(&self, plugin: &PluginId) -> bool {
        self.registration.plugin == *plugin
    }

    pub(super) fn sort_key(&self) -> (Priority, usize, usize) {
        (self.hook().declaration.priority, self.load_index, self.index)
    }

    pub(super) fn label(&self) -> String {
        format!("{}/{}", self.registration.plugin, self.hook().declaration.name)
    }

    pub(super) fn name(&self) -> LayerName {
        let declaration = &self.hook().declaration;
        LayerName {
            point: Arc::clone(&declaration.point),
            plugin: self.registration.plugin.shared(),
            hook: Arc::clone(&declaration.name),
            kind: declaration.kind,
        }
    }

    pub(super) fn placed(&self, watch: &Arc<Watch>) -> PlacedHook<'a> {
        let hook = self.hook();
        let (declaration, record) = (&hook.declaration, &self.registration.records[self.index]);
        let layer = Layer {
            name: self.name(),
            when: declaration.when.clone().into_iter().collect(),
            on_failure: declaration.on_failure,
            on: declaration.on,
            repeats: declaration.repeats,
            gate: Arc::clone(&self.registration.gate),
            stats: Arc::clone(&record.stats),
            quarantine: Arc::clone(&record.quarantine),
            watch: Arc::clone(watch),
        };
        PlacedHook { layer, hook }
    }
}

fn info(placed: &PlacedHook<'_>) -> HookInfo {
    HookInfo {
        name: placed.layer.name.clone(),
        priority: placed.hook.declaration.priority,
        stats: Arc::clone(&placed.layer.stats),
    }
}

/// `a before b before a`.
fn closed_path(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<_> = names.collect();
    names.extend(names.first().cloned());
    names.join(" before ")
}
