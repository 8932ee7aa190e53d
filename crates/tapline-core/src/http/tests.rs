use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::call::Rights;
use super::*;
use crate::{Act, Call, Event, Grants, Level, PluginId, Services, Value};

/// Knows one secret, and writes down what is audited.
#[derive(Default)]
struct Witness(Mutex<Vec<String>>);

impl Services for Witness {
    fn audit(&self, act: &Act<'_>) {
        let outcome = if act.refusal.is_none() { "granted" } else { "refused" };
        self.0.lock().unwrap().push(format!("{outcome}: {} {}", act.action, act.target));
    }

    fn log(&self, _: &PluginId, _: Level, _: &str) {}

    fn publish(&self, _: &Event) -> Result<usize, Failure> {
        Ok(0)
    }

    fn call(&self, _: Call, _: Option<Duration>) -> BoxFuture<'static, Result<Value, CallError>> {
        Box::pin(std::future::ready(Err(CallError::Cancelled)))
    }

    fn cast(&self, _: Call) -> Result<(), CallError> {
        Err(CallError::Cancelled)
    }

    fn time(&self) -> Duration {
        Duration::ZERO
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn secret(&self, name: &str) -> Option<String> {
        (name == "key").then(|| "s3cret".to_owned())
    }
}

struct Bench(Arc<Witness>, Arc<Grants>);

impl Bench {
    fn new() -> Self {
        let grants = toml::from_str(
            "http = [
                { hosts = ['a.example', '*.b.example'], methods = ['GET', 'POST'], paths = ['/v1/*'] },
                { hosts = ['c.example'], methods = ['GET'], paths = ['/*'] },
            ]
            secrets = [
                { name = 'key', header = 'Authorization', hosts = ['a.example', 'x.b.example'] },
                { name = 'lost', header = 'X-Lost', hosts = ['a.example'] },
            ]",
        );
        Self(Arc::default(), Arc::new(grants.unwrap()))
    }

    fn call(&self, request: HttpRequest) -> Result<HttpCall, CallError> {
        let rights = Rights {
            plugin: PluginId::new("p").unwrap(),
            grants: Arc::clone(&self.1),
            services: Arc::clone(&self.0) as Arc<dyn Services>,
        };
        HttpCall::new(rights, request)
    }

    #[track_caller]
    fn refuses(&self, request: HttpRequest, code: &str) {
        let url = request.url.clone();
        assert_eq!(self.call(request).unwrap_err().to_failure().code(), code, "{url}");
    }

    fn audited(&self) -> Vec<String> {
        std::mem::take(&mut self.0.0.lock().unwrap())
    }
}

fn sent(call: &HttpCall) -> Vec<String> {
    call.headers().iter().map(|header| format!("{}: {}", header.name, header.value)).collect()
}

const KEY: (&str, &str) = ("Authorization", "Bearer ${secret:key}");

#[test]
fn a02_a_host_that_was_not_granted_is_denied_and_audited() {
    let bench = Bench::new();
    bench.refuses(HttpRequest::get("https://evil.example/v1/x?token=1"), "denied");
    bench.refuses(HttpRequest::new("DELETE", "https://a.example/v1/x"), "denied");
    bench.refuses(HttpRequest::get("https://a.example/v2"), "denied");
    assert_eq!(
        bench.audited(),
        [
            "refused: request GET https://evil.example/v1/x",
            "refused: request DELETE https://a.example/v1/x",
            "refused: request GET https://a.example/v2"
        ]
    );
    assert!(bench.call(HttpRequest::get("https://a.example/v1/x?q#f")).is_ok());
    assert_eq!(bench.audited(), ["granted: request GET https://a.example/v1/x"]);
}

#[test]
fn a07_an_address_that_looks_like_a_granted_one_is_denied() {
    let bench = Bench::new();
    for url in [
        "http://a.example@evil/v1/x",
        "https://a.example:x@a.example/v1/x",
        "https://user@a.example/v1/x",
        "http://a.example.evil/v1/x",
        "http://[::ffff:10.0.0.1]/v1/x",
        "http://0x7f.1/v1/x",
        "https://a.example\\@evil/v1/x",
        "https://a.example./v1/x",
        "ftp://a.example/v1/x",
        "file:///v1/x",
        "https://a.example/v1/..%2f..%2fadmin",
    ] {
        bench.refuses(HttpRequest::get(url), "denied");
    }
}

#[test]
fn what_is_no_request_is_refused_with_what_is_wrong() {
    let bench = Bench::new();
    let get = || HttpRequest::get("https://a.example/v1/x");
    bench.refuses(HttpRequest::get("/v1/x"), "invalid-request");
    bench.refuses(HttpRequest::new("CONNECT", "https://a.example/v1/x"), "invalid-request");
    bench.refuses(HttpRequest::get(format!("https://a.example/v1/{}", "x".repeat(9000))), "invalid-request");
    for (name, value) in [
        ("Host", "b"),
        ("Transfer-Encoding", "chunked"),
        ("x y", "z"),
        ("x", "a\r\nHost: b"),
        ("x", "\u{7f}"),
    ] {
        bench.refuses(get().header(name, value), "invalid-request");
    }
    bench.refuses(get().header("x", "y".repeat(70_000)), "invalid-request");
}

#[test]
fn a14_a_secret_goes_into_the_header_and_to_the_host_that_it_was_granted_for() {
    let bench = Bench::new();
    let call = bench.call(HttpRequest::get("https://a.example/v1/x").header(KEY.0, KEY.1)).unwrap();
    assert_eq!(sent(&call), ["authorization: Bearer s3cret"]);
    assert!(call.headers()[0].is_secret && !format!("{call:?}{:?}", call.headers()).contains("s3cret"));
    assert_eq!(
        bench.audited(),
        ["granted: request GET https://a.example/v1/x", "granted: use the secret key at a.example"]
    );
    bench.refuses(HttpRequest::get("https://c.example/").header(KEY.0, KEY.1), "denied");
    bench.refuses(HttpRequest::get("https://a.example/v1/x").header("X-Other", KEY.1), "denied");
    bench.refuses(HttpRequest::get("https://a.example/v1/x").header("X-Lost", KEY.1), "denied");
    assert_eq!(bench.audited()[0], "refused: use the secret key at c.example");
    bench.refuses(
        HttpRequest::get("https://a.example/v1/x").header("X-Lost", "${secret:lost}"),
        "not-available",
    );
}

#[test]
fn a_redirect_to_another_host_is_refused() {
    let bench = Bench::new();
    let call = bench.call(HttpRequest::get("https://a.example/v1/x")).unwrap();
    for location in [
        "https://evil.example/v1/x",
        "http://a.example/v1/x",
        "//evil.example/v1/x",
        "/v2",
        "https://u@a.example/v1/x",
    ] {
        assert!(matches!(call.redirected(302, Some(location)), Err(CallError::Denied(_))), "{location}");
    }
    assert_eq!(bench.audited().last().unwrap(), "refused: request GET https://a.example/v1/x");
    assert!(matches!(call.redirected(302, None), Ok(None)));
    assert!(matches!(call.redirected(200, Some("https://evil.example/")), Ok(None)));
}

#[test]
fn what_a_redirect_takes_along_is_meant_for_where_it_leads() {
    let bench = Bench::new();
    let request = HttpRequest::post("https://a.example/v1/x").header(KEY.0, KEY.1).header("Cookie", "c");
    let request = request.header("X-Key", "k").header("Accept", "text/plain").json("body").unwrap();
    let call = bench.call(request).unwrap();
    let to = |status, location| call.redirected(status, Some(location)).unwrap().unwrap();

    let same = to(307, "/v1/y");
    assert_eq!((same.method(), same.body().len(), same.headers().len()), (call.method(), 6, 5));
    let again = to(303, "/v1/y");
    assert_eq!(again.method().as_str(), "GET");
    assert!(again.body().is_empty() && !sent(&again).iter().any(|header| header.starts_with("content")));
    assert_eq!(to(302, "/v1/y").method().as_str(), "GET");

    let granted = to(308, "https://x.b.example/v1/y");
    assert_eq!(
        sent(&granted),
        ["authorization: Bearer s3cret", "accept: text/plain", "content-type: application/json"]
    );
    let other = to(303, "https://c.example/");
    assert_eq!(sent(&other), ["accept: text/plain"]);
}

#[test]
fn a_request_is_redirected_five_times_at_most() {
    let bench = Bench::new();
    let mut call = bench.call(HttpRequest::get("https://a.example/v1/0")).unwrap();
    for _ in 0..5 {
        call = call.redirected(302, Some("/v1/next")).unwrap().unwrap();
    }
    let error = call.redirected(302, Some("/v1/next")).unwrap_err();
    assert_eq!(error.to_failure().code(), "too-many-redirects");
}
