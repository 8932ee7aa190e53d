use reqwest::Method;
use serde_json::{Value, json};

use crate::serving::Serving;
use crate::support::Workplace;

/// A pipeline of a hook that does what its configuration says: `good` passes on, `bad` breaks.
const HOOKED: &str = "name: hooked
durability: none
plugins:
  script:
    path: plugins/script
    config: { hooks: { good: [next], bad: [break], health: [{ fail: ill }] } }
nodes:
  word: { type: template, with: { text: word } }
outputs: { word: '{{ word.text }}' }
";

/// A workplace with versions of the plugin: `script` is well, `broken` breaks in its hook, `ill` says that it is not well.
fn hooked() -> Workplace {
    let workplace = Workplace::with(HOOKED);
    workplace.write("tapline.toml", "[policy.plugins.script]\ncall = ['gate']\npublish = ['said']\n");
    for (folder, version, hook, more) in [
        ("script", "1.0.0", "good", ""),
        ("better", "1.1.0", "good", ""),
        ("broken", "1.2.0", "bad", ""),
        ("ill", "1.3.0", "good", "health = true\n"),
    ] {
        let manifest = format!(
            "[plugin]\nid = \"script\"\nversion = \"{version}\"\nhost = \"^1.0.0\"\nruntime = \"wasm\"\n{more}\n[[hook]]\nname = \"{hook}\"\npoint = \"node.execute\"\nkind = \"around\"\n\n[requires]\ncall = [\"gate\"]\nevents = {{ publish = [\"said\"] }}\n"
        );
        workplace.write(&format!("plugins/{folder}/plugin.toml"), manifest);
        let component = std::fs::read(tapline_test_kit::guest("script").join("plugin.wasm")).unwrap();
        workplace.write(&format!("plugins/{folder}/plugin.wasm"), component);
    }
    workplace
}

fn run(pipeline: &str) -> Value {
    json!({ "pipeline": pipeline })
}

#[tokio::test]
async fn a_plugin_that_is_needed_stays_unless_all_go() {
    let workplace = Workplace::triage();
    let serving = Serving::start(&workplace, "pipeline.yaml");
    let refused = serving.delete("/v1/plugins/redact", 409).await;
    assert_eq!((&refused["code"], &refused["pipelines"]), (&json!("needed"), &json!(["triage"])));
    let dry = serving.delete("/v1/plugins/redact?cascade=true&dry_run=true", 200).await;
    assert_eq!(dry["stopped"], json!(["triage"]));
    serving.post("/v1/runs?wait=true", &run("triage"), 200).await;
    let gone = serving.delete("/v1/plugins/redact?cascade=true", 200).await;
    assert_eq!(gone["unloaded"], json!([{ "plugin": "redact", "drain": "drained" }]));
    let refused = serving.post("/v1/runs?wait=true", &run("triage"), 409).await;
    assert_eq!((&refused["code"], &refused["plugins"]), (&json!("pipeline-stopped"), &json!(["redact"])));
    let ready = serving.get("/health/ready", 200).await;
    assert_eq!((&ready["status"], &ready["stopped"]), (&json!("degraded"), &json!(["triage"])));
    let back = serving.post("/v1/plugins", &json!({ "plugin": "redact" }), 201).await;
    assert_eq!(back, json!({ "loaded": ["redact"], "pipelines": ["triage"] }));
    assert_eq!(serving.post("/v1/runs?wait=true", &run("triage"), 200).await["status"], "done");
    assert_eq!(
        serving.post("/v1/plugins", &json!({ "plugin": "redact" }), 409).await["code"],
        "already-loaded"
    );
}

#[tokio::test]
async fn another_version_takes_over_and_one_that_is_ill_does_not() {
    let workplace = hooked();
    let serving = Serving::start(&workplace, "pipeline.yaml");
    let swapped = serving.post("/v1/plugins/script/swap", &json!({ "from": "plugins/better" }), 200).await;
    assert_eq!((&swapped["from"], &swapped["to"]), (&json!("1.0.0"), &json!("1.1.0")));
    let refused = serving.post("/v1/plugins/script/swap", &json!({ "from": "plugins/ill" }), 422).await;
    assert_eq!(refused["code"], "unwell", "{refused}");
    assert!(refused["because"][0].as_str().unwrap().contains("it was told to fail"), "{refused}");
    assert_eq!(serving.get("/v1/plugins/script", 200).await["version"], "1.1.0");
    assert_eq!(serving.post("/v1/runs?wait=true", &run("hooked"), 200).await["status"], "done");
    let reloaded = serving.post("/v1/plugins/script/reload", &json!({ "from": "plugins/script" }), 200).await;
    assert_eq!((&reloaded["to"], &reloaded["started"]), (&json!("1.0.0"), &json!(["script"])));
}

#[tokio::test]
async fn a_version_that_breaks_is_taken_back_by_itself_and_it_is_said_why() {
    let workplace = hooked();
    let serving = Serving::start(&workplace, "pipeline.yaml");
    let mut events = serving.request(Method::GET, "/v1/events").send().await.unwrap();
    let swap = serving.request(Method::POST, "/v1/plugins/script/swap?wait=true");
    let swap = tokio::spawn(swap.json(&json!({ "from": "plugins/broken" })).send());
    // Until it has broken often enough.
    while serving.post("/v1/runs?wait=true", &run("hooked"), 200).await["status"] != "failed" {}
    while serving.post("/v1/runs?wait=true", &run("hooked"), 200).await["status"] != "done" {}
    let swapped: Value = swap.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(swapped["outcome"], "rolled-back", "{swapped}");
    assert!(!swapped["reason"].as_str().unwrap().is_empty());
    let plugin = serving.get("/v1/plugins/script", 200).await;
    assert_eq!(plugin["version"], "1.0.0");
    let changes = plugin["changes"].as_array().unwrap();
    let back = changes.iter().find(|change| !change["rolled_back"].is_null()).unwrap();
    assert_eq!(
        (&back["rolled_back"]["from"], &back["rolled_back"]["reason"]),
        (&json!("1.2.0"), &swapped["reason"])
    );
    // And whoever follows the server was told.
    let mut told = String::new();
    while !told.contains(r#""rolled_back":{"from":"1.2.0""#) {
        told += std::str::from_utf8(&events.chunk().await.unwrap().unwrap()).unwrap();
    }
}

#[tokio::test]
async fn a_plugin_with_which_a_pipeline_could_not_run_is_refused_and_nothing_is_touched() {
    let workplace = Workplace::triage();
    let manifest = workplace.read("plugins/redact/plugin.toml");
    workplace.write(
        "plugins/other/plugin.wasm",
        std::fs::read(workplace.path("plugins/redact/plugin.wasm")).unwrap(),
    );
    workplace
        .write("plugins/other/plugin.toml", manifest.replace("version = \"1.0.0\"", "version = \"9.0.0\""));
    workplace.edit(
        "pipeline.yaml",
        "redact: { path: plugins/redact, enabled: true }",
        "redact: { path: plugins/redact, version: ^1 }",
    );
    let serving = Serving::start(&workplace, "pipeline.yaml");
    for verb in ["swap", "reload"] {
        let body = json!({ "from": "plugins/other" });
        let refused = serving.post(&format!("/v1/plugins/redact/{verb}"), &body, 422).await;
        assert_eq!(
            (&refused["code"], &refused["pipelines"]),
            (&json!("pipeline-would-stop"), &json!(["triage"]))
        );
        assert_eq!(refused["mistakes"][0]["code"], "plugin-version", "{refused}");
    }
    assert_eq!(serving.get("/v1/plugins/redact", 200).await["version"], "1.0.0");
    serving.post("/v1/runs?wait=true", &run("triage"), 200).await;
}

#[tokio::test]
async fn plugins_are_loaded_from_where_the_operator_keeps_them_and_from_nowhere_else() {
    let (elsewhere, workplace) = (hooked(), Workplace::with(super::api::GREET));
    workplace.write("plugins/empty/plugin.toml", "[plugin]\nid = 1\n");
    let serving = Serving::start(&workplace, "pipeline.yaml");
    let path = elsewhere.path("plugins/script");
    for plugin in [path.to_str().unwrap(), &format!("../../..{}", path.display()), "../..", "plugins/nothing"]
    {
        let refused = serving.post("/v1/plugins", &json!({ "plugin": plugin }), 422).await;
        assert_eq!(refused["code"], "not-allowed", "{refused}");
    }
    let refused = serving.post("/v1/plugins", &json!({ "plugin": "plugins/empty" }), 422).await;
    assert!(refused["detail"].as_str().unwrap().contains("plugin.toml"), "{refused}");
    for plugin in ["nothing", "", "a\u{0}b"] {
        let refused = serving.post("/v1/plugins", &json!({ "plugin": plugin }), 404).await;
        assert_eq!(refused["code"], "no-such-plugin", "{refused}");
    }
    let refused = serving.post("/v1/plugins", &json!({ "plugin": "telemetry" }), 422).await;
    assert_eq!((&refused["code"], &refused["plugins"]), (&json!("did-not-start"), &json!(["telemetry"])));
    let config = json!({ "statsd": { "address": "127.0.0.1:9" } });
    let loaded = serving.post("/v1/plugins", &json!({ "plugin": "telemetry", "config": config }), 201).await;
    assert_eq!(loaded["loaded"], json!(["telemetry"]));
    assert_eq!(serving.delete("/v1/plugins/telemetry", 200).await["stopped"], json!([]));
    assert_eq!(serving.delete("/v1/plugins/telemetry", 404).await["code"], "not-loaded");
}

#[test]
fn the_command_loads_unloads_reloads_and_swaps_there() {
    let workplace = Workplace::triage();
    let serving = Serving::start(&workplace, "pipeline.yaml");
    let plugin = |words: &str| workplace.tapline(&format!("plugin {words} --url {}", serving.url));
    let said = plugin("unload redact");
    assert!(said.code == 2 && said.err.contains("is needed by pipeline `triage`"), "{said:?}");
    let said = plugin("unload redact --cascade --dry-run");
    assert_eq!(said.err, "would be unloaded: redact\npipeline `triage` would not run without it\n");
    assert_eq!(plugin("unload redact --cascade").code, 0);
    let said = plugin("load redact");
    assert_eq!(said.err, "loaded redact\npipelines that can run: triage\n");
    let said = plugin("reload redact");
    assert_eq!(said.err, "redact: 1.0.0 runs in the place of 1.0.0; started: redact\n");
    let said = plugin("swap redact");
    assert_eq!(said.err, "redact: 1.0.0 in the place of 1.0.0, on-trial\n");
    let json: Value = serde_json::from_str(&plugin("swap redact --json").out).unwrap();
    assert_eq!(json["outcome"], "on-trial");
}
