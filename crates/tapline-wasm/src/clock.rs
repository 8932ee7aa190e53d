use std::time::{Duration, Instant};

/// How often running code is looked at.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// The cpu time of one call: runs while the guest's code runs, and stands still while the host works for it.
#[derive(Debug)]
pub(crate) struct CpuClock {
    budget: Duration,
    used: Duration,
    since: Instant,
}

impl CpuClock {
    pub(crate) fn new(budget: Duration) -> Self {
        Self { budget, used: Duration::ZERO, since: Instant::now() }
    }

    /// Begins a call.
    pub(crate) fn start(&mut self) {
        self.used = Duration::ZERO;
        self.resume();
    }

    /// The host works.
    pub(crate) fn pause(&mut self) {
        self.used += self.since.elapsed().min(TICK * 2);
    }

    /// The guest works again.
    pub(crate) fn resume(&mut self) {
        self.since = Instant::now();
    }

    /// Looks at the clock at a tick, and whether the budget is used up.
    ///
    /// Between two looks the guest cannot have run for much longer than a tick; what is beyond is time in which it
    /// waited for its turn, and that is not its own.
    pub(crate) fn is_over_budget(&mut self) -> bool {
        self.pause();
        self.resume();
        self.used > self.budget
    }

    /// Ends a call, and says for how long it has computed.
    pub(crate) fn stop(&mut self) -> Duration {
        self.pause();
        self.used
    }

    pub(crate) const fn budget(&self) -> Duration {
        self.budget
    }
}
