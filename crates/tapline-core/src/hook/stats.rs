use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a hook, or a whole plugin, has cost so far; native hooks with types of their own are not timed.
#[derive(Debug, Default)]
pub struct LayerStats {
    calls: AtomicU64,
    errors: AtomicU64,
    own_nanoseconds: AtomicU64,
}

impl LayerStats {
    /// How many calls have left it.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// How many of them with an error of its own.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// The time spent in it in all, without `next`.
    #[must_use]
    pub fn own_time(&self) -> Duration {
        Duration::from_nanos(self.own_nanoseconds.load(Ordering::Relaxed))
    }

    /// Adds a call that was entered at this time, and spent so much of it in `next`.
    pub fn record(&self, entered: Instant, in_next: Duration, failed: bool) {
        let own = entered.elapsed().saturating_sub(in_next);
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.errors.fetch_add(u64::from(failed), Ordering::Relaxed);
        self.own_nanoseconds.fetch_add(u64::try_from(own.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}
