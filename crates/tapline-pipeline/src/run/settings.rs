use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use tapline_core::Object;

use super::{Observer, Silent, Stop};
use crate::journal::Journal;

/// What a run is given besides the pipeline.
#[derive(Clone)]
#[non_exhaustive]
pub struct RunSettings {
    /// Its inputs, as [`Definition::input_values`](crate::Definition::input_values) makes them.
    pub inputs: Object,
    /// Who watches it.
    pub observer: Arc<dyn Observer>,
    /// What keeps it, so that it can be resumed.
    pub journal: Option<Arc<dyn Journal>>,
    /// The folder of the files that it writes itself: dead letters.
    pub folder: Option<PathBuf>,
    /// The folder for lists that are too long for memory; each run has one of its own in it.
    pub lists: Option<PathBuf>,
    /// What ends it from outside.
    pub stop: Option<Stop>,
}

impl RunSettings {
    /// Nothing but inputs.
    #[must_use]
    pub fn new(inputs: Object) -> Self {
        Self { inputs, ..Self::default() }
    }

    /// Has somebody watch the run.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// Keeps the run, as far as the pipeline's `durability` wants it.
    #[must_use]
    pub fn journal(mut self, journal: Arc<dyn Journal>) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Lets lists that are too long for memory go to a folder; without one, a list has to fit.
    #[must_use]
    pub fn lists(mut self, folder: impl Into<PathBuf>) -> Self {
        self.lists = Some(folder.into());
        self
    }

    /// Lets somebody end the run.
    #[must_use]
    pub fn stop(mut self, stop: Stop) -> Self {
        self.stop = Some(stop);
        self
    }

    /// Lets the run write files of its own below a folder.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }
}

impl Default for RunSettings {
    fn default() -> Self {
        Self {
            inputs: Object::new(),
            observer: Arc::new(Silent),
            journal: None,
            folder: None,
            lists: None,
            stop: None,
        }
    }
}

impl fmt::Debug for RunSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("RunSettings");
        shown.field("inputs", &self.inputs).field("journal", &self.journal).field("folder", &self.folder);
        shown.finish_non_exhaustive()
    }
}
