use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tapline_core::Act;

/// What a plugin has done with its grants, since it was loaded.
#[derive(Debug, Default)]
pub struct Usage {
    acts: Mutex<BTreeMap<&'static str, BTreeMap<String, Tally>>>,
    dropped_lines: AtomicU64,
    refused_events: AtomicU64,
}

/// How often an act was done, and how often it was refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How often it was granted.
    pub granted: u64,
    /// How often it was refused.
    pub refused: u64,
}

/// So many targets of an action are counted apart; a plugin can make up any number of them.
const TARGETS: usize = 256;
/// The others are counted together.
const OTHERS: &str = "(others)";

impl Usage {
    /// The acts so far: action, target, and how often. What does not fit is counted under `(others)`.
    #[must_use]
    pub fn acts(&self) -> Vec<(&'static str, String, Tally)> {
        let acts = self.acts.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = acts.iter().flat_map(|(action, targets)| {
            targets.iter().map(|(target, tally)| (*action, target.clone(), *tally))
        });
        rows.collect()
    }

    /// How many log lines were dropped, because there were more than the plugin may log.
    #[must_use]
    pub fn dropped_lines(&self) -> u64 {
        self.dropped_lines.load(Ordering::Relaxed)
    }

    /// How many events were refused, because there were more than the plugin may publish.
    #[must_use]
    pub fn refused_events(&self) -> u64 {
        self.refused_events.load(Ordering::Relaxed)
    }

    pub(crate) fn dropped_line(&self) {
        self.dropped_lines.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refused_event(&self) {
        self.refused_events.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count(&self, act: &Act<'_>) {
        let mut acts = self.acts.lock().unwrap_or_else(PoisonError::into_inner);
        let targets = acts.entry(act.action).or_default();
        let key =
            if targets.len() < TARGETS || targets.contains_key(act.target) { act.target } else { OTHERS };
        if let Some(tally) = targets.get_mut(key) {
            tally.count(act);
        } else {
            targets.entry(key.to_owned()).or_default().count(act);
        }
    }
}

impl Tally {
    const fn count(&mut self, act: &Act<'_>) {
        if act.refusal.is_none() {
            self.granted += 1;
        } else {
            self.refused += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use tapline_core::{Denied, PluginId};

    use super::*;

    #[test]
    fn acts_are_counted_by_target_and_made_up_targets_take_no_memory() {
        let (usage, plugin) = (Usage::default(), PluginId::new("p").unwrap());
        usage.count(&Act::granted(&plugin, "call", "a"));
        usage.count(&Act::granted(&plugin, "call", "a"));
        for target in 0..10_000 {
            let denied =
                Denied { plugin: "p".into(), action: "call", target: target.to_string(), reason: "no" };
            usage.count(&Act::refused(&plugin, &denied));
        }
        let acts = usage.acts();
        assert_eq!(acts.len(), TARGETS + 1);
        assert!(acts.contains(&("call", "a".into(), Tally { granted: 2, refused: 0 })));
        let refused: u64 = acts.iter().map(|(_, _, tally)| tally.refused).sum();
        assert_eq!(refused, 10_000);
    }
}
