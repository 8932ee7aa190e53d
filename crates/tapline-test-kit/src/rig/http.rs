use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tapline::core::{BoxFuture, HttpBody, HttpCall, HttpClient, HttpResponse};
use tapline::{CallError, Failure, Value};

use super::seen::{Seen, SeenRequest};

/// What a server answers the plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Reply {
    /// An answer without a body.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// A value as JSON.
    #[must_use]
    pub fn json(status: u16, value: &Value) -> Self {
        Self::new(status).header("content-type", "application/json").body(value.to_json())
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// Gives it this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// All servers that the plugin can reach.
pub(super) struct Servers {
    served: Mutex<Vec<Served>>,
    seen: Seen,
}

/// What is answered to requests of one method and address, one after the other; the last for ever.
pub(super) struct Served {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) replies: VecDeque<Reply>,
}

impl Servers {
    pub(super) fn new(served: Vec<Served>, seen: Seen) -> Self {
        Self { served: Mutex::new(served), seen }
    }

    fn reply(&self, method: &str, url: &str) -> Option<Reply> {
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        let served = served.iter_mut().find(|served| served.method == method && served.url == url)?;
        match served.replies.len() {
            0 | 1 => served.replies.front().cloned(),
            _ => served.replies.pop_front(),
        }
    }
}

impl HttpClient for Servers {
    fn send(&self, call: HttpCall) -> BoxFuture<'static, Result<HttpResponse, CallError>> {
        let (method, url) = (call.method().to_string(), call.url().to_string());
        let headers =
            call.headers().iter().map(|header| (header.name.to_string(), header.value.clone())).collect();
        let body = String::from_utf8_lossy(call.body()).into_owned();
        let request = SeenRequest { method: method.clone(), url: url.clone(), headers, body };
        self.seen.note_request(request);
        let answer = match self.reply(&method, &url) {
            Some(Reply { status, headers, body }) => {
                Ok(HttpResponse { status, headers, body: Box::new(Whole(Some(body))) })
            }
            None => {
                let message = format!("the test has no answer for {method} {url}");
                Err(Failure::new("unreachable", message).into())
            }
        };
        Box::pin(std::future::ready(answer))
    }
}

/// A body that comes in one piece.
struct Whole(Option<Vec<u8>>);

impl HttpBody for Whole {
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>, CallError>> {
        let piece = self.0.take().filter(|body| !body.is_empty());
        Box::pin(std::future::ready(Ok(piece)))
    }
}
