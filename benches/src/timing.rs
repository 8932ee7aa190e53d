use std::thread;
use std::time::{Duration, Instant};

use crate::processor::processor_time;

/// A call is timed in batches that take at least so long; the median of this many batches counts.
const BATCH: Duration = Duration::from_millis(10);
const BATCHES: usize = 15;

/// What was measured, the median of batches.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// Nanoseconds, or bytes.
    pub value: f64,
    /// Half of the batches lie no further apart than this.
    pub spread: f64,
}

/// Nanoseconds a call: the median of batches.
///
/// # Panics
/// When the machine is so slow that no batch comes to its end.
#[must_use]
pub fn time(call: impl Fn()) -> f64 {
    figure(call).value
}

/// Nanoseconds a call.
///
/// # Panics
/// As [`time`].
#[must_use]
pub fn figure(mut call: impl FnMut()) -> Figure {
    figure_of_batches(|calls| (0..calls).for_each(|_| call()))
}

/// Nanoseconds of processor time a call, those of all threads of this program.
///
/// # Panics
/// As [`time`].
#[must_use]
pub fn processor_figure(mut call: impl FnMut()) -> Figure {
    median(|calls| {
        let begun = processor_time();
        (0..calls).for_each(|_| call());
        processor_time() - begun
    })
}

/// Nanoseconds a call of what makes as many calls as it is told.
///
/// # Panics
/// As [`time`].
#[must_use]
pub fn figure_of_batches(mut batch: impl FnMut(u32)) -> Figure {
    median(|calls| {
        let begun = Instant::now();
        batch(calls);
        begun.elapsed()
    })
}

/// Nanoseconds a call on each of several threads at once; a thread makes as many calls as it is told.
///
/// # Panics
/// As [`time`].
#[must_use]
pub fn figure_of_threads(threads: &mut [impl FnMut(u32) + Send]) -> Figure {
    median(|calls| {
        let begun = Instant::now();
        thread::scope(|scope| {
            for thread in &mut *threads {
                scope.spawn(move || thread(calls));
            }
        });
        begun.elapsed()
    })
}

/// Nanoseconds of what can be done once with each thing that is made for it; the making does not count.
#[must_use]
pub fn figure_of_each<T, R>(mut make: impl FnMut() -> T, once: impl Fn(&T) -> R) -> Figure {
    let one = |made: T| {
        let begun = Instant::now();
        let done = once(&made);
        let took = begun.elapsed();
        drop(done);
        took.as_secs_f64() * 1e9
    };
    middle((0..BATCHES).map(|_| one(make())).collect())
}

fn median(mut batch: impl FnMut(u32) -> Duration) -> Figure {
    let mut calls = 1;
    while batch(calls) < BATCH {
        calls *= 2;
    }
    middle((0..BATCHES).map(|_| batch(calls).as_secs_f64() * 1e9 / f64::from(calls)).collect())
}

fn middle(mut times: Vec<f64>) -> Figure {
    times.sort_by(f64::total_cmp);
    Figure { value: times[BATCHES / 2], spread: times[BATCHES * 3 / 4] - times[BATCHES / 4] }
}
