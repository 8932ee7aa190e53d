use std::sync::Arc;
use std::sync::atomic::Ordering;

use event_listener::Event;

use crate::sync::AtomicUsize;

/// The entrance to one plugin's code: counts who is inside, and lets nobody in once it is closed.
#[derive(Debug, Default)]
pub struct Gate {
    /// Twice the number of those inside, plus one once closed.
    state: AtomicUsize,
    left: Event,
}

/// The right to be inside a [`Gate`]; leaves when dropped.
#[derive(Debug)]
pub struct Pass(Arc<Gate>);

const CLOSED: usize = 1;
const ONE_INSIDE: usize = 2;

impl Gate {
    /// Lets the caller in, unless the gate is closed.
    pub fn enter(self: &Arc<Self>) -> Option<Pass> {
        let before = self.state.fetch_add(ONE_INSIDE, Ordering::SeqCst);
        let pass = Pass(Arc::clone(self));
        (before & CLOSED == 0).then_some(pass)
    }

    /// Lets nobody in from now on.
    pub fn close(&self) {
        self.state.fetch_or(CLOSED, Ordering::SeqCst);
    }

    /// Whether nobody is let in any more.
    pub fn is_closed(&self) -> bool {
        self.state.load(Ordering::SeqCst) & CLOSED != 0
    }

    /// How many are inside.
    pub fn inside(&self) -> usize {
        self.state.load(Ordering::SeqCst) / ONE_INSIDE
    }

    /// Waits until nobody is inside. Dropping the future loses nothing.
    pub async fn drained(&self) {
        while self.inside() > 0 {
            let left = self.left.listen();
            // Whoever left between the look and the listening would wake nobody.
            if self.inside() > 0 {
                left.await;
            }
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let before = self.0.state.fetch_sub(ONE_INSIDE, Ordering::SeqCst);
        if before & CLOSED != 0 {
            self.0.left.notify(usize::MAX);
        }
    }
}
