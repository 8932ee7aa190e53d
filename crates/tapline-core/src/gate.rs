use std::sync::Arc;
use std::sync::atomic::Ordering;

use event_listener::Event;

use crate::sync::AtomicUsize;

/// The entrance to one plugin's code: counts who is inside, and lets nobody in once it is closed.
#[derive(Debug, Default)]
pub struct Gate {
    /// Four times the number of those inside, plus one once closed, plus two once somebody waits for them to leave.
    state: AtomicUsize,
    left: Event,
    /// Dropped with the gate: whoever waits until nobody can enter any more waits for that.
    _holders: Option<OwnedPass>,
}

/// The right to be inside a [`Gate`]; leaves when dropped.
#[derive(Debug)]
pub struct Pass<'a>(&'a Gate);

/// A [`Pass`] that outlives whoever got it.
#[derive(Debug)]
pub struct OwnedPass(Arc<Gate>);

const CLOSED: usize = 1;
const AWAITED: usize = 2;
const ONE_INSIDE: usize = 4;

impl Gate {
    /// A gate, and another one that somebody is inside of for as long as anybody holds the first, and could enter it.
    pub(crate) fn held() -> (Arc<Self>, Arc<Self>) {
        let holders = Arc::new(Self::default());
        let held = Self { _holders: holders.enter_owned(), ..Self::default() };
        (Arc::new(held), holders)
    }

    /// Lets the caller in, unless the gate is closed.
    #[inline]
    pub fn enter(&self) -> Option<Pass<'_>> {
        let before = self.state.fetch_add(ONE_INSIDE, Ordering::SeqCst);
        let pass = Pass(self);
        (before & CLOSED == 0).then_some(pass)
    }

    /// Lets the caller in for as long as it likes, unless the gate is closed.
    pub fn enter_owned(self: &Arc<Self>) -> Option<OwnedPass> {
        self.enter().map(|pass| pass.owned_of(self))
    }

    /// Lets nobody in from now on.
    pub fn close(&self) {
        self.state.fetch_or(CLOSED, Ordering::SeqCst);
    }

    /// Whether nobody is let in any more.
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.state.load(Ordering::SeqCst) & CLOSED != 0
    }

    /// How many are inside.
    pub fn inside(&self) -> usize {
        self.state.load(Ordering::SeqCst) / ONE_INSIDE
    }

    /// Waits until nobody is inside; of a gate that is open, others may come. Dropping the future loses nothing.
    pub async fn drained(&self) {
        self.state.fetch_or(AWAITED, Ordering::SeqCst);
        while self.inside() > 0 {
            let left = self.left.listen();
            // Whoever left between the look and the listening would wake nobody.
            if self.inside() > 0 {
                left.await;
            }
        }
    }

    #[inline]
    fn leave(&self) {
        let before = self.state.fetch_sub(ONE_INSIDE, Ordering::SeqCst);
        if before & AWAITED != 0 {
            self.left.notify(usize::MAX);
        }
    }
}

impl Pass<'_> {
    /// The same right, which outlives the borrow of its gate.
    pub(crate) fn owned_of(self, gate: &Arc<Gate>) -> OwnedPass {
        debug_assert!(std::ptr::eq(self.0, &raw const **gate), "a pass is for one gate");
        std::mem::forget(self);
        OwnedPass(Arc::clone(gate))
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Drop for OwnedPass {
    fn drop(&mut self) {
        self.0.leave();
    }
}
