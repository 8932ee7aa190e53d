//! What the tests of runs share: a plugin whose nodes do what a test needs, and one call from text to what comes out.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tapline_host::{Host, Load, Loader};
use tapline_pdk::prelude::*;
use tapline_pdk::roles::{
    Completion, CompletionRequest, Finding, NodeRequest, Usage, Validation, ValidationRequest,
};
use tapline_pipeline::{
    Catalog, Checked, Definition, Draft, Engine, KnownPlugin, Observer, Origin, RunEvent, RunReport,
    RunSettings, Source, Standing, check,
};

use crate::diagnostics;

/// Node types for tests.
pub(crate) struct Lab {
    calls: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

#[plugin(id = "lab", requires = { call = ["provider/*"] })]
impl Lab {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self { calls: 0.into(), at_once: 0.into(), most_at_once: 0.into() })
    }

    /// Yields its settings.
    #[provides(point = "node", key = "echo")]
    async fn echo(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        Ok(request.with)
    }

    /// Yields how often it was called.
    #[provides(point = "node", key = "count")]
    async fn count(&self, _context: &Context) -> Result<Value> {
        Ok(Value::from(self.calls.fetch_add(1, Ordering::SeqCst) + 1))
    }

    /// Fails until it was called as often as `until` says, and then yields how often that was.
    #[provides(point = "node", key = "fail")]
    async fn fail(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let until = request.with.get("until").and_then(Value::as_i64).unwrap_or(i64::MAX);
        let code = request.with.get("code").and_then(Value::as_str).unwrap_or("unlucky").to_owned();
        if call as i64 >= until {
            return Ok(Value::from(call));
        }
        Err(Failure::new(code, format!("attempt {call} had no luck")))
    }

    /// Fails where `bad` is true, and yields `value` otherwise.
    #[provides(point = "node", key = "pick")]
    async fn pick(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        if request.with.get("bad").and_then(Value::as_bool) == Some(true) {
            return Err(Failure::new("bad", "it is bad"));
        }
        Ok(request.with.get("value").cloned().unwrap_or_default())
    }

    /// Takes `ms` of the clock, and yields `value`.
    #[provides(point = "node", key = "slow")]
    async fn slow(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        let time = request.with.get("ms").and_then(Value::as_i64).unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(time as u64)).await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        Ok(request.with.get("value").cloned().unwrap_or_default())
    }

    /// Yields how many `slow` ones were under way at once at most.
    #[provides(point = "node", key = "most")]
    async fn most(&self, _context: &Context) -> Result<Value> {
        Ok(Value::from(self.most_at_once.load(Ordering::SeqCst)))
    }

    /// Gives each of `pieces`, with `ms` before each, and yields them all.
    #[provides(point = "node", key = "speak")]
    async fn speak(&self, context: &Context, request: NodeRequest) -> Result<Value> {
        let time = request.with.get("ms").and_then(Value::as_i64).unwrap_or_default();
        let pieces = request.with.get("pieces").and_then(Value::as_array).unwrap_or_default();
        for piece in pieces {
            tokio::time::sleep(Duration::from_millis(time as u64)).await;
            if context.is_streamed() {
                context.emit(piece).await?;
            }
        }
        Ok(request.with.get("pieces").cloned().unwrap_or_default())
    }

    /// Asks the provider as often as `times` says.
    #[provides(point = "node", key = "ask")]
    async fn ask(&self, context: &Context, request: NodeRequest) -> Result<Value> {
        let times = request.with.get("times").and_then(Value::as_i64).unwrap_or(1);
        let (prompt, hour) = (CompletionRequest::new("?"), Duration::from_secs(60 * 60));
        for _ in 0..times {
            let _: Completion = context.call_within(hour, "provider/metered", "complete", &prompt).await?;
        }
        Ok(Value::from(times))
    }

    /// A model that uses up ten tokens and half a coin.
    #[provides(point = "provider", key = "metered", method = "complete")]
    async fn metered(&self, _context: &Context, _request: CompletionRequest) -> Result<Completion> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let usage = Usage { input_tokens: 4, output_tokens: 6, cost: Some(0.5) };
        Ok(Completion { usage: Some(usage), ..Completion::new("!", "metered") })
    }

    /// Finds every value wrong that is not among those `allowed`.
    #[provides(point = "validator", key = "allowed", method = "validate")]
    async fn allowed(&self, _context: &Context, request: ValidationRequest) -> Result<Validation> {
        let allowed = request.with.get("allowed").and_then(Value::as_array).unwrap_or_default();
        let finding = |message| Finding { path: String::new(), message, rule: None };
        let errors = if allowed.contains(&request.value) {
            Vec::new()
        } else {
            vec![finding(format!("{} is not allowed", request.value))]
        };
        Ok(Validation { errors })
    }

    /// Makes `pages` pages of `rows` numbers each.
    #[provides(point = "node", key = "numbers", schema = "tests/run/numbers.json")]
    async fn numbers(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let number = |key: &str| request.with.get(key).and_then(Value::as_i64).unwrap_or(1);
        let index = request.page.as_ref().and_then(|page| page.cursor.as_i64()).unwrap_or_default();
        let rows = (index * number("rows")..(index + 1) * number("rows")).map(Value::from).collect();
        let next = if index + 1 < number("pages") { Value::from(index + 1) } else { Value::Null };
        Ok([("items", rows), ("count", number("rows").into()), ("next", next)].into_iter().collect())
    }

    /// Takes rows, and yields those that are even.
    #[provides(point = "node", key = "even", schema = "tests/run/rows.json")]
    async fn even(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        let rows = request.with.get("items").and_then(Value::as_array).unwrap_or_default();
        let even = rows.iter().filter(|row| row.as_i64().is_some_and(|row| row % 2 == 0)).cloned();
        let even: Value = even.collect();
        let count = even.as_array().map_or(0, <[Value]>::len);
        Ok([("items", even), ("count", count.into()), ("pages", 1_u64.into())].into_iter().collect())
    }

    /// Computes for `ms` of real time, and gives way to nobody.
    #[provides(point = "node", key = "compute")]
    async fn compute(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        let time = request.with.get("ms").and_then(Value::as_i64).unwrap_or_default();
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_millis(time as u64) {
            std::hint::spin_loop();
        }
        Ok(Value::from(time))
    }

    /// Yields a text of so many megabytes.
    #[provides(point = "node", key = "blob")]
    async fn blob(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        let size = request.with.get("mb").and_then(Value::as_i64).unwrap_or_default();
        Ok(Value::from("x".repeat(size as usize * 1_000_000)))
    }

    /// Yields the key with which a repetition can be told.
    #[provides(point = "node", key = "key")]
    async fn key(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        Ok(request.idempotency_key.map_or(Value::Null, Value::from))
    }
}

/// Files that tests give to pipelines with parts.
pub(crate) type Files<'f> = &'f [(&'f str, &'f str)];

pub(crate) fn checked(text: &str, files: Files<'_>) -> (Vec<Source>, Checked) {
    let manifest = Arc::new(Loader::native(&tapline_pdk::native::<Lab>()).unwrap());
    let schema = |key: &str, text: &str| (("node".into(), key.into()), Value::from_json(text).unwrap());
    let schemas = BTreeMap::from([
        schema("numbers", include_str!("numbers.json")),
        schema("even", include_str!("rows.json")),
    ]);
    let refused = Vec::new();
    let (origin, standing) = (Origin::BuiltIn, Standing::Available);
    let known = KnownPlugin { manifest, origin, standing, schemas, refused };
    let catalog = Catalog { plugins: vec![known], problems: BTreeMap::new() };
    let source = Source::new("pipeline.yaml", text.as_bytes());
    let open = |path: &Path| {
        let file = files.iter().find(|(name, _)| Path::new(name) == path);
        file.map(|(name, text)| Source::new(*name, text.as_bytes()))
            .ok_or_else(|| "there is no such file".into())
    };
    let draft = Draft::read_with(&source, open);
    let checked = check(&draft, &catalog);
    (draft.sources().into_iter().cloned().collect(), checked)
}

/// The pipeline of a text without mistakes; it begins with `nodes:` unless it has a name.
pub(crate) fn definition(text: &str) -> Arc<Definition> {
    definition_of(text, &[])
}

pub(crate) fn definition_of(text: &str, files: Files<'_>) -> Arc<Definition> {
    let text = if text.starts_with("name:") { text.to_owned() } else { format!("name: test\n{text}") };
    let (_, checked) = checked(&text, files);
    assert_eq!(checked.diagnostics, []);
    Arc::new(checked.definition.unwrap())
}

/// An engine with the plugin loaded.
pub(crate) async fn engine() -> Engine {
    let engine = Engine::new(Host::builder().build()).unwrap();
    engine.host().load(Load::native(tapline_pdk::native::<Lab>())).await.unwrap();
    engine
}

pub(crate) async fn run_with(definition: Arc<Definition>, settings: RunSettings) -> RunReport {
    engine().await.run_with(definition, settings).await.unwrap()
}

pub(crate) async fn run(text: &str) -> RunReport {
    run_with(definition(text), RunSettings::default()).await
}

/// The outputs of a run as JSON, or what a person reads of its error.
pub(crate) async fn outcome(text: &str) -> String {
    shown(&definition(text), &run(text).await)
}

pub(crate) fn shown(definition: &Definition, report: &RunReport) -> String {
    match &report.outputs {
        Ok(outputs) => Value::from(outputs.clone()).to_json(),
        Err(error) => {
            let Some(found) = error.diagnostic(definition) else { return error.to_string() };
            let source = definition.document().source();
            let shown = diagnostics::for_people(&[found], &[source], diagnostics::Colour::Off);
            let mut text: String = shown.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
            let mut cause = std::error::Error::source(error);
            while let Some(error) = cause {
                text.push_str(&format!("because: {error}\n"));
                cause = error.source();
            }
            text
        }
    }
}

/// Takes down events as lines of JSON, without the times.
#[derive(Debug, Default)]
pub(crate) struct Notes(Mutex<Vec<String>>);

impl Notes {
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap().concat()
    }
}

impl Observer for Notes {
    fn event(&self, event: &RunEvent<'_>) {
        let mut event = Value::from_serialize(event).unwrap().as_object().unwrap().clone();
        ["took_ms", "wait_ms", "used", "plugin"].iter().for_each(|field| drop(event.shift_remove(*field)));
        self.0.lock().unwrap().push(Value::from(event).to_json() + "\n");
    }

    fn wants_tokens(&self) -> bool {
        true
    }
}
