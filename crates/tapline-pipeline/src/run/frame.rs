use std::sync::Arc;

use tapline_core::Value;
use tapline_template::Scope;

/// The variables that the texts of a step may name.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    variables: Vec<(Arc<str>, Value)>,
    /// So many at the front are sorted by name: a node may read many others, and all else are a few.
    sorted: usize,
}

impl Frame {
    /// Variables that are sorted by name.
    pub(super) const fn sorted(variables: Vec<(Arc<str>, Value)>) -> Self {
        Self { sorted: variables.len(), variables }
    }

    pub(super) fn push(&mut self, name: Arc<str>, value: Value) {
        self.variables.push((name, value));
    }

    /// The same variables and one more, which hides another of its name.
    pub(super) fn with(&self, name: &Arc<str>, value: Value) -> Self {
        let mut variables = Vec::with_capacity(self.variables.len() + 2);
        variables.extend_from_slice(&self.variables);
        variables.push((Arc::clone(name), value));
        Self { variables, ..*self }
    }
}

impl Scope for Frame {
    fn variable(&self, name: &str) -> Option<&Value> {
        let (sorted, others) = self.variables.split_at(self.sorted);
        if let Some((_, value)) = others.iter().rev().find(|(known, _)| **known == *name) {
            return Some(value);
        }
        let place = sorted.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        Some(&sorted[place].1)
    }
}
