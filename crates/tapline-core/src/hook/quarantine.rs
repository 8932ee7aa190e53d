use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::window::SlidingWindow;

/// The faults of one hook: the fifth within a minute closes it, and it is not entered again.
#[derive(Debug)]
pub(crate) struct Quarantine {
    is_closed: AtomicBool,
    faults: Mutex<SlidingWindow>,
}

/// So many faults within the window are one too many.
const FAULTS: usize = 5;
const WINDOW: Duration = Duration::from_secs(60);

impl Default for Quarantine {
    fn default() -> Self {
        Self { is_closed: AtomicBool::new(false), faults: Mutex::new(SlidingWindow::new(FAULTS, WINDOW)) }
    }
}

impl Quarantine {
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// Counts a fault, and says whether it is the one that closes the hook.
    pub(crate) fn fault(&self, now: Instant) -> bool {
        let count = self.faults.lock().unwrap_or_else(PoisonError::into_inner).add(now);
        count >= FAULTS && !self.is_closed.swap(true, Ordering::AcqRel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: &[u64], closes_at: Option<usize>) {
        let (begun, quarantine) = (Instant::now(), Quarantine::default());
        let closing =
            seconds.iter().position(|second| quarantine.fault(begun + Duration::from_secs(*second)));
        assert_eq!((closing, quarantine.is_closed()), (closes_at, closes_at.is_some()), "{seconds:?}");
    }

    #[test]
    fn the_fifth_fault_within_a_minute_closes_the_hook_wherever_the_minute_begins() {
        check(&[0, 1, 2, 3], None);
        check(&[0, 1, 2, 3, 60], Some(4));
        check(&[0, 1, 2, 3, 61], None);
        check(&[0, 50, 51, 52, 61, 62], Some(5));
        check(&[0, 16, 32, 48, 64, 80, 96], None);
    }
}
