use serde_json::json;

use crate::serving::Serving;
use crate::support::Workplace;

#[tokio::test]
async fn a_changed_pipeline_is_taken_over_and_one_with_a_mistake_is_not() {
    let workplace = Workplace::with(super::api::GREET);
    let mut serving = Serving::start(&workplace, "pipeline.yaml --watch");
    let run = json!({ "pipeline": "greet" });
    workplace.edit("pipeline.yaml", "Hello", "Goodbye");
    serving.line("pipeline.yaml: taken over");
    assert_eq!(serving.post("/v1/runs?wait=true", &run, 200).await["outputs"]["greeting"], "Goodbye you!");
    workplace.edit("pipeline.yaml", "type: template", "type: templat");
    serving.line(" --> pipeline.yaml:5:");
    serving.line("pipeline.yaml: what was there goes on");
    assert_eq!(serving.post("/v1/runs?wait=true", &run, 200).await["outputs"]["greeting"], "Goodbye you!");
    // What it needs from then on is loaded, and what it does not need any more is not there.
    workplace.write(
        "pipeline.yaml",
        "name: greet\ndurability: none\nnodes:\n  greeting: { type: chat, with: { provider: echo, prompt: hi } }\noutputs: { greeting: '{{ greeting }}' }\n",
    );
    serving.line("pipeline.yaml: taken over");
    assert_eq!(serving.post("/v1/runs?wait=true", &run, 200).await["outputs"]["greeting"], "hi");
    serving.get("/v1/plugins/chat", 200).await;
    serving.get("/v1/plugins/transform", 404).await;
}

#[tokio::test]
async fn a_changed_plugin_is_swapped_in_and_one_with_a_mistake_is_not() {
    let workplace = Workplace::triage();
    let mut serving = Serving::start(&workplace, "pipeline.yaml --watch");
    workplace.edit("plugins/redact/plugin.toml", "version = \"1.0.0\"", "version = \"1.0.1\"");
    serving.line("plugin `redact`: 1.0.1 is swapped in");
    assert_eq!(serving.get("/v1/plugins/redact", 200).await["version"], "1.0.1");
    workplace.edit("plugins/redact/plugin.toml", "version = \"1.0.1\"", "version = \"one\"");
    serving.line("error: plugin `redact`: ");
    serving.line("plugin `redact`: what was there goes on");
    assert_eq!(serving.get("/v1/plugins/redact", 200).await["version"], "1.0.1");
    let run = json!({ "pipeline": "triage" });
    assert_eq!(serving.post("/v1/runs?wait=true", &run, 200).await["status"], "done");
}
