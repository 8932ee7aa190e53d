//! The provider `openai` in its sandbox, before a server that answers as it is told.

use std::sync::{Arc, Barrier};

use serde_json::{Value, json};

use crate::support::{Said, Workplace};

#[path = "openai/server.rs"]
pub(crate) mod server;

use server::{Reply, STREAM, Server, pieces, said, status, streamed, text};

pub(crate) const KEY: &str = "sk-test-0123456789abcdef";

/// A pipeline with these nodes, whose provider asks the server.
pub(crate) fn project(server: &Server, config: &str, nodes: &str) -> Workplace {
    let url = server.base_url();
    let workplace = Workplace::with(&format!(
        "name: ask\nplugins:\n  openai:\n    config: {{ base_url: \"{url}\", api_key: \"${{secret:model_key}}\", model: small{config} }}\nnodes:\n{nodes}outputs: {{ answer: \"{{{{ ask }}}}\" }}\n"
    ));
    let host = server.host();
    workplace.write(
        "tapline.toml",
        format!(
            "[policy.plugins.openai]\nhttp = [{{ hosts = ['{host}'], methods = ['POST'], paths = ['/*'], private = true }}]\nsecrets = [{{ name = 'model_key', header = 'Authorization', hosts = ['{host}'] }}]\n\n[secrets]\nmodel_key = {{ env = 'MODEL_KEY' }}\n\n[audit]\nfile = 'audit.jsonl'\n"
        ),
    );
    workplace
}

pub(crate) const CHAT: &str = "  ask: { type: chat, with: { provider: openai, prompt: Hello } }\n";

fn run(workplace: &Workplace, words: &str) -> Said {
    let output = workplace.command().env("MODEL_KEY", KEY).args(words.split(' ')).output().unwrap();
    let said = Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    };
    assert!(!said.out.contains(KEY) && !said.err.contains(KEY), "{said:?}");
    said
}

/// The output `answer` of a run that has to succeed.
#[track_caller]
fn answer(workplace: &Workplace) -> Value {
    let said = run(workplace, "run pipeline.yaml --json");
    assert_eq!(said.code, 0, "{}", said.err);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    report["outputs"]["answer"].clone()
}

#[track_caller]
fn refused(workplace: &Workplace, expected: &[&str]) {
    let said = run(workplace, "run pipeline.yaml");
    assert_eq!(said.code, 1, "{}", said.err);
    for expected in expected {
        assert!(said.err.contains(expected), "{expected}\n{}", said.err);
    }
}

#[test]
fn a_model_is_asked_with_a_key_that_the_plugin_never_has() {
    let server = Server::start([text("Good day.")]);
    let workplace = project(&server, "", CHAT);
    assert_eq!(answer(&workplace), "Good day.");
    let asked = server.asked();
    assert_eq!((asked.len(), &*asked[0].path), (1, "/v1/chat/completions"));
    assert_eq!(asked[0].authorization.as_deref(), Some(&*format!("Bearer {KEY}")));
    assert_eq!(
        asked[0].body,
        json!({ "model": "small", "messages": [{ "role": "user", "content": "Hello" }] })
    );
}

#[test]
fn a13_a_server_that_echoes_the_key_does_not_give_it_away() {
    let server = Server::start([text(&format!("Your key is {KEY}."))]);
    let workplace = project(&server, "", CHAT);
    assert_eq!(answer(&workplace), "Your key is «secret:model_key».");
    assert!(!workplace.read("audit.jsonl").contains(KEY));
}

#[test]
fn a14_a17_a_server_that_was_not_granted_is_not_reached() {
    let (granted, other) = (Server::start([text("Yes")]), Server::start([text("Stolen")]));
    let workplace = project(&granted, "", CHAT);
    workplace.edit("pipeline.yaml", &granted.base_url(), &other.base_url());
    let said = run(&workplace, "run pipeline.yaml");
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("the policy does not allow it"), "{}", said.err);
    assert!(other.asked().is_empty());
}

#[test]
fn a_redirect_to_another_server_is_not_followed() {
    let other = Server::start([text("Stolen")]);
    let to = format!("location: {}/chat/completions\r\n", other.base_url());
    let server = Server::start([status(307, &to, "")]);
    refused(&project(&server, "", CHAT), &["may not request"]);
    assert!(other.asked().is_empty());
}

#[test]
fn tokens_reach_events_while_they_come() {
    let server = Server::start([streamed(&["Good", " day", "."])]);
    let workplace = project(&server, "", CHAT);
    let said = run(&workplace, "run pipeline.yaml --json --events events.jsonl");
    assert_eq!(said.code, 0, "{}", said.err);
    let events = workplace.read("events.jsonl");
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let tokens: Vec<_> =
        events.filter(|event| event["event"] == "token").map(|event| event["piece"].clone()).collect();
    assert_eq!(tokens, ["Good", " day", "."]);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["outputs"]["answer"], "Good day.");
    assert_eq!(server.asked()[0].body["stream_options"], json!({ "include_usage": true }));
}

#[test]
fn a_server_that_is_busy_is_asked_again_when_it_says_so() {
    let busy = status(429, "retry-after: 0\r\n", r#"{"error":{"message":"Slow down"}}"#);
    let server = Server::start([busy.clone(), status(503, "retry-after: 0\r\n", ""), text("Now")]);
    assert_eq!(answer(&project(&server, "", CHAT)), "Now");
    assert_eq!(server.asked().len(), 3);

    let server = Server::start([busy]);
    refused(
        &project(&server, ", retries: 1", CHAT),
        &["asked too often", "status 429", "Slow down", "pipeline.yaml:"],
    );
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn a_server_that_wants_to_be_left_alone_for_long_is_not_waited_for() {
    let server = Server::start([status(429, "retry-after: 3600\r\n", "{}")]);
    refused(&project(&server, "", CHAT), &["status 429"]);
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn what_goes_wrong_with_a_server_is_told_at_the_node() {
    let cases: [(Reply, &[&str]); 6] = [
        (
            status(401, "", r#"{"error":{"message":"Incorrect API key"}}"#),
            &["does not accept the key", "Incorrect API key"],
        ),
        (
            status(404, "", r#"{"error":{"message":"No such model"}}"#),
            &["no such model or address", "No such model"],
        ),
        (status(500, "retry-after: 0\r\n", "<h1>Oops</h1>"), &["the server failed (status 500)", "Oops"]),
        (status(200, "", "<html>"), &["the server's answer cannot be read"]),
        (status(200, "", "{\"choices\":[]}"), &["it has no `choices`"]),
        (Reply::Bytes(Vec::new()), &["pipeline.yaml:"]),
    ];
    for (reply, expected) in cases {
        let server = Server::start([reply]);
        let workplace = project(&server, ", retries: 0", CHAT);
        refused(&workplace, expected);
        refused(&workplace, &["pipeline.yaml:6:"]);
    }
}

#[test]
fn a_stream_that_breaks_off_is_an_error_and_what_came_of_it_is_not_taken_for_the_answer() {
    let cut = format!("{STREAM}{}", pieces(&["Good"]));
    let server = Server::start([Reply::Bytes(cut.into_bytes())]);
    let workplace = project(&server, "", CHAT);
    let said = run(&workplace, "run pipeline.yaml --events events.jsonl");
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("the answer broke off after 4 bytes"), "{}", said.err);
    // What was read cannot be taken back, so it is not asked again.
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn an_answer_without_end_is_cut() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{\"a\":\"";
    let server = Server::start([Reply::Endless(head.into(), vec![b'a'; 1 << 20])]);
    refused(&project(&server, "", CHAT), &["the body of the answer has more than"]);
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let server = Server::start([Reply::Nothing]);
    refused(&project(&server, ", timeout: 200ms, retries: 0", CHAT), &["200ms"]);
}

#[test]
fn an_answer_that_does_not_fit_its_schema_is_asked_for_again_with_what_is_wrong() {
    let nodes = "  ask: { type: chat, with: { provider: openai, prompt: Which?, schema: { type: object, required: [label], properties: { label: { enum: [bug, question] } } } } }\n";
    let server = Server::start([
        text("Sure: bug!"),
        text("{\"label\":\"bogus\"}"),
        text("```json\n{\"label\":\"bug\"}\n```"),
    ]);
    assert_eq!(answer(&project(&server, "", nodes)), json!({ "label": "bug" }));
    let asked = server.asked();
    assert_eq!(asked[0].body["response_format"]["json_schema"]["schema"]["required"], json!(["label"]));
    let last = asked[2].body["messages"].as_array().unwrap().clone();
    assert_eq!(last.len(), 5);
    assert!(last[4]["content"].as_str().unwrap().contains("/label: \"bogus\""), "{last:?}");

    let server = Server::start([text("never")]);
    refused(&project(&server, "", nodes), &["does not fit `schema`", "it is no JSON"]);
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn an_answer_that_is_to_be_text_may_stand_without_quotes() {
    let nodes = "  ask: { type: chat, with: { provider: openai, prompt: Which?, schema: { enum: [bug, question] } } }\n";
    for reply in ["bug", "\"bug\""] {
        let server = Server::start([text(reply)]);
        assert_eq!(answer(&project(&server, "", nodes)), "bug");
        assert_eq!(server.asked().len(), 1);
    }
}

#[test]
fn a_schema_that_is_none_is_refused_before_a_run() {
    let nodes =
        "  ask: { type: chat, with: { provider: openai, prompt: Which?, schema: { type: sting } } }\n";
    let server = Server::start([text("bug")]);
    let said = run(&project(&server, "", nodes), "run pipeline.yaml");
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("pipeline.yaml:6:") && said.err.contains("sting"), "{}", said.err);
    assert!(server.asked().is_empty());
}

#[test]
fn a70_a_model_that_is_asked_without_end_stops_at_the_budget_of_the_run() {
    let server = Server::start([text("more")]);
    let nodes = "  ask:\n    type: chat\n    while: { when: \"true\", max: 1000 }\n    with: { provider: openai, prompt: Again }\n";
    let workplace = project(&server, "", nodes);
    workplace.edit("pipeline.yaml", "nodes:\n", "limits: { tokens: 100 }\nnodes:\n");
    refused(&workplace, &["100 tokens"]);
    assert_eq!(server.asked().len(), 7);
}

#[test]
fn a_provider_is_asked_no_more_often_than_its_rate_allows_whatever_node_asks() {
    let server = Server::start([text("Yes")]);
    let nodes = "  ask: { type: chat, with: { provider: openai, prompt: One } }\n  other: { type: chat, timeout: 100ms, with: { provider: openai, prompt: \"{{ ask }}\" } }\n";
    let workplace = project(&server, "", nodes);
    workplace.edit("pipeline.yaml", "  openai:\n", "  openai:\n    rate_limit: { calls: 1, per: 1h }\n");
    refused(&workplace, &["pipeline.yaml:8:", "timeout of 100ms"]);
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn as_many_are_asked_at_once_as_the_pipeline_says() {
    const MANY: usize = 40;
    let Reply::Bytes(answer) = text("Yes") else { unreachable!() };
    let server = Server::start([Reply::Together(Arc::new(Barrier::new(MANY)), answer)]);
    let nodes = format!(
        "  ask: {{ type: chat, map: {{ over: \"{{{{ range({MANY}) }}}}\", parallel: {MANY} }}, with: {{ provider: openai, prompt: Hello }} }}\n"
    );
    let answers = self::answer(&project(&server, ", timeout: 20s, retries: 0", &nodes));
    assert_eq!(answers["count"], MANY);
}

#[test]
fn costs_are_told_and_end_a_run() {
    let server = Server::start([text("more")]);
    let prices = ", prices: { small: { input: 1000, output: 2000 } }";
    let nodes = "  ask:\n    type: chat\n    while: { when: \"true\", max: 1000 }\n    with: { provider: openai, prompt: Again }\n";
    let workplace = project(&server, prices, nodes);
    workplace.edit("pipeline.yaml", "nodes:\n", "limits: { cost: 0.05 }\nnodes:\n");
    refused(&workplace, &["costs of 0.05"]);
    // 12 tokens in and 3 out are 0.018.
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn rows_get_the_vectors_of_their_texts_in_batches() {
    let vectors = |count: usize| {
        let data: Vec<_> = (0..count)
            .rev()
            .map(|index| json!({ "object": "embedding", "index": index, "embedding": [index, 1] }))
            .collect();
        let body = json!({ "object": "list", "data": data, "model": "vec-1", "usage": { "prompt_tokens": 4, "total_tokens": 4 } });
        status(200, "", body.to_string())
    };
    let nodes = "  ask: { type: embed, with: { provider: openai, items: [{ id: 1, body: a }, { id: 2, body: b }, { id: 3, body: c }], field: body, batch: 2 } }\n";
    let server = Server::start([vectors(2), vectors(1)]);
    let rows = answer(&project(&server, ", embedding_model: vec", nodes));
    assert_eq!(rows["count"], 3);
    assert_eq!(rows["items"][1], json!({ "id": 2, "body": "b", "vector": [1.0, 1.0] }));
    let asked = server.asked();
    assert_eq!((&*asked[0].path, &asked[0].body["input"]), ("/v1/embeddings", &json!(["a", "b"])));

    let server = Server::start([vectors(1)]);
    refused(&project(&server, ", embedding_model: vec", nodes), &["1 vectors for 2 texts"]);
}

#[test]
fn a_model_that_asks_for_a_tool_that_was_not_named_is_told_so() {
    let call = json!({
        "role": "assistant", "content": null,
        "tool_calls": [{ "id": "call_1", "type": "function", "function": { "name": "mail", "arguments": "{\"to\":\"evil\"}" } }],
    });
    let server = Server::start([said(&call), text("Then not.")]);
    assert_eq!(answer(&project(&server, "", CHAT)), "Then not.");
    let messages = server.asked()[1].body["messages"].clone();
    assert_eq!(messages[2]["tool_call_id"], "call_1");
    assert!(messages[2]["content"].as_str().unwrap().contains("there is no tool `mail`"), "{messages}");
}

#[test]
fn a_key_in_the_file_instead_of_its_name_is_refused_and_not_shown() {
    let server = Server::start([text("Yes")]);
    let workplace = project(&server, "", CHAT);
    workplace.edit("pipeline.yaml", "${secret:model_key}", KEY);
    let said = run(&workplace, "run pipeline.yaml");
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("write `${secret:name}`"), "{}", said.err);
    assert!(server.asked().is_empty());
}
