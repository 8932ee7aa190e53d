use std::sync::Arc;

use tapline_core::Value;
use tapline_template::Scope;

/// The variables that the texts of a step may name; a few, so that looking through them is fast.
#[derive(Debug, Clone, Default)]
pub(super) struct Frame(Vec<(Arc<str>, Value)>);

impl Frame {
    pub(super) fn push(&mut self, name: Arc<str>, value: Value) {
        self.0.push((name, value));
    }

    /// The same variables and one more, which hides another of its name.
    pub(super) fn with(&self, name: &Arc<str>, value: Value) -> Self {
        let mut variables = Vec::with_capacity(self.0.len() + 2);
        variables.extend_from_slice(&self.0);
        variables.push((Arc::clone(name), value));
        Self(variables)
    }
}

impl FromIterator<(Arc<str>, Value)> for Frame {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl Scope for Frame {
    fn variable(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(known, _)| **known == *name).map(|(_, value)| value)
    }
}
