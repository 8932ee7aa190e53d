//! The provider `openai` with the servers that people have: LiteLLM's proxy, and that of llama.cpp.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Said, Workplace};

#[path = "model_servers/server.rs"]
mod server;

use server::{Server, program};

/// LiteLLM asks whoever may do more than others for this key.
const KEY: &str = "sk-5c1f7e0a94d24b6f8e3a70d1b2c9f685";
const GREETING: &str = "Good day to you.";
/// As much as the tiny model may say.
const MOST: u64 = 12;

const LITELLM: &str = r#"
general_settings: { master_key: KEY }
model_list:
  - model_name: small
    litellm_params: { model: openai/any, api_key: x, mock_response: "GREETING" }
"#;

/// A proxy whose only model always says the same.
fn litellm(workplace: &Workplace) -> Option<Server> {
    let program = program("litellm", "litellm")?;
    workplace.write("litellm.yaml", LITELLM.replace("KEY", KEY).replace("GREETING", GREETING));
    let mut command = command(&program);
    // The prices of the world's models would be fetched from elsewhere.
    command.env("LITELLM_LOCAL_MODEL_COST_MAP", "True");
    Some(Server::start(command.arg("--config").arg(workplace.path("litellm.yaml"))))
}

/// A server with a model of random weights, which is told to make words, or vectors.
fn llama(workplace: &Workplace, embedding: bool) -> Option<Server> {
    let python = program("llama", "python")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command/model_servers/tiny_model.py");
    let model = workplace.path("tiny.gguf");
    assert!(command(&python).arg(script).arg(&model).status().unwrap().success());
    let mut command = command(&python);
    command.args(["-m", "llama_cpp.server", "--n_ctx", "256", "--n_threads", "1", "--model"]).arg(&model);
    command.args(["--embedding", if embedding { "true" } else { "false" }]);
    Some(Server::start(&mut command))
}

#[expect(clippy::disallowed_methods, reason = "the servers are programs of others")]
fn command(program: &Path) -> std::process::Command {
    std::process::Command::new(program)
}

/// Puts a pipeline with one node there, whose provider asks the server.
fn write_project(workplace: &Workplace, server: &Server, node: &str) {
    let host = server.host();
    let config = format!(
        "base_url: \"{host}/v1\", api_key: \"${{secret:key}}\", model: small, embedding_model: small"
    );
    workplace.write(
        "pipeline.yaml",
        format!("name: ask\nplugins: {{ openai: {{ config: {{ {config} }} }} }}\nnodes:\n  ask: {node}\noutputs: {{ answer: \"{{{{ ask }}}}\" }}\n"),
    );
    workplace.write(
        "tapline.toml",
        format!("[policy.plugins.openai]\nhttp = [{{ hosts = ['{host}'], methods = ['POST'], paths = ['/*'], private = true }}]\nsecrets = [{{ name = 'key', header = 'Authorization', hosts = ['{host}'] }}]\n\n[secrets]\nkey = {{ env = 'MODEL_KEY' }}\n"),
    );
}

fn chat(more: &str) -> String {
    format!(
        "{{ type: chat, with: {{ provider: openai, prompt: Hello, max_tokens: {MOST}, temperature: 0{more} }} }}"
    )
}

fn run(workplace: &Workplace, key: &str, words: &str) -> Said {
    let output = workplace.command().env("MODEL_KEY", key).args(words.split(' ')).output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// What the node of a run has yielded, which has to succeed.
#[track_caller]
fn answer(workplace: &Workplace, words: &str) -> Value {
    let said = run(workplace, KEY, words);
    assert_eq!(said.code, 0, "{}", said.err);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    report["outputs"]["answer"].clone()
}

/// The same in pieces, the pieces, and how many tokens were used up.
#[track_caller]
fn streamed(workplace: &Workplace) -> (Value, Vec<String>, u64) {
    let whole = answer(workplace, "run pipeline.yaml --json --events events.jsonl");
    let events = workplace.read("events.jsonl");
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of =
        |kind: &str| events.iter().filter(move |event| event["event"] == kind).cloned().collect::<Vec<_>>();
    let pieces = of("token").iter().map(|event| event["piece"].as_str().unwrap().to_owned()).collect();
    (whole, pieces, of("node-finished")[0]["used"]["tokens"].as_u64().unwrap())
}

#[track_caller]
fn refused(workplace: &Workplace, key: &str, expected: &[&str]) {
    let said = run(workplace, key, "run pipeline.yaml");
    assert_eq!(said.code, 1, "{}", said.err);
    for expected in expected {
        assert!(said.err.contains(expected), "{expected}\n{}", said.err);
    }
}

/// An answer in one piece counts as one in pieces does.
#[track_caller]
fn counts_tokens(workplace: &Workplace) {
    workplace.edit("pipeline.yaml", "nodes:\n", "limits: { tokens: 1 }\nnodes:\n");
    refused(workplace, KEY, &["1 tokens"]);
}

#[test]
#[ignore = "needs LiteLLM, and waits until it has begun"]
fn litellm_answers_whole_and_in_pieces_and_says_what_is_wrong() {
    let workplace = Workplace::new();
    let Some(server) = litellm(&workplace) else { return };
    write_project(&workplace, &server, &chat(""));

    let whole = answer(&workplace, "run pipeline.yaml --json");
    let (in_pieces, pieces, tokens) = streamed(&workplace);

    assert_eq!((whole, in_pieces), (json!(GREETING), json!(GREETING)));
    assert_eq!(pieces.concat(), GREETING);
    assert!(pieces.len() > 1 && tokens > 0, "{pieces:?}, {tokens} tokens");
    counts_tokens(&workplace);

    write_project(&workplace, &server, &chat(""));
    refused(&workplace, "sk-wrong", &["pipeline.yaml:4:"]);
    write_project(&workplace, &server, &chat(", model: grand"));
    refused(&workplace, KEY, &["the server does not accept the request", "model=grand", "pipeline.yaml:4:"]);
}

#[test]
#[ignore = "needs llama.cpp, and waits until it has begun"]
fn llama_cpp_answers_whole_and_in_pieces_and_says_what_is_wrong() {
    let workplace = Workplace::new();
    let Some(server) = llama(&workplace, false) else { return };
    write_project(&workplace, &server, &chat(""));

    let whole = answer(&workplace, "run pipeline.yaml --json");
    // In pieces, this server does not say how many tokens were used up.
    let (in_pieces, pieces, _) = streamed(&workplace);

    assert_eq!(whole, in_pieces);
    assert_eq!(json!(pieces.concat()), in_pieces);
    assert!(pieces.len() > 1, "{pieces:?}");
    counts_tokens(&workplace);

    // It has one model, and answers with that one whatever it is asked for; a text that is too long is too much for it.
    let long = "a long text ".repeat(200);
    write_project(&workplace, &server, &chat(&format!(", system: \"{long}\"")));
    refused(&workplace, KEY, &["the server does not accept the request", "context", "pipeline.yaml:4:"]);
}

#[test]
#[ignore = "needs llama.cpp, and waits until it has begun"]
fn llama_cpp_makes_vectors() {
    let workplace = Workplace::new();
    let Some(server) = llama(&workplace, true) else { return };
    let node = "{ type: embed, with: { provider: openai, items: [one text, another, one text], batch: 2 } }";
    write_project(&workplace, &server, node);

    let answer = answer(&workplace, "run pipeline.yaml --json");

    let rows = answer["items"].as_array().unwrap();
    let vectors: Vec<_> = rows.iter().map(|row| vector(&row["vector"])).collect();
    assert!(distance(&vectors[0], &vectors[2]) < 1e-3, "{vectors:?}");
    assert!(distance(&vectors[0], &vectors[1]) > 1e-1, "{vectors:?}");
    counts_tokens(&workplace);
}

/// As many numbers as the tiny model has.
#[track_caller]
fn vector(value: &Value) -> Vec<f64> {
    let numbers: Vec<_> = value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect();
    assert_eq!(numbers.len(), 64);
    numbers
}

/// The same text has almost the same numbers, whatever else is in its batch.
fn distance(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| (one - other).powi(2)).sum::<f64>().sqrt()
}
