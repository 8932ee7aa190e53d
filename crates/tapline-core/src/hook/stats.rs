use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use histogram::AtomicHistogram;

/// What a hook, or a whole plugin, has cost so far.
///
/// Calls that cross a boundary are all counted and timed. Of native hooks with types of their own every 64th call is
/// timed, and calls that overlap on several cores may be counted as one, because counting exactly would cost more than
/// most of them do.
#[derive(Default)]
pub struct LayerStats {
    calls: AtomicU64,
    errors: AtomicU64,
    own_nanoseconds: AtomicU64,
    /// Made with the first time that is recorded.
    times: OnceLock<Option<AtomicHistogram>>,
}

/// A native call is timed when the count of its calls is a multiple of this.
const SAMPLE: u64 = 64;
/// Times are told apart to within an eighth, up to 18 minutes.
const PRECISION: u8 = 3;
const LONGEST: u8 = 40;

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

    /// The time spent in it in all, without `next`; of native hooks, that of the calls that were timed.
    #[must_use]
    pub fn own_time(&self) -> Duration {
        Duration::from_nanos(self.own_nanoseconds.load(Ordering::Relaxed))
    }

    /// The time that so many of a hundred calls did not exceed, to within an eighth; nothing before the first.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> Option<Duration> {
        let bucket = self.times.get()?.as_ref()?.load().quantile_bucket(percent / 100.0).ok()??;
        Some(Duration::from_nanos(bucket.end()))
    }

    /// Adds a call that was entered at this time, and spent so much of it in `next`.
    pub fn record(&self, entered: Instant, in_next: Duration, failed: bool) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.errors.fetch_add(u64::from(failed), Ordering::Relaxed);
        self.time(entered.elapsed().saturating_sub(in_next));
    }

    /// Adds the begin of a native call, and the time if it is one of those that are timed.
    #[inline]
    pub(crate) fn begin_native(&self) -> Option<Instant> {
        let calls = self.calls.load(Ordering::Relaxed) + 1;
        self.calls.store(calls, Ordering::Relaxed);
        calls.is_multiple_of(SAMPLE).then(Instant::now)
    }

    /// Adds the end of a native call.
    #[inline]
    pub(crate) fn end_native(&self, begun: Option<Instant>, in_next: Duration, failed: bool) {
        if failed {
            self.errors.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(begun) = begun {
            self.time(begun.elapsed().saturating_sub(in_next));
        }
    }

    fn time(&self, own: Duration) {
        let nanoseconds = u64::try_from(own.as_nanos()).unwrap_or(u64::MAX);
        self.own_nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        let times = self.times.get_or_init(|| AtomicHistogram::new(PRECISION, LONGEST).ok());
        if let Some(times) = times {
            // What is longer than the longest counts as that.
            let _ = times.increment(nanoseconds.min((1 << LONGEST) - 1));
        }
    }
}

impl fmt::Debug for LayerStats {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LayerStats").field("calls", &self.calls()).finish_non_exhaustive()
    }
}
