//! What threads share. With the feature `shuttle` a scheduler of the tests controls it, so that they can try one
//! interleaving after the other.

#[cfg(not(feature = "shuttle"))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicUsize};
#[cfg(not(feature = "shuttle"))]
pub(crate) use std::sync::{Mutex, MutexGuard};
#[cfg(not(feature = "shuttle"))]
pub(crate) use std::thread_local;

#[cfg(feature = "shuttle")]
pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicUsize};
#[cfg(feature = "shuttle")]
pub(crate) use shuttle::sync::{Mutex, MutexGuard};
#[cfg(feature = "shuttle")]
pub(crate) use shuttle::thread_local;

pub(crate) use swap::{Loaded, Swap};

#[cfg(not(feature = "shuttle"))]
mod swap {
    use std::sync::Arc;

    use arc_swap::{ArcSwap, Guard};

    /// A value that was read, and lives at least as long as this.
    pub(crate) type Loaded<T> = Guard<Arc<T>>;

    /// A shared value that is replaced whole.
    pub(crate) struct Swap<T>(ArcSwap<T>);

    impl<T> Swap<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(ArcSwap::from_pointee(value))
        }

        /// The value as it is now.
        #[inline]
        pub(crate) fn load(&self) -> Loaded<T> {
            self.0.load()
        }

        pub(crate) fn store(&self, value: T) {
            self.0.store(Arc::new(value));
        }
    }
}

#[cfg(feature = "shuttle")]
mod swap {
    use std::sync::{Arc, PoisonError};

    use super::Mutex;

    /// A value that was read, and lives at least as long as this.
    pub(crate) type Loaded<T> = Arc<T>;

    /// A shared value that is replaced whole.
    pub(crate) struct Swap<T>(Mutex<Arc<T>>);

    impl<T> Swap<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(Mutex::new(Arc::new(value)))
        }

        /// The value as it is now.
        pub(crate) fn load(&self) -> Loaded<T> {
            Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
        }

        pub(crate) fn store(&self, value: T) {
            let before = std::mem::replace(
                &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner),
                Arc::new(value),
            );
            drop(before);
        }
    }
}
