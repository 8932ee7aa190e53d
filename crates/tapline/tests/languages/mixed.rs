use std::collections::BTreeMap;
use std::sync::Arc;

use tapline::core::{HookKind, Object, Priority, TopicPattern};
use tapline::host::Loader;
use tapline::{Failure, Host, Load, Policy, Value};
use tapline_pipeline::{Catalog, Draft, Engine, KnownPlugin, Origin, Silent, Source, Standing, check};
use tapline_test_kit::{Foreign, Sandboxed, Scripted, Step, Subject as _, Words, hook};
use tempfile::TempDir;

const PIPELINE: &str = "
name: mixed
inputs: { text: { type: string } }
plugins:
  pal-python: {}
  pal-javascript: {}
nodes:
  shout: { type: python-shout, with: { text: '{{ inputs.text }}' } }
  reverse: { type: javascript-reverse, with: { text: '{{ shout.text }}' } }
outputs: { text: '{{ reverse }}', length: '{{ shout.length }}' }
";

fn words(words: &[&str]) -> Words {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A plugin in Rust that does at `greet` what the others do.
fn pal_in_rust(folder: &TempDir) -> Load {
    let mut declaration = hook("greet", HookKind::Around, "greet");
    declaration.priority = Priority::new(40).unwrap();
    let steps = [Step::Input("rust in".into()), Step::Next, Step::Output("rust out".into())];
    Sandboxed.load(&Scripted::new("pal-rust").hook(declaration, steps), folder)
}

/// What a pipeline is checked against.
pub(crate) fn known(pal: &Foreign) -> KnownPlugin {
    let manifest = Loader::read(pal.package()).unwrap().manifest;
    let origin = Origin::Folder(pal.package().to_owned());
    let schemas = BTreeMap::new();
    KnownPlugin { manifest, origin, standing: Standing::Named, schemas, refused: Vec::new() }
}

#[tokio::test]
async fn one_chain_runs_through_rust_python_and_javascript() {
    let Some(pals) = Foreign::find_all(["pal-python", "pal-javascript"]) else { return };
    let folder = TempDir::new().unwrap();
    let [_, runtime] = [pals[0].runtime(), pals[1].runtime()];
    // What the scripted plugin can do besides.
    let policy = Policy::default().allow_call("nobody".parse().unwrap());
    let policy = policy.allow_publish(TopicPattern::new("a.script").unwrap());
    let host = Host::builder().runtime(runtime).policy(policy).build();
    let point = host.hook_point::<Words, Words>("greet").unwrap();
    host.load_all(vec![pals[1].load(), pal_in_rust(&folder), pals[0].load()]).await.unwrap();

    let core = |mut words: Words| async {
        words.push("core".into());
        Ok(words)
    };
    let answer = point.call(Words::new(), core).await.unwrap();
    let inward = ["rust in", "python in", "javascript in", "core"];
    let outward = ["javascript out", "python out", "rust out"];
    assert_eq!(answer, [words(&inward), words(&outward)].concat());

    // An error comes through all of them as it is.
    let failing = |_: Words| async { Err::<Words, _>(Failure::new("core", "it failed").into()) };
    let error = point.call(Words::new(), failing).await.unwrap_err();
    assert_eq!((error.to_failure().code(), error.to_failure().message()), ("core", "it failed"));

    let source = Source::new("mixed.yaml", PIPELINE.as_bytes());
    let catalog = Catalog { plugins: pals.iter().map(known).collect(), ..Catalog::default() };
    let checked = check(&Draft::read(&source), &catalog);
    assert_eq!(checked.diagnostics, []);
    let inputs = Object::from_iter([("text".into(), "stressed".into())]);
    let engine = Engine::new(host).unwrap();
    let report = engine.run(Arc::new(checked.definition.unwrap()), inputs, Arc::new(Silent)).await;
    let outputs = Value::from_iter(report.outputs.unwrap());
    assert_eq!(outputs.to_json(), r#"{"text":"DESSERTS","length":8}"#);
}
