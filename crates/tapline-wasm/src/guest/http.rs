use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tapline_core::{CallError, Failure, HttpBody, HttpRequest, HttpResponse};
use wasmtime::Result;

use super::bindings::tapline::plugin::{http, types};
use super::{Answer, Guest, wire_failure};

/// The bodies that a call is reading, by their numbers.
#[derive(Default)]
pub(crate) struct Bodies {
    open: BTreeMap<u32, Box<dyn HttpBody>>,
    last: u32,
}

/// So many may be open at once.
const OPEN: usize = 64;

impl Bodies {
    pub(crate) fn close_all(&mut self) {
        self.open.clear();
    }

    fn check_room(&self) -> Result<(), Failure> {
        if self.open.len() < OPEN {
            return Ok(());
        }
        Err(Failure::new("too-many-handles", format!("{OPEN} bodies are open, and no more are at once")))
    }

    fn add(&mut self, body: Box<dyn HttpBody>) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.open.insert(self.last, body);
        self.last
    }
}

impl Guest {
    /// Makes a request; the guest's clock stands still while the host works.
    async fn request(&mut self, request: http::Request) -> Result<Result<HttpResponse, CallError>> {
        let call = Arc::clone(self.call()?);
        if let Err(failure) = self.traffic.leave(size(&request)) {
            return Ok(Err(failure.into()));
        }
        self.clock.pause();
        let answer = call.http(asked(request)).await;
        self.clock.resume();
        Ok(answer.and_then(|answer| {
            let headers = answer.headers.iter().map(|(name, value)| name.len() + value.len());
            self.traffic.take(headers.sum())?;
            Ok(answer)
        }))
    }

    /// The next piece of a body, which counts as taken.
    async fn received(&mut self, body: &mut dyn HttpBody) -> Result<Option<Vec<u8>>, CallError> {
        self.clock.pause();
        let piece = body.chunk().await;
        self.clock.resume();
        let piece = piece?;
        self.traffic.take(piece.as_ref().map_or(0, Vec::len))?;
        Ok(piece)
    }

    async fn whole(&mut self, mut answer: HttpResponse) -> Result<http::Response, CallError> {
        let mut body = Vec::new();
        while let Some(piece) = self.received(&mut *answer.body).await? {
            body.extend(piece);
        }
        Ok(http::Response { status: answer.status, headers: headers(answer.headers), body })
    }
}

impl http::Host for Guest {
    async fn send(&mut self, request: http::Request) -> Result<Answer<http::Response>> {
        let answer = match self.request(request).await? {
            Ok(answer) => self.whole(answer).await,
            Err(error) => Err(error),
        };
        Ok(answer.map_err(wire))
    }

    async fn open(&mut self, request: http::Request) -> Result<Answer<http::Head>> {
        if let Err(failure) = self.bodies.check_room() {
            return Ok(Err(wire_failure(&failure)));
        }
        let answer = self.request(request).await?.map(|HttpResponse { status, headers: all, body }| {
            http::Head { status, headers: headers(all), body: self.bodies.add(body) }
        });
        Ok(answer.map_err(wire))
    }

    async fn read(&mut self, body: u32) -> Result<Answer<Option<Vec<u8>>>> {
        let Some(mut open) = self.bodies.open.remove(&body) else {
            return Ok(Err(wire_failure(&Failure::new("no-such-body", format!("no body {body} is open")))));
        };
        let piece = self.received(&mut *open).await;
        self.bodies.open.insert(body, open);
        Ok(piece.map_err(wire))
    }

    fn close(&mut self, body: u32) -> Result<()> {
        self.bodies.open.remove(&body);
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it ends here")]
fn wire(error: CallError) -> types::Failure {
    wire_failure(&error.to_failure())
}

/// What a request leaves with the host.
fn size(request: &http::Request) -> usize {
    let headers = request.headers.iter().map(|header| header.name.len() + header.value.len());
    request.url.len() + request.body.len() + headers.sum::<usize>()
}

fn asked(request: http::Request) -> HttpRequest {
    let http::Request { method, url, headers, body, timeout_milliseconds, limit } = request;
    let headers = headers.into_iter().map(|http::Header { name, value }| (name, value)).collect();
    HttpRequest {
        method,
        url,
        headers,
        body,
        timeout: timeout_milliseconds.map(Duration::from_millis),
        limit,
    }
}

fn headers(headers: Vec<(String, String)>) -> Vec<http::Header> {
    headers.into_iter().map(|(name, value)| http::Header { name, value }).collect()
}
