//! What a plugin asks for by way of its configuration, in the words that an operator is told.

use std::fs;

use serde_json::Value;

use crate::support::{Said, Workplace, repository};

/// A pipeline that asks a model on a server of this configuration.
fn asking(config: &str) -> Workplace {
    Workplace::with(&format!(
        "name: ask\nplugins:\n  openai: {{ config: {{ {config} }} }}\nnodes:\n  ask: {{ type: chat, with: {{ provider: openai, model: m, prompt: Hello }} }}\n"
    ))
}

const SERVER: &str = "base_url: \"https://api.example.com/v1\"";
const KEY: &str = "api_key: \"${secret:model-key}\"";

/// The lines that the command has said would allow it.
#[track_caller]
fn told(said: &Said) -> String {
    let (_, lines) =
        said.err.split_once("this in tapline.toml would allow it:\n\n").unwrap_or(("", &said.err));
    lines.to_owned()
}

#[test]
fn what_is_not_allowed_is_refused_before_a_run_begins_with_the_lines_that_allow_it() {
    let workplace = asking(&format!("{SERVER}, {KEY}"));
    for words in ["run pipeline.yaml", "check pipeline.yaml"] {
        let said = workplace.tapline(words);
        assert_eq!(said.code, 2, "{said:?}");
        let expected = "pipeline.yaml:3:3\n";
        assert!(said.err.contains(expected), "{}", said.err);
        assert!(
            said.err.contains("secret `model-key` is not under `[secrets]` in tapline.toml"),
            "{}",
            said.err
        );
        let expected = r#"[policy.plugins.openai]
http = [{ hosts = ["api.example.com"], methods = ["POST"], paths = ["/*"] }]
secrets = [{ name = "model-key", header = "authorization", hosts = ["api.example.com"] }]

[secrets]
model-key = { env = "MODEL_KEY" }
"#;
        assert_eq!(told(&said), expected);
    }
    assert!(!workplace.path(".tapline").exists(), "nothing has begun");
    let lines = told(&workplace.tapline("check pipeline.yaml"));
    workplace.write("tapline.toml", lines);
    let said = workplace.tapline("check pipeline.yaml");
    assert_eq!(said.code, 0, "{}", said.err);
}

#[test]
fn a_server_of_ones_own_needs_no_key() {
    for none in ["", ", api_key: null"] {
        let workplace = asking(&format!("base_url: \"http://localhost:8080/v1\"{none}"));
        let lines = told(&workplace.tapline("check pipeline.yaml"));
        let expected = "[policy.plugins.openai]\nhttp = [{ hosts = [\"http://localhost:8080\"], methods = [\"POST\"], paths = [\"/*\"], private = true }]\n";
        assert_eq!(lines, expected);
        workplace.write("tapline.toml", lines);
        assert_eq!(workplace.tapline("lock pipeline.yaml").code, 0);
        let lock = workplace.read("tapline.lock");
        assert!(lock.contains("http://localhost:8080") && !lock.contains("${config"), "{lock}");
        assert!(!lock.contains("secrets"), "{lock}");
    }
}

#[test]
fn a_key_that_was_pasted_is_refused_and_never_shown() {
    for key in ["sk-pasted-0123", "Bearer ${env:KEY}sk-pasted-0123", "{ sk-pasted-0123: x }"] {
        let key = if key.starts_with('{') { key.to_owned() } else { format!("\"{key}\"") };
        let workplace = asking(&format!("{SERVER}, api_key: {key}"));
        for words in ["run", "run --json", "check", "check --format json", "plan", "lock"] {
            let said = workplace.tapline(&words.replacen(' ', " pipeline.yaml ", 1));
            let said =
                if words.contains(' ') { said } else { workplace.tapline(&format!("{words} pipeline.yaml")) };
            assert_eq!(said.code, 2, "{words}: {said:?}");
            assert!(
                said.err.contains("the secret of `api_key`") && said.err.contains("write `${secret:name}`"),
                "{words}: {}",
                said.err
            );
            assert!(!said.err.contains("pasted") && !said.out.contains("pasted"), "{words}: {said:?}");
        }
        assert!(!workplace.path(".tapline").exists(), "nothing has begun");
    }
}

#[test]
fn a_package_that_takes_the_id_of_one_that_is_built_in_has_not_its_authority() {
    let workplace = asking(SERVER);
    let policy = "[policy.plugins.openai]\nhttp = [{ hosts = ['api.example.com'], methods = ['POST'], paths = ['/*'] }]\n";
    workplace.write("tapline.toml", policy);
    let said = workplace.tapline("check pipeline.yaml");
    assert_eq!(said.code, 0, "{}", said.err);
    for file in ["plugin.toml", "plugin.wasm"] {
        let content = fs::read(repository().join("plugins/openai").join(file)).unwrap();
        workplace.write(&format!("mine/{file}"), content);
    }
    workplace.edit("pipeline.yaml", "openai: { config", "openai: { path: mine, config");
    for words in ["check pipeline.yaml", "run pipeline.yaml"] {
        let said = workplace.tapline(words);
        assert_eq!(said.code, 2, "{}", said.err);
        assert!(said.err.contains("may not answer with its own grants at `provider/openai`"), "{}", said.err);
        assert_eq!(told(&said), "[policy]\nown_authority = [\"openai\"]\n");
    }
    workplace.write("tapline.toml", format!("[policy]\nown_authority = ['openai']\n{policy}"));
    assert_eq!(workplace.tapline("check pipeline.yaml").code, 0);
}

#[test]
fn what_a_pipeline_has_yet_to_name_is_shown_as_such() {
    let workplace = Workplace::new();
    let said = workplace.tapline("plugin grants openai --json");
    let told: Value = serde_json::from_str(&said.out).unwrap();
    let asks = told["asks_for"].as_array().unwrap();
    assert_eq!(asks.iter().map(|ask| &ask["granted"]).collect::<Vec<_>>(), [&Value::Null, &Value::Null]);
    let said = workplace.tapline("plugin grants openai");
    assert!(said.out.contains("${config:base_url}") && !said.out.contains(" yes "), "{}", said.out);
}

#[test]
fn a_pipeline_that_does_not_configure_a_model_server_asks_none() {
    let workplace = Workplace::with("name: ask\nnodes: { ask: { type: chat, with: { prompt: Hello } } }\n");
    let said = workplace.tapline("run pipeline.yaml");
    assert_eq!(said.code, 0, "{}", said.err);
    let said = workplace.tapline("plugin why openai pipeline.yaml");
    assert!(said.out.contains("the pipeline does not configure it"), "{}", said.out);
}
