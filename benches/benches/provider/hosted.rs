use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tapline::core::{BoxFuture, Bytes, Grants, Object, Request};
use tapline::host::Secrets;
use tapline::pipeline::{Definition, Engine, Observer, RunEvent, Silent};
use tapline::{Host, Limits, Load, PluginId, Policy, Value, WasmRuntime, WebClient};
use tapline_benches::{Proxy, catalog, checked};
use tapline_plugin_chat::Chat;

use crate::{Until, Way, nanoseconds};

/// A request to the provider, as a plugin or an application makes it.
pub(super) struct Provider(pub(super) Host);

impl Way for Provider {
    fn ask(&self, until: Until) -> BoxFuture<'static, (Duration, Duration)> {
        let input = Value::from_iter([("prompt", "Hello".into())]);
        let request = Request::new("provider", "openai", "complete", input);
        let host = self.0.clone();
        Box::pin(async move {
            let begun = Instant::now();
            if matches!(until, Until::Whole) {
                let answer = host.request(request).await.unwrap();
                let took = begun.elapsed();
                return (took, nanoseconds(answer.get("output").unwrap().as_str().unwrap()));
            }
            let (mut pieces, answer) = host.request_streamed(request);
            let first = async move {
                let first = pieces.next().await.unwrap();
                let took = begun.elapsed();
                while pieces.next().await.is_some() {}
                (took, nanoseconds(first.as_str().unwrap()))
            };
            let (first, answer) = tokio::join!(first, answer);
            answer.unwrap();
            first
        })
    }
}

/// A run of a pipeline with one node.
pub(super) struct Node {
    engine: Engine,
    definition: Arc<Definition>,
}

impl Node {
    pub(super) fn new(engine: Engine) -> Self {
        let text = "name: bench\nnodes: { ask: { type: chat, with: { provider: openai, prompt: Hello } } }\noutputs: { answer: '{{ ask }}' }\n";
        let definition = checked(&catalog(&tapline_pdk::native::<Chat>()), text);
        Self { engine, definition: Arc::new(definition) }
    }
}

/// When the first token came, and what it says.
struct FirstToken(Instant, Mutex<Option<(Duration, Duration)>>);

impl Observer for FirstToken {
    fn event(&self, event: &RunEvent<'_>) {
        if let RunEvent::Token { piece, .. } = event {
            let took = self.0.elapsed();
            let first = || (took, nanoseconds(piece.as_str().unwrap()));
            self.1.lock().unwrap().get_or_insert_with(first);
        }
    }

    fn wants_tokens(&self) -> bool {
        true
    }
}

impl Way for Node {
    fn ask(&self, until: Until) -> BoxFuture<'static, (Duration, Duration)> {
        let (engine, definition) = (self.engine.clone(), Arc::clone(&self.definition));
        Box::pin(async move {
            let begun = Instant::now();
            if matches!(until, Until::Whole) {
                let report = engine.run(definition, Object::new(), Arc::new(Silent)).await;
                let took = begun.elapsed();
                return (took, nanoseconds(report.outputs.unwrap()["answer"].as_str().unwrap()));
            }
            let first = Arc::new(FirstToken(begun, Mutex::default()));
            let report = engine.run(definition, Object::new(), first.clone()).await;
            report.outputs.unwrap();
            first.1.lock().unwrap().unwrap()
        })
    }
}

/// An engine whose provider asks the model, with a key, as most servers want one.
pub(super) async fn engine(model: &str) -> Engine {
    let grants = [
        ("http", format!(r#"[{{"hosts":["{model}"],"methods":["POST"],"paths":["/*"],"private":true}}]"#)),
        ("secrets", format!(r#"[{{"name":"key","header":"Authorization","hosts":["{model}"]}}]"#)),
    ];
    let grants = grants.map(|(key, json)| (key, Value::from_json(&json).unwrap()));
    let grants: Grants = Value::from_iter(grants).to().unwrap();
    let config = Value::from_iter([
        ("base_url", format!("{model}/v1").into()),
        ("api_key", "${secret:key}".into()),
        ("model", "small".into()),
    ]);
    let openai = PluginId::new("openai").unwrap();
    let host = Host::builder()
        .runtime(WasmRuntime::new().unwrap())
        .http(WebClient::new().unwrap())
        .policy(Policy::default().allow_for(openai.clone(), &grants).allow_own_authority(openai))
        .secrets(Secrets::new([("key", Proxy::KEY.to_owned())]).unwrap())
        // As an operator would say who has so many at once.
        .limits(Limits { calls: 1000, memory: Bytes(4 << 30), ..Limits::default() })
        .build();
    let engine = Engine::new(host).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/openai");
    let plugins = vec![Load::folder(folder).config(config), Load::native(tapline_pdk::native::<Chat>())];
    engine.host().load_all(plugins).await.unwrap();
    engine
}
