use std::time::Instant;

use tapline_core::{BoxFuture, Driver};
use tokio::runtime::Handle;

/// Time and tasks of the tokio runtime that a call runs in.
#[derive(Debug)]
pub(crate) struct TokioDriver;

impl Driver for TokioDriver {
    fn now(&self) -> Instant {
        // Stands still where a test has stopped the clock.
        tokio::time::Instant::now().into_std()
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep_until(deadline.into()))
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        // A call that is dropped outside of any runtime, at the end of the process, has nobody left to tell.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(task);
        }
    }
}
