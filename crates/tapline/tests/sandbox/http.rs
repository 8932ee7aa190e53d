//! A sandboxed plugin makes the requests that it was granted, and no others.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use tapline::core::{Request, Value};
use tapline::host::Secrets;
use tapline::{CallError, Host, HostBuilder, Load, Policy, WasmRuntime, WebClient};
use tapline_test_kit::guest;

/// A server on this machine that answers with the request that it got, or without end.
struct Echo {
    url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let requests = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, mut piece) = (stream.unwrap(), [0; 8192]);
                let count = std::io::Read::read(&mut stream, &mut piece).unwrap_or(0);
                let request = String::from_utf8_lossy(&piece[..count]).into_owned();
                let is_endless = request.starts_with("GET /endless");
                let length = if is_endless { String::new() } else { format!("content-length: {count}\r\n") };
                let head = format!(
                    "HTTP/1.1 200 OK\r\nconnection: close\r\nx-echo: {}\r\n{length}\r\n",
                    key(&request)
                );
                requests.lock().unwrap().push(request.clone());
                let mut write =
                    || stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(request.as_bytes()));
                // The end of an endless answer is the reader's to find.
                while write().is_ok() && is_endless {}
            }
        });
        Self { url, seen }
    }
}

/// The value of the header that holds the secret.
fn key(request: &str) -> &str {
    request.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or_default()
}

const SECRET: &str = "s3cret-value";

struct Courier(Host, Arc<Mutex<Vec<String>>>);

impl Courier {
    /// With everything that it asks for towards the two servers, and a policy that allows them.
    async fn new(base: &str, other: &str, change: impl FnOnce(HostBuilder) -> HostBuilder) -> Self {
        let policy: tapline::core::Grants = toml::from_str(&format!(
            "http = [{{ hosts = ['{base}', '{other}'], methods = ['GET', 'POST'], paths = ['/*'], private = true }}]
             secrets = [{{ name = 'key', header = 'Authorization', hosts = ['{base}'] }}]"
        ))
        .unwrap();
        let policy =
            Policy::default().allow_http(policy.http[0].clone()).allow_secret(policy.secrets[0].clone());
        let audit = Arc::<Mutex<Vec<String>>>::default();
        let lines = Arc::clone(&audit);
        let builder = Host::builder()
            .runtime(WasmRuntime::new().unwrap())
            .policy(policy)
            .http(WebClient::new().unwrap())
            .secrets(Secrets::new([("key", SECRET.to_owned())]).unwrap())
            .audit(move |act| {
                lines.lock().unwrap().push(format!("{} {}: {:?}", act.action, act.target, act.refusal))
            });
        let host = change(builder).build();
        host.load(Load::folder(guest("courier")).config(config(base, other))).await.unwrap();
        Self(host, audit)
    }

    async fn told(&self, errand: &str) -> Result<Value, CallError> {
        let errand = Value::from_json(errand).unwrap();
        let answer = self.0.request(Request::new("errand", "run", "handle", errand)).await;
        answer.map_err(|error| error.cause().clone())
    }

    async fn refuses(&self, errand: &str) -> String {
        self.told(errand).await.unwrap_err().to_failure().code().to_owned()
    }
}

fn config(base: &str, other: &str) -> Value {
    Value::from_iter([("base_url", base.into()), ("other_url", other.into())])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a02_a_sandboxed_plugin_reaches_the_hosts_that_it_was_granted() {
    let (echo, other) = (Echo::new(), Echo::new());
    let courier = Courier::new(&echo.url, &other.url, |builder| builder).await;
    let answer =
        courier.told(&format!(r#"{{ "url": "{}/x", "body": {{ "a": 1 }} }}"#, echo.url)).await.unwrap();
    assert!(answer.get("body").unwrap().as_str().unwrap().starts_with("POST /x HTTP/1.1"));
    let evil = Echo::new();
    assert_eq!(courier.refuses(&format!(r#"{{ "url": "{}/x" }}"#, evil.url)).await, "denied");
    assert_eq!(courier.refuses(&format!(r#"{{ "url": "{}/x", "body": 1 }}"#, other.url)).await, "denied");
    assert!(evil.seen.lock().unwrap().is_empty() && other.seen.lock().unwrap().is_empty());
    let audit = courier.1.lock().unwrap().clone();
    assert_eq!(audit[0], format!("request POST {}/x: None", echo.url));
    assert!(audit[1].starts_with(&format!("request GET {}/x: Some", evil.url)), "{audit:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a10_an_answer_without_end_is_cut_and_read_in_pieces() {
    let echo = Echo::new();
    let courier = Courier::new(&echo.url, &echo.url, |builder| builder).await;
    let errand = |rest: &str| format!(r#"{{ "url": "{}/endless", {rest} }}"#, echo.url);
    assert_eq!(courier.refuses(&errand(r#""limit": 100000"#)).await, "too-large");
    assert_eq!(courier.refuses(&errand(r#""limit": 100000, "pieces": 1000000"#)).await, "too-large");
    let answer = courier.told(&errand(r#""pieces": 3"#)).await.unwrap();
    assert!(answer.get("body").unwrap().as_str().unwrap().starts_with("GET /endless"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a11_bodies_that_are_open_are_requests_under_way() {
    let echo = Echo::new();
    let courier = Courier::new(&echo.url, &echo.url, |builder| builder).await;
    let held = format!(r#"{{ "url": "{}/x", "open": 7, "pieces": 1 }}"#, echo.url);
    // What one call leaves open is closed with it, so the next one has all of its turns.
    for _ in 0..3 {
        assert!(courier.told(&held).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a13_a_plugin_that_prints_all_it_can_reach_prints_no_secret() {
    let echo = Echo::new();
    let courier = Courier::new(&echo.url, &echo.url, |builder| builder).await;
    let headers = r#""headers": [["Authorization", "Bearer ${secret:key}"], ["X-Note", "hello"]]"#;
    for rest in ["", r#", "pieces": 1000"#] {
        let answer =
            courier.told(&format!(r#"{{ "url": "{}/x", {headers}{rest} }}"#, echo.url)).await.unwrap();
        let answer = answer.to_json();
        assert!(answer.contains("Bearer «secret:key»") && !answer.contains(SECRET), "{answer}");
    }
    assert_eq!(key(&echo.seen.lock().unwrap()[0]), format!("Bearer {SECRET}"));
    let audit = courier.1.lock().unwrap().join("\n");
    assert!(audit.contains("use the secret key at 127.0.0.1: None") && !audit.contains(SECRET), "{audit}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a14_a_secret_of_one_server_is_refused_towards_the_other() {
    let (echo, other) = (Echo::new(), Echo::new());
    let courier = Courier::new(&echo.url, &other.url, |builder| builder).await;
    let errand = |url: &str, header: &str| {
        format!(r#"{{ "url": "{url}/x", "headers": [["{header}", "${{secret:key}}"]] }}"#)
    };
    assert!(courier.told(&errand(&echo.url, "Authorization")).await.is_ok());
    assert_eq!(courier.refuses(&errand(&other.url, "Authorization")).await, "denied");
    assert_eq!(courier.refuses(&errand(&echo.url, "X-Key")).await, "denied");
    assert!(other.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_host_of_the_configuration_has_to_be_one_of_the_policy() {
    let host = Host::builder().runtime(WasmRuntime::new().unwrap()).build();
    let load = || Load::folder(guest("courier"));
    let error = host.load(load()).await.unwrap_err();
    assert_eq!(error.to_string(), "plugin `courier` is not configured as it has to be");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("the host of `base_url` in the configuration, and there is none"), "{cause}");
    let error =
        host.load(load().config(config("https://evil.example", "https://b.example"))).await.unwrap_err();
    assert!(error.to_string().contains("may not request `GET, POST /* at evil.example"), "{error}");
}
