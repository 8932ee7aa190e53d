//! What plugins tell of their own work.

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use tapline_core::{METHODS, Request, Value};

use crate::collector::{Collector, Spans, attribute};
use crate::support::{engine, run, telemetry, watched};

/// Something as a whole, with a tool and a model in it; what is part of it ends, and is told, before it does.
const WORK: &str = "
  - { id: tool, parent: whole, name: search, begun: 1700000000001, ended: 1700000000002.5, operation: execute_tool,
      input: { for: a private matter }, output: found a private matter }
  - { id: model, parent: whole, name: Fake, begun: 1700000000003, ended: 1700000000004, operation: chat, provider: acme,
      model: small, response_model: small-1, finish_reason: stop, usage: { input_tokens: 4, output_tokens: 6 },
      input: a private matter, output: answer to a private matter }
  - { id: chain, parent: whole, name: parse, begun: 1700000000004, ended: 1700000000005, attributes: { kind: chain, tapline.run.id: mine, depth: 2 },
      input: a private matter, error: { code: unlucky, message: a private matter } }
  - { id: whole, name: triage, begun: 1700000000000, ended: 1700000000006, operation: invoke_workflow }";

/// A pipeline with a node `a` that tells these spans.
fn telling(spans: &str, rest: &str) -> String {
    let spans = spans.replace('\n', "\n      ");
    format!(
        "nodes:\n  a:\n    type: tell\n{rest}    with:\n      tell: {spans}\noutputs: {{ told: \"{{{{ a }}}}\" }}\n"
    )
}

/// What comes of a run of a pipeline that is watched with this configuration, and its output.
async fn told(text: &str, rest: &str) -> (Spans, Value) {
    let collector = Collector::open().await;
    let engine = watched(&collector.config(rest)).await;
    let outputs = run(&engine, text).await.outputs.unwrap();
    engine.host().shut_down().await.unwrap();
    (collector.spans(), outputs["told"].clone())
}

#[tokio::test]
async fn what_plugins_tell_of_their_work_is_below_the_node_and_in_its_own_order() {
    let (spans, output) = told(&telling(WORK, ""), "").await;
    assert_eq!(output.get("refused").unwrap().as_array().unwrap(), []);
    let whole = "run test > node a > invoke_workflow triage";
    let expected = [
        "run test".to_owned(),
        "run test > node a".to_owned(),
        whole.to_owned(),
        format!("{whole} > chat small"),
        format!("{whole} > execute_tool search"),
        format!("{whole} > parse"),
    ];
    assert_eq!(spans.paths(), expected);
    let tool = spans.one("execute_tool search");
    let times = (tool.start_time_unix_nano, tool.end_time_unix_nano);
    assert_eq!(times, (1_700_000_000_001_000_000, 1_700_000_000_002_500_000));
}

#[tokio::test]
async fn the_same_ids_in_two_calls_are_two_spans() {
    let over = "    map: { over: \"{{ [1, 2] }}\", parallel: 2 }\n";
    let (spans, _) = told(&telling(WORK, over), "").await;
    let paths = spans.paths();
    let below = "run test > node a > invoke_workflow triage > chat small";
    assert_eq!(paths.iter().filter(|path| *path == below).count(), 2, "{paths:?}");
    let parents = spans.all("chat small").into_iter().map(|span| &span.parent_span_id);
    assert_eq!(parents.collect::<std::collections::HashSet<_>>().len(), 2);
}

#[tokio::test]
async fn what_is_told_has_the_words_of_the_conventions_and_others_under_the_name_of_the_plugin() {
    let (spans, _) = told(&telling(WORK, ""), "").await;
    for (span, key, value) in [
        ("chat small", "gen_ai.operation.name", "chat"),
        ("chat small", "gen_ai.provider.name", "acme"),
        ("chat small", "gen_ai.request.model", "small"),
        ("chat small", "gen_ai.response.model", "small-1"),
        ("chat small", "gen_ai.response.finish_reasons", "stop"),
        ("chat small", "gen_ai.usage.input_tokens", "4"),
        ("chat small", "gen_ai.usage.output_tokens", "6"),
        ("execute_tool search", "gen_ai.operation.name", "execute_tool"),
        ("execute_tool search", "gen_ai.tool.name", "search"),
        ("invoke_workflow triage", "gen_ai.workflow.name", "triage"),
        ("parse", "tapline.told_by", "lab"),
        ("parse", "lab.kind", "chain"),
        ("parse", "lab.depth", "2"),
        ("parse", "lab.tapline.run.id", "mine"),
        ("parse", "error.type", "unlucky"),
    ] {
        assert_eq!(attribute(&spans.one(span).attributes, key).as_deref(), Some(value), "{span}: {key}");
    }
    assert_eq!(attribute(&spans.one("parse").attributes, "tapline.run.id"), None);
    assert_eq!(spans.one("parse").status.as_ref().unwrap().code, StatusCode::Error as i32);
    let kinds = ["chat small", "execute_tool search"].map(|name| spans.one(name).kind);
    assert_eq!(kinds, [SpanKind::Client as i32, SpanKind::Internal as i32]);
}

#[tokio::test]
async fn content_that_is_told_is_in_spans_only_if_it_is_asked_for() {
    let (spans, output) = told(&telling(WORK, ""), "").await;
    let all = format!("{:?}", spans.0);
    assert!(all.contains("execute_tool search") && !all.contains("private"), "{all}");
    assert_eq!(output.at("wanted.content"), Some(&Value::from(false)));

    let (spans, output) = told(&telling(WORK, ""), r#", "capture_content": true"#).await;
    assert_eq!(output.at("wanted.content"), Some(&Value::from(true)));
    let message = r#"[{"role":"user","parts":[{"type":"text","content":"a private matter"}]}]"#;
    for (span, key, value) in [
        ("chat small", "gen_ai.input.messages", message),
        ("execute_tool search", "gen_ai.tool.call.arguments", r#"{"for":"a private matter"}"#),
        ("execute_tool search", "gen_ai.tool.call.result", "found a private matter"),
        ("parse", "lab.input", "a private matter"),
    ] {
        assert_eq!(attribute(&spans.one(span).attributes, key).as_deref(), Some(value), "{span}: {key}");
    }
    assert_eq!(spans.one("parse").status.as_ref().unwrap().message, "a private matter");
}

#[tokio::test]
async fn what_is_no_span_is_refused_and_nothing_of_it_is_kept() {
    let spans = "
  - { id: a, name: backwards, begun: 2, ended: 1 }
  - { id: a, name: never, begun: -1, ended: 1e300 }
  - { id: a, begun: 1, ended: 2 }
  - { id: a, name: traced, begun: 1, ended: 2, trace: 0af7651916cd43dd8448eb211c80319c }";
    let (spans, output) = told(&telling(spans, ""), "").await;
    assert_eq!(output.get("refused").unwrap(), &vec![Value::from("invalid-request"); 4].into());
    assert_eq!(spans.paths(), ["run test", "run test > node a"]);
}

#[tokio::test]
async fn what_is_too_long_is_cut_and_what_is_too_many_is_left_out() {
    let long = "x".repeat(5000);
    let attributes: Vec<_> = (0..100).map(|number| format!("k{number:02}: {long}")).collect();
    let span = format!(
        "[{{ id: {long}, name: {long}, begun: 1, ended: 2, attributes: {{ {} }} }}]",
        attributes.join(", ")
    );
    let (spans, _) = told(&telling(&span, ""), "").await;
    let span = spans.one(&"x".repeat(256));
    let theirs: Vec<_> =
        span.attributes.iter().filter(|attribute| attribute.key.starts_with("lab.")).collect();
    assert_eq!(theirs.len(), 32);
    assert_eq!(attribute(&span.attributes, "lab.k00").map(|text| text.len()), Some(1024));
}

#[tokio::test]
async fn nothing_is_wanted_of_calls_that_are_not_traced() {
    let unwanted = Value::from_iter([("spans", Value::from(false)), ("content", false.into())]);
    let collector = Collector::open().await;
    let sample = format!(r#"{{"traces": {{"otlp": "{}", "sample": 0}}}}"#, collector.address);
    for config in [&*sample, r#"{"prometheus": {"listen": "127.0.0.1:0"}}"#] {
        let engine = watched(config).await;
        let outputs = run(&engine, &telling(WORK, "")).await.outputs.unwrap();
        assert_eq!(outputs["told"].get("wanted"), Some(&unwanted));
        engine.host().shut_down().await.unwrap();
    }

    // Outside of runs and requests there is no trace that a span could be part of.
    let engine = engine().await;
    engine.host().load(telemetry(&collector.config(""))).await.unwrap();
    let span = Value::from_json(r#"{"id": "a", "name": "alone", "begun": 1, "ended": 2}"#).unwrap();
    engine.host().request(Request::new(METHODS, "telemetry", "span", span)).await.unwrap();
    engine.host().shut_down().await.unwrap();
    assert_eq!(collector.spans().0.len(), 0);
}
