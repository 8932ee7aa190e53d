use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// The time as one plugin sees it.
#[derive(Debug)]
pub(crate) struct PluginTime {
    loaded: Instant,
    /// The latest time that it was told, in nanoseconds.
    latest: AtomicU64,
}

impl PluginTime {
    pub(crate) fn new() -> Self {
        Self { loaded: Instant::now(), latest: AtomicU64::new(0) }
    }

    /// The time since the beginning of 1970. Somebody may set the clock back, and then it stands still.
    pub(crate) fn now(&self) -> Duration {
        self.told(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
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
        let time = PluginTime::new();
        let told = [5, 3, 4, 6].map(|second| time.told(Duration::from_secs(second)).as_secs());
        assert_eq!(told, [5, 5, 5, 6]);
    }
}
