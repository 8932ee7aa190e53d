use tapline_core::{Failure, Level, Value};

use crate::Result;
use crate::guest::bindings::tapline::plugin::{chain, context, events, log, peers, types};

/// The host, reached through the imports of the contract.
#[derive(Debug)]
pub(super) struct Host;

impl Host {
    pub(super) fn get(&self, path: &str) -> Result<Option<Value>> {
        context::get(path).map_err(failure)?.map(|json| value(&json)).transpose()
    }

    pub(super) fn set(&self, path: &str, value: Value) -> Result<()> {
        context::set(path, &value.to_json()).map_err(failure)
    }

    pub(super) async fn next(&self) -> Result<()> {
        chain::next().map_err(failure)
    }

    pub(super) async fn call(&self, point: &str, key: &str, method: &str, request: Value) -> Result<Value> {
        let answer = peers::call(point, key, method, &request.to_json()).map_err(failure)?;
        value(&answer)
    }

    pub(super) fn publish(&self, topic: &str, payload: Value) -> Result<usize> {
        let count = events::publish(topic, &payload.to_json()).map_err(failure)?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    pub(super) fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Debug => log::Level::Debug,
            Level::Info => log::Level::Info,
            Level::Warn => log::Level::Warn,
            Level::Error => log::Level::Error,
        };
        log::log(level, message);
    }
}

fn value(json: &str) -> Result<Value> {
    Value::from_json(json).map_err(|error| Failure::from_error("contract", error))
}

fn failure(failure: types::Failure) -> Failure {
    let details = failure.details.and_then(|json| Value::from_json(&json).ok());
    Failure::new(failure.code, failure.message).with_details(details.unwrap_or_default())
}
