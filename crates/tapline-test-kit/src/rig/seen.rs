use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tapline::Value;
use tapline::core::{Act, Event, Level};
use tokio::sync::watch;

/// What a plugin has done, in order. Handles to it share what was seen.
#[derive(Clone)]
pub struct Seen(Arc<Shared>);

struct Shared {
    noted: Mutex<Noted>,
    /// How often something was noted.
    count: watch::Sender<usize>,
}

#[derive(Default)]
struct Noted {
    calls: Vec<SeenCall>,
    requests: Vec<SeenRequest>,
    events: Vec<Event>,
    log: Vec<(Level, String)>,
    audit: Vec<String>,
}

/// A call of another plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenCall {
    /// What was called: `point/key`, or a plugin's id.
    pub target: String,
    /// The method.
    pub method: String,
    /// What it was asked.
    pub request: Value,
}

/// A request over http, with secrets in their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// The method, in upper case.
    pub method: String,
    /// The address.
    pub url: String,
    /// The headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// What was sent; what is no text in it is replaced.
    pub body: String,
}

impl Default for Seen {
    fn default() -> Self {
        Self(Arc::new(Shared { noted: Mutex::default(), count: watch::Sender::new(0) }))
    }
}

impl Seen {
    /// The calls of other plugins.
    #[must_use]
    pub fn calls(&self) -> Vec<SeenCall> {
        self.noted().calls.clone()
    }

    /// The requests over http.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.noted().requests.clone()
    }

    /// The events that were published, by the test too.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.noted().events.clone()
    }

    /// The lines that were logged.
    #[must_use]
    pub fn log(&self) -> Vec<(Level, String)> {
        self.noted().log.clone()
    }

    /// The privileged acts and the refusals, a line each: `call provider/echo`, `request GET https://…: refused: …`.
    #[must_use]
    pub fn audit(&self) -> Vec<String> {
        self.noted().audit.clone()
    }

    /// Waits until what was seen is as expected. It ends by itself only then: give it a time.
    pub async fn wait(&self, expected: impl Fn(&Self) -> bool + Send) {
        let mut count = self.0.count.subscribe();
        while !expected(self) {
            // The sender is this one's own, so there is always another change to wait for.
            let _ = count.changed().await;
        }
    }

    pub(super) fn note_call(&self, call: SeenCall) {
        self.note(|noted| noted.calls.push(call));
    }

    pub(super) fn note_request(&self, request: SeenRequest) {
        self.note(|noted| noted.requests.push(request));
    }

    pub(super) fn note_event(&self, event: Event) {
        self.note(|noted| noted.events.push(event));
    }

    pub(super) fn note_line(&self, level: Level, message: &str) {
        self.note(|noted| noted.log.push((level, message.to_owned())));
    }

    pub(super) fn note_act(&self, act: &Act<'_>) {
        let refusal = act.refusal.map_or_else(String::new, |reason| format!(": refused: {reason}"));
        let line = format!("{} {}{refusal}", act.action, act.target);
        self.note(|noted| noted.audit.push(line));
    }

    fn note(&self, note: impl FnOnce(&mut Noted)) {
        note(&mut self.noted());
        self.0.count.send_modify(|count| *count += 1);
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noted = self.noted();
        let mut shown = formatter.debug_struct("Seen");
        shown.field("calls", &noted.calls).field("requests", &noted.requests).field("events", &noted.events);
        shown.field("log", &noted.log).field("audit", &noted.audit).finish()
    }
}
