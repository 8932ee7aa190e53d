use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tapline_core::Limits;

type Bucket<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// How fast a plugin may log and publish: all its instances draw from the same buckets, each of which holds a second's worth.
pub(crate) struct Rates<C: Clock = DefaultClock> {
    log: Option<Bucket<C>>,
    events: Option<Bucket<C>>,
    /// Log lines that were dropped since one was let through.
    silenced: AtomicU64,
}

impl Rates {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self::by(limits, &DefaultClock::default())
    }
}

impl<C: Clock + Clone> Rates<C> {
    fn by(limits: &Limits, clock: &C) -> Self {
        let bucket = |a_second: u64| {
            let most = NonZeroU32::new(u32::try_from(a_second).unwrap_or(u32::MAX))?;
            Some(RateLimiter::direct_with_clock(Quota::per_second(most), clock.clone()))
        };
        let (log, events) = (bucket(limits.log.0), bucket(limits.events.into()));
        Self { log, events, silenced: AtomicU64::new(0) }
    }

    /// Whether a log line of this size is let through, and how many were dropped before it.
    pub(crate) fn log(&self, bytes: usize) -> Option<u64> {
        let bytes = NonZeroU32::new(u32::try_from(bytes).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN);
        if self.log.as_ref().is_some_and(|bucket| matches!(bucket.check_n(bytes), Ok(Ok(())))) {
            return Some(self.silenced.swap(0, Ordering::Relaxed));
        }
        self.silenced.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// Whether an event may be published.
    pub(crate) fn event(&self) -> bool {
        self.events.as_ref().is_some_and(|bucket| bucket.check().is_ok())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;
    use tapline_core::Bytes;

    use super::*;

    fn rates() -> (Rates<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let limits = Limits { log: Bytes(100), events: 3, ..Limits::default() };
        (Rates::by(&limits, &clock), clock)
    }

    #[test]
    fn a50_a_flood_of_events_is_let_through_as_fast_as_the_limit_says() {
        let (rates, clock) = rates();
        let mut published = 0;
        for _ in 0..10 {
            published += (0..100_000).filter(|_| rates.event()).count();
            clock.advance(Duration::from_secs(1));
        }
        assert_eq!(published, 30);
    }

    #[test]
    fn log_lines_beyond_the_limit_are_dropped_and_the_next_one_tells_how_many() {
        let (rates, clock) = rates();
        assert_eq!(rates.log(60), Some(0));
        assert_eq!(rates.log(60), None);
        assert_eq!(rates.log(1000), None, "a line that never fits");
        clock.advance(Duration::from_secs(1));
        assert_eq!(rates.log(60), Some(2));
        assert_eq!(rates.log(0), Some(0), "an empty line counts as something");
    }

    #[test]
    fn a_limit_of_nothing_lets_nothing_through() {
        let limits = Limits { log: Bytes(0), events: 0, ..Limits::default() };
        let rates = Rates::new(&limits);
        assert!(!rates.event());
        assert_eq!(rates.log(1), None);
    }
}
