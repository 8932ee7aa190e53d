use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tapline_core::{Bytes, Failure, Limits};

/// What all calls of one plugin have taken from the host, left with it, and computed.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    taken: AtomicU64,
    left: AtomicU64,
    /// In nanoseconds.
    computed: AtomicU64,
}

/// What crosses the boundary in one call.
#[derive(Debug)]
pub(crate) struct Traffic {
    totals: Arc<Totals>,
    most_in: Bytes,
    most_out: Bytes,
    taken: u64,
    left: u64,
}

impl Totals {
    pub(crate) fn taken(&self) -> Bytes {
        Bytes(self.taken.load(Ordering::Relaxed))
    }

    pub(crate) fn left(&self) -> Bytes {
        Bytes(self.left.load(Ordering::Relaxed))
    }

    pub(crate) fn computed(&self) -> Duration {
        Duration::from_nanos(self.computed.load(Ordering::Relaxed))
    }
}

impl Traffic {
    pub(crate) const fn new(totals: Arc<Totals>, limits: &Limits) -> Self {
        Self { totals, most_in: limits.input, most_out: limits.output, taken: 0, left: 0 }
    }

    /// Takes so many bytes into the plugin, if the call may.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Failure> {
        self.taken = self.taken.saturating_add(bytes as u64);
        within(self.taken, self.most_in, "takes")
    }

    /// Leaves so many bytes with the host, if the call may.
    pub(crate) fn leave(&mut self, bytes: usize) -> Result<(), Failure> {
        self.left = self.left.saturating_add(bytes as u64);
        within(self.left, self.most_out, "leaves")
    }

    /// Ends a call that has computed for so long, and begins anew.
    pub(crate) fn end(&mut self, computed: Duration) {
        let nanoseconds = u64::try_from(computed.as_nanos()).unwrap_or(u64::MAX);
        self.totals.computed.fetch_add(nanoseconds, Ordering::Relaxed);
        self.totals.taken.fetch_add(std::mem::take(&mut self.taken), Ordering::Relaxed);
        self.totals.left.fetch_add(std::mem::take(&mut self.left), Ordering::Relaxed);
    }
}

fn within(bytes: u64, most: Bytes, does: &str) -> Result<(), Failure> {
    if bytes <= most.0 {
        return Ok(());
    }
    Err(Failure::new("too-large", format!("the call {does} more than the {most} that one call may")))
}
