use std::fmt;
use std::num::NonZeroU32;
use std::ops::Add;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

/// How often something may begin, over all runs of a definition.
#[derive(Clone)]
pub struct RateLimit {
    /// So often.
    pub calls: NonZeroU32,
    /// In so long.
    pub per: Duration,
    bucket: Arc<RateLimiter<NotKeyed, InMemoryState, RuntimeClock, NoOpMiddleware<Moment>>>,
}

impl RateLimit {
    /// So often in so long; as many at once, after a time of rest.
    ///
    /// `None` when the time is too short to be divided among so many.
    #[must_use]
    pub fn new(calls: NonZeroU32, per: Duration) -> Option<Self> {
        let quota = Quota::with_period(per / calls.get())?.allow_burst(calls);
        Some(Self { calls, per, bucket: Arc::new(RateLimiter::direct_with_clock(quota, RuntimeClock)) })
    }

    /// Waits until one more may begin. Cancel safe.
    pub(crate) async fn turn(&self) {
        while let Err(early) = self.bucket.check() {
            tokio::time::sleep(early.wait_time_from(RuntimeClock.now())).await;
        }
    }
}

impl PartialEq for RateLimit {
    fn eq(&self, other: &Self) -> bool {
        (self.calls, self.per) == (other.calls, other.per)
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RateLimit({} in {:?})", self.calls, self.per)
    }
}

/// The clock of the runtime, by which everything else here waits, too.
#[derive(Debug, Clone)]
struct RuntimeClock;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Moment(Instant);

impl Clock for RuntimeClock {
    type Instant = Moment;

    fn now(&self) -> Moment {
        Moment(Instant::now())
    }
}

impl Reference for Moment {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_duration_since(earlier.0).into()
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.checked_sub(duration.into()).unwrap_or(self.0))
    }
}

impl Add<Nanos> for Moment {
    type Output = Self;

    fn add(self, duration: Nanos) -> Self {
        let duration: Duration = duration.into();
        Self(self.0.checked_add(duration).unwrap_or(self.0))
    }
}
