use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use crate::driver::Driver;
use crate::hook::error::{HookError, LayerName};
use crate::plugin::BoxFuture;

/// Something that happened to a hook and that no caller learns of.
#[derive(Debug)]
#[non_exhaustive]
pub enum HookEvent<'a> {
    /// A hook failed, and the call went on.
    Failed {
        /// The hook.
        layer: &'a LayerName,
        /// What it answered.
        error: &'a HookError,
    },
    /// A hook broke so often that it is not entered any more. Told once.
    Quarantined {
        /// The hook.
        layer: &'a LayerName,
    },
}

/// Who is told of [`HookEvent`]s; called while a call is under way, so it must not block.
pub type HookObserver = Arc<dyn Fn(&HookEvent<'_>) + Send + Sync>;

/// What the layers of a registry share: its driver, and those who watch.
pub(crate) struct Watch {
    driver: Arc<dyn Driver>,
    observers: RwLock<Vec<HookObserver>>,
}

impl Watch {
    pub(crate) fn new(driver: Arc<dyn Driver>) -> Arc<Self> {
        Arc::new(Self { driver, observers: RwLock::default() })
    }

    pub(crate) fn now(&self) -> Instant {
        self.driver.now()
    }

    pub(crate) fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()> {
        self.driver.sleep_until(deadline)
    }

    pub(crate) fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.driver.spawn(task);
    }

    pub(crate) fn observe(&self, observer: HookObserver) {
        self.observers.write().unwrap_or_else(PoisonError::into_inner).push(observer);
    }

    pub(crate) fn tell(&self, event: &HookEvent<'_>) {
        let observers = self.observers.read().unwrap_or_else(PoisonError::into_inner).clone();
        for observer in observers {
            observer(event);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Watch").finish_non_exhaustive()
    }
}
