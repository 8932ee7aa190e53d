//! What goes wrong, and that runs do not mind.

use std::error::Error;
use std::net::TcpListener;

use hyper::StatusCode;

use crate::collector::{Answer, Collector};
use crate::support::{engine, run, telemetry, watched};

const RUN: &str = "nodes: { a: { type: ask }, b: { type: ask, needs: [a] } }\n";

/// What a load is refused with, causes and all.
async fn refused(config: &str) -> String {
    let error = engine().await.host().load(telemetry(config)).await.unwrap_err();
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told += &format!(": {error}");
        cause = error.source();
    }
    told
}

/// How many spans of a run are lost, as the metrics say that are written when the plugin ends.
async fn lost(collector: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tapline.prom");
    let config = format!(r#"{{"traces": {{"otlp": "{collector}"}}, "prometheus": {{"file": {file:?}}}}}"#);
    let engine = watched(&config).await;
    run(&engine, RUN).await.outputs.unwrap();
    engine.host().shut_down().await.unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("tapline_telemetry_lost_spans_total "));
    line.unwrap().to_owned()
}

#[tokio::test]
async fn a_collector_that_is_down_fails_no_run_and_the_spans_are_counted_as_lost() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(lost(&format!("http://{nobody}")).await, "5");
}

#[tokio::test]
async fn spans_that_a_collector_refuses_are_counted_as_lost() {
    let collector = Collector::answering(Answer::With(StatusCode::FORBIDDEN)).await;
    assert_eq!(lost(&collector.address).await, "5");
}

#[tokio::test]
async fn a_collector_that_never_answers_ends_with_the_plugin() {
    let collector = Collector::answering(Answer::Never).await;
    let engine = watched(&collector.config("")).await;
    run(&engine, RUN).await.outputs.unwrap();
    engine.host().shut_down().await.unwrap();
    assert_eq!(collector.spans().0.len(), 5, "it has taken what it did not answer");
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let told = refused(&format!(r#"{{"prometheus": {{"listen": "{address}"}}}}"#)).await;
    let expected = format!("prometheus.listen: `{address}` cannot be listened at: ");
    assert!(told.contains(&expected) && told.contains("; end whoever has it, or say another one"), "{told}");
}

#[tokio::test]
async fn a_file_that_cannot_be_written_fails_no_run() {
    let engine = watched(r#"{"prometheus": {"file": "/nowhere/at/all/tapline.prom"}}"#).await;
    run(&engine, RUN).await.outputs.unwrap();
    engine.host().shut_down().await.unwrap();
}

#[tokio::test]
async fn a_configuration_with_a_mistake_is_refused_with_its_place() {
    let told = refused(r#"{"traces": {"otlp": "localhost:4318"}}"#).await;
    assert!(told.contains("traces.otlp: `localhost:4318` is no address of a collector"), "{told}");
    let told = refused("{}").await;
    assert!(told.contains("nobody is to be told anything"), "{told}");
    let told = refused(r#"{"statsd": {"address": "localhost"}}"#).await;
    assert!(told.contains("statsd.address: `localhost` cannot be sent to: "), "{told}");
}
