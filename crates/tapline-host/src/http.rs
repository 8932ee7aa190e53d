use std::sync::Arc;
use std::time::Duration;

use tapline_core::{BoxFuture, CallError, Failure, HttpBody, HttpCall, HttpClient, HttpResponse, Phase};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::deadline::after;
use crate::settings::{Redactor, Secrets};

/// How long a request may take unless the plugin says it.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What the requests of all plugins have in common.
#[derive(Clone, Default)]
pub(crate) struct Http {
    pub(crate) client: Option<Arc<dyn HttpClient>>,
    pub(crate) secrets: Secrets,
}

/// The time by which a request has to be done.
#[derive(Clone, Copy)]
struct Deadline {
    begun: Instant,
    at: Instant,
}

/// A body that is held to its time and size, and says nothing that is secret.
struct HeldBody {
    body: Box<dyn HttpBody>,
    deadline: Deadline,
    limit: u64,
    left: u64,
    redactor: Redactor,
    is_done: bool,
    /// The request is under way until its body has been read.
    _turn: OwnedSemaphorePermit,
}

impl Http {
    /// Makes a request when it has its turn, within its time and that of the calls around it.
    pub(crate) fn send(
        self,
        call: HttpCall,
        turns: Arc<Semaphore>,
    ) -> BoxFuture<'static, Result<HttpResponse, CallError>> {
        let deadline = Deadline::of(&call);
        Box::pin(async move {
            let client = self.client.ok_or_else(|| Failure::new("not-available", "this host has no http"))?;
            let turn = deadline.hold(Phase::Queued, turns.acquire_owned()).await?;
            // Nobody closes it.
            let turn = turn.map_err(|_| CallError::Cancelled)?;
            let limit = call.limit();
            let answer = deadline.hold(Phase::Running, client.send(call)).await??;
            let HttpResponse { status, headers, body } = answer;
            let redacted = |text: String| self.secrets.redact(&text).into_owned();
            let headers =
                headers.into_iter().map(|(name, value)| (redacted(name), redacted(value))).collect();
            let redactor = Redactor::new(self.secrets.clone());
            let body = HeldBody { body, deadline, limit, left: limit, redactor, is_done: false, _turn: turn };
            Ok(HttpResponse { status, headers, body: Box::new(body) })
        })
    }
}

impl Deadline {
    fn of(call: &HttpCall) -> Self {
        let begun = Instant::now();
        let own = after(begun, call.timeout().unwrap_or(TIMEOUT));
        Self { begun, at: tapline_core::deadline().map_or(own, |around| own.min(around.into())) }
    }

    async fn hold<F: Future>(self, phase: Phase, future: F) -> Result<F::Output, CallError> {
        let done = timeout_at(self.at, future).await;
        done.map_err(|_| CallError::DeadlineExceeded { limit: self.at - self.begun, phase })
    }
}

impl HeldBody {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, CallError> {
        while !self.is_done {
            let redacted = match self.deadline.hold(Phase::Running, self.body.chunk()).await?? {
                Some(chunk) => {
                    self.left =
                        self.left.checked_sub(chunk.len() as u64).ok_or_else(|| too_large(self.limit))?;
                    self.redactor.push(&chunk)
                }
                None => {
                    self.is_done = true;
                    self.redactor.finish()
                }
            };
            if !redacted.is_empty() {
                return Ok(Some(redacted));
            }
        }
        Ok(None)
    }
}

fn too_large(limit: u64) -> Failure {
    Failure::new("too-large", format!("the body of the answer has more than {limit} bytes"))
}

impl HttpBody for HeldBody {
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>, CallError>> {
        Box::pin(self.next())
    }
}

#[cfg(test)]
mod tests;
