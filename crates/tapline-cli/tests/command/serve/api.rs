use reqwest::Method;
use serde_json::{Value, json};

use crate::serving::{Serving, answered};
use crate::support::Workplace;

/// A pipeline that greets, and keeps nothing.
pub(super) const GREET: &str = "name: greet
durability: none
inputs: { name: { type: string, default: you } }
nodes:
  greeting: { type: template, with: { text: 'Hello {{ inputs.name }}!' } }
outputs: { greeting: '{{ greeting.text }}' }
";

#[tokio::test]
async fn who_does_not_name_the_token_is_told_nothing() {
    let workplace = Workplace::with(GREET);
    let serving = Serving::start(&workplace, "pipeline.yaml");
    for path in ["/v1/runs", "/v1/pipelines", "/v1/plugins", "/v1/events", "/metrics", "/v1/points"] {
        let url = format!("{}{path}", serving.url);
        let without = answered(serving.client.get(&url), 401).await;
        assert_eq!(without["code"], "no-token");
        let tokens = [&serving.token[1..], "", &format!("{0}{0}", serving.token), "wrong"];
        for token in tokens {
            answered(serving.client.get(&url).bearer_auth(token), 401).await;
        }
        answered(serving.client.get(&url).basic_auth("you", Some(&serving.token)), 401).await;
    }
    answered(serving.client.get(format!("{}/health/live", serving.url)), 204).await;
    let ready = answered(serving.client.get(format!("{}/health/ready", serving.url)), 200).await;
    assert_eq!(ready["status"], "ready");
    answered(serving.client.get(format!("{}/openapi.json", serving.url)), 200).await;
}

#[tokio::test]
async fn a_run_is_begun_waited_for_listed_and_shown() {
    let workplace = Workplace::with(GREET);
    let serving = Serving::start(&workplace, "pipeline.yaml");
    let new = json!({ "pipeline": "greet", "inputs": { "name": "Ada" } });
    let ended = serving.post("/v1/runs?wait=true", &new, 200).await;
    assert_eq!(ended["status"], "done");
    assert_eq!(ended["outputs"], json!({ "greeting": "Hello Ada!" }));
    let begun = serving.request(Method::POST, "/v1/runs").json(&new).send().await.unwrap();
    assert_eq!(begun.status(), 202);
    let place = begun.headers()["location"].to_str().unwrap().to_owned();
    let events = serving.request(Method::GET, &format!("{place}/events")).send().await.unwrap();
    let events = events.text().await.unwrap();
    assert!(events.contains("event: run-finished"), "{events}");
    assert_eq!(serving.get(&place, 200).await["outputs"]["greeting"], "Hello Ada!");
    let runs = serving.get("/v1/runs?limit=1", 200).await;
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1);
    assert_eq!(runs["runs"][0]["id"], begun_id(&place));
}

fn begun_id(place: &str) -> Value {
    Value::from(place.rsplit('/').next().unwrap())
}

#[tokio::test]
async fn a_run_that_is_kept_is_shown_with_its_steps_and_by_the_command() {
    let workplace = Workplace::with(&GREET.replace("durability: none\n", ""));
    let serving = Serving::start(&workplace, "pipeline.yaml");
    let ended = serving.post("/v1/runs?wait=true", &json!({ "pipeline": "greet" }), 200).await;
    let id = ended["id"].as_str().unwrap();
    let shown = serving.get(&format!("/v1/runs/{}", &id[..6]), 200).await;
    assert_eq!(shown["steps"][0]["output"], json!({ "text": "Hello you!" }));
    assert!(workplace.tapline(&format!("runs show {id}")).out.contains("Hello you!"));
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_with_a_reason() {
    let workplace = Workplace::with(GREET);
    let serving = Serving::start(&workplace, "pipeline.yaml");
    for (body, status, code) in [
        (json!({ "pipeline": "greeting" }), 404, "no-such-pipeline"),
        (json!({ "pipeline": "greet", "inputs": { "nam": "Ada" } }), 422, "inputs"),
        (json!({ "pipeline": "greet", "inputs": { "name": 1 } }), 422, "inputs"),
        (json!({ "pipeline": "greet", "input": {} }), 422, "bad-request"),
        (json!([]), 422, "bad-request"),
    ] {
        let problem = serving.post("/v1/runs", &body, status).await;
        assert_eq!(problem["code"], code, "{problem}");
    }
    let text = serving.request(Method::POST, "/v1/runs").body("pipeline: greet");
    answered(text, 415).await;
    assert_eq!(serving.get("/v1/runs?limit=0", 400).await["code"], "bad-request");
    assert_eq!(serving.get("/v1/runs?limit=x", 400).await["code"], "bad-request");
    assert_eq!(serving.get("/v1/runs/zzzzzzzz", 404).await["code"], "no-such-run");
    assert_eq!(serving.get("/v1/plugins/zzz", 404).await["code"], "not-loaded");
    assert_eq!(serving.get("/v1/points/zzz", 404).await["code"], "not-found");
    assert_eq!(serving.get("/v2", 404).await["code"], "not-found");
    assert_eq!(serving.delete("/v1/runs", 405).await["code"], "no-such-method");
}

#[tokio::test]
async fn hooks_are_explained_and_everything_is_counted() {
    let workplace = Workplace::triage();
    let serving = Serving::start(&workplace, "pipeline.yaml");
    serving.post("/v1/runs?wait=true", &json!({ "pipeline": "triage" }), 200).await;
    let explained = serving.get("/v1/points/provider.request", 200).await;
    let hooks = explained["hooks"].as_array().unwrap();
    assert!(hooks.iter().any(|hook| hook["plugin"] == "pipeline" && hook["calls"] == 333), "{explained}");
    assert!(explained["told"].as_str().unwrap().contains("pipeline/budget"));
    let metrics = serving.get("/metrics", 200).await;
    let metrics = metrics.as_str().unwrap();
    assert!(
        metrics.contains("tapline_serve_runs_total{pipeline=\"triage\",outcome=\"done\"} 1"),
        "{metrics}"
    );
    assert!(metrics.contains("tapline_serve_plugin_up{plugin=\"redact\",version=\"1.0.0\"} 1"), "{metrics}");
    let grants = serving.get("/v1/plugins/redact/grants", 200).await;
    assert!(!grants["asks_for"].as_array().unwrap().is_empty(), "{grants}");
}

#[test]
fn pipelines_that_cannot_be_served_together_are_refused() {
    let workplace = Workplace::with(GREET);
    workplace.write("same.yaml", GREET);
    let other = "name: other\ndurability: none\nplugins: { chat: { config: {} } }\nnodes:\n  a: { type: template, with: { text: a } }\n";
    workplace.write("deep/other.yaml", other);
    let said = workplace.tapline("serve pipeline.yaml same.yaml --listen 127.0.0.1:0");
    assert_eq!((said.code, &*said.err), (2, "error: pipeline.yaml and same.yaml are both called `greet`\n"));
    let said = workplace.tapline("serve pipeline.yaml deep/other.yaml --listen 127.0.0.1:0");
    assert!(said.code == 2 && said.err.contains("lie in different folders"), "{said:?}");
    workplace.write("broken.yaml", "name: broken\nnodes: { a: { type: nothing } }\n");
    let said = workplace.tapline("serve pipeline.yaml broken.yaml --listen 127.0.0.1:0");
    assert!(said.code == 2 && said.err.contains("broken.yaml:2:21"), "{said:?}");
}
