//! The next snapshot, made of points and registrations alone: a pure function that either succeeds or changes nothing.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Contribution, Point, RegisterError, Registration};
use crate::hook::{HookInfo, Layer, LayerName, PlacedHook, linearize};
use crate::manifest::HookKind;

pub(super) struct Staged {
    pub(super) chains: Vec<Arc<dyn Any + Send + Sync>>,
    pub(super) hooks: Vec<Vec<HookInfo>>,
    pub(super) contributions: Contributions,
}

/// Contributions by extension point and key.
pub(super) type Contributions = BTreeMap<Arc<str>, BTreeMap<Arc<str>, Contribution>>;

/// A hook and where its plugin stands in the load order.
struct Candidate<'a> {
    registration: &'a Registration,
    load_index: usize,
    index: usize,
}

pub(super) fn build(points: &[Point], registrations: &[Arc<Registration>]) -> Result<Staged, RegisterError> {
    let loaded = load_order(registrations)?;
    let mut staged = Staged { chains: Vec::new(), hooks: Vec::new(), contributions: contributions(&loaded)? };
    for point in points {
        let hooks = place(point, &loaded)?;
        staged.hooks.push(hooks.iter().map(info).collect());
        staged.chains.push(point.types.chain(&hooks));
    }
    Ok(staged)
}

/// The plugins in the canonical order of their dependencies: when they were registered plays no part.
fn load_order(registrations: &[Arc<Registration>]) -> Result<Vec<&Registration>, RegisterError> {
    let place: BTreeMap<_, _> =
        registrations.iter().enumerate().map(|(place, one)| (&one.plugin, place)).collect();
    let edges = registrations
        .iter()
        .flat_map(|one| one.depends_on.iter().map(move |dependency| (dependency, &one.plugin)))
        .filter_map(|(dependency, dependent)| Some((*place.get(dependency)?, *place.get(dependent)?)))
        .collect();
    let keys: Vec<_> = registrations.iter().map(|one| &one.plugin).collect();
    let order = linearize(&keys, &edges).map_err(|cycles| RegisterError::Cycle {
        subject: "the dependencies of the plugins".into(),
        cycles: cycles
            .iter()
            .map(|cycle| closed_path(cycle.iter().map(|index| keys[*index].to_string())))
            .collect(),
    })?;
    Ok(order.into_iter().map(|index| &*registrations[index]).collect())
}

fn contributions(loaded: &[&Registration]) -> Result<Contributions, RegisterError> {
    let mut points = Contributions::new();
    for contribution in loaded.iter().flat_map(|registration| &registration.contributions) {
        let keys = points.entry(Arc::clone(&contribution.point)).or_default();
        if let Some(first) = keys.insert(Arc::clone(&contribution.key), contribution.clone()) {
            return Err(RegisterError::ContributionTaken {
                point: Arc::clone(&contribution.point),
                key: Arc::clone(&contribution.key),
                first: first.plugin,
                second: contribution.plugin.clone(),
            });
        }
    }
    Ok(points)
}

/// The hooks of one point in calling order.
fn place<'a>(point: &Point, loaded: &[&'a Registration]) -> Result<Vec<PlacedHook<'a>>, RegisterError> {
    let candidates: Vec<_> = loaded
        .iter()
        .enumerate()
        .flat_map(|(load_index, registration)| {
            (0..registration.hooks.len()).map(move |index| Candidate { registration, load_index, index })
        })
        .filter(|candidate| candidate.hook().declaration.point == point.info.id)
        .collect();
    check(point, &candidates)?;
    let keys: Vec<_> = candidates.iter().map(Candidate::sort_key).collect();
    let edges = constraints(&candidates);
    let order = linearize(&keys, &edges).map_err(|cycles| RegisterError::Cycle {
        subject: format!("the hooks of `{}`", point.info.id),
        cycles: cycles
            .iter()
            .map(|cycle| closed_path(cycle.iter().map(|index| candidates[*index].label())))
            .collect(),
    })?;
    Ok(order.into_iter().map(|index| candidates[index].placed()).collect())
}

fn check(point: &Point, candidates: &[Candidate<'_>]) -> Result<(), RegisterError> {
    if let Some(wrong) = candidates.iter().find(|candidate| !point.types.accepts(candidate.hook())) {
        return Err(RegisterError::WrongTypes {
            point: Arc::clone(&point.info.id),
            plugin: wrong.registration.plugin.clone(),
            hook: Arc::clone(&wrong.hook().declaration.name),
        });
    }
    let mut replacing = candidates.iter().filter(|one| one.hook().declaration.kind == HookKind::Replace);
    match (replacing.next(), replacing.next()) {
        (Some(first), Some(second)) => Err(RegisterError::TwoReplacements {
            point: Arc::clone(&point.info.id),
            first: first.registration.plugin.clone(),
            second: second.registration.plugin.clone(),
        }),
        _ => Ok(()),
    }
}

/// The edges that the hooks ask for: `(earlier, later)`. A selector that matches nothing else makes none.
fn constraints(candidates: &[Candidate<'_>]) -> BTreeSet<(usize, usize)> {
    let mut edges = BTreeSet::new();
    for (place, candidate) in candidates.iter().enumerate() {
        // A selector names others: a hook that carries the tag that it stands before does not stand before itself.
        for (other_place, other) in candidates.iter().enumerate().filter(|(other, _)| *other != place) {
            let named = |selector: &crate::manifest::Selector| {
                let own = &other.hook().declaration;
                selector.matches(other.registration.plugin.as_str(), &own.name, &own.tags)
            };
            let declaration = &candidate.hook().declaration;
            if declaration.before.iter().any(named) {
                edges.insert((place, other_place));
            }
            if declaration.after.iter().any(named) {
                edges.insert((other_place, place));
            }
        }
    }
    edges
}

impl<'a> Candidate<'a> {
    fn hook(&self) -> &'a crate::hook::Hook {
        &self.registration.hooks[self.index]
    }

    fn sort_key(&self) -> impl Ord + use<> {
        (self.hook().declaration.priority, self.load_index, self.index)
    }

    fn label(&self) -> String {
        format!("{}/{}", self.registration.plugin, self.hook().declaration.name)
    }

    fn placed(&self) -> PlacedHook<'a> {
        let hook = self.hook();
        let declaration = &hook.declaration;
        let layer = Layer {
            name: LayerName {
                point: Arc::clone(&declaration.point),
                plugin: self.registration.plugin.as_str().into(),
                hook: Arc::clone(&declaration.name),
                kind: declaration.kind,
            },
            when: declaration.when.clone(),
            on_failure: declaration.on_failure,
            gate: Arc::clone(&self.registration.gate),
            stats: Arc::clone(&self.registration.stats[self.index]),
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
