use std::path::PathBuf;
use std::sync::Arc;

use tapline_core::Value;
use tapline_host::Host;
use tapline_roles::RunInfo;

use super::dead_letters::DeadLetters;
use super::event::Observer;
use super::keeper::Keeper;
use super::meter::Meter;
use crate::definition::{ProviderRates, Rules};
use crate::points::Points;

/// What a run and the pipelines inside of it have in common.
pub(super) struct Shared {
    pub(super) host: Host,
    pub(super) points: Arc<Points>,
    pub(super) observer: Arc<dyn Observer>,
    /// Which run it is.
    pub(super) info: RunInfo,
    /// The same, as plugins see it.
    pub(super) info_value: Value,
    pub(super) wants_tokens: bool,
    pub(super) meter: Arc<Meter>,
    /// Those of the file that is run; its parts have none of their own.
    pub(super) provider_rates: Arc<ProviderRates>,
    pub(super) depth: Option<usize>,
    pub(super) keeper: Keeper,
    pub(super) dead_letters: DeadLetters,
    /// The folder for lists that are too long for memory, if there may be any.
    pub(super) lists: Option<PathBuf>,
}

impl Shared {
    /// The keeper, if a step with these rules needs one.
    pub(super) fn keeper_for(&self, rules: &Rules) -> Option<&Keeper> {
        (self.keeper.keeps_runs() || rules.cache.is_some()).then_some(&self.keeper)
    }

    /// The run's name in the journal.
    pub(super) fn run_id(&self) -> Option<&str> {
        self.keeper.run_id()
    }
}
