//! The handles of points that are no chain.

use std::sync::Arc;

use crate::failure::Failure;
use crate::hook::answers::{Answer, called};
use crate::hook::chain::HookChain;
use crate::hook::declaration::PointInfo;
use crate::hook::error::HookError;
use crate::hook::layer::{Body, Hook};
use crate::hook::point::Slot;
use crate::manifest::HookKind;
use crate::payload::Payload;
use crate::plugin::BoxFuture;

/// A point through whose hooks a value goes: each leaves it as it is or puts another one in its place.
///
/// `None` leaves the value; where the type has a null, answering with it puts null in its place.
#[derive(Debug, Clone)]
pub struct FilterPoint<T>(pub(crate) Slot<T, T>);

/// A point at which the first answer wins.
#[derive(Debug, Clone)]
pub struct FirstPoint<I, O>(pub(crate) Slot<I, O>);

/// A point that collects the answers of all hooks, in their order.
#[derive(Debug, Clone)]
pub struct CollectPoint<I, O>(pub(crate) Slot<I, O>);

/// A point that tells all hooks of something. What they answer, and that they fail, never reaches the caller.
#[derive(Debug, Clone)]
pub struct NotifyPoint<I>(pub(crate) Slot<I, ()>);

impl<T: Payload> FilterPoint<T> {
    /// Sends a value through the hooks. Dropping the future ends the call.
    ///
    /// # Errors
    /// The error of the first hook that failed and may not be skipped.
    pub async fn call(&self, value: T) -> Result<T, HookError> {
        match self.0.current() {
            Some(chain) if !self.0.is_empty() => called(&self.0.info.id, chain.filter(value)).await,
            _ => Ok(value),
        }
    }
}

impl<I: Payload, O: Payload> FirstPoint<I, O> {
    /// Asks one hook after the other until one has an answer. Dropping the future ends the call.
    ///
    /// # Errors
    /// The error of the first hook that failed and may not be skipped.
    pub async fn call(&self, input: &I) -> Result<Option<Answer<O>>, HookError>
    where
        I: Sync,
    {
        let Some(chain) = self.0.current() else { return Ok(None) };
        called(&self.0.info.id, chain.first(input)).await
    }

    /// Asks all hooks at once. The first in order that has an answer wins, though a later one may be done before it;
    /// those that still run then are dropped.
    ///
    /// # Errors
    /// The error of the first hook in order that failed and may not be skipped, if no hook before it had an answer.
    pub async fn call_at_once(&self, input: &I) -> Result<Option<Answer<O>>, HookError>
    where
        I: Sync,
    {
        let Some(chain) = self.0.current() else { return Ok(None) };
        called(&self.0.info.id, chain.first_at_once(input)).await
    }
}

impl<I: Payload, O: Payload> CollectPoint<I, O> {
    /// Asks all hooks, one after the other. Dropping the future ends the call.
    ///
    /// # Errors
    /// The error of the first hook that failed and may not be skipped.
    pub async fn call(&self, input: &I) -> Result<Vec<Answer<O>>, HookError>
    where
        I: Sync,
    {
        let Some(chain) = self.0.current() else { return Ok(Vec::new()) };
        called(&self.0.info.id, chain.collect(input)).await
    }
}

impl<I: Payload> NotifyPoint<I> {
    /// Tells all hooks in their order. Dropping the future leaves the rest untold.
    pub async fn call(&self, input: &I)
    where
        I: Sync,
    {
        let Some(chain) = self.told() else { return };
        self.tell(chain.notify(chain.layers.iter(), input)).await;
    }

    /// Tells all hooks in the reverse of their order: for the end of something whose begin was told in order.
    pub async fn call_in_reverse(&self, input: &I)
    where
        I: Sync,
    {
        let Some(chain) = self.told() else { return };
        self.tell(chain.notify(chain.layers.iter().rev(), input)).await;
    }

    /// Those who are told, if there are any.
    fn told(&self) -> Option<Arc<HookChain<I, ()>>> {
        if self.0.is_empty() { None } else { self.0.current() }
    }

    /// What is told cannot fail, and points that notify each other without end are cut off.
    async fn tell(&self, told: impl Future<Output = ()>) {
        let told = async {
            told.await;
            Ok(())
        };
        let _ = called(&self.0.info.id, told).await;
    }
}

/// Gives a point of answers what makes hooks for it.
macro_rules! answering {
    ($($point:ident<$($parameter:ident),+>: $input:ident => $output:ty;)*) => {
        $(
            impl<$($parameter: Payload),+> $point<$($parameter),+> {
                /// What is known of the point without its types.
                #[must_use]
                pub fn info(&self) -> &PointInfo {
                    &self.0.info
                }

                /// A hook that answers at once: with a value, or with `None` when it has none.
                pub fn answer<F>(&self, name: &str, run: F) -> Hook
                where
                    F: Fn(&$input) -> Result<Option<$output>, Failure> + Send + Sync + 'static,
                {
                    self.0.hook(name, HookKind::Answer, Body::Answer(Box::new(run)))
                }

                /// A hook that answers when it is done.
                pub fn slow_answer<F>(&self, name: &str, run: F) -> Hook
                where
                    F: for<'a> Fn(&'a $input) -> BoxFuture<'a, Result<Option<$output>, Failure>>
                        + Send
                        + Sync
                        + 'static,
                {
                    self.0.hook(name, HookKind::Answer, Body::SlowAnswer(Box::new(run)))
                }
            }
        )*
    };
}

answering! {
    FilterPoint<T>: T => T;
    FirstPoint<I, O>: I => O;
    CollectPoint<I, O>: I => O;
    NotifyPoint<I>: I => ();
}
