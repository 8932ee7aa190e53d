use std::sync::atomic::{AtomicU64, Ordering};

use tapline_core::{Bytes, Failure, Limits};

/// What all calls of one plugin have taken from the host, and left with it.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    taken: AtomicU64,
    left: AtomicU64,
}

/// What crosses the boundary in one call, in bytes as they are sent.
#[derive(Debug)]
pub(crate) struct Traffic<'a> {
    totals: &'a Totals,
    limits: &'a Limits,
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
}

impl<'a> Traffic<'a> {
    pub(crate) const fn new(totals: &'a Totals, limits: &'a Limits) -> Self {
        Self { totals, limits, taken: 0, left: 0 }
    }

    /// Takes so many bytes to the process, if the call may.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Failure> {
        self.taken = self.taken.saturating_add(bytes as u64);
        within(self.taken, self.limits.input, "takes")
    }

    /// Leaves so many bytes with the host, if the call may.
    pub(crate) fn leave(&mut self, bytes: usize) -> Result<(), Failure> {
        self.left = self.left.saturating_add(bytes as u64);
        within(self.left, self.limits.output, "leaves")
    }
}

impl Drop for Traffic<'_> {
    fn drop(&mut self) {
        self.totals.taken.fetch_add(self.taken, Ordering::Relaxed);
        self.totals.left.fetch_add(self.left, Ordering::Relaxed);
    }
}

fn within(bytes: u64, most: Bytes, does: &str) -> Result<(), Failure> {
    if bytes <= most.0 {
        return Ok(());
    }
    Err(Failure::new("too-large", format!("the call {does} more than the {most} that one call may")))
}
