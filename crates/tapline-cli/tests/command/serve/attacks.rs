use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use reqwest::Method;
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::json;

use crate::serving::{Serving, answered};
use crate::support::Workplace;

use super::api::GREET;

fn connect(serving: &Serving) -> TcpStream {
    TcpStream::connect(serving.url.strip_prefix("http://").unwrap()).unwrap()
}

async fn works(serving: &Serving) {
    let run = serving.post("/v1/runs?wait=true", &json!({ "pipeline": "greet" }), 200).await;
    assert_eq!(run["status"], "done");
}

#[tokio::test]
async fn a_huge_body_is_refused_with_a_reason() {
    let workplace = Workplace::with(GREET);
    let serving = Serving::start(&workplace, "pipeline.yaml");
    let body = format!(r#"{{ "pipeline": "greet", "inputs": {{ "name": "{}" }} }}"#, "a".repeat(9 << 20));
    let request = serving.request(Method::POST, "/v1/runs").header("content-type", "application/json");
    assert_eq!(answered(request.body(body), 413).await["code"], "too-large");
    // One that only says how large it would be is not waited for.
    let mut stream = connect(&serving);
    let head = format!(
        "POST /v1/runs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n",
        serving.token
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    works(&serving).await;
}

#[tokio::test]
async fn a_head_that_has_no_end_is_refused() {
    let workplace = Workplace::with(GREET);
    let serving = Serving::start(&workplace, "pipeline.yaml");
    let mut stream = connect(&serving);
    stream.write_all(b"GET /health/live HTTP/1.1\r\n").unwrap();
    let line = format!("x-more: {}\r\n", "a".repeat(1000));
    // It is refused, or the connection is closed, long before this is over.
    while stream.write_all(line.as_bytes()).is_ok() {}
    works(&serving).await;
}

#[tokio::test]
async fn whoever_is_idle_makes_room_for_whoever_is_not() {
    let workplace = Workplace::with(GREET);
    let serving = Serving::start(&workplace, "pipeline.yaml --connections 50");
    let events = serving.request(Method::GET, "/v1/events").send().await.unwrap();
    let mut idle = Vec::new();
    for number in 0..500 {
        let mut stream = connect(&serving);
        if number % 2 == 0 {
            // It goes on asking for as long as it likes.
            let _ = stream.write_all(b"GET /health/live HT");
        }
        idle.push(stream);
    }
    works(&serving).await;
    // Whoever is told something is not idle.
    let mut events = events;
    assert!(events.chunk().await.unwrap().is_some());
    drop(idle);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn ten_thousand_idle_connections_hold_nobody_up() {
    const IDLE: u64 = 10_000;
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    if limit.maximum.is_some_and(|most| most < IDLE + 1000) {
        println!("skipped: a process may have {:?} files open here", limit.maximum);
        return;
    }
    let workplace = Workplace::with(GREET);
    let serving = Serving::start(&workplace, "pipeline.yaml");
    works(&serving).await;
    let before = serving.memory();
    let mut idle = Vec::new();
    for number in 0..IDLE {
        let mut stream = connect(&serving);
        // Some have begun to ask, and do not go on.
        if number % 2 == 0 {
            stream.write_all(b"GET /health/live HT").unwrap();
        }
        idle.push(stream);
    }
    works(&serving).await;
    let each = serving.memory().saturating_sub(before) / IDLE;
    assert!(each < 64 << 10, "{each} bytes for an idle connection");
    drop(idle);
    works(&serving).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_that_never_reads_its_stream_costs_nobody_anything() {
    let workplace = Workplace::with(GREET);
    let serving = Serving::start(&workplace, "pipeline.yaml");
    let mut readers = Vec::new();
    for _ in 0..50 {
        let mut stream = connect(&serving);
        let head =
            format!("GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", serving.token);
        stream.write_all(head.as_bytes()).unwrap();
        readers.push(stream);
    }
    let before = serving.memory();
    let name = "a".repeat(50_000);
    for _ in 0..300 {
        let run = json!({ "pipeline": "greet", "inputs": { "name": name } });
        assert_eq!(serving.post("/v1/runs?wait=true", &run, 200).await["status"], "done");
    }
    let after = serving.memory();
    assert!(after < before + (256 << 20), "{before} bytes became {after}");
    drop(readers);
}
