use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tapline_core::Bytes;
use wasmtime::ResourceLimiter;

use crate::runtime::LARGEST_MEMORY;

/// The memory of all instances of one plugin, and what the host holds for their calls.
#[derive(Debug)]
pub(crate) struct Allowance {
    limit: Bytes,
    used: AtomicU64,
    most: AtomicU64,
}

/// What one instance takes of its plugin's allowance; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct MemoryMeter {
    allowance: Arc<Allowance>,
    taken: u64,
    /// What the host holds for the call, as part of it.
    held: u64,
    was_refused: bool,
}

/// What one table element costs the host.
const TABLE_ELEMENT: u64 = 8;

impl Allowance {
    pub(crate) fn new(limit: Bytes) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicU64::new(0), most: AtomicU64::new(0) })
    }

    fn take(&self, bytes: u64) -> bool {
        let taken = |used: u64| used.checked_add(bytes).filter(|used| *used <= self.limit.0);
        let before = self.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, taken);
        if let Ok(before) = before {
            self.most.fetch_max(before + bytes, Ordering::Relaxed);
        }
        before.is_ok()
    }

    pub(crate) fn used(&self) -> Bytes {
        Bytes(self.used.load(Ordering::Relaxed))
    }

    /// The most that was ever used.
    pub(crate) fn most(&self) -> Bytes {
        Bytes(self.most.load(Ordering::Relaxed))
    }
}

impl MemoryMeter {
    pub(crate) const fn new(allowance: Arc<Allowance>) -> Self {
        Self { allowance, taken: 0, held: 0, was_refused: false }
    }

    /// Whether the instance asked for more than its plugin may have.
    pub(crate) const fn was_refused(&self) -> bool {
        self.was_refused
    }

    /// Forgets what was refused before: a call answers for itself alone.
    pub(crate) const fn start(&mut self) {
        self.was_refused = false;
    }

    /// Counts what the host holds for the call.
    pub(crate) fn hold(&mut self, bytes: usize) -> bool {
        let granted = self.allowance.take(bytes as u64);
        if granted {
            self.taken += bytes as u64;
            self.held += bytes as u64;
        }
        granted
    }

    /// Gives back what the host held for the call.
    pub(crate) fn release(&mut self) {
        let held = std::mem::take(&mut self.held);
        if held > 0 {
            self.taken -= held;
            self.allowance.used.fetch_sub(held, Ordering::SeqCst);
        }
    }

    /// What the other instances of the plugin hold.
    pub(crate) fn held_by_others(&self) -> Bytes {
        Bytes(self.allowance.used.load(Ordering::SeqCst).saturating_sub(self.taken))
    }

    pub(crate) fn limit(&self) -> Bytes {
        self.allowance.limit
    }

    fn grow(&mut self, bytes: u64) -> bool {
        let granted = self.allowance.take(bytes);
        if granted {
            self.taken += bytes;
        } else {
            self.was_refused = true;
        }
        granted
    }
}

/// What the engine would refuse after this is refused here, so that it is never paid for.
impl ResourceLimiter for MemoryMeter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let maximum = maximum.map_or(LARGEST_MEMORY, |maximum| maximum.min(LARGEST_MEMORY));
        Ok(desired <= maximum && self.grow((desired - current) as u64))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let fits = maximum.is_none_or(|maximum| desired <= maximum);
        Ok(fits && self.grow(((desired - current) as u64).saturating_mul(TABLE_ELEMENT)))
    }
}

impl Drop for MemoryMeter {
    fn drop(&mut self) {
        self.allowance.used.fetch_sub(self.taken, Ordering::SeqCst);
    }
}
