//! The metrics of runs.

use std::io::Write as _;
use std::net::UdpSocket;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{metrics_address, run, watched};

const RUN: &str = "nodes:
  a: { type: ask, map: { over: \"{{ [1, 2] }}\" }, with: { prompt: \"{{ item }}\", model: small } }
  b: { type: fail, with: { times: 1 }, retry: { max: 1, delay: 1ms } }
  c: { type: ask, with: { prompt: refuse }, on_error: continue }
";

/// The lines that count something, without the times.
const COUNTED: [&str; 14] = [
    r#"tapline_runs_total{pipeline="test",outcome="done"} 1"#,
    r#"tapline_run_duration_seconds_count{pipeline="test"} 1"#,
    r#"tapline_node_executions_total{type="ask",plugin="lab",outcome="done"} 2"#,
    r#"tapline_node_executions_total{type="ask",plugin="lab",outcome="failed"} 1"#,
    r#"tapline_node_executions_total{type="fail",plugin="lab",outcome="failed"} 1"#,
    r#"tapline_node_execution_duration_seconds_count{type="ask",plugin="lab"} 3"#,
    r#"tapline_node_retries_total{type="fail",plugin="lab"} 1"#,
    r#"tapline_model_requests_total{provider="model",model="model-1",operation="chat",outcome="done"} 2"#,
    r#"tapline_model_requests_total{provider="model",model="",operation="chat",outcome="failed"} 1"#,
    r#"tapline_model_tokens_total{provider="model",model="model-1",kind="input"} 8"#,
    r#"tapline_model_cost_total{provider="model",model="model-1"} 0.5"#,
    r#"gen_ai_client_token_usage_sum{gen_ai_operation_name="chat",gen_ai_provider_name="model",gen_ai_request_model="small",gen_ai_response_model="model-1",gen_ai_token_type="output"} 12"#,
    r#"gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name="chat",gen_ai_provider_name="model",gen_ai_request_model="",gen_ai_response_model="",error_type="rate-limited"} 1"#,
    "tapline_telemetry_lost_spans_total 0",
];

/// The head and the body of an answer.
async fn fetched(address: &str) -> (String, String) {
    let (host, path) = address.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[track_caller]
fn check(text: &str) {
    for line in COUNTED {
        let is_there = text.lines().any(|found| found == line || found.strip_suffix(".0") == Some(line));
        assert!(is_there, "{line}\nis not in\n{text}");
    }
}

/// Has Prometheus' own tool look at metrics, where it is installed.
fn check_with_promtool(text: &str) {
    let promtool = std::process::Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else {
        println!("skipped: there is no promtool; `cargo xtask setup --install` does it");
        return;
    };
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let said = promtool.wait_with_output().unwrap();
    let said_text = String::from_utf8_lossy(&said.stderr) + String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success() && said_text.is_empty(), "{said_text}\n{text}");
}

#[tokio::test]
async fn metrics_are_fetched_as_prometheus_reads_them() {
    let engine = watched(r#"{"prometheus": {"listen": "127.0.0.1:0"}}"#).await;
    run(&engine, RUN).await.outputs.unwrap();
    let (head, text) = fetched(&metrics_address(&engine).await).await;
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    check(&text);
    check_with_promtool(&text);
}

#[tokio::test]
async fn metrics_without_any_run_are_valid() {
    let engine = watched(r#"{"prometheus": {"listen": "127.0.0.1:0"}}"#).await;
    let address = metrics_address(&engine).await;
    check_with_promtool(&fetched(&address).await.1);
    let (head, body) = fetched(&address.replace("/metrics", "/")).await;
    assert!(head.starts_with("HTTP/1.1 404 ") && body == "the metrics are at /metrics\n", "{head} {body}");
}

#[tokio::test]
async fn a_file_of_metrics_is_there_when_the_run_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tapline.prom");
    let engine = watched(&format!(r#"{{"prometheus": {{"file": {file:?}}}}}"#)).await;
    run(&engine, RUN).await.outputs.unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    check(&text);
    check_with_promtool(&text);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// All that a StatsD server hears of a run with these settings, without the times.
async fn heard(settings: &str) -> Vec<String> {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let address = server.local_addr().unwrap();
    let engine = watched(&format!(r#"{{"statsd": {{"address": "{address}"{settings}}}}}"#)).await;
    run(&engine, RUN).await.outputs.unwrap();
    engine.host().shut_down().await.unwrap();
    let mut heard = Vec::new();
    let mut packet = [0; 1500];
    // The end of the run is the last that is told.
    while !heard.iter().any(|line: &String| line.contains("run.duration")) {
        let length = server.recv(&mut packet).unwrap();
        heard.extend(std::str::from_utf8(&packet[..length]).unwrap().lines().map(str::to_owned));
    }
    heard.iter_mut().filter(|line| line.contains("|ms")).for_each(|line| {
        let (name, rest) = line.split_once(':').unwrap();
        let (_, rest) = rest.split_once('|').unwrap();
        *line = format!("{name}:_|{rest}");
    });
    heard
}

#[tokio::test]
async fn a_statsd_server_hears_of_a_run_with_tags() {
    let heard = heard("").await;
    for line in [
        "tapline.runs:1|c|#pipeline:test,outcome:done",
        "tapline.run.duration:_|ms|#pipeline:test",
        "tapline.node.executions:1|c|#type:ask,plugin:lab,outcome:failed",
        "tapline.node.execution.duration:_|ms|#type:ask,plugin:lab",
        "tapline.node.retries:1|c|#type:fail,plugin:lab",
        "tapline.model.requests:1|c|#provider:model,model:model-1,operation:chat,outcome:done",
        "tapline.model.request.duration:_|ms|#provider:model,model:model-1,operation:chat",
        "tapline.model.tokens:6|c|#provider:model,model:model-1,kind:output",
        "tapline.model.cost_micros:250000|c|#provider:model,model:model-1",
    ] {
        assert!(heard.iter().any(|found| found == line), "{line}\nis not in\n{heard:#?}");
    }
}

#[tokio::test]
async fn a_statsd_server_that_knows_no_tags_has_all_in_the_name() {
    let heard = heard(r#", "tags": "none", "prefix": "team""#).await;
    for line in ["team.runs.test.done:1|c", "team.model.tokens.model.model-1.output:6|c"] {
        assert!(heard.iter().any(|found| found == line), "{line}\nis not in\n{heard:#?}");
    }
    assert!(heard.iter().all(|line| !line.contains('#')), "{heard:#?}");
}
