use std::sync::Arc;

use tapline_core::{CallContext, CallError, Level, Value};

use crate::Result;

/// The host, reached directly.
#[derive(Debug)]
pub(super) struct Host(pub(super) Arc<CallContext>);

impl Host {
    pub(super) fn get(&self, path: &str) -> Result<Option<Value>> {
        self.0.get(path).map_err(|denied| CallError::from(denied).to_failure())
    }

    pub(super) fn set(&self, path: &str, value: Value) -> Result<()> {
        self.0.set(path, value).map_err(|error| error.to_failure())
    }

    pub(super) async fn next(&self) -> Result<()> {
        self.0.next().await
    }

    pub(super) async fn call(&self, point: &str, key: &str, method: &str, request: Value) -> Result<Value> {
        self.0.call(point, key, method, request).await.map_err(|error| error.to_failure())
    }

    pub(super) fn publish(&self, topic: &str, payload: Value) -> Result<usize> {
        self.0.publish(topic, payload).map_err(|error| error.to_failure())
    }

    pub(super) fn log(&self, level: Level, message: &str) {
        self.0.log(level, message);
    }
}
