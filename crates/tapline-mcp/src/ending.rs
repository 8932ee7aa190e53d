use std::sync::{Arc, Mutex, PoisonError};

use tapline_core::{CallError, Fault};
use tapline_process::LastWords;
use tokio::sync::Notify;

/// That a server has ended, or is about to, and why.
#[derive(Debug)]
pub(crate) struct Ending {
    plugin: String,
    reason: Mutex<Option<String>>,
    end: Notify,
    /// What it complained of before.
    pub(crate) words: Arc<LastWords>,
}

impl Ending {
    pub(crate) fn new(plugin: &str) -> Self {
        let (reason, end, words) = (Mutex::default(), Notify::new(), Arc::default());
        Self { plugin: plugin.to_owned(), reason, end, words }
    }

    /// Has the server end, if it is not about to anyway.
    pub(crate) fn end(&self, reason: impl Into<String>) {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| reason.into());
        self.end.notify_one();
    }

    /// Waits until it is to end. Cancel safe.
    pub(crate) async fn wanted(&self) {
        self.end.notified().await;
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Why there is no answer from the server any more.
    pub(crate) fn fault(&self) -> CallError {
        let reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let reason = reason.unwrap_or_else(|| "it has ended".to_owned());
        let mut message = format!("MCP server `{}`: {reason}", self.plugin);
        let words = self.words.text();
        if !words.is_empty() {
            message = format!("{message}; the last that it wrote:\n{words}");
        }
        Fault::Process { message }.into()
    }
}
