use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Counts what has happened within the last so much time, exactly: each thing counts until it is older than that,
/// wherever the time began.
#[derive(Debug, Clone)]
pub struct SlidingWindow {
    within: Duration,
    /// More than this are not told apart.
    most: usize,
    /// The latest, oldest first.
    times: VecDeque<Instant>,
}

impl SlidingWindow {
    /// A window of this length, which counts so far.
    #[must_use]
    pub const fn new(most: usize, within: Duration) -> Self {
        Self { within, most, times: VecDeque::new() }
    }

    /// Adds a thing that happens now, and says how many have happened within the window with it.
    pub fn add(&mut self, now: Instant) -> usize {
        self.times.push_back(now);
        let is_old = |time: &Instant| now.saturating_duration_since(*time) > self.within;
        while self.times.len() > self.most || self.times.front().is_some_and(is_old) {
            self.times.pop_front();
        }
        self.times.len()
    }

    /// Forgets what has happened.
    pub fn clear(&mut self) {
        self.times.clear();
    }
}
