use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// Tells what time it is.
#[derive(Clone)]
pub(crate) struct Clock(pub(crate) Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(SystemTime::now))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Clock")
    }
}

/// The time as one plugin sees it.
#[derive(Debug)]
pub(crate) struct PluginTime {
    clock: Clock,
    loaded: Instant,
    /// The latest time that it was told, in nanoseconds.
    latest: AtomicU64,
}

impl PluginTime {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, loaded: Instant::now(), latest: AtomicU64::new(0) }
    }

    /// The time since the beginning of 1970. Somebody may set the clock back, and then it stands still.
    pub(crate) fn now(&self) -> Duration {
        self.told((self.clock.0)().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.loaded.elapsed()
    }

    fn told(&self, time: Duration) -> Duration {
        let now = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.latest.fetch_max(now, Ordering::Relaxed).max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_stands_still_while_the_clock_is_behind_what_it_once_was() {
        let time = PluginTime::new(Clock::default());
        let told = [5, 3, 4, 6].map(|second| time.told(Duration::from_secs(second)).as_secs());
        assert_eq!(told, [5, 5, 5, 6]);
    }
}
