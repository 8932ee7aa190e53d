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

/// A driver for tests: time stands still until it is moved, and tasks wait until they are run.
#[cfg(test)]
pub(crate) mod manual {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use futures_util::FutureExt as _;

    use super::{BoxFuture, Driver, Instant};

    pub(crate) struct Manual {
        now: Mutex<Instant>,
        tasks: Mutex<Vec<BoxFuture<'static, ()>>>,
    }

    impl Manual {
        pub(crate) fn new() -> Arc<Self> {
            Arc::new(Self { now: Mutex::new(Instant::now()), tasks: Mutex::default() })
        }

        pub(crate) fn advance(&self, time: Duration) {
            *self.now.lock().unwrap() += time;
        }

        /// Runs the tasks that were spawned; none of them may have to wait.
        pub(crate) fn run_tasks(&self) -> usize {
            let tasks = std::mem::take(&mut *self.tasks.lock().unwrap());
            tasks.into_iter().map(|task| task.now_or_never().unwrap()).count()
        }
    }

    impl Driver for Manual {
        fn now(&self) -> Instant {
            *self.now.lock().unwrap()
        }

        fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()> {
            if deadline <= self.now() { Box::pin(async {}) } else { Box::pin(std::future::pending()) }
        }

        fn spawn(&self, task: BoxFuture<'static, ()>) {
            self.tasks.lock().unwrap().push(task);
        }
    }
}
