use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::call_error::CallError;
use crate::failure::Failure;
use crate::plugin::BoxFuture;

mod call;
mod redirect;
mod secret;

pub(crate) use call::Rights;
pub use call::{HttpCall, HttpHeader};

/// A request over http as a plugin asks for it.
///
/// In the value of a header, `${secret:name}` stands for a secret that the plugin was granted for that header and host;
/// the host puts the value in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method, in upper case.
    pub method: String,
    /// The address; what follows on `#` is not sent.
    pub url: String,
    /// The headers, besides those that the host sets itself.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Vec<u8>,
    /// How long it may take, to the last byte of the answer; 30 seconds unless said.
    pub timeout: Option<Duration>,
    /// How many bytes the body of the answer may have; 8 MiB unless said.
    pub limit: Option<u64>,
}

/// The answer to a request.
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// The headers in the order of the answer, their names in lower case; what is no text in them is replaced.
    pub headers: Vec<(String, String)>,
    /// The body, as it comes.
    pub body: Box<dyn HttpBody>,
}

/// The body of an answer that comes in pieces. Dropping it ends the request.
pub trait HttpBody: Send {
    /// The next piece, and never an empty one; `None` at the end. Cancel safe: a piece that was not taken comes again.
    ///
    /// # Errors
    /// When it breaks off, is too large, or takes too long.
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>, CallError>>;
}

/// Makes requests for plugins. An application gives its host one; without it no plugin has http.
///
/// It makes each [`HttpCall`] as it is: it connects to addresses within [`reach`](HttpCall::reach) alone, and follows a
/// redirect with [`HttpCall::redirected`] or not at all. Time, the size of the body and the number of requests at once
/// are the host's to bound. Dropping the future of a request ends it.
pub trait HttpClient: Send + Sync {
    /// Makes a request, and answers as soon as the headers of the last answer are there.
    fn send(&self, call: HttpCall) -> BoxFuture<'static, Result<HttpResponse, CallError>>;
}

impl HttpRequest {
    /// A request without headers and body.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        let (method, url) = (method.into(), url.into());
        Self { method, url, headers: Vec::new(), body: Vec::new(), timeout: None, limit: None }
    }

    /// Asks for what is at an address.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// Sends something to an address.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends these bytes.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends a value as JSON, and says so in a header.
    ///
    /// # Errors
    /// With the code `wrong-type` when the value cannot be expressed as JSON.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Result<Self, Failure> {
        let body = serde_json::to_vec(value).map_err(|error| Failure::from_error("wrong-type", error))?;
        Ok(self.header("content-type", "application/json").body(body))
    }

    /// Says how long it may take, to the last byte of the answer.
    #[must_use]
    pub const fn timeout(mut self, time: Duration) -> Self {
        self.timeout = Some(time);
        self
    }

    /// Says how many bytes the body of the answer may have.
    #[must_use]
    pub const fn limit(mut self, bytes: u64) -> Self {
        self.limit = Some(bytes);
        self
    }
}

impl HttpResponse {
    /// The whole body. What has been read is lost when the future is dropped.
    ///
    /// # Errors
    /// As [`HttpBody::chunk`].
    pub async fn bytes(&mut self) -> Result<Vec<u8>, CallError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.body.chunk().await? {
            bytes.extend(chunk);
        }
        Ok(bytes)
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HttpResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
