use std::borrow::Cow;
use std::fmt;

use serde::de::DeserializeOwned;
use tapline_core::{Failure, Value};

use crate::Result;
use crate::context::Body;

/// The answer to a request over http.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// The headers in the order of the answer, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// The answer to a request over http whose body comes in pieces. Dropping it ends the request.
pub struct HttpStream {
    /// The status code.
    pub status: u16,
    /// The headers in the order of the answer, their names in lower case.
    pub headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

impl HttpResponse {
    /// The value of the first header of a name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The body as text; what is no UTF-8 in it is replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body, which is JSON, as a type of the plugin's.
    ///
    /// # Errors
    /// With the code `wrong-type` when it is no JSON, or has not the shape of the type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        let value =
            Value::from_json(&self.text()).map_err(|error| Failure::from_error("wrong-type", error))?;
        value.to().map_err(|error| Failure::from_error("wrong-type", error))
    }

    /// The same answer, if its status says that the request was done.
    ///
    /// # Errors
    /// With the code `http-status` when it is not from 200 to 299; the details hold it as `status`.
    pub fn done(self) -> Result<Self> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let failure = Failure::new("http-status", format!("the server answered with status {}", self.status));
        Err(failure.with_details(Value::from_iter([("status", i64::from(self.status).into())])))
    }
}

impl HttpStream {
    /// The value of the first header of a name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// With the code `too-large`, `invalid-response` or `deadline-exceeded`.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>> {
        self.body.chunk().await
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
}

impl fmt::Debug for HttpStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HttpStream").field("status", &self.status).finish_non_exhaustive()
    }
}
