use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tapline_roles::Usage;

use crate::definition::Budget;

/// Counts what a step uses up, for itself and for all that it is a part of.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    budget: Budget,
    used: Mutex<Amounts>,
    /// Most steps use up nothing, and need no lock to say so.
    is_used: AtomicBool,
    steps: AtomicUsize,
    most_steps: Option<usize>,
    outer: Option<Arc<Self>>,
}

/// What was used up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Amounts {
    /// Tokens of models, those of prompts and of answers.
    pub tokens: u64,
    /// What providers charge, in their currency.
    pub cost: f64,
}

/// What was used up beyond what may be.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Exceeded {
    /// Steps of a run.
    Steps(usize),
    /// Tokens.
    Tokens(u64),
    /// Costs.
    Cost(f64),
}

impl Meter {
    pub(super) fn of_run(budget: Budget, most_steps: Option<usize>, outer: Option<Arc<Self>>) -> Self {
        Self { budget, most_steps, outer, ..Self::default() }
    }

    pub(super) fn of_step(budget: Budget, outer: Arc<Self>) -> Self {
        Self { budget, outer: Some(outer), ..Self::default() }
    }

    /// Counts a step.
    pub(super) fn step(&self) -> Result<(), Exceeded> {
        let before = self.steps.fetch_add(1, Ordering::Relaxed);
        match self.most_steps {
            Some(most) if before >= most => Err(Exceeded::Steps(most)),
            _ => self.outer.as_ref().map_or(Ok(()), |outer| outer.step()),
        }
    }

    pub(crate) fn use_up(&self, usage: &Usage) {
        let tokens = usage.input_tokens.saturating_add(usage.output_tokens);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.tokens = used.tokens.saturating_add(tokens);
        used.cost += usage.cost.unwrap_or_default();
        self.is_used.store(true, Ordering::Relaxed);
        drop(used);
        if let Some(outer) = &self.outer {
            outer.use_up(usage);
        }
    }

    pub(super) fn used(&self) -> Amounts {
        if !self.is_used.load(Ordering::Relaxed) {
            return Amounts::default();
        }
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it has used up beyond its own budget.
    pub(super) fn exceeded(&self) -> Option<Exceeded> {
        let used = self.used();
        let tokens = self.budget.tokens.filter(|most| used.tokens >= *most).map(Exceeded::Tokens);
        tokens.or_else(|| self.budget.cost.filter(|most| used.cost >= *most).map(Exceeded::Cost))
    }

    /// What it, or something that it is a part of, has used up beyond its budget.
    pub(crate) fn is_exhausted(&self) -> Option<Exceeded> {
        self.exceeded().or_else(|| self.outer.as_ref()?.is_exhausted())
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps(most) => write!(formatter, "{most} steps"),
            Self::Tokens(most) => write!(formatter, "{most} tokens"),
            Self::Cost(most) => write!(formatter, "costs of {most}"),
        }
    }
}
