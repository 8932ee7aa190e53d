use std::error::Error;
use std::net::IpAddr;

use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, Response};
use tapline_core::{BoxFuture, CallError, Failure, HttpBody, HttpCall, HttpHeader, HttpResponse};
use url::Host;

use crate::client::Route;
use crate::resolve::{REFUSED, Refused};

/// The answer to one request, redirect or not.
pub(crate) struct Answer(Response);

/// A body as it comes from the connection.
struct Body(Response);

/// Makes one request.
pub(crate) async fn exchange(route: &Route, call: &HttpCall) -> Result<Answer, CallError> {
    // An address needs no looking up, so nobody else would look at it.
    let address = match call.url().host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        _ => None,
    };
    if address.is_some_and(|address| route.addresses.check(&[address]).is_err()) {
        return Err(call.refused(REFUSED));
    }
    let method = Method::from_bytes(call.method().as_str().as_bytes())
        .map_err(|error| Failure::from_error("invalid-request", error))?;
    let request = route.client.request(method, call.url().clone()).headers(headers(call.headers())?);
    let request = if call.body().is_empty() { request } else { request.body(call.body().to_vec()) };
    let answer = request.send().await.map_err(|error| failed(call, error))?;
    let has_secret = call.headers().iter().any(|header| header.is_secret);
    if has_secret && is_encoded(&answer) {
        let message =
            "the answer is compressed, though it was asked not to be: a secret in it would not be found";
        return Err(Failure::new("invalid-response", message).into());
    }
    Ok(Answer(answer))
}

fn headers(asked: &[HttpHeader]) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    for HttpHeader { name, value, is_secret } in asked {
        // The message names no value: it may be that of a secret.
        let invalid = || Failure::new("invalid-request", format!("the value of the header `{name}` is none"));
        let header = HeaderName::from_bytes(name.as_str().as_bytes()).map_err(|_| invalid())?;
        let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| invalid())?;
        value.set_sensitive(*is_secret);
        headers.append(header, value);
    }
    Ok(headers)
}

fn is_encoded(answer: &Response) -> bool {
    let mut encodings = answer.headers().get_all(CONTENT_ENCODING).iter();
    encodings.any(|encoding| encoding.as_bytes() != b"identity")
}

/// What an error of the connection is to a plugin.
fn failed(call: &HttpCall, error: reqwest::Error) -> CallError {
    let error = error.without_url();
    let first: &(dyn Error + 'static) = &error;
    let causes = || std::iter::successors(Some(first), |cause| Error::source(*cause));
    if causes().any(|cause| cause.is::<Refused>()) {
        return call.refused(REFUSED);
    }
    let code = match () {
        () if error.is_connect() => "unreachable",
        () if error.is_builder() => "invalid-request",
        () => "invalid-response",
    };
    let message = causes().map(ToString::to_string).collect::<Vec<_>>().join(": ");
    Failure::new(code, message).into()
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    pub(crate) fn location(&self) -> Option<&str> {
        self.0.headers().get(LOCATION).and_then(|location| location.to_str().ok())
    }

    pub(crate) fn into_response(self) -> HttpResponse {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = self.0.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
        HttpResponse { status: self.status(), headers: headers.collect(), body: Box::new(Body(self.0)) }
    }
}

impl HttpBody for Body {
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>, CallError>> {
        Box::pin(async {
            loop {
                let chunk = self.0.chunk().await;
                let chunk =
                    chunk.map_err(|error| Failure::from_error("invalid-response", error.without_url()))?;
                match chunk {
                    Some(chunk) if chunk.is_empty() => {}
                    chunk => return Ok(chunk.map(Vec::from)),
                }
            }
        })
    }
}
