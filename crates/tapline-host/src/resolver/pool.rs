use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use semver::{Version, VersionReq};
use tapline_core::{Manifest, PluginId, Target};

use super::{Candidate, ResolveError, Standing};

/// The candidates in an order of their own: in which order they came plays no part in what follows.
pub(super) struct Pool<'a> {
    pub(super) members: Vec<Member<'a>>,
    /// The members of each id, the highest version first.
    by_id: BTreeMap<&'a PluginId, Vec<usize>>,
    /// Those that offer a capability, in the order in which it is looked up.
    by_capability: BTreeMap<&'a Arc<str>, Vec<usize>>,
    /// How often circles have been opened.
    pub(super) openings: usize,
}

/// A candidate, and what of the others concerns it.
pub(super) struct Member<'a> {
    /// Its place among the candidates.
    pub(super) place: usize,
    pub(super) manifest: &'a Manifest,
    pub(super) standing: Standing,
    /// For each of its needs who meets it, in the order in which they are looked up.
    pub(super) providers: Vec<Vec<usize>>,
    /// For each of its conflicts who is in its way.
    pub(super) rivals: Vec<Vec<usize>>,
    /// Why it cannot be loaded.
    pub(super) fate: Option<Fate>,
}

/// Why a member cannot be loaded.
pub(super) enum Fate {
    /// For these reasons; none when another one stands in its place and nobody has to be told.
    Own(Vec<ResolveError>),
    /// Nobody is left who meets this need.
    Unmet(usize),
}

impl<'a> Pool<'a> {
    pub(super) fn new(candidates: &[Candidate<'a>]) -> Self {
        let mut members: Vec<_> = candidates.iter().enumerate().map(Member::new).collect();
        members.sort_by(|one, other| {
            one.key().cmp(&other.key()).then_with(|| one.content().cmp(&other.content()))
        });
        let mut pool = Self { members, by_id: BTreeMap::new(), by_capability: BTreeMap::new(), openings: 0 };
        pool.settle_duplicates();
        pool.index();
        for at in 0..pool.members.len() {
            let about = &pool.members[at].manifest.plugin;
            let providers = about.depends_on.iter().map(|need| pool.others(at, &need.on, &need.version));
            let rivals =
                about.conflicts.iter().map(|conflict| pool.others(at, &conflict.with, &conflict.version));
            let (providers, rivals) = (providers.collect(), rivals.collect());
            pool.members[at].providers = providers;
            pool.members[at].rivals = rivals;
        }
        pool
    }

    /// Takes out those that ask for a place that is not theirs alone.
    fn settle_duplicates(&mut self) {
        let mut groups: BTreeMap<&PluginId, Vec<usize>> = BTreeMap::new();
        for (at, member) in self.members.iter().enumerate() {
            groups.entry(member.manifest.id()).or_default().push(at);
        }
        for group in groups.into_values() {
            let running = group.iter().copied().find(|at| self.members[*at].standing == Standing::Running);
            let asked: Vec<_> = group.iter().copied().filter(|at| self.members[*at].is_asked_for()).collect();
            for at in &group {
                let first = running.or_else(|| asked.iter().copied().rfind(|other| other != at));
                self.members[*at].fate = match first {
                    Some(first) if first != *at && asked.contains(at) => {
                        Some(Fate::Own(vec![self.duplicate(first, *at)]))
                    }
                    _ if running.is_some_and(|running| running != *at) => Some(Fate::Own(Vec::new())),
                    _ => None,
                };
            }
        }
    }

    fn duplicate(&self, first: usize, second: usize) -> ResolveError {
        let (mut first, mut second) = (&self.members[first], &self.members[second]);
        let id = first.manifest.id().clone();
        // Who runs was there first; of others the version decides, so that all of them say the same.
        if first.standing != Standing::Running && second.version() < first.version() {
            (first, second) = (second, first);
        }
        ResolveError::Duplicate { id, first: first.version().clone(), second: second.version().clone() }
    }

    fn index(&mut self) {
        let running = self.running_ids();
        for (at, member) in self.members.iter().enumerate() {
            // Nobody can be met by another version of what runs.
            if member.standing != Standing::Running && running.contains(member.manifest.id()) {
                continue;
            }
            self.by_id.entry(member.manifest.id()).or_default().push(at);
            for capability in &member.manifest.plugin.capabilities {
                self.by_capability.entry(&capability.name).or_default().push(at);
            }
        }
        for (name, offers) in &mut self.by_capability {
            offers.sort_by_key(|at| self.members[*at].lookup_key(name));
            offers.dedup();
        }
    }

    fn running_ids(&self) -> BTreeSet<&'a PluginId> {
        let running = self.members.iter().filter(|member| member.standing == Standing::Running);
        running.map(|member| member.manifest.id()).collect()
    }

    /// The others that are what is meant.
    fn others(&self, at: usize, target: &Target, versions: &VersionReq) -> Vec<usize> {
        let own = self.members[at].manifest.id();
        let is_meant = |other: &usize| {
            let manifest = self.members[*other].manifest;
            manifest.id() != own && manifest.is(target, versions)
        };
        self.meant(target).iter().copied().filter(is_meant).collect()
    }

    /// Those that are what is meant in any version, in the order in which they are looked up.
    pub(super) fn meant(&self, target: &Target) -> &[usize] {
        let found = match target {
            Target::Plugin(id) => self.by_id.get(id),
            Target::Capability(name) => self.by_capability.get(name),
        };
        found.map_or(&[], Vec::as_slice)
    }

    /// The members of each id.
    pub(super) fn names(&self) -> impl Iterator<Item = &[usize]> {
        self.by_id.values().map(Vec::as_slice)
    }

    pub(super) fn id(&self, at: usize) -> &'a PluginId {
        self.members[at].manifest.id()
    }

    pub(super) fn is_alive(&self, at: usize) -> bool {
        self.members[at].fate.is_none()
    }

    pub(super) fn is_running(&self, at: usize) -> bool {
        self.members[at].standing == Standing::Running
    }
}

impl<'a> Member<'a> {
    fn new((place, candidate): (usize, &Candidate<'a>)) -> Self {
        Self {
            place,
            manifest: candidate.manifest,
            standing: candidate.standing,
            providers: Vec::new(),
            rivals: Vec::new(),
            fate: None,
        }
    }

    fn key(&self) -> (&'a PluginId, Reverse<&'a Version>, Standing) {
        (self.manifest.id(), Reverse(self.version()), self.standing)
    }

    /// Tells two packages of one id and version apart.
    fn content(&self) -> String {
        format!("{:?}", self.manifest)
    }

    fn lookup_key(&self, capability: &str) -> impl Ord + use<'a> {
        let about = &self.manifest.plugin;
        let offer = about.capabilities.iter().find(|offer| *offer.name == *capability);
        let rank = offer.map_or(0, |offer| offer.rank);
        let version = offer.map_or(&about.version, |offer| offer.version_in(&about.version));
        (Reverse(rank), Reverse(version), &about.id, Reverse(&about.version))
    }

    pub(super) const fn version(&self) -> &'a Version {
        &self.manifest.plugin.version
    }

    /// Whether the application asks for it.
    pub(super) const fn is_asked_for(&self) -> bool {
        matches!(self.standing, Standing::Required | Standing::Wanted)
    }

    /// The needs without which it cannot be loaded, by their places.
    pub(super) fn hard_needs(&self) -> impl Iterator<Item = usize> + use<'a> {
        let needs = self.manifest.plugin.depends_on.iter().enumerate();
        needs.filter(|(_, need)| !need.optional).map(|(place, _)| place)
    }
}
