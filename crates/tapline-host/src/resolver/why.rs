use std::fmt;

use semver::Version;
use tapline_core::{PluginId, Target};

use super::reason::named;
use super::{Candidate, Resolution, ResolveError, Standing};

#[cfg(test)]
mod tests;

/// Why a plugin is loaded or not, and why others of its id, or that offer the same, are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The id or capability that is asked about.
    pub subject: String,
    /// The plugins of it that are loaded.
    pub chosen: Vec<Chosen>,
    /// The candidates that are not, and why.
    pub others: Vec<Other>,
}

/// A plugin that is loaded, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The plugin.
    pub plugin: PluginId,
    /// Its version.
    pub version: Version,
    /// Who asks for it, and for what.
    pub asked_by: Vec<String>,
}

/// A candidate that is not loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// The plugin.
    pub plugin: PluginId,
    /// Its version.
    pub version: Version,
    /// Why it is not.
    pub reasons: Vec<String>,
}

/// Tells of an id, or else of a capability, why it is loaded as it is. `None` when there is no candidate of it.
#[must_use]
pub fn why(candidates: &[Candidate<'_>], resolution: &Resolution, id: &str) -> Option<Why> {
    let looked = Look::new(candidates, resolution);
    let by_id = PluginId::new(id).ok().map(Target::Plugin);
    let targets = by_id.into_iter().chain([Target::Capability(id.into())]);
    let (target, mut places) = targets
        .map(|target| {
            let places = looked.meant(&target);
            (target, places)
        })
        .find(|(_, places)| !places.is_empty())?;
    places.sort_by_key(|place| looked.name(*place));
    let (chosen, others): (Vec<_>, Vec<_>) = places.into_iter().partition(|place| looked.is_chosen[*place]);
    let first = chosen.first().copied();
    Some(Why {
        subject: id.to_owned(),
        chosen: chosen.iter().map(|place| looked.chosen(*place)).collect(),
        others: others.iter().rev().map(|place| looked.other(*place, &target, first)).collect(),
    })
}

struct Look<'a> {
    candidates: &'a [Candidate<'a>],
    resolution: &'a Resolution,
    is_chosen: Vec<bool>,
}

impl<'a> Look<'a> {
    fn new(candidates: &'a [Candidate<'a>], resolution: &'a Resolution) -> Self {
        let running = candidates.iter().map(|one| one.standing == Standing::Running);
        let mut is_chosen: Vec<_> = running.collect();
        resolution.order.iter().for_each(|place| is_chosen[*place] = true);
        Self { candidates, resolution, is_chosen }
    }

    fn meant(&self, target: &Target) -> Vec<usize> {
        let places = 0..self.candidates.len();
        places.filter(|place| self.candidates[*place].manifest.version_as(target).is_some()).collect()
    }

    fn name(&self, place: usize) -> (&'a PluginId, &'a Version) {
        let about = &self.candidates[place].manifest.plugin;
        (&about.id, &about.version)
    }

    fn all_chosen(&self) -> impl Iterator<Item = usize> {
        (0..self.candidates.len()).filter(|place| self.is_chosen[*place])
    }

    fn chosen(&self, place: usize) -> Chosen {
        let (plugin, version) = self.name(place);
        let candidate = &self.candidates[place];
        let mut asked_by: Vec<_> = match candidate.standing {
            Standing::Running => vec!["it runs already".to_owned()],
            Standing::Required | Standing::Wanted => vec!["the application asks for it".to_owned()],
            Standing::Locked | Standing::Available => Vec::new(),
        };
        let mut asking: Vec<_> =
            self.all_chosen().filter(|other| self.resolution.needs[*other].contains(&place)).collect();
        asking.sort_by_key(|other| self.name(*other));
        for other in asking {
            let about = &self.candidates[other].manifest.plugin;
            let needs = about.depends_on.iter().filter(|need| candidate.manifest.is(&need.on, &need.version));
            asked_by.extend(needs.map(|need| {
                let verb = if need.optional { "can use" } else { "needs" };
                format!("`{}` {verb} {}", about.id, named(&need.on, &need.version))
            }));
        }
        Chosen { plugin: plugin.clone(), version: version.clone(), asked_by }
    }

    fn other(&self, place: usize, target: &Target, chosen: Option<usize>) -> Other {
        let (plugin, version) = self.name(place);
        let left_out = self.resolution.left_out.iter().find(|left_out| left_out.place == place);
        let mut reasons: Vec<_> = match left_out {
            Some(left_out) => left_out.reasons.iter().map(ResolveError::to_string).collect(),
            None => self.obstacles(place),
        };
        if reasons.is_empty() {
            reasons.push(match chosen {
                Some(chosen) => self.preferred(place, chosen, target),
                None => "nobody needs it".to_owned(),
            });
        }
        Other { plugin: plugin.clone(), version: version.clone(), reasons }
    }

    /// What among the chosen stands in the way of a candidate.
    fn obstacles(&self, place: usize) -> Vec<String> {
        let manifest = self.candidates[place].manifest;
        let id = manifest.id();
        let mut reasons = Vec::new();
        for other in self.all_chosen().map(|other| self.candidates[other].manifest) {
            if other.id() == id {
                continue;
            }
            let asks = other.plugin.depends_on.iter().filter(|need| need.on == Target::Plugin(id.clone()));
            let refusing = asks.filter(|need| !need.version.matches(&manifest.plugin.version));
            reasons.extend(refusing.map(|need| format!("`{}` asks for `{}`", other.id(), need.version)));
            let mut conflicts = other.plugin.conflicts.iter().map(|one| (manifest, one));
            let mut own = manifest.plugin.conflicts.iter().map(|one| (other, one));
            if conflicts.any(|(with, one)| with.is(&one.with, &one.version))
                || own.any(|(with, one)| with.is(&one.with, &one.version))
            {
                reasons.push(format!("in conflict with `{}`", other.id()));
            }
        }
        reasons.extend(self.unmet(place));
        reasons.sort();
        reasons
    }

    /// The needs of a candidate that no other candidate, or not the one that was chosen, meets.
    fn unmet(&self, place: usize) -> impl Iterator<Item = String> {
        let manifest = self.candidates[place].manifest;
        let needs = manifest.plugin.depends_on.iter().filter(|need| !need.optional);
        needs.filter_map(move |need| {
            let others: Vec<_> = (0..self.candidates.len())
                .filter(|other| self.candidates[*other].manifest.id() != manifest.id())
                .collect();
            let meets = |other: &usize| self.candidates[*other].manifest.is(&need.on, &need.version);
            let text = format!("needs {}", named(&need.on, &need.version));
            if !others.iter().any(meets) {
                return Some(format!("{text}, and there is none"));
            }
            let there = others.into_iter().filter(|other| self.is_chosen[*other]);
            let there: Vec<_> = there
                .filter(|other| self.candidates[*other].manifest.version_as(&need.on).is_some())
                .collect();
            let wrong =
                there.first().filter(|_| matches!(need.on, Target::Plugin(_)) && !there.iter().any(meets))?;
            Some(format!("{text}, and {} is chosen", self.name(*wrong).1))
        })
    }

    /// Why one that could have been chosen has another before it.
    fn preferred(&self, place: usize, chosen: usize, target: &Target) -> String {
        let (ours, theirs) = (&self.candidates[place], &self.candidates[chosen]);
        let (version, other) = (&ours.manifest.plugin.version, &theirs.manifest.plugin.version);
        match theirs.standing {
            _ if ours.manifest.id() != theirs.manifest.id() => self.later(place, chosen, target),
            Standing::Running => format!("{other} runs already"),
            Standing::Required | Standing::Wanted => format!("the application asks for {other}"),
            Standing::Locked if ours.standing != Standing::Locked => format!("{other} is locked"),
            _ if version < other => "lower version than the one chosen".to_owned(),
            _ if version == other => "the same version as the one chosen".to_owned(),
            _ => "does not fit with the others that are chosen".to_owned(),
        }
    }

    fn later(&self, place: usize, chosen: usize, target: &Target) -> String {
        let Target::Capability(name) = target else { return "nobody needs it".to_owned() };
        let rank = |place: usize| {
            let mut offers = self.candidates[place].manifest.plugin.capabilities.iter();
            offers.find(|offer| offer.name == *name).map_or(0, |offer| offer.rank)
        };
        let version = |place: usize| self.candidates[place].manifest.version_as(target);
        match (rank(place), version(place)).cmp(&(rank(chosen), version(chosen))) {
            _ if rank(place) < rank(chosen) => "lower rank",
            std::cmp::Ordering::Less => "lower version than the one chosen",
            std::cmp::Ordering::Equal => "later by name",
            std::cmp::Ordering::Greater => "another that offers it is there anyway",
        }
        .to_owned()
    }
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        if self.chosen.is_empty() {
            lines.push(format!("`{}` is not loaded", self.subject));
        }
        for chosen in &self.chosen {
            lines.push(format!("`{} {}` is loaded", chosen.plugin, chosen.version));
            lines.extend(chosen.asked_by.iter().map(|ask| format!("  {ask}")));
        }
        for other in &self.others {
            let reasons = other.reasons.join("; ");
            lines.push(format!("`{} {}` is not: {reasons}", other.plugin, other.version));
        }
        formatter.write_str(&lines.join("\n"))
    }
}
