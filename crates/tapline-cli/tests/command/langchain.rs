//! The plugin `langchain`, with LangChain itself, in pipelines.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tapline::Value;
use tapline::core::Runtime;
use tapline::process::{ProcessRuntime, Walls};
use tapline_test_kit::Rig;

use crate::collector::{Collector, attribute};
use crate::python::{link, with};
use crate::serving::Serving;
use crate::support::{Workplace, lines, repository};

/// The example beside the plugin, built and with its environment.
fn rag() -> Option<Workplace> {
    let (workplace, environment) = with("langchain")?;
    for (from, to) in [("examples/rag", ""), ("plugins/langchain", "plugins/langchain")] {
        let from = repository().join(from);
        let is_source = |entry: &walkdir::DirEntry| {
            let name = entry.file_name().to_str().unwrap();
            entry.depth() == 0 || !(name.starts_with('.') || ["plugins", "tapline"].contains(&name))
        };
        for entry in walkdir::WalkDir::new(&from).into_iter().filter_entry(is_source) {
            let entry = entry.unwrap();
            if entry.file_type().is_file() {
                let below = entry.path().strip_prefix(&from).unwrap();
                workplace.write(Path::new(to).join(below).to_str().unwrap(), fs::read(entry.path()).unwrap());
            }
        }
    }
    link(&environment, &workplace.path("plugins/langchain"));
    let said = workplace.tapline("plugin build plugins/langchain");
    assert_eq!(said.code, 0, "{}", said.err);
    Some(workplace)
}

#[test]
fn the_example_rag_answers_with_the_sources_of_its_answer() {
    let Some(workplace) = rag() else { return };
    let said = workplace.tapline("run pipeline.yaml --json");
    assert_eq!(said.code, 0, "{}", said.err);
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let outputs = &report["outputs"];
    let found = serde_json::json!([{ "source": "documents/refunds.md", "part": 2 }, { "source": "documents/sharing.md", "part": 1 }]);
    assert_eq!(outputs["sources"], found);
    let answer = outputs["answer"].as_str().unwrap();
    assert!(answer.contains("[1] documents/refunds.md\nA yearly plan that is cancelled"), "{answer}");

    let readme = workplace.read("README.md");
    let shown = readme.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(lines(&workplace.tapline("run pipeline.yaml").out), lines(shown));
}

#[tokio::test]
async fn python_is_not_taken_away_from_under_langchain_unless_both_go() {
    let Some(workplace) = rag() else { return };
    let serving = Serving::start(&workplace, "pipeline.yaml");
    let refused = serving.delete("/v1/plugins/python_bridge", 409).await;
    assert_eq!((&refused["code"], &refused["plugins"]), (&json!("needed"), &json!(["langchain"])));
    let gone = serving.delete("/v1/plugins/python_bridge?cascade=true", 200).await;
    let gone: Vec<_> = gone["unloaded"].as_array().unwrap().iter().map(|left| &left["plugin"]).collect();
    assert_eq!(gone, ["langchain", "python_bridge"]);
    let back = serving.post("/v1/plugins", &json!({ "plugin": "langchain" }), 201).await;
    assert_eq!(back["loaded"], json!(["python_bridge", "langchain"]));
    let run = serving.post("/v1/runs?wait=true", &json!({ "pipeline": back["pipelines"][0] }), 200).await;
    assert_eq!(run["status"], "done", "{run}");
}

#[test]
fn what_langchain_promises_holds() {
    let Some(workplace) = rag() else { return };
    let said = workplace.tapline("plugin test plugins/langchain --no-build");
    assert!(said.err.ends_with(" passed, 0 failed\n"), "{}", said.err);
}

#[test]
fn what_a_runnable_streams_is_read_along_piece_by_piece() {
    let Some(workplace) = rag() else { return };
    let model = "{ import: \"langchain_core.language_models.fake_chat_models:FakeListChatModel\", args: { responses: [abc] } }";
    let parser = "{ import: \"langchain_core.output_parsers:StrOutputParser\" }";
    let pipeline = format!(
        "name: s\nnodes: {{ a: {{ type: langchain, with: {{ run: [{model}, {parser}], input: x }} }} }}\n"
    );
    workplace.write("streamed.yaml", pipeline);
    let said = workplace.tapline("run streamed.yaml --events events.jsonl");
    assert_eq!(said.code, 0, "{}", said.err);
    let events = workplace.read("events.jsonl");
    let events = events.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let pieces: Vec<_> =
        events.filter(|event| event["event"] == "token").map(|event| event["piece"].clone()).collect();
    assert_eq!(pieces, ["a", "b", "c"]);
}

#[test]
fn what_langchain_tells_of_its_work_becomes_events_that_say_what_they_are_part_of() {
    let Some(workplace) = rag() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let events = runtime.block_on(async {
        let processes: Arc<dyn Runtime> = Arc::new(ProcessRuntime::new(Walls::none()));
        let rig = Rig::setup().runtime(processes).load(workplace.path("plugins/langchain")).await.unwrap();
        let part = r#"{ "import": "langchain_core.runnables:RunnablePassthrough" }"#;
        let with = Value::from_json(&format!(r#"{{ "run": [{part}, {part}], "input": 1 }}"#)).unwrap();
        rig.node("langchain", with).await.unwrap();
        rig.seen().wait(|seen| seen.events().len() == 6).await;
        rig.seen().events()
    });
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            let text =
                |key: &str| event.payload.get(key).and_then(Value::as_str).unwrap_or("none").to_owned();
            (event.topic.as_str().to_owned(), text("name"), text("run"), text("parent"))
        })
        .collect();
    let (whole, parts) = (&told[0], &told[1..5]);
    assert_eq!((&*whole.0, &*whole.1, &*whole.3), ("langchain.started", "RunnableSequence", "none"));
    assert!(parts.iter().all(|part| part.1 == "RunnablePassthrough" && part.3 == whole.2), "{told:?}");
    assert_eq!((&*told[5].0, &told[5].2), ("langchain.ended", &whole.2));
}

#[test]
fn what_langchain_may_not_do_is_refused_before_the_run() {
    let Some(workplace) = rag() else { return };
    workplace.edit("tapline.toml", "call = [\"provider/*\", \"capability:telemetry\"]\n", "");
    let said = workplace.tapline("run pipeline.yaml");
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("provider/*"), "{}", said.err);
}

/// A tool whose answer a model of LangChain's own and one of a provider are asked about, watched with this configuration.
fn watched(config: &str) -> String {
    format!(
        "name: told
plugins: {{ telemetry: {{ config: {config} }} }}
nodes:
  a:
    type: langchain
    with:
      run:
        - {{ import: 'langchain_core.tools:StructuredTool.from_function', args: {{ func: {{ import: 'html:escape' }} }} }}
        - import: langchain_core.language_models.fake_chat_models:FakeListChatModel
          args: {{ responses: [a private answer] }}
        - import: langchain_core.output_parsers:StrOutputParser
        - chat: {{ provider: echo, model: small }}
      input: {{ s: a private matter }}
"
    )
}

#[test]
fn what_langchain_runs_is_a_span_below_its_node() {
    let Some(workplace) = rag() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let collector = runtime.block_on(Collector::open());
    workplace.write("told.yaml", watched(&collector.config("")));
    let said = workplace.tapline("run told.yaml");
    assert_eq!(said.code, 0, "{}", said.err);
    let spans = collector.spans();
    let whole = "run told > node a > invoke_workflow RunnableSequence";
    let expected = [
        "run told".to_owned(),
        "run told > node a".to_owned(),
        "run told > node a > chat small".to_owned(),
        whole.to_owned(),
        format!("{whole} > ProviderChat"),
        format!("{whole} > StrOutputParser"),
        format!("{whole} > chat FakeListChatModel"),
        format!("{whole} > execute_tool escape"),
    ];
    assert_eq!(spans.paths(), expected);
    for (span, key, value) in [
        ("execute_tool escape", "gen_ai.operation.name", Some("execute_tool")),
        ("execute_tool escape", "gen_ai.tool.name", Some("escape")),
        ("execute_tool escape", "langchain.kind", Some("tool")),
        ("execute_tool escape", "tapline.told_by", Some("langchain")),
        ("chat FakeListChatModel", "gen_ai.operation.name", Some("chat")),
        // Its request to the provider says that once, in a span of its own.
        ("ProviderChat", "gen_ai.operation.name", None),
        ("ProviderChat", "gen_ai.usage.input_tokens", None),
    ] {
        assert_eq!(attribute(&spans.one(span).attributes, key).as_deref(), value, "{span}: {key}");
    }
    let (node, whole) = (spans.one("node a"), spans.one("invoke_workflow RunnableSequence"));
    assert!(node.start_time_unix_nano <= whole.start_time_unix_nano, "{node:?} {whole:?}");
    assert!(!format!("{:?}", spans.0).contains("private"), "content is not asked for");
}

#[test]
fn what_langchain_is_given_and_answers_is_in_its_spans_if_it_is_asked_for() {
    let Some(workplace) = rag() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let collector = runtime.block_on(Collector::open());
    workplace.write("told.yaml", watched(&collector.config(r#", "capture_content": true"#)));
    let said = workplace.tapline("run told.yaml");
    assert_eq!(said.code, 0, "{}", said.err);
    let spans = collector.spans();
    for (span, key, value) in [
        ("execute_tool escape", "gen_ai.tool.call.arguments", r#"{"s":"a private matter"}"#),
        ("execute_tool escape", "gen_ai.tool.call.result", "a private matter"),
        ("invoke_workflow RunnableSequence", "langchain.input", r#"{"s":"a private matter"}"#),
    ] {
        assert_eq!(attribute(&spans.one(span).attributes, key).as_deref(), Some(value), "{span}: {key}");
    }
    let answer = attribute(&spans.one("chat FakeListChatModel").attributes, "gen_ai.output.messages");
    assert!(answer.unwrap().contains("a private answer"));
}

/// What a node does with a store of Chroma's that is kept.
fn kept(node: &str, with: &str) -> String {
    format!(
        "name: kept
nodes:
  a:
    type: {node}
    with:
      {with}
      store:
        import: langchain_chroma:Chroma
        args:
          embedding_function: {{ import: 'langchain_core.embeddings:DeterministicFakeEmbedding', args: {{ size: 8 }} }}
          persist_directory: {{ kept: stores/documents }}
outputs: {{ a: \"{{{{ a }}}}\" }}
"
    )
}

#[test]
fn what_one_run_has_put_into_a_store_that_is_kept_the_next_one_finds() {
    let Some(workplace) = rag() else { return };
    workplace.write("find.yaml", kept("langchain_retrieve", "query: two\n      count: 1"));
    for (added, found) in [("[one, two]", "two"), ("[three]", "two"), ("[]", "two")] {
        workplace.write("index.yaml", kept("langchain_index", &format!("documents: {added}")));
        let said = workplace.tapline("run index.yaml");
        assert_eq!(said.code, 0, "{}", said.err);
        let said = workplace.tapline("run find.yaml --json");
        assert_eq!(said.code, 0, "{}", said.err);
        let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(report["outputs"]["a"]["items"][0]["text"], found, "after {added}");
    }
    let files = fs::read_dir(workplace.path("stores/documents")).unwrap();
    assert_eq!(files.count(), 2, "what was kept before is gone");

    workplace.write("stores/documents/kept.json", "{}");
    let said = workplace.tapline("run find.yaml");
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("what is kept in `data:/stores/documents` cannot be read"), "{}", said.err);
}

#[test]
fn a_store_is_kept_only_where_the_policy_and_the_pipeline_say_so() {
    let Some(workplace) = rag() else { return };
    let index = kept("langchain_index", "documents: [one]");
    let narrowed = "plugins: { langchain: { grants: { fs: [{ path: 'data:', mode: r }] } } }\nnodes:";
    workplace.write("narrowed.yaml", index.replacen("nodes:", narrowed, 1));
    let said = workplace.tapline("run narrowed.yaml");
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("data:/stores/documents"), "{}", said.err);

    workplace.edit("tapline.toml", "mode = \"rw\"", "mode = \"r\"");
    workplace.write("index.yaml", index);
    let said = workplace.tapline("run index.yaml");
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("data:"), "{}", said.err);
    assert!(!workplace.path("stores").exists());
}

#[test]
fn a_tool_of_langchain_is_described_to_a_model_and_called_as_one() {
    let Some(workplace) = rag() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let tool = r#"{ "import": "langchain_core.tools:StructuredTool.from_function",
        "args": { "func": { "import": "html:escape" }, "description": "Makes a text safe." } }"#;
    let request = |arguments: &str| {
        Value::from_json(&format!(r#"{{ "with": {tool}, "arguments": {arguments} }}"#)).unwrap()
    };
    let (outline, answer) = runtime.block_on(async {
        let processes: Arc<dyn Runtime> = Arc::new(ProcessRuntime::new(Walls::none()));
        let rig = Rig::setup().runtime(processes).load(workplace.path("plugins/langchain")).await.unwrap();
        let outline = rig.request("tool", "langchain", "describe_with", request("null")).await.unwrap();
        let answer = rig.request("tool", "langchain", "call_with", request(r#"{ "s": "<b>" }"#)).await;
        (outline, answer.unwrap())
    });
    let text = |path| outline.at(path).and_then(Value::as_str);
    assert_eq!((text("name"), text("description")), (Some("escape"), Some("Makes a text safe.")));
    assert!(outline.at("parameters.properties.s").is_some(), "{outline:?}");
    assert_eq!(answer.as_str(), Some("&lt;b&gt;"));
}
