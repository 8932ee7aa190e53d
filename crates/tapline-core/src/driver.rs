use std::time::Instant;

use crate::plugin::BoxFuture;

/// What hook calls need of whoever runs futures: time and tasks. A host brings those of its async runtime.
pub trait Driver: Send + Sync {
    /// The time, which tests may stop.
    fn now(&self) -> Instant;

    /// Waits until a time has come. Dropping the future ends the waiting.
    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()>;

    /// Runs a task to its end though whoever began it has gone.
    fn spawn(&self, task: BoxFuture<'static, ()>);
}

/// A driver for tests: time stands still, and what is spawned is dropped.
#[cfg(test)]
pub(crate) mod manual {
    use std::sync::Arc;

    use super::{BoxFuture, Driver, Instant};

    pub(crate) struct Manual(Instant);

    impl Manual {
        pub(crate) fn new() -> Arc<Self> {
            Arc::new(Self(Instant::now()))
        }
    }

    impl Driver for Manual {
        fn now(&self) -> Instant {
            self.0
        }

        fn sleep_until(&self, _: Instant) -> BoxFuture<'static, ()> {
            Box::pin(std::future::pending())
        }

        fn spawn(&self, _: BoxFuture<'static, ()>) {}
    }
}
