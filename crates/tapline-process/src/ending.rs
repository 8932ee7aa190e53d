use std::sync::{Arc, Mutex, PoisonError};

use tapline_core::{CallError, Fault};
use tokio::sync::Notify;

use crate::lines::LastWords;

/// That what was started has ended, or is about to, and why.
#[derive(Debug)]
pub struct Ending {
    who: String,
    reason: Mutex<Option<String>>,
    end: Notify,
    words: Arc<LastWords>,
}

/// Ends what has not become ready by the time that this is dropped.
#[derive(Debug)]
pub struct Unready(Option<Arc<Ending>>);

impl Ending {
    /// That of something which runs; `who` stands before the reason when somebody is told of its end.
    pub fn of(who: impl Into<String>) -> Self {
        Self { who: who.into(), reason: Mutex::default(), end: Notify::new(), words: Arc::default() }
    }

    /// Has it end, if it is not about to anyway; the first reason counts.
    pub fn end(&self, reason: impl Into<String>) {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| reason.into());
        self.end.notify_one();
    }

    /// Waits until it is to end. Cancel safe.
    pub async fn wanted(&self) {
        self.end.notified().await;
    }

    /// Whether it has ended, or is about to.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.reason().is_some()
    }

    /// Why it has ended, once it has.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it complained of before.
    #[must_use]
    pub const fn words(&self) -> &Arc<LastWords> {
        &self.words
    }

    /// Why there is no answer from it any more.
    #[must_use]
    pub fn fault(&self) -> CallError {
        let reason = self.reason().unwrap_or_else(|| "it has ended".to_owned());
        let mut message = format!("{}{reason}", self.who);
        let words = self.words.text();
        if !words.is_empty() {
            message = format!("{message}; the last that it wrote:\n{words}");
        }
        Fault::Process { message }.into()
    }

    /// Ends it unless it becomes ready.
    #[must_use]
    pub fn unless_ready(self: &Arc<Self>) -> Unready {
        Unready(Some(Arc::clone(self)))
    }
}

impl Unready {
    /// It is ready.
    pub fn ready(mut self) {
        self.0 = None;
    }
}

impl Drop for Unready {
    fn drop(&mut self) {
        if let Some(ending) = self.0.take() {
            ending.end("it did not make itself ready");
        }
    }
}
