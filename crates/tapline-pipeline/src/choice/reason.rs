use std::fmt;

use tapline_core::{PluginId, Target};
use tapline_host::{Other, ResolveError, Why, why};

use super::asks::{Because, Necessity};
use super::{Asker, Choice};
use crate::suggest::did_you_mean_or_list;

/// Why a pipeline uses a plugin or not, and what of the refusals has to do with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChoiceReason {
    /// Which plugins of the id or capability are used, which are not, and why.
    pub why: Why,
    /// The reasons for which the pipeline is refused, or goes without a plugin, that name it.
    pub refusals: Vec<String>,
}

/// That nobody knows a plugin or capability that was asked about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no plugin and no capability `{subject}`{}", hint.iter().map(|hint| format!("; {hint}")).collect::<String>())]
pub struct UnknownSubject {
    /// What was asked about.
    pub subject: String,
    /// The nearest name, or all of them.
    pub hint: Option<String>,
}

impl Choice {
    /// Why a plugin, or whoever offers a capability, is used or not.
    ///
    /// # Errors
    /// When there is no plugin and no capability of that name.
    pub fn why(&self, subject: &str) -> Result<ChoiceReason, UnknownSubject> {
        let found = self.found(subject);
        let no_candidates = self.no_candidates(subject);
        if found.is_none() && no_candidates.is_empty() {
            return Err(self.unknown(subject));
        }
        let mut why = found.unwrap_or_else(|| Why {
            subject: subject.to_owned(),
            chosen: Vec::new(),
            others: Vec::new(),
        });
        why.others.extend(no_candidates);
        Ok(ChoiceReason { why, refusals: self.refusals_of(subject) })
    }

    fn found(&self, subject: &str) -> Option<Why> {
        let is_asker = self.askers.iter().any(|asker| asker.manifest.id().as_str() == subject);
        let mut why = why(&self.candidates(), &self.resolution, subject).filter(|_| !is_asker)?;
        for chosen in &mut why.chosen {
            chosen.asked_by = chosen.asked_by.iter().filter_map(|text| self.asked(text)).collect();
        }
        for other in &mut why.others {
            other.reasons = other.reasons.iter().map(|text| self.in_words(text)).collect();
            other.reasons.dedup();
        }
        Some(why)
    }

    /// What an asker needs, as the pipeline would say it. Of the two for a plugin that it can do without one is told.
    fn asked(&self, text: &str) -> Option<String> {
        let is_by = |asker: &&Asker| text.starts_with(&format!("`{}` ", asker.manifest.id()));
        let asker = self.askers.iter().find(is_by);
        match asker.and_then(|asker| self.asks.0.get(&asker.whom)).map(|ask| &ask.because) {
            _ if asker.is_some_and(|asker| asker.necessity() == Necessity::Optional) => None,
            Some(Because::Validates(validator)) => {
                Some(format!("the pipeline has nodes with the validator `{validator}`"))
            }
            Some(Because::Handles(node_type)) => {
                Some(format!("the pipeline has nodes of the type `{node_type}`"))
            }
            Some(Because::Called(caller)) => Some(format!("`{caller}` may call it")),
            Some(Because::Named) | None => Some(self.in_words(text)),
        }
    }

    /// Those that are there and cannot be chosen.
    fn no_candidates(&self, subject: &str) -> Vec<Other> {
        let targets =
            [PluginId::new(subject).ok().map(Target::Plugin), Some(Target::Capability(subject.into()))];
        let excluded = self.known.iter().zip(&self.candidacy.excluded);
        let excluded: Vec<_> =
            excluded.filter_map(|(plugin, excluded)| Some((plugin, excluded.as_ref()?))).collect();
        let of = |target: &Target| {
            let meant = excluded
                .iter()
                .filter(|(plugin, _)| plugin.manifest.version_as(target).is_some())
                .map(|(plugin, excluded)| Other {
                    plugin: plugin.manifest.id().clone(),
                    version: plugin.version().clone(),
                    reasons: vec![excluded.to_string()],
                });
            meant.collect::<Vec<_>>()
        };
        let found = targets.iter().flatten().map(of).find(|found| !found.is_empty());
        let mut found = found.unwrap_or_default();
        found.sort_by(|one, other| (&one.plugin, &other.version).cmp(&(&other.plugin, &one.version)));
        found
    }

    /// What keeps the pipeline from a plugin, or from what has to do with it.
    fn refusals_of(&self, subject: &str) -> Vec<String> {
        let refusals = self.refusals().into_iter();
        let concerning = refusals.filter(|refusal| {
            refusal.whom.as_str() == subject
                || matches!(&refusal.reason, ResolveError::NoVersion { id, .. } if id.as_str() == subject)
        });
        concerning.map(|refusal| self.in_words(&refusal.reason.to_string())).collect()
    }

    fn unknown(&self, subject: &str) -> UnknownSubject {
        let mut names: Vec<_> = self
            .known
            .iter()
            .flat_map(|plugin| {
                let capabilities = plugin.manifest.plugin.capabilities.iter();
                capabilities.map(|capability| &*capability.name).chain([plugin.name()])
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        UnknownSubject {
            subject: subject.to_owned(),
            hint: did_you_mean_or_list(subject, names.iter().copied(), "there are"),
        }
    }
}

impl fmt::Display for ChoiceReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.why)?;
        self.refusals.iter().try_for_each(|refusal| write!(formatter, "\n{refusal}"))
    }
}
