use tapline_core::Target;

use super::Standing;
use super::explain::cause;
use super::pool::{Fate, Pool};
use super::solver::{Fact, facts, solve};
use super::unmet::take_out_unmet;

/// The members that are to be loaded, and those that run; as many as can be together of those that are asked for, the
/// required ones before the wanted ones. Those that cannot be with the others get their fate.
pub(super) fn choose(pool: &mut Pool<'_>) -> Vec<usize> {
    let running: Vec<_> = (0..pool.members.len()).filter(|at| pool.is_running(*at)).collect();
    let mut choice = Choice { asked: running.clone(), chosen: running };
    for standing in [Standing::Required, Standing::Wanted] {
        let group: Vec<_> = needed_first(pool)
            .into_iter()
            .filter(|at| pool.members[*at].standing == standing && pool.is_alive(*at))
            .collect();
        choice.add(pool, &group);
    }
    choice.chosen.sort_unstable();
    choice.chosen
}

struct Choice {
    /// Those that have to be there.
    asked: Vec<usize>,
    /// Those, and what they need.
    chosen: Vec<usize>,
}

impl Choice {
    /// Adds as many of a group as can be together with what has been chosen. A group that cannot be added whole is
    /// halved, so that one that does not fit is found among a thousand with a few questions.
    fn add(&mut self, pool: &mut Pool<'_>, group: &[usize]) {
        let group: Vec<_> = group.iter().copied().filter(|at| pool.is_alive(*at)).collect();
        if group.is_empty() {
            return;
        }
        let asked: Vec<_> = self.asked.iter().chain(&group).copied().collect();
        let facts = facts(pool, &asked);
        if let Some(chosen) = solve(pool, &facts) {
            *self = Self { asked, chosen };
        } else if let [one] = *group {
            let core = smallest(&facts, |facts| solve(pool, facts).is_none());
            let reasons = cause(pool, one, &core);
            pool.members[one].fate = Some(Fate::Own(reasons));
            take_out_unmet(pool);
        } else {
            let (first, second) = group.split_at(group.len() / 2);
            self.add(pool, first);
            self.add(pool, second);
        }
    }
}

/// All members, what is needed before who needs it as far as there are no circles: so a cause is found before its
/// effects.
fn needed_first(pool: &Pool<'_>) -> Vec<usize> {
    let mut order = Vec::new();
    let mut is_seen = vec![false; pool.members.len()];
    for start in 0..pool.members.len() {
        let mut open = vec![(start, 0)];
        while let Some((at, next)) = open.pop() {
            if next == 0 && std::mem::replace(&mut is_seen[at], true) {
                continue;
            }
            match concerns(pool, at).nth(next) {
                Some(needed) => open.extend([(at, next + 1), (*needed, 0)]),
                None => order.push(at),
            }
        }
    }
    order
}

/// The members that meet needs of a member, and those of the ids that it needs in the wrong version.
fn concerns<'p>(pool: &'p Pool<'_>, at: usize) -> impl Iterator<Item = &'p usize> {
    let member = &pool.members[at];
    let needs = member.manifest.plugin.depends_on.iter().zip(&member.providers);
    needs.flat_map(|(need, providers)| match need.on {
        Target::Plugin(_) => pool.meant(&need.on),
        Target::Capability(_) => providers,
    })
}

/// Some of these facts which cannot hold together, none of which can be left out: Junker's QuickXplain.
fn smallest(facts: &[Fact], is_broken: impl Fn(&[Fact]) -> bool) -> Vec<Fact> {
    fn search(
        base: &[Fact],
        added: &[Fact],
        rest: &[Fact],
        is_broken: &dyn Fn(&[Fact]) -> bool,
    ) -> Vec<Fact> {
        if !added.is_empty() && is_broken(base) {
            return Vec::new();
        }
        if rest.len() <= 1 {
            return rest.to_vec();
        }
        let (first, second) = rest.split_at(rest.len() / 2);
        let late = search(&[base, first].concat(), first, second, is_broken);
        let early = search(&[base, &late].concat(), &late, first, is_broken);
        [early, late].concat()
    }
    search(&[], &[], facts, &is_broken)
}
