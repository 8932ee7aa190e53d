use std::collections::BTreeMap;
use std::fmt::Display;

use resolvo::{
    Candidates, Condition, ConditionId, Dependencies, DependencyProvider, HintDependenciesAvailable,
    Interner, KnownDependencies, NameId, Problem, Requirement, SolvableId, Solver, SolverCache, StringId,
    VersionSetId, VersionSetUnionId,
};
use tapline_core::Target;

use super::Standing;
use super::pool::Pool;

/// One thing that a choice of plugins has to respect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fact {
    /// This member is there.
    Chosen(usize),
    /// This member, if it is there, has this one of its needs met.
    Need(usize, usize),
    /// This member, if it is there, is not beside what this one of its conflicts names.
    Conflict(usize, usize),
}

/// Everything that a choice with these members in it has to respect.
pub(super) fn facts(pool: &Pool<'_>, chosen: &[usize]) -> Vec<Fact> {
    let mut facts: Vec<_> = chosen.iter().copied().map(Fact::Chosen).collect();
    let mut is_seen = vec![false; pool.members.len()];
    let mut open = chosen.to_vec();
    while let Some(at) = open.pop() {
        if !pool.is_alive(at) || std::mem::replace(&mut is_seen[at], true) {
            continue;
        }
        let member = &pool.members[at];
        facts.extend((0..member.providers.len()).map(|need| Fact::Need(at, need)));
        facts.extend((0..member.rivals.len()).map(|conflict| Fact::Conflict(at, conflict)));
        if !pool.is_running(at) {
            open.extend(member.hard_needs().flat_map(|need| &member.providers[need]));
        }
    }
    facts
}

/// The members of a choice that respects these facts, if there is one.
pub(super) fn solve(pool: &Pool<'_>, facts: &[Fact]) -> Option<Vec<usize>> {
    let mut question = Question::new(pool);
    let mut roots = Vec::new();
    for fact in facts {
        match *fact {
            Fact::Chosen(at) => roots.push(question.requirement(vec![at]).into()),
            Fact::Need(at, need) => question.need(at, need),
            Fact::Conflict(at, conflict) => question.conflict(at, conflict),
        }
    }
    let problem = Problem::new().requirements(roots);
    let mut solver = Solver::new(question);
    let chosen = solver.solve(problem).ok()?;
    Some(chosen.into_iter().map(place).collect())
}

/// What the solver is asked. A name is an id, by its place among all ids; a solvable is a member.
struct Question<'p, 'a> {
    pool: &'p Pool<'a>,
    /// The members of each name that can be loaded.
    names: Vec<Vec<usize>>,
    name_of: Vec<usize>,
    /// What each member asks for.
    rules: Vec<KnownDependencies>,
    /// Sets of members of one name.
    sets: Vec<(usize, Vec<usize>)>,
    set_ids: BTreeMap<(usize, Vec<usize>), VersionSetId>,
    unions: Vec<Vec<VersionSetId>>,
    union_ids: BTreeMap<Vec<usize>, VersionSetUnionId>,
}

impl<'p, 'a> Question<'p, 'a> {
    fn new(pool: &'p Pool<'a>) -> Self {
        let mut name_of = vec![0; pool.members.len()];
        let mut names = Vec::new();
        for members in pool.names() {
            for at in members {
                name_of[*at] = names.len();
            }
            names.push(members.iter().copied().filter(|at| pool.is_alive(*at)).collect());
        }
        Self {
            pool,
            names,
            name_of,
            rules: vec![KnownDependencies::default(); pool.members.len()],
            sets: Vec::new(),
            set_ids: BTreeMap::new(),
            unions: Vec::new(),
            union_ids: BTreeMap::new(),
        }
    }

    fn need(&mut self, at: usize, need: usize) {
        let member = &self.pool.members[at];
        let dependency = &member.manifest.plugin.depends_on[need];
        let alive = member.providers[need].iter().copied().filter(|other| self.pool.is_alive(*other));
        let alive: Vec<_> = alive.collect();
        match &dependency.on {
            // It is there itself in any case, and the solver does not bear rules of a plugin about itself.
            Target::Plugin(id) if dependency.optional && id == self.pool.id(at) => {}
            Target::Plugin(_) if dependency.optional => {
                let Some(any) = self.pool.meant(&dependency.on).first() else { return };
                let allowed = self.set(self.name_of[*any], alive);
                self.rules[at].constrains.push(allowed);
            }
            // Those that run have what they need, or have to do without it.
            _ if dependency.optional || self.pool.is_running(at) => {}
            _ => {
                let requirement = self.requirement(alive);
                self.rules[at].requirements.push(requirement.into());
            }
        }
    }

    fn conflict(&mut self, at: usize, conflict: usize) {
        let mut rivals: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for rival in &self.pool.members[at].rivals[conflict] {
            // Two that run have been together for long.
            if !(self.pool.is_running(at) && self.pool.is_running(*rival)) {
                rivals.entry(self.name_of[*rival]).or_default().push(*rival);
            }
        }
        for (name, rivals) in rivals {
            let allowed = self.names[name].iter().copied().filter(|other| !rivals.contains(other)).collect();
            let allowed = self.set(name, allowed);
            self.rules[at].constrains.push(allowed);
        }
    }

    /// One of these; they are tried in this order, those of the lock file first.
    fn requirement(&mut self, mut members: Vec<usize>) -> Requirement {
        members.sort_by_key(|at| self.pool.members[*at].standing != Standing::Locked);
        if let Some(id) = self.union_ids.get(&members) {
            return Requirement::Union(*id);
        }
        let sets = members.iter().map(|at| self.set(self.name_of[*at], vec![*at])).collect();
        let id = VersionSetUnionId(number(self.unions.len()));
        self.unions.push(sets);
        self.union_ids.insert(members, id);
        Requirement::Union(id)
    }

    fn set(&mut self, name: usize, members: Vec<usize>) -> VersionSetId {
        let next = VersionSetId(number(self.sets.len()));
        let id = *self.set_ids.entry((name, members.clone())).or_insert(next);
        if id == next {
            self.sets.push((name, members));
        }
        id
    }

    fn set_of(&self, set: VersionSetId) -> &(usize, Vec<usize>) {
        &self.sets[set.0 as usize]
    }
}

impl DependencyProvider for Question<'_, '_> {
    async fn filter_candidates(
        &self,
        candidates: &[SolvableId],
        set: VersionSetId,
        inverse: bool,
    ) -> Vec<SolvableId> {
        let members = &self.set_of(set).1;
        candidates.iter().copied().filter(|one| members.contains(&place(*one)) != inverse).collect()
    }

    async fn get_candidates(&self, name: NameId) -> Option<Candidates> {
        let candidates =
            self.names[name.into_raw() as usize].iter().map(|at| SolvableId::from_raw(number(*at)));
        let hint_dependencies_available = HintDependenciesAvailable::All;
        Some(Candidates {
            candidates: candidates.collect(),
            hint_dependencies_available,
            ..Candidates::default()
        })
    }

    async fn sort_candidates(&self, _: &SolverCache<Self>, solvables: &mut [SolvableId]) {
        // Members stand with the highest version first.
        solvables.sort();
    }

    async fn get_dependencies(&self, solvable: SolvableId) -> Dependencies {
        Dependencies::Known(self.rules[place(solvable)].clone())
    }
}

/// What is displayed here is seen in traces of the solver alone.
impl Interner for Question<'_, '_> {
    type NameId = NameId;
    type SolvableId = SolvableId;

    fn display_solvable(&self, solvable: SolvableId) -> impl Display + '_ {
        let member = &self.pool.members[place(solvable)];
        format!("{} {}", member.manifest.id(), member.version())
    }

    fn display_name(&self, name: NameId) -> impl Display + '_ {
        name.into_raw()
    }

    fn display_version_set(&self, set: VersionSetId) -> impl Display + '_ {
        format!("{:?}", self.set_of(set).1)
    }

    fn display_string(&self, _: StringId) -> impl Display + '_ {
        ""
    }

    fn version_set_name(&self, set: VersionSetId) -> NameId {
        NameId::from_raw(number(self.set_of(set).0))
    }

    fn solvable_name(&self, solvable: SolvableId) -> NameId {
        NameId::from_raw(number(self.name_of[place(solvable)]))
    }

    fn version_sets_in_union(&self, union: VersionSetUnionId) -> impl Iterator<Item = VersionSetId> {
        self.unions[union.0 as usize].iter().copied()
    }

    fn resolve_condition(&self, _: ConditionId) -> Condition {
        // No condition is ever made.
        Condition::Requirement(VersionSetId::default())
    }
}

fn place(solvable: SolvableId) -> usize {
    solvable.into_raw() as usize
}

/// The ids of the solver have 32 bits, and a pool of more members than that does not fit into memory.
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
