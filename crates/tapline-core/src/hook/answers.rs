//! The modes that are no chain: every hook is asked, and the mode says what becomes of the answers.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;

use crate::hook::chain::within_plugin;
use crate::hook::chain::{Entry, HookChain};
use crate::hook::error::{HookError, LayerName};
use crate::hook::layer::{Body, Outcome};
use crate::hook::{boundary, typed};
use crate::payload::Payload;
use crate::scope::{Place, within};

/// An answer, and the hook that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<O> {
    /// Who gave it.
    pub by: LayerName,
    /// What was answered.
    pub value: O,
}

impl<T: Payload> HookChain<T, T> {
    /// Threads a value through the hooks; one without an answer leaves it as it is.
    pub(crate) async fn filter(&self, mut value: T) -> Outcome<T> {
        for entry in &self.layers {
            if let Some(answer) = ask(entry, &value).await? {
                value = answer.value;
            }
        }
        Ok(value)
    }
}

impl<I: Payload, O: Payload> HookChain<I, O> {
    /// Asks one hook after the other until one has an answer.
    pub(crate) async fn first(&self, input: &I) -> Outcome<Option<Answer<O>>> {
        for entry in &self.layers {
            if let Some(answer) = ask(entry, input).await? {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    /// Asks all hooks at once; the first in order that has an answer wins, whoever is done first.
    pub(crate) async fn first_at_once(&self, input: &I) -> Outcome<Option<Answer<O>>>
    where
        I: Sync,
    {
        let mut answers: FuturesOrdered<_> = self.layers.iter().map(|entry| ask(entry, input)).collect();
        while let Some(answer) = answers.next().await {
            if let Some(answer) = answer? {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    /// Asks all hooks, one after the other.
    pub(crate) async fn collect(&self, input: &I) -> Outcome<Vec<Answer<O>>> {
        let mut answers = Vec::new();
        for entry in &self.layers {
            answers.extend(ask(entry, input).await?);
        }
        Ok(answers)
    }
}

impl<I: Payload> HookChain<I, ()> {
    /// Tells all hooks, whatever any of them answers.
    pub(crate) async fn notify<'a>(&'a self, order: impl Iterator<Item = &'a Entry<I, ()>>, input: &I) {
        for entry in order {
            if let Err(error) = ask(entry, input).await {
                entry.0.tell_failed(&error);
            }
        }
    }
}

/// Asks one hook. `None` when it has no answer, is not for this call, or may be skipped and has failed.
async fn ask<I: Payload, O: Payload>((layer, body): &Entry<I, O>, input: &I) -> Outcome<Option<Answer<O>>> {
    let Some(_pass) = layer.enter(input)? else { return Ok(None) };
    let answer = match &**body {
        Body::Answer(run) => typed::answer(layer, run, input),
        Body::SlowAnswer(run) => within_plugin(layer, typed::slow_answer(layer, run, input)).await,
        Body::Boundary(hook) => within_plugin(layer, boundary::answer(layer, &**hook, input)).await,
        // A point of these modes takes hooks of kind answer alone.
        _ => Ok(None),
    };
    match answer.map_err(|error| error.arisen_in(layer)) {
        Ok(answer) => Ok(answer.map(|value| Answer { by: layer.name.clone(), value })),
        Err(error) if layer.can_be_skipped() => {
            layer.tell_failed(&error);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Runs a call of a point of one of these modes.
pub(crate) async fn called<T>(point: &Arc<str>, call: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    within(Place::call(point).map_err(HookError::from)?, call).await
}
