use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::failure::Failure;
use crate::limits::{Bytes, Limits};

/// What all calls of one plugin have taken from the host, left with it, and computed.
#[derive(Debug, Default)]
pub struct Totals {
    taken: AtomicU64,
    left: AtomicU64,
    /// In nanoseconds.
    computed: AtomicU64,
}

/// What crosses the boundary to a plugin in one call; a runtime counts it, and it is held to the limits.
#[derive(Debug)]
pub struct Traffic {
    totals: Arc<Totals>,
    most_in: Bytes,
    most_out: Bytes,
    taken: u64,
    left: u64,
}

impl Totals {
    /// What was taken from the host.
    #[must_use]
    pub fn taken(&self) -> Bytes {
        Bytes(self.taken.load(Ordering::Relaxed))
    }

    /// What was left with the host.
    #[must_use]
    pub fn left(&self) -> Bytes {
        Bytes(self.left.load(Ordering::Relaxed))
    }

    /// The time that was computed.
    #[must_use]
    pub fn computed(&self) -> Duration {
        Duration::from_nanos(self.computed.load(Ordering::Relaxed))
    }
}

impl Traffic {
    /// That of a call that has not begun.
    #[must_use]
    pub const fn new(totals: Arc<Totals>, limits: &Limits) -> Self {
        Self { totals, most_in: limits.input, most_out: limits.output, taken: 0, left: 0 }
    }

    /// Takes so many bytes into the plugin.
    ///
    /// # Errors
    /// With the code `too-large` when the call takes more than it may.
    pub fn take(&mut self, bytes: usize) -> Result<(), Failure> {
        self.taken = self.taken.saturating_add(bytes as u64);
        within(self.taken, self.most_in, "takes")
    }

    /// Leaves so many bytes with the host.
    ///
    /// # Errors
    /// With the code `too-large` when the call leaves more than it may.
    pub fn leave(&mut self, bytes: usize) -> Result<(), Failure> {
        self.left = self.left.saturating_add(bytes as u64);
        within(self.left, self.most_out, "leaves")
    }

    /// Ends a call that has computed for so long, and begins anew.
    pub fn end(&mut self, computed: Duration) {
        let nanoseconds = u64::try_from(computed.as_nanos()).unwrap_or(u64::MAX);
        self.totals.computed.fetch_add(nanoseconds, Ordering::Relaxed);
        self.totals.taken.fetch_add(std::mem::take(&mut self.taken), Ordering::Relaxed);
        self.totals.left.fetch_add(std::mem::take(&mut self.left), Ordering::Relaxed);
    }
}

/// What a call that was given up has carried counts, too.
impl Drop for Traffic {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}

fn within(bytes: u64, most: Bytes, does: &str) -> Result<(), Failure> {
    if bytes <= most.0 {
        return Ok(());
    }
    Err(Failure::new("too-large", format!("the call {does} more than the {most} that one call may")))
}
