use std::sync::{Arc, Weak};
use std::time::Duration;

use tapline_core::{
    Act, BoxFuture, Call, CallError, CallTarget, Caller, Contribution, DENIED, Denied, Event, Failure, Files,
    Grants, HttpCall, HttpResponse, Level, Limits, METHODS, Origin, Phase, PluginId, Request, Services,
    Value, within_deadline,
};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::deadline::after;
use crate::files::PluginFiles;
use crate::http::Http;
use crate::rates::Rates;
use crate::shared::Shared;
use crate::time::PluginTime;
use crate::usage::Usage;

/// How long a plugin waits for another one, unless it says so itself.
const CALL: Duration = Duration::from_secs(5);
/// So much of a log line is kept, in bytes.
const LONGEST_LINE: usize = 8 << 10;
/// So many calls that nobody waits for a plugin may have under way.
const CASTS: usize = 1024;

/// What one running plugin reaches of its host.
pub(crate) struct HostServices {
    host: Weak<Shared>,
    casts: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    usage: Arc<Usage>,
    files: Arc<PluginFiles>,
    time: PluginTime,
    rates: Rates,
}

impl HostServices {
    pub(crate) fn new(host: Weak<Shared>, usage: Arc<Usage>, files: PluginFiles, limits: &Limits) -> Self {
        let (casts, files) = (Arc::new(Semaphore::new(CASTS)), Arc::new(files));
        // One for each call that may be inside; a plugin that makes more of them waits for its turn.
        let requests = Arc::new(Semaphore::new(limits.calls as usize));
        let clock = host.upgrade().map(|host| host.clock.clone()).unwrap_or_default();
        let time = PluginTime::new(clock);
        Self { host, casts, requests, usage, files, time, rates: Rates::new(limits) }
    }
}

impl Services for HostServices {
    fn audit(&self, act: &Act<'_>) {
        self.usage.count(act);
        if let Some(host) = self.host.upgrade() {
            host.audit(act);
        }
    }

    fn log(&self, plugin: &PluginId, level: Level, message: &str) {
        let message = neutral(cut(message));
        let Some(dropped) = self.rates.log(message.len()) else { return self.usage.dropped_line() };
        if dropped > 0 {
            tracing::warn!(target: "tapline::plugin", %plugin, "{dropped} lines were dropped: it logs more than it may");
        }
        if let Some(host) = self.host.upgrade() {
            host.loggers.iter().for_each(|logger| logger(plugin, level, &message));
        }
        match level {
            Level::Debug => tracing::debug!(target: "tapline::plugin", %plugin, "{message}"),
            Level::Info => tracing::info!(target: "tapline::plugin", %plugin, "{message}"),
            Level::Warn => tracing::warn!(target: "tapline::plugin", %plugin, "{message}"),
            Level::Error => tracing::error!(target: "tapline::plugin", %plugin, "{message}"),
        }
    }

    fn publish(&self, event: &Event) -> Result<usize, Failure> {
        if !self.rates.event() {
            self.usage.refused_event();
            let message = format!("event `{}`: the plugin publishes faster than it may", event.topic);
            return Err(Failure::new("too-many", message));
        }
        Ok(self.host.upgrade().map_or(0, |host| host.bus.publish(event)))
    }

    fn call(&self, call: Call, within: Option<Duration>) -> BoxFuture<'static, Result<Value, CallError>> {
        let host = self.host.upgrade();
        Box::pin(async move {
            let host = host.ok_or_else(|| nobody(&call.target))?;
            let limit = within.unwrap_or(CALL);
            let deadline = after(Instant::now(), limit);
            let answer =
                timeout_at(deadline, within_deadline(deadline.into_std(), host.answer_to(call))).await;
            answer.map_err(|_| CallError::DeadlineExceeded { limit, phase: Phase::Running })?
        })
    }

    fn cast(&self, call: Call) -> Result<(), CallError> {
        let host = self.host.upgrade().ok_or_else(|| nobody(&call.target))?;
        let full = |_| CallError::MailboxFull { plugin: call.target.to_string(), waiting: CASTS };
        let place = Arc::clone(&self.casts).try_acquire_owned().map_err(full)?;
        let (caller, target) = (call.caller.plugin.clone(), call.target.clone());
        host.called_by(&call)?;
        // It begins anew, in no call and with no deadline: nobody waits for it.
        tokio::spawn(async move {
            if let Err(error) = host.answer_to(call).await {
                tracing::warn!(%caller, %target, %error, "a call that nobody waits for failed");
            }
            drop(place);
        });
        Ok(())
    }

    fn files(&self) -> Option<Arc<dyn Files>> {
        Some(Arc::clone(&self.files) as Arc<dyn Files>)
    }

    fn time(&self) -> Duration {
        self.time.now()
    }

    fn elapsed(&self) -> Duration {
        self.time.elapsed()
    }

    fn fill_random(&self, bytes: &mut [u8]) -> Result<(), Failure> {
        getrandom::fill(bytes).map_err(|error| Failure::new("io", error.to_string()))
    }

    fn http(&self, call: HttpCall) -> BoxFuture<'static, Result<HttpResponse, CallError>> {
        let http = self.host.upgrade().map_or_else(Http::default, |host| host.http.clone());
        http.send(call, Arc::clone(&self.requests))
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn secret(&self, name: &str) -> Option<String> {
        self.host.upgrade().and_then(|host| host.http.secrets.get(name).map(str::to_owned))
    }
}

impl Shared {
    /// Answers a call, through the hook point around its extension point if there is one.
    async fn answer_to(self: Arc<Self>, call: Call) -> Result<Value, CallError> {
        let contribution = self.called_by(&call)?;
        let Call { caller, method, request, stream, .. } = call;
        if self.wrapper(&contribution.point).is_none() {
            let origin = Origin { caller: Some(caller), stream };
            return contribution.answer(&method, request, origin).await;
        }
        let request = Request::new(&contribution.point, &contribution.key, &method, request);
        let request = match stream {
            Some(stream) => request.read_along(stream),
            None => request,
        };
        let answer = Box::pin(self.request(request.made_by(caller))).await;
        answer.map_err(|error| error.cause().clone())
    }

    /// Whoever answers to a call now, unless that is denied: a capability may lead to somebody whom the caller may not call.
    fn called_by(&self, call: &Call) -> Result<Arc<Contribution>, CallError> {
        let contribution = self.called(&call.target)?;
        let (point, key) = (Arc::clone(&contribution.point), Arc::clone(&contribution.key));
        let found = CallTarget::Contribution { point, key };
        let Caller { plugin, grants } = &call.caller;
        let denies = |denied: &Grants| denied.call.iter().any(|pattern| pattern.covers(&found));
        if !grants.denied.as_deref().is_some_and(denies) {
            return Ok(contribution);
        }
        let denied = Denied {
            plugin: plugin.to_string(),
            action: "call",
            target: call.target.to_string(),
            reason: DENIED,
        };
        self.audit_of(plugin, &Act::refused(plugin, &denied));
        Err(denied.into())
    }

    /// Tells of an act of a plugin that is loaded.
    pub(crate) fn audit_of(&self, plugin: &PluginId, act: &Act<'_>) {
        if let Some(loaded) = self.plugins().iter().find(|loaded| loaded.id() == plugin) {
            loaded.info.usage.count(act);
        }
        self.audit(act);
    }

    /// Whoever answers to a target now.
    fn called(&self, target: &CallTarget) -> Result<Arc<Contribution>, CallError> {
        let contribution = match target {
            CallTarget::Contribution { point, key } => self.registry.contribution(point, key),
            CallTarget::Capability(name) => self.registry.contribution_by_capability(METHODS, name),
        };
        contribution.ok_or_else(|| nobody(target))
    }
}

/// The error of a call that nobody answers to.
fn nobody(target: &CallTarget) -> CallError {
    match target {
        CallTarget::Contribution { point, key } if **point == *METHODS => {
            CallError::NoSuchPlugin { plugin: key.to_string() }
        }
        CallTarget::Contribution { point, key } => {
            CallError::NoSuchContribution { point: point.to_string(), key: key.to_string() }
        }
        CallTarget::Capability(name) => CallError::NoProvider { capability: name.to_string() },
    }
}

/// As much of a line as is logged.
fn cut(message: &str) -> &str {
    message.get(..message.floor_char_boundary(LONGEST_LINE)).unwrap_or_default()
}

/// The text without what could steer a terminal: control characters become visible, line breaks and tabs stay.
fn neutral(message: &str) -> String {
    let is_steering = |c: char| c.is_control() && c != '\n' && c != '\t';
    message.chars().map(|c| if is_steering(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_LINE, cut, neutral};

    #[test]
    fn a_line_is_cut_between_characters() {
        let line = "ä".repeat(LONGEST_LINE);
        assert_eq!(cut(&line).len(), LONGEST_LINE);
        assert_eq!(cut(&format!("x{line}")).len(), LONGEST_LINE - 1);
        assert_eq!(cut("short"), "short");
    }

    #[test]
    fn a68_a_log_line_cannot_steer_the_terminal() {
        assert_eq!(neutral("\u{1b}[31mred\r\u{9b}x\nnext"), "\u{fffd}[31mred\u{fffd}\u{fffd}x\nnext");
    }
}
