//! The spans of a run.

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use tapline_core::{Object, Value, within_carried};

use crate::collector::{Collector, attribute};
use crate::support::{run, watched};

const PARALLEL: &str = "nodes:
  ask: { type: ask, map: { over: \"{{ [1, 2] }}\", parallel: 2 }, with: { prompt: \"{{ item }}\", model: small } }
  other: { type: ask, with: { provider: front, prompt: hello } }
";

#[tokio::test]
async fn the_spans_of_a_run_form_a_tree_however_its_nodes_overlap() {
    let collector = Collector::open().await;
    let engine = watched(&collector.config("")).await;
    run(&engine, PARALLEL).await.outputs.unwrap();
    engine.host().shut_down().await.unwrap();
    assert_eq!(
        collector.spans().paths(),
        [
            "run test",
            "run test > node ask",
            "run test > node ask",
            "run test > node ask > chat small",
            "run test > node ask > chat small",
            "run test > node other",
            "run test > node other > chat",
            "run test > node other > chat > chat",
        ]
    );
    let spans = collector.spans();
    let paths =
        spans.all("node ask").into_iter().map(|span| attribute(&span.attributes, "tapline.node.path"));
    let mut paths: Vec<_> = paths.map(Option::unwrap).collect();
    paths.sort();
    assert_eq!(paths, ["ask[0]", "ask[1]"]);
}

#[tokio::test]
async fn a_request_to_a_model_is_told_in_the_words_of_the_conventions() {
    let collector = Collector::open().await;
    let engine = watched(&collector.config("")).await;
    run(&engine, "nodes: { a: { type: ask, with: { prompt: hello, model: small } } }\n")
        .await
        .outputs
        .unwrap();
    engine.host().shut_down().await.unwrap();
    let spans = collector.spans();
    let request = spans.one("chat small");
    assert_eq!(request.kind, SpanKind::Client as i32);
    for (key, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "model"),
        ("gen_ai.request.model", "small"),
        ("gen_ai.response.model", "model-1"),
        ("gen_ai.response.finish_reasons", "stop"),
        ("gen_ai.usage.input_tokens", "4"),
        ("gen_ai.usage.output_tokens", "6"),
        ("tapline.usage.cost", "0.25"),
    ] {
        assert_eq!(attribute(&request.attributes, key).as_deref(), Some(value), "{key}");
    }
    let resource = &collector.resources()[0];
    let service = attribute(&resource.resource.as_ref().unwrap().attributes, "service.name");
    assert_eq!(service.as_deref(), Some("tapline"));
    assert_eq!(resource.scope_spans[0].schema_url, "https://opentelemetry.io/schemas/1.41.0");
    assert_eq!(collector.requests()[0].1, "/v1/traces");
}

#[tokio::test]
async fn each_attempt_is_a_span_and_what_failed_says_so() {
    let collector = Collector::open().await;
    let engine = watched(&collector.config("")).await;
    let text = "nodes: { a: { type: fail, with: { times: 1 }, retry: { max: 1, delay: 1ms } } }\n";
    run(&engine, text).await.outputs.unwrap();
    run(&engine, "nodes: { a: { type: ask, with: { prompt: refuse } } }\n").await.outputs.unwrap_err();
    engine.host().shut_down().await.unwrap();
    let spans = collector.spans();
    let told = |name: &str| -> Vec<_> {
        let told = spans.all(name).into_iter().map(|span| {
            let code = span.status.as_ref().map_or(0, |status| status.code);
            (
                attribute(&span.attributes, "tapline.node.attempt"),
                code,
                attribute(&span.attributes, "error.type"),
            )
        });
        told.collect()
    };
    let (first, second, error) = (Some("1".to_owned()), Some("2".to_owned()), StatusCode::Error as i32);
    let nodes = [
        (first.clone(), error, Some("unlucky".to_owned())),
        (second, 0, None),
        (first, error, Some("rate-limited".to_owned())),
    ];
    assert_eq!(told("node a"), nodes);
    assert_eq!(told("chat"), [(None, error, Some("rate-limited".to_owned()))]);
    assert_eq!(told("run test"), [(None, 0, None), (None, error, Some("failed".to_owned()))]);
}

#[tokio::test]
async fn a_node_that_is_given_up_has_a_span_that_ends() {
    let collector = Collector::open().await;
    let engine = watched(&collector.config("")).await;
    let text = "nodes: { a: { first: [{ type: wait, with: { at: never } }, { value: 1 }] } }\n";
    run(&engine, text).await.outputs.unwrap();
    engine.host().shut_down().await.unwrap();
    let kind = attribute(&collector.spans().one("node a").attributes, "error.type");
    assert_eq!(kind.as_deref(), Some("given-up"));
}

const PRIVATE: &str = "nodes: { a: { type: ask, with: { prompt: a private matter, system: be discreet } }, b: { type: fail, on_error: continue } }\n";

#[tokio::test]
async fn content_is_not_in_spans_unless_it_is_asked_for() {
    let collector = Collector::open().await;
    let engine = watched(&collector.config("")).await;
    run(&engine, PRIVATE).await.outputs.unwrap();
    run(&engine, "nodes: { b: { type: fail } }\n").await.outputs.unwrap_err();
    engine.host().shut_down().await.unwrap();
    let all = format!("{:?}", collector.spans().0);
    assert!(all.contains("node a") && !all.contains("private") && !all.contains("discreet"), "{all}");
}

#[tokio::test]
async fn content_that_is_asked_for_stands_in_the_span_of_its_request() {
    let collector = Collector::open().await;
    let engine = watched(&collector.config(r#", "capture_content": true"#)).await;
    run(&engine, PRIVATE).await.outputs.unwrap();
    engine.host().shut_down().await.unwrap();
    let spans = collector.spans();
    let read = |key| attribute(&spans.one("chat").attributes, key).unwrap();
    let expected = r#"[{"role":"user","parts":[{"type":"text","content":"a private matter"}]}]"#;
    assert_eq!(read("gen_ai.input.messages"), expected);
    let expected = r#"[{"role":"assistant","parts":[{"type":"text","content":"answer to a private matter"}],"finish_reason":"stop"}]"#;
    assert_eq!(read("gen_ai.output.messages"), expected);
    assert_eq!(read("gen_ai.system_instructions"), r#"[{"type":"text","content":"be discreet"}]"#);
    let status = spans.one("node b").status.clone().unwrap();
    assert_eq!(status.message, "a private matter");
}

#[tokio::test]
async fn a_run_is_inside_of_what_its_application_is_doing() {
    let collector = Collector::open().await;
    let engine = watched(&collector.config("")).await;
    let outer = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let carried = Object::from_iter([("traceparent".into(), Value::from(outer))]);
    let text = "nodes: { a: { type: ask }, b: { type: ask, needs: [a] } }\n";
    within_carried(std::sync::Arc::new(carried), run(&engine, text)).await.outputs.unwrap();
    engine.host().shut_down().await.unwrap();
    let spans = collector.spans();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(hex(&spans.one("run test").trace_id), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(hex(&spans.one("run test").parent_span_id), "b7ad6b7169203331");
    assert!(spans.paths().contains(&"run test > node b > chat".to_owned()), "{:?}", spans.paths());
}

#[tokio::test]
async fn runs_that_are_not_sampled_send_nothing() {
    let collector = Collector::open().await;
    let config = format!(r#"{{"traces": {{"otlp": "{}", "sample": 0}}}}"#, collector.address);
    let engine = watched(&config).await;
    run(&engine, PARALLEL).await.outputs.unwrap();
    engine.host().shut_down().await.unwrap();
    assert_eq!(collector.spans().0.len(), 0);
}

#[tokio::test]
async fn headers_and_the_name_of_the_service_are_those_of_the_configuration() {
    let collector = Collector::open().await;
    let (address, headers) = (&collector.address, r#"{"x-team": "tickets"}"#);
    let config = format!(
        r#"{{"traces": {{"otlp": "{address}/own/path", "headers": {headers}, "service_name": "triage"}}}}"#
    );
    let engine = watched(&config).await;
    run(&engine, "nodes: { a: { value: 1 } }\n").await.outputs.unwrap();
    engine.host().shut_down().await.unwrap();
    let (headers, path) = collector.requests().remove(0);
    assert_eq!((headers["x-team"].to_str().unwrap(), &*path), ("tickets", "/own/path"));
    let resource = collector.resources()[0].resource.clone().unwrap();
    assert_eq!(attribute(&resource.attributes, "service.name").as_deref(), Some("triage"));
}
