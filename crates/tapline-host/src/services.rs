use std::sync::{Arc, Weak};
use std::time::Duration;

use tapline_core::{BoxFuture, CallError, Event, Level, PluginId, Request, Services, Value, within_deadline};

use tokio::time::{Instant, timeout_at};

use crate::shared::Shared;

/// How long a plugin waits for another one.
const CALL: Duration = Duration::from_secs(5);

/// What running plugins reach of their host.
pub(crate) struct HostServices(pub(crate) Weak<Shared>);

impl Services for HostServices {
    fn log(&self, plugin: &PluginId, level: Level, message: &str) {
        let message = neutral(message);
        match level {
            Level::Debug => tracing::debug!(target: "tapline::plugin", %plugin, "{message}"),
            Level::Info => tracing::info!(target: "tapline::plugin", %plugin, "{message}"),
            Level::Warn => tracing::warn!(target: "tapline::plugin", %plugin, "{message}"),
            Level::Error => tracing::error!(target: "tapline::plugin", %plugin, "{message}"),
        }
    }

    fn publish(&self, event: &Event) -> usize {
        self.0.upgrade().map_or(0, |host| host.bus.publish(event))
    }

    fn call<'a>(
        &'a self,
        point: &'a str,
        key: &'a str,
        method: &'a str,
        request: Value,
    ) -> BoxFuture<'a, Result<Value, CallError>> {
        let host = self.0.upgrade();
        Box::pin(async move {
            let gone = || CallError::NoSuchContribution { point: point.into(), key: key.into() };
            let host = host.ok_or_else(gone)?;
            let deadline = Instant::now() + CALL;
            let request = Arc::clone(&host).request(Request::new(point, key, method, request));
            let answer = timeout_at(deadline, within_deadline(deadline.into_std(), request)).await;
            let answer = answer.map_err(|_| CallError::DeadlineExceeded { limit: CALL })?;
            answer.map_err(|error| error.cause().clone())
        })
    }
}

/// The text without what could steer a terminal: control characters become visible, line breaks and tabs stay.
fn neutral(message: &str) -> String {
    let is_steering = |c: char| c.is_control() && c != '\n' && c != '\t';
    message.chars().map(|c| if is_steering(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::neutral;

    #[test]
    fn a68_a_log_line_cannot_steer_the_terminal() {
        assert_eq!(neutral("\u{1b}[31mred\r\u{9b}x\nnext"), "\u{fffd}[31mred\u{fffd}\u{fffd}x\nnext");
    }
}
