//! An engine with a plugin whose nodes do what a test needs, and the plugin that watches it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use tapline_host::{Host, Load, Loader};
use tapline_pdk::prelude::*;
use tapline_pdk::roles::{Completion, CompletionRequest, NodeRequest, Usage};
use tapline_pipeline::{
    Catalog, Definition, Draft, Engine, KnownPlugin, Origin, RunReport, RunSettings, Source, Standing, check,
};
use tapline_plugin_telemetry::Telemetry;
use tokio::sync::Semaphore;

/// Node types and a model for tests.
struct Lab(Mutex<HashMap<String, i64>>);

/// A place where a node waits until the test lets it go on.
pub(crate) struct Barrier {
    pub(crate) entered: Semaphore,
    pub(crate) open: Semaphore,
}

static BARRIERS: LazyLock<Mutex<HashMap<String, Arc<Barrier>>>> = LazyLock::new(Mutex::default);

/// The barrier of a name, which no other test may use.
pub(crate) fn barrier(name: &str) -> Arc<Barrier> {
    let new = || Arc::new(Barrier { entered: Semaphore::new(0), open: Semaphore::new(0) });
    Arc::clone(BARRIERS.lock().unwrap().entry(name.to_owned()).or_insert_with(new))
}

#[plugin(id = "lab", requires = { call = ["provider/*", "capability:telemetry"] })]
impl Lab {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self(Mutex::default()))
    }

    /// Asks a model, `times` times one after the other.
    #[provides(point = "node", key = "ask")]
    async fn ask(&self, context: &Context, request: NodeRequest) -> Result<Value> {
        let text = |key: &str| request.with.get(key).and_then(Value::as_str).map(str::to_owned);
        let provider = text("provider").unwrap_or_else(|| "model".into());
        let (prompt, system) = (text("prompt").unwrap_or_default(), text("system"));
        let asked = CompletionRequest { system, model: text("model"), ..CompletionRequest::new(prompt) };
        let completion: Completion =
            context.call(&format!("provider/{provider}"), "complete", &asked).await?;
        Ok(completion.output)
    }

    /// Fails for the first `times` times.
    #[provides(point = "node", key = "fail")]
    async fn fail(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        let number = |key: &str| request.with.get(key).and_then(Value::as_i64).unwrap_or(i64::MAX);
        let mut failed = self.0.lock().unwrap();
        let failed = failed.entry("fail".into()).or_default();
        *failed += 1;
        if *failed > number("times") {
            Ok(Value::Null)
        } else {
            Err(Failure::new("unlucky", "a private matter"))
        }
    }

    /// Tells of its own work: the spans under `tell`, one after the other. Answers with what is wanted of it, and with the
    /// codes of those that were refused.
    #[provides(point = "node", key = "tell")]
    async fn tell(&self, context: &Context, request: NodeRequest) -> Result<Value> {
        let wanted: Value = context.call("capability:telemetry", "wanted", &()).await?;
        let mut refused = Vec::new();
        for span in request.with.get("tell").and_then(Value::as_array).unwrap() {
            let told: Result<()> = context.call("capability:telemetry", "span", span).await;
            refused.extend(told.err().map(|failure| Value::from(failure.code())));
        }
        Ok(Value::from_iter([("wanted", wanted), ("refused", refused.into())]))
    }

    /// Waits at a barrier.
    #[provides(point = "node", key = "wait")]
    async fn wait(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        let barrier = barrier(request.with.get("at").and_then(Value::as_str).unwrap());
        barrier.entered.add_permits(1);
        barrier.open.acquire().await.unwrap().forget();
        Ok(Value::from("through"))
    }

    #[provides(point = "provider", key = "model", method = "complete")]
    async fn complete(&self, _context: &Context, request: CompletionRequest) -> Result<Completion> {
        if request.prompt == "refuse" {
            return Err(Failure::new("rate-limited", "your prompt was: refuse"));
        }
        let usage = Usage { input_tokens: 4, output_tokens: 6, cost: Some(0.25) };
        let answer = Completion::new(format!("answer to {}", request.prompt), "model-1");
        Ok(Completion { usage: Some(usage), finish_reason: Some("stop".into()), ..answer })
    }

    /// A model that has another one answer.
    #[provides(point = "provider", key = "front", method = "complete")]
    async fn front(&self, context: &Context, request: CompletionRequest) -> Result<Completion> {
        context.call("provider/model", "complete", &request).await
    }
}

/// The pipeline of a text without mistakes.
pub(crate) fn definition(text: &str) -> Arc<Definition> {
    let manifest = Arc::new(Loader::native(&tapline_pdk::native::<Lab>()).unwrap());
    let (origin, standing) = (Origin::BuiltIn, Standing::Available);
    let known = KnownPlugin { manifest, origin, standing, schemas: BTreeMap::new(), refused: Vec::new() };
    let catalog = Catalog { plugins: vec![known], problems: BTreeMap::new() };
    let source = Source::new("pipeline.yaml", format!("name: test\n{text}").as_bytes());
    let checked = check(&Draft::read(&source), &catalog);
    assert_eq!(checked.diagnostics, []);
    Arc::new(checked.definition.unwrap())
}

/// An engine with the plugin that works, and none that watches.
pub(crate) async fn engine() -> Engine {
    let engine = Engine::new(Host::builder().build()).unwrap();
    engine.host().load(Load::native(tapline_pdk::native::<Lab>())).await.unwrap();
    engine
}

/// The plugin that watches, with this configuration as JSON.
pub(crate) fn telemetry(config: &str) -> Load {
    Load::native(tapline_pdk::native::<Telemetry>()).config(Value::from_json(config).unwrap())
}

/// An engine with both.
pub(crate) async fn watched(config: &str) -> Engine {
    let engine = engine().await;
    engine.host().load(telemetry(config)).await.unwrap();
    engine
}

pub(crate) async fn run(engine: &Engine, text: &str) -> RunReport {
    engine.run_with(definition(text), RunSettings::default()).await.unwrap()
}

/// Where the metrics can be fetched.
pub(crate) async fn metrics_address(engine: &Engine) -> String {
    let status = status(engine).await;
    status.get("metrics").unwrap().as_str().unwrap().to_owned()
}

/// What the plugin says of itself.
pub(crate) async fn status(engine: &Engine) -> Value {
    let request = tapline_core::Request::new(tapline_core::METHODS, "telemetry", "status", Value::Null);
    engine.host().request(request).await.unwrap()
}
