use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::str::FromStr;
use std::time::{Duration, Instant};

use tapline_core::{PluginId, Restart, SlidingWindow};

/// How often a plugin that has ended is started again, and what becomes of those that need it: the rules of OTP's
/// supervisors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supervision {
    /// So many restarts are allowed; the next one puts the plugin into quarantine.
    pub restarts: usize,
    /// Within this time, wherever it begins.
    pub within: Duration,
    /// What a restart takes along.
    pub strategy: Strategy,
    /// How long the version before is kept after a [swap](crate::Host::swap), to come back when the new one does badly.
    pub trial: Duration,
    /// So often the new version may break within that time; when it breaks once more, the version before comes back.
    pub trial_faults: usize,
}

/// What the restart of a plugin takes along.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Nothing.
    OneForOne,
    /// Those that need the plugin, because what they got from it is gone.
    #[default]
    RestForDependents,
}

/// A text that is no strategy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a strategy: `one-for-one` or `rest-for-dependents`")]
pub struct StrategyError(String);

impl FromStr for Strategy {
    type Err = StrategyError;

    fn from_str(text: &str) -> Result<Self, StrategyError> {
        match text {
            "one-for-one" => Ok(Self::OneForOne),
            "rest-for-dependents" => Ok(Self::RestForDependents),
            _ => Err(StrategyError(text.into())),
        }
    }
}

impl Default for Supervision {
    /// Five restarts within a minute, which take along those that need the plugin; ten seconds and three faults for a
    /// version that took the place of another.
    fn default() -> Self {
        Self {
            restarts: 5,
            within: Duration::from_secs(60),
            strategy: Strategy::default(),
            trial: Duration::from_secs(10),
            trial_faults: 3,
        }
    }
}

/// How a plugin, or one of its instances, has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// By itself, having done what it was there for.
    Normal,
    /// By itself, with an error.
    Error,
    /// It broke.
    Fault,
}

/// What follows from an ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is started again after this time.
    Again(Duration),
    /// It stays ended, as its manifest says.
    Over(Ending),
    /// It has been started again too often.
    TooMany,
}

impl Verdict {
    /// Whether the plugin is gone though it was not done.
    pub(crate) const fn is_failure(self) -> bool {
        matches!(self, Self::TooMany | Self::Over(Ending::Error | Ending::Fault))
    }
}

/// The restarts of one plugin.
#[derive(Debug)]
pub(crate) struct Restarts {
    rule: Restart,
    allowed: usize,
    window: SlidingWindow,
    jitter: fastrand::Rng,
}

/// The second restart within the window waits so long, and each later one twice as long as the one before.
const BACKOFF: Duration = Duration::from_millis(200);
/// No restart waits longer, its jitter left out.
const LONGEST: Duration = Duration::from_secs(30);

impl Restarts {
    /// None so far. The jitter follows from the plugin's id, so that plugins that end together do not come back together,
    /// and every run is like the other.
    pub(crate) fn new(plugin: &PluginId, rule: Restart, supervision: &Supervision) -> Self {
        let mut seed = DefaultHasher::new();
        plugin.hash(&mut seed);
        Self {
            rule,
            allowed: supervision.restarts,
            window: SlidingWindow::new(supervision.restarts.saturating_add(1), supervision.within),
            jitter: fastrand::Rng::with_seed(seed.finish()),
        }
    }

    /// What follows from an ending.
    pub(crate) fn after(&mut self, ending: Ending, now: Instant) -> Verdict {
        let is_restarted = match self.rule {
            Restart::Permanent => true,
            Restart::Transient => ending != Ending::Normal,
            Restart::Temporary => false,
        };
        if !is_restarted {
            return Verdict::Over(ending);
        }
        let count = self.window.add(now);
        if count > self.allowed { Verdict::TooMany } else { Verdict::Again(self.backoff(count)) }
    }

    /// Forgets the restarts so far.
    pub(crate) fn forget(&mut self) {
        self.window.clear();
    }

    /// How long the so-manieth restart within the window waits. One that is not followed by another within the window is
    /// forgotten, so a plugin that stays well begins anew.
    fn backoff(&mut self, count: usize) -> Duration {
        let Some(doublings) = count.checked_sub(2) else { return Duration::ZERO };
        let doubled = u32::try_from(doublings).ok().and_then(|power| 2_u32.checked_pow(power));
        let wait = doubled.and_then(|times| BACKOFF.checked_mul(times)).unwrap_or(LONGEST).min(LONGEST);
        wait.mul_f64(1.0 + self.jitter.f64() / 4.0)
    }
}

#[cfg(test)]
mod tests;
