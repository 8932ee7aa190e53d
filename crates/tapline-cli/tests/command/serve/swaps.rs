use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;
use tokio::task::JoinSet;

use crate::openai::project;
use crate::openai::server::{Server, streamed};
use crate::serving::{Api, Serving};
use crate::support::{Workplace, repository};

/// So many runs are under way at once.
const RUNS: usize = 100;
/// So often each plugin is swapped.
const SWAPS: usize = 100;
/// So often one comes and goes; each time all calls inside it come to their end.
const TIMES: usize = 20;

/// A pipeline that asks a model through the plugin `openai`, and what it asks through `redact`.
fn asking(server: &Server) -> Workplace {
    let nodes = "  ask: { type: chat, with: { provider: openai, prompt: 'I am ada@example.com' } }\n";
    let workplace = project(server, "", nodes);
    workplace.edit(
        "pipeline.yaml",
        "name: ask\nplugins:\n",
        "name: ask\ndurability: none\nplugins:\n  redact: { path: plugins/redact }\n",
    );
    let redact = repository().join("examples/triage/plugins/redact");
    for file in ["plugin.toml", "plugin.wasm"] {
        workplace.write(&format!("plugins/redact/{file}"), std::fs::read(redact.join(file)).unwrap());
    }
    workplace
}

/// Keeps runs under way until it is told to stop; all of them have to be done.
fn keep_running(api: &Api, is_over: &Arc<AtomicBool>, done: &Arc<AtomicUsize>) -> JoinSet<()> {
    let mut running = JoinSet::new();
    for _ in 0..RUNS {
        let (api, is_over, done) = (api.clone(), Arc::clone(is_over), Arc::clone(done));
        running.spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                let run = api.post("/v1/runs?wait=true", &json!({ "pipeline": "ask" }), 200).await;
                assert_eq!(
                    (&run["status"], &run["outputs"]["answer"]),
                    (&json!("done"), &json!("Good day.")),
                    "{run}"
                );
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    running
}

async fn over(mut running: JoinSet<()>, is_over: &AtomicBool) {
    is_over.store(true, Ordering::Relaxed);
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_run_is_lost_while_every_sandboxed_plugin_is_swapped_a_hundred_times() {
    let server = Server::start([streamed(&["Good ", "day."])]);
    let workplace = asking(&server);
    let serving = Serving::start(&workplace, "pipeline.yaml");
    assert_eq!(serving.get("/v1/plugins/openai", 200).await["folder"], json!(null));
    let (is_over, done) = (Arc::default(), Arc::default());
    let running = keep_running(&serving, &is_over, &done);
    let mut memory = Vec::new();
    for time in 0..SWAPS {
        for plugin in ["openai", "redact"] {
            let path = format!("/v1/plugins/{plugin}/swap");
            assert_eq!(serving.post(&path, &json!({}), 200).await["outcome"], "on-trial");
        }
        if time % (SWAPS / 4) == SWAPS / 4 - 1 {
            memory.push(serving.memory());
        }
    }
    over(running, &is_over).await;
    assert!(done.load(Ordering::Relaxed) >= RUNS);
    // What it has is what it had after a quarter of it, but for what an allocator keeps.
    assert!(memory[3] < memory[0] + memory[0] / 2, "{memory:?}");
    for request in server.asked() {
        let prompt = request.body["messages"][0]["content"].as_str().unwrap();
        assert!(!prompt.contains("ada@"), "a call went past the hook: {prompt}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_run_is_lost_while_a_plugin_that_joins_in_comes_and_goes() {
    let server = Server::start([streamed(&["Good ", "day."])]);
    let workplace = asking(&server);
    workplace.edit("pipeline.yaml", "  redact: { path: plugins/redact }\n", "");
    let serving = Serving::start(&workplace, "pipeline.yaml");
    let (is_over, done) = (Arc::default(), Arc::default());
    let running = keep_running(&serving, &is_over, &done);
    for _ in 0..TIMES {
        serving.post("/v1/plugins", &json!({ "plugin": "plugins/redact" }), 201).await;
        let gone = serving.delete("/v1/plugins/redact", 200).await;
        assert_eq!(gone["unloaded"], json!([{ "plugin": "redact", "drain": "drained" }]));
    }
    over(running, &is_over).await;
    assert!(done.load(Ordering::Relaxed) >= RUNS);
}
