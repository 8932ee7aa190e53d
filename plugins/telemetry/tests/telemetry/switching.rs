//! The plugin comes and goes while a run goes on.

use std::sync::Arc;

use tapline_core::PluginId;
use tapline_host::{Drain, PluginState};
use tapline_pipeline::{Engine, RunReport, RunSettings};
use tokio::task::JoinHandle;

use crate::collector::{Collector, attribute};
use crate::support::{Barrier, barrier, definition, engine, metrics_address, telemetry, watched};

/// A run that waits twice, at `NAME-1` and at `NAME-2`, and then asks a model.
fn begin(engine: &Engine, name: &str) -> (JoinHandle<RunReport>, [Arc<Barrier>; 2]) {
    let text = format!(
        "nodes:
  a: {{ type: wait, with: {{ at: {name}-1 }} }}
  b: {{ type: wait, with: {{ at: {name}-2 }}, needs: [a] }}
  c: {{ type: ask, needs: [b] }}
"
    );
    let (engine, definition) = (engine.clone(), definition(&text));
    let running =
        tokio::spawn(async move { engine.run_with(definition, RunSettings::default()).await.unwrap() });
    (running, [barrier(&format!("{name}-1")), barrier(&format!("{name}-2"))])
}

/// Waits until no new call comes to the plugin.
async fn gone(engine: &Engine) {
    while engine.host().state(&PluginId::new("telemetry").unwrap()) == PluginState::Active {
        tokio::task::yield_now().await;
    }
}

async fn entered(barrier: &Barrier) {
    barrier.entered.acquire().await.unwrap().forget();
}

#[tokio::test]
async fn it_is_switched_off_while_a_node_runs_and_the_span_of_that_node_ends_well() {
    let collector = Collector::open().await;
    let engine = watched(&collector.config("")).await;
    let (running, [first, second]) = begin(&engine, "off");
    entered(&first).await;
    let host = engine.host().clone();
    let unloading = tokio::spawn(async move { host.unload("telemetry").await.unwrap() });
    gone(&engine).await;
    first.open.add_permits(1);
    unloading.await.unwrap();
    entered(&second).await;
    second.open.add_permits(1);
    running.await.unwrap().outputs.unwrap();
    assert_eq!(collector.spans().paths(), ["run test", "run test > node a"]);
    let spans = collector.spans();
    assert_eq!(spans.one("node a").status.as_ref().map_or(0, |status| status.code), 0);
    assert_eq!(attribute(&spans.one("run test").attributes, "tapline.run.left").as_deref(), Some("true"));
}

#[tokio::test]
async fn it_is_switched_on_while_a_run_goes_on() {
    let collector = Collector::open().await;
    let engine = engine().await;
    let (running, [first, second]) = begin(&engine, "on");
    entered(&first).await;
    engine.host().load(telemetry(&collector.config(""))).await.unwrap();
    first.open.add_permits(1);
    entered(&second).await;
    second.open.add_permits(1);
    running.await.unwrap().outputs.unwrap();
    engine.host().shut_down().await.unwrap();
    let expected = ["run test", "run test > node b", "run test > node c", "run test > node c > chat"];
    assert_eq!(collector.spans().paths(), expected);
    let joined = attribute(&collector.spans().one("run test").attributes, "tapline.run.joined");
    assert_eq!(joined.as_deref(), Some("true"));
}

#[tokio::test]
async fn a_reload_while_a_run_goes_on_loses_no_span_and_has_its_port_again() {
    let collector = Collector::open().await;
    let engine = watched(&collector.config(r#", "prometheus": {"listen": "127.0.0.1:0"}"#)).await;
    let address = metrics_address(&engine).await;
    let port = address.trim_start_matches("http://").trim_end_matches("/metrics");
    let again = collector.config(&format!(r#", "prometheus": {{"listen": "{port}"}}"#));
    let (running, [first, second]) = begin(&engine, "reload");
    entered(&first).await;
    let host = engine.host().clone();
    let reloading = tokio::spawn(async move { host.reload(telemetry(&again)).await.unwrap() });
    gone(&engine).await;
    first.open.add_permits(1);
    reloading.await.unwrap();
    assert_eq!(metrics_address(&engine).await, address);
    second.open.add_permits(1);
    running.await.unwrap().outputs.unwrap();
    engine.host().shut_down().await.unwrap();
    let spans = collector.spans();
    for node in ["node a", "node c"] {
        assert_eq!(spans.one(node).status.as_ref().map_or(0, |status| status.code), 0);
    }
    assert!(spans.paths().iter().all(|path| path.starts_with("run test")), "{:?}", spans.paths());
}

#[tokio::test(start_paused = true)]
async fn a_node_that_takes_longer_than_the_plugin_may_to_leave_goes_on_without_it() {
    let engine = watched(r#"{"prometheus": {"listen": "127.0.0.1:0"}}"#).await;
    let (running, [first, second]) = begin(&engine, "long");
    entered(&first).await;
    let unloaded = engine.host().unload("telemetry").await.unwrap();
    assert!(matches!(unloaded, Drain::Forced), "{unloaded:?}");
    first.open.add_permits(1);
    entered(&second).await;
    second.open.add_permits(1);
    running.await.unwrap().outputs.unwrap();
}
