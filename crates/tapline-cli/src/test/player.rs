use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tapline::core::{Priority, Request};
use tapline::pipeline::Engine;
use tapline::{Failure, HookError, PluginId, Value};
use tapline_test_kit::Mismatch;

use super::complaints::Complaints;
use super::traffic::Exchange;

/// Answers in the place of providers what was recorded: to the nth request that asks something, the nth answer to it.
#[derive(Debug)]
pub(super) struct Player {
    recorded: Mutex<HashMap<String, VecDeque<Exchange>>>,
    complaints: Arc<Complaints>,
}

/// The name under which the player stands in explanations.
const NAME: &str = "tapline-test-player";

impl Player {
    pub(super) fn new(exchanges: &[Exchange], complaints: Arc<Complaints>) -> Arc<Self> {
        let mut recorded: HashMap<_, VecDeque<_>> = HashMap::new();
        for exchange in exchanges {
            recorded.entry(exchange.question()).or_default().push_back(exchange.clone());
        }
        Arc::new(Self { recorded: Mutex::new(recorded), complaints })
    }

    /// Joins in around the requests of an engine: where they were recorded, and before they would wait for their turn.
    pub(super) fn join(self: &Arc<Self>, engine: &Engine) -> Result<()> {
        let player = Arc::clone(self);
        let hook = engine.provider_request().around("replay", move |request, _| {
            let answer = player.answer(&request);
            let answer = answer.map_err(|failure| HookError::arisen_in_core(failure.into()));
            Box::pin(std::future::ready(answer))
        });
        let hook = hook.priority(Priority::new(100)?).before("pipeline/rate");
        Ok(engine.host().join(&PluginId::new(NAME)?, vec![hook])?)
    }

    fn answer(&self, request: &Request) -> Result<Value, Failure> {
        let asked = Exchange::of(request);
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        let known = recorded.get_mut(&asked.question());
        let what = match &known {
            None => "a provider is asked what was not recorded; `--record` records it",
            Some(_) => "a provider is asked more often than was recorded; `--record` records it anew",
        };
        match known.and_then(VecDeque::pop_front) {
            Some(exchange) => exchange.outcome(),
            None => {
                self.complaints.add(Mismatch::other(what, asked.asked()));
                Err(Failure::new("not-recorded", what))
            }
        }
    }
}
