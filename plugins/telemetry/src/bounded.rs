use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Values of a label that come from outside, of which only so many are told apart: each costs a monitoring system a
/// series of its own, for good.
#[derive(Debug, Default)]
pub(crate) struct Bounded(Mutex<HashSet<String>>);

/// So many values are told apart.
const MOST: usize = 100;

impl Bounded {
    /// The value, if it is among the first ones that have come, and what stands for all others.
    pub(crate) fn or_other<'v>(&self, value: &'v str, other: &'v str) -> &'v str {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains(value) {
            return value;
        }
        if known.len() == MOST {
            return other;
        }
        known.insert(value.to_owned());
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_never_end_become_one() {
        let bounded = Bounded::default();
        let names: Vec<_> = (0..MOST + 50).map(|place| format!("model-{place}")).collect();
        let told: HashSet<_> = names.iter().map(|name| bounded.or_other(name, "other")).collect();
        assert_eq!(told.len(), MOST + 1);
        assert_eq!(bounded.or_other("model-0", "other"), "model-0");
    }
}
