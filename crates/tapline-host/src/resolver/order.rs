use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tapline_core::{Target, linearize};

use super::ResolveError;
use super::pool::{Fate, Pool};

/// Who needs whom among the chosen, and in which order those that do not run yet are started.
pub(super) struct Arrangement {
    pub(super) order: Vec<usize>,
    /// For every member the chosen ones that meet its needs.
    pub(super) needs: Vec<Vec<usize>>,
    /// Who does without whom.
    pub(super) dropped: Vec<(usize, usize)>,
}

/// From what is needed to who needs it, as [`linearize`] has it.
type Edge = (usize, usize);

/// The needs of the chosen ones, by who meets them.
struct Edges {
    /// Those without which a plugin cannot be loaded, each with the capability for which it is there.
    hard: BTreeMap<Edge, Option<Arc<str>>>,
    optional: BTreeSet<Edge>,
}

/// Finds the order; `None` when needs that are not optional make circles. Then they have been opened, or some members
/// have met their fate, and there is another choice to be made.
pub(super) fn arrange(pool: &mut Pool<'_>, chosen: &[usize]) -> Option<Arrangement> {
    let edges = Edges::new(pool, chosen);
    let new: Vec<_> = chosen.iter().copied().filter(|at| !pool.is_running(*at)).collect();
    if let Err(circles) = sorted(pool, &new, edges.hard.keys()) {
        pool.openings += 1;
        if pool.openings > MOST_OPENINGS || !ask_others(pool, &circles, &edges) {
            give_up(pool, &circles, &edges);
        }
        return None;
    }
    let mut optional = edges.optional.clone();
    let mut dropped = Vec::new();
    let order = loop {
        let circles = match sorted(pool, &new, edges.hard.keys().chain(&optional)) {
            Ok(order) => break order,
            Err(circles) => circles,
        };
        for circle in circles {
            let given_up = links(&circle).filter(|edge| optional.contains(edge));
            if let Some((needed, who)) = given_up.min_by_key(|(needed, who)| (*who, *needed)) {
                optional.remove(&(needed, who));
                dropped.push((who, needed));
            }
        }
    };
    dropped.sort_unstable();
    let mut needs = vec![Vec::new(); pool.members.len()];
    for (needed, who) in edges.hard.keys().chain(&optional) {
        needs[*who].push(*needed);
    }
    Some(Arrangement { order, needs, dropped })
}

impl Edges {
    fn new(pool: &Pool<'_>, chosen: &[usize]) -> Self {
        let mut is_chosen = vec![false; pool.members.len()];
        chosen.iter().for_each(|at| is_chosen[*at] = true);
        let mut edges = Self { hard: BTreeMap::new(), optional: BTreeSet::new() };
        for who in chosen {
            let member = &pool.members[*who];
            for (need, providers) in member.manifest.plugin.depends_on.iter().zip(&member.providers) {
                let Some(needed) = providers.iter().find(|one| is_chosen[**one]) else { continue };
                let edge = (*needed, *who);
                match &need.on {
                    _ if need.optional => _ = edges.optional.insert(edge),
                    Target::Plugin(_) => _ = edges.hard.insert(edge, None),
                    Target::Capability(name) => _ = edges.hard.entry(edge).or_insert(Some(Arc::clone(name))),
                }
            }
        }
        edges.optional.retain(|edge| !edges.hard.contains_key(edge));
        edges
    }
}

/// The members in their order, or the circles that there are.
fn sorted<'e>(
    pool: &Pool<'_>,
    members: &[usize],
    edges: impl Iterator<Item = &'e Edge>,
) -> Result<Vec<usize>, Vec<Vec<usize>>> {
    let within = |at: &usize| members.binary_search(at).ok();
    let edges = edges.filter_map(|(needed, who)| Some((within(needed)?, within(who)?))).collect();
    let ids: Vec<_> = members.iter().map(|at| pool.id(*at)).collect();
    let outside = |places: Vec<usize>| places.into_iter().map(|place| members[place]).collect();
    match linearize(&ids, &edges) {
        Ok(order) => Ok(outside(order)),
        Err(circles) => Err(circles.into_iter().map(outside).collect()),
    }
}

fn links(circle: &[usize]) -> impl Iterator<Item = Edge> {
    circle.iter().copied().zip(circle.iter().copied().cycle().skip(1))
}

/// Opens circles in which somebody needs a capability that others offer, too: of two that pass on what they offer, the
/// one that is looked up later asks the next one. Whether there was such a circle.
fn ask_others(pool: &mut Pool<'_>, circles: &[Vec<usize>], edges: &Edges) -> bool {
    let opened: Vec<_> = circles.iter().filter_map(|circle| opening(pool, circle, edges)).collect();
    for (needed, who, need) in &opened {
        pool.members[*who].providers[*need].retain(|provider| provider != needed);
    }
    !opened.is_empty()
}

/// The need of a circle for which another can be asked, and of several the one whose provider is looked up first.
fn opening(pool: &Pool<'_>, circle: &[usize], edges: &Edges) -> Option<(usize, usize, usize)> {
    let openings = links(circle).filter_map(|(needed, who)| {
        let capability = edges.hard.get(&(needed, who))?.as_ref()?;
        let target = Target::Capability(Arc::clone(capability));
        let member = &pool.members[who];
        let is_opening = |need: &usize| {
            let providers = &member.providers[*need];
            let mut others =
                providers.iter().filter(|other| !circle.contains(other) && pool.is_alive(**other));
            member.manifest.plugin.depends_on[*need].on == target
                && providers.contains(&needed)
                && others.next().is_some()
        };
        let need = member.hard_needs().find(is_opening)?;
        let rank = pool.meant(&target).iter().position(|offer| *offer == needed);
        Some((rank, (needed, who, need)))
    });
    openings.min().map(|(_, opening)| opening)
}

/// Takes the members of circles out. A version that was only taken because it was needed gives way to another one
/// first.
fn give_up(pool: &mut Pool<'_>, circles: &[Vec<usize>], edges: &Edges) {
    let members: BTreeSet<_> = circles.iter().flatten().copied().collect();
    let error = ResolveError::Cycle {
        cycles: circles.iter().map(|circle| read(pool, circle, edges)).collect(),
        members: members.iter().map(|at| pool.id(*at).clone()).collect(),
    };
    let has_another = |at: &usize| {
        let others = pool.meant(&Target::Plugin(pool.id(*at).clone()));
        !pool.members[*at].is_asked_for() && others.iter().any(|other| other != at && pool.is_alive(*other))
    };
    let giving_way: Vec<_> = members.iter().copied().filter(has_another).collect();
    let leaving = if giving_way.is_empty() { members.into_iter().collect() } else { giving_way };
    for at in leaving {
        pool.members[at].fate = Some(Fate::Own(vec![error.clone()]));
    }
}

/// So often circles are opened; plugins that all pass on what they offer would have all of their orders tried.
const MOST_OPENINGS: usize = 200;

/// Of a circle so many are named.
const TOLD: usize = 16;

/// Edges lead from what is needed to who needs it, and people read it the other way round.
fn read(pool: &Pool<'_>, circle: &[usize], edges: &Edges) -> String {
    let mut text = circle.last().map(|at| pool.id(*at).to_string()).unwrap_or_default();
    let links: Vec<_> = links(circle).collect();
    let left_out = links.len().saturating_sub(TOLD);
    // The link that closes the circle is the last one; it leads to the first name of the text's rest at its end.
    for (place, (needed, who)) in links.iter().rev().skip(1).chain(links.last()).enumerate() {
        if place == TOLD / 2 && left_out > 0 {
            text.push_str(&format!(" needs … ({left_out} more)"));
        }
        if (TOLD / 2..TOLD / 2 + left_out).contains(&place) {
            continue;
        }
        let reason = edges.hard.get(&(*needed, *who)).and_then(Option::as_ref);
        let reason = reason.map(|capability| format!(" (`{capability}`)")).unwrap_or_default();
        text.push_str(&format!(" needs {}{reason}", pool.id(*needed)));
    }
    text
}
