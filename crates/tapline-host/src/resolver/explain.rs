use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tapline_core::{Dependency, PluginId, Target};

use super::ResolveError;
use super::pool::{Fate, Pool};
use super::reason::Ask;
use super::solver::Fact;

/// Why a member is left out, the cause first.
pub(super) fn reasons(pool: &Pool<'_>, at: usize) -> Vec<ResolveError> {
    let own = own_reasons(pool, at);
    if !own.is_empty() {
        return own;
    }
    let (path, root) = path_to_root(pool, at);
    let root_reasons = own_reasons(pool, root);
    let tail = root_reasons.iter().find_map(|reason| match reason {
        ResolveError::Blocked { path, .. } => Some(&path[1..]),
        _ => None,
    });
    let path = path.into_iter().chain(tail.unwrap_or_default().iter().cloned()).collect();
    let blocked = ResolveError::Blocked { plugin: pool.id(at).clone(), path };
    // Of those that the application asked for it hears anyway.
    let is_told = pool.members[root].is_asked_for();
    root_reasons.into_iter().filter(|_| !is_told).chain([blocked]).collect()
}

/// The members from one to the first that is left out for its own reasons, each needing the next.
fn path_to_root(pool: &Pool<'_>, at: usize) -> (Vec<PluginId>, usize) {
    let (mut path, mut last) = (vec![pool.id(at).clone()], at);
    while own_reasons(pool, last).is_empty() {
        let Some(Fate::Unmet(need)) = &pool.members[last].fate else { break };
        let Some(provider) = pool.members[last].providers[*need].first() else { break };
        last = *provider;
        path.push(pool.id(last).clone());
    }
    (path, last)
}

/// What is wrong with a member itself: all its needs that nobody meets, or what was found with it.
fn own_reasons(pool: &Pool<'_>, at: usize) -> Vec<ResolveError> {
    let member = &pool.members[at];
    match &member.fate {
        Some(Fate::Own(reasons)) => reasons.clone(),
        Some(Fate::Unmet(_)) => {
            let unmet = member.hard_needs().filter(|need| member.providers[*need].is_empty());
            unmet.map(|need| unmet_need(pool, at, &member.manifest.plugin.depends_on[need])).collect()
        }
        None => Vec::new(),
    }
}

fn unmet_need(pool: &Pool<'_>, at: usize, need: &Dependency) -> ResolveError {
    let (plugin, wanted) = (pool.id(at).clone(), need.version.clone());
    let others = pool.meant(&need.on).iter().rev().filter(|other| pool.id(**other) != pool.id(at));
    match &need.on {
        Target::Plugin(needed) => {
            let needed = needed.clone();
            let mut found: Vec<_> = others.map(|other| pool.members[*other].version().clone()).collect();
            found.dedup();
            if found.is_empty() {
                return ResolveError::Missing { plugin, needed, wanted, broken: None };
            }
            ResolveError::WrongVersion { plugin, needed, wanted, found }
        }
        Target::Capability(capability) => {
            let offered = others.filter_map(|other| {
                let manifest = pool.members[*other].manifest;
                Some((manifest.id().clone(), manifest.version_as(&need.on)?.clone()))
            });
            ResolveError::NoProvider {
                plugin,
                capability: capability.clone(),
                wanted,
                offered: offered.collect(),
            }
        }
    }
}

/// Why a member cannot be with those that are chosen already, of the facts that cannot hold together.
pub(super) fn cause(pool: &Pool<'_>, at: usize, core: &[Fact]) -> Vec<ResolveError> {
    let mut found = conflicts(pool, core);
    let asked = Asked::new(pool, core);
    found.extend(asked.impossible(pool, at));
    if found.is_empty() {
        found.extend(asked.all(pool, at));
    }
    if !found.iter().any(|reason| reason.names(pool.id(at))) {
        found.extend(path_to_named(pool, at, core, &found));
    }
    found
}

fn conflicts(pool: &Pool<'_>, core: &[Fact]) -> Vec<ResolveError> {
    let needed: BTreeSet<_> = core.iter().flat_map(|fact| meant(pool, fact)).collect();
    let mut found = Vec::new();
    for fact in core {
        let Fact::Conflict(at, conflict) = *fact else { continue };
        let member = &pool.members[at];
        let conflict_with = &member.manifest.plugin.conflicts[conflict];
        for other in member.rivals[conflict].iter().filter(|other| needed.contains(other)) {
            found.push(ResolveError::Conflict {
                plugin: pool.id(at).clone(),
                other: pool.id(*other).clone(),
                version: pool.members[*other].version().clone(),
                rule: conflict_with.with.clone(),
                range: conflict_with.version.clone(),
            });
        }
    }
    found
}

/// The members of which a fact asks that one be there.
fn meant(pool: &Pool<'_>, fact: &Fact) -> Vec<usize> {
    match *fact {
        Fact::Chosen(at) => vec![at],
        Fact::Need(at, need) => {
            let providers = &pool.members[at].providers[need];
            providers.iter().copied().filter(|provider| pool.is_alive(*provider)).collect()
        }
        Fact::Conflict(..) => Vec::new(),
    }
}

/// For each id the facts that ask for one of its members, and those members.
struct Asked<'a>(BTreeMap<&'a PluginId, Vec<(Fact, Vec<usize>)>>);

impl<'a> Asked<'a> {
    fn new(pool: &Pool<'a>, core: &[Fact]) -> Self {
        let mut asked: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for fact in core {
            let mut by_id: BTreeMap<_, Vec<_>> = BTreeMap::new();
            for member in meant(pool, fact) {
                by_id.entry(pool.id(member)).or_default().push(member);
            }
            // An optional need asks for a version even when none of them is there.
            if let Fact::Need(at, need) = *fact
                && let Target::Plugin(id) = &pool.members[at].manifest.plugin.depends_on[need].on
            {
                by_id.entry(id).or_default();
            }
            for (id, members) in by_id {
                asked.entry(id).or_default().push((*fact, members));
            }
        }
        asked.retain(|_, facts| facts.len() > 1);
        Self(asked)
    }

    /// The ids of which no member is what all ask for.
    fn impossible(&self, pool: &Pool<'_>, at: usize) -> Vec<ResolveError> {
        let is_impossible = |facts: &[(Fact, Vec<usize>)]| {
            let Some(((_, first), rest)) = facts.split_first() else { return false };
            !first.iter().any(|member| rest.iter().all(|(_, members)| members.contains(member)))
        };
        let impossible = self.0.iter().filter(|(_, facts)| is_impossible(facts));
        impossible.map(|(id, facts)| no_version(pool, at, id, facts)).collect()
    }

    fn all(&self, pool: &Pool<'_>, at: usize) -> Vec<ResolveError> {
        self.0.iter().map(|(id, facts)| no_version(pool, at, id, facts)).collect()
    }
}

fn no_version(pool: &Pool<'_>, at: usize, id: &PluginId, facts: &[(Fact, Vec<usize>)]) -> ResolveError {
    let versions = pool.meant(&Target::Plugin(id.clone())).iter().rev();
    let mut found: Vec<_> = versions.map(|member| pool.members[*member].version().clone()).collect();
    found.dedup();
    if let [(Fact::Chosen(there), _), (Fact::Need(who, need), _)] = facts
        && *who == at
    {
        let need = &pool.members[at].manifest.plugin.depends_on[*need];
        let found = vec![pool.members[*there].version().clone()];
        let (plugin, needed, wanted) = (pool.id(at).clone(), id.clone(), need.version.clone());
        return ResolveError::WrongVersion { plugin, needed, wanted, found };
    }
    let asks: BTreeSet<_> = facts.iter().map(|(fact, _)| ask(pool, *fact)).collect();
    ResolveError::NoVersion { id: id.clone(), asks: asks.into_iter().collect(), found }
}

fn ask(pool: &Pool<'_>, fact: Fact) -> Ask {
    match fact {
        Fact::Chosen(at) | Fact::Conflict(at, _) => Ask::Application(pool.members[at].version().clone()),
        Fact::Need(at, need) => {
            let need = &pool.members[at].manifest.plugin.depends_on[need];
            let (plugin, target) = (pool.id(at).clone(), need.on.clone());
            Ask::Plugin { plugin, target, range: need.version.to_string(), is_optional: need.optional }
        }
    }
}

/// That a member needs, by way of others, one that the reasons name.
fn path_to_named(
    pool: &Pool<'_>,
    at: usize,
    core: &[Fact],
    reasons: &[ResolveError],
) -> Option<ResolveError> {
    let mut came_from = BTreeMap::from([(at, at)]);
    let mut open = VecDeque::from([at]);
    while let Some(last) = open.pop_front() {
        if reasons.iter().any(|reason| reason.names(pool.id(last))) {
            let back =
                std::iter::successors(Some(last), |one| came_from.get(one).copied().filter(|_| *one != at));
            let mut path: Vec<_> = back.map(|one| pool.id(one).clone()).collect();
            path.reverse();
            return Some(ResolveError::Blocked { plugin: pool.id(at).clone(), path });
        }
        let needs = core.iter().filter(|fact| matches!(fact, Fact::Need(who, _) if *who == last));
        for next in needs.flat_map(|fact| meant(pool, fact)) {
            came_from.entry(next).or_insert_with(|| {
                open.push_back(next);
                last
            });
        }
    }
    None
}
