//! What hooks are told of runs, and what they may find wrong before one.

use std::sync::{Arc, Mutex};

use tapline_core::{Hook, PluginId};
use tapline_pipeline::{Engine, RunSettings};
use tapline_roles::{Finding, Findings};

use crate::support::{definition, engine};

/// An engine with hooks of the application.
async fn with_hooks(hooks: impl FnOnce(&Engine) -> Vec<Hook>) -> Engine {
    let engine = engine().await;
    let hooks = hooks(&engine);
    engine.host().join(&PluginId::new("notes").unwrap(), hooks).unwrap();
    engine
}

#[tokio::test]
async fn the_begin_and_the_end_of_a_run_are_told() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let engine = with_hooks(|engine| {
        let (begun, ended) = (told.clone(), told.clone());
        let start = engine.points().start.answer("start", move |run| {
            begun.lock().unwrap().push(format!("{} begins", run.pipeline));
            Ok(None)
        });
        let complete = engine.points().complete.answer("complete", move |run| {
            ended.lock().unwrap().push(format!("{} ends: {:?}", run.pipeline, run.error));
            Ok(None)
        });
        vec![start, complete]
    })
    .await;
    for text in ["nodes: { a: { value: 1 } }\n", "nodes: { a: { type: fail } }\n"] {
        engine.run_with(definition(text), RunSettings::default()).await.unwrap();
    }
    let failed = "test ends: Some(\"node `a` failed: attempt 1 had no luck\")";
    assert_eq!(*told.lock().unwrap(), ["test begins", "test ends: None", "test begins", failed]);
}

#[tokio::test]
async fn every_step_that_fails_is_told_once_a_turn_of_a_loop_too() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let engine = with_hooks(|engine| {
        let heard = told.clone();
        vec![engine.points().node_error.answer("note", move |error| {
            heard.lock().unwrap().push(error.path.clone());
            Ok(None)
        })]
    })
    .await;
    let text = "nodes:
  looped: { type: fail, while: { when: iteration < 2, max: 3 }, on_error: continue }
  chosen: { switch: [{ type: fail }], on_error: continue, needs: [looped] }
";
    engine.run_with(definition(text), RunSettings::default()).await.unwrap();
    assert_eq!(*told.lock().unwrap(), ["looped#0", "chosen/0"]);
}

#[tokio::test]
async fn what_hooks_find_wrong_stands_at_its_place() {
    let finding =
        |path: &str, message: &str| Finding { path: path.into(), message: message.into(), rule: None };
    let engine = with_hooks(|engine| {
        let node = engine.points().node_validate.answer("node", move |node| {
            let is_long = node.with.get("prompt").and_then(|it| it.as_str()).is_some_and(|it| it.len() > 5);
            Ok(is_long.then(|| Findings(vec![finding("/prompt", "the prompt is too long")])))
        });
        let pipeline = engine.points().pipeline_validate.answer("pipeline", move |pipeline| {
            assert_eq!(pipeline.name, "test");
            Ok(Some(Findings(vec![finding("/limits/wall", "every pipeline has a wall")])))
        });
        vec![node, pipeline]
    })
    .await;
    let text = "nodes:
  a: { switch: [{ when: 1 > 2, type: echo, with: { prompt: hello world } }] }
  b: { type: echo, with: { prompt: hi } }
";
    let found = engine.validate(&definition(text)).await.unwrap();
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        ["pipeline.yaml:1:1: every pipeline has a wall", "pipeline.yaml:3:60: the prompt is too long"]
    );
}
