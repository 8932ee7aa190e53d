use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

/// Ends a run from outside, so that it is kept as one that somebody ended; a clone ends the same runs.
#[derive(Clone)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Stop {
    /// Ends the runs that were given this, as soon as what they are doing gives way.
    pub fn now(&self) {
        self.0.send_replace(true);
    }

    /// Comes to its end when the runs are to end. Cancel safe.
    pub(super) async fn wanted(&self) {
        let mut receiver = self.0.subscribe();
        // The sender is here, so it cannot be gone.
        let _ = receiver.wait_for(|stop| *stop).await;
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Stop").field(&*self.0.borrow()).finish()
    }
}
