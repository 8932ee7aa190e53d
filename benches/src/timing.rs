use std::time::{Duration, Instant};

/// A call is timed in batches that take at least so long; the median of this many batches counts.
const BATCH: Duration = Duration::from_millis(10);
const BATCHES: usize = 15;

/// Nanoseconds a call: the median of batches.
///
/// # Panics
/// When the machine is so slow that no batch comes to its end.
#[must_use]
pub fn time(call: impl Fn()) -> f64 {
    let batch = |calls: u32| {
        let begun = Instant::now();
        (0..calls).for_each(|_| call());
        begun.elapsed()
    };
    let mut calls = 64;
    while batch(calls) < BATCH {
        calls *= 2;
    }
    let mut times: Vec<_> =
        (0..BATCHES).map(|_| batch(calls).as_secs_f64() * 1e9 / f64::from(calls)).collect();
    times.sort_by(f64::total_cmp);
    times[BATCHES / 2]
}
