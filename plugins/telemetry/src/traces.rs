use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{
    SpanBuilder, SpanContext, SpanId, TraceContextExt as _, TraceId, TracerProvider as _,
};
use opentelemetry::{Context as TraceContext, InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, Sampler, SdkTracer, SdkTracerProvider};
use tapline_pdk::prelude::*;
use tapline_pdk::roles::RunInfo;

use crate::config::TracesConfig;
use crate::model::Content;
use crate::names::{SCHEMA_URL, SCOPE, own};
use crate::observed::End;
use crate::otlp;
use crate::otlp::Losses;
use crate::spans;
use crate::told::{Pace, Told};

/// The spans of runs, and where they go.
#[derive(Debug)]
pub(crate) struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    /// The runs under way, by their numbers.
    runs: Mutex<HashMap<u64, TracedRun>>,
    pace: Mutex<Pace>,
    losses: Arc<Losses>,
}

/// A run under way.
#[derive(Debug)]
struct TracedRun {
    context: TraceContext,
    /// What the run itself is inside of, if its application has said so.
    outer: Option<String>,
}

/// Under this name of the W3C's stands which span something is inside of.
const TRACEPARENT: &str = "traceparent";
/// How long the last spans may take to be sent when the plugin ends.
const LAST: Duration = Duration::from_secs(3);

impl Traces {
    /// Begins to export; whether there is a collector shows when spans are sent.
    pub(crate) fn begin(config: &TracesConfig, losses: Arc<Losses>) -> Result<Self> {
        let processor = otlp::processor(config, Arc::clone(&losses))?;
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample)));
        let resource = Resource::builder().with_service_name(config.service_name.clone()).build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_sampler(sampler)
            .with_id_generator(Ids::default())
            .with_resource(resource)
            .build();
        let scope = InstrumentationScope::builder(SCOPE)
            .with_version(env!("CARGO_PKG_VERSION"))
            .with_schema_url(SCHEMA_URL);
        let tracer = provider.tracer_with_scope(scope.build());
        Ok(Self { provider, tracer, runs: Mutex::default(), pace: Mutex::default(), losses })
    }

    /// Begins the span of a run, inside of what its application is doing, if that is known.
    pub(crate) fn begin_run(&self, run: &RunInfo, outer: Option<String>) {
        let context = self.start(spans::run(run), &parent(outer.as_deref()));
        self.runs().insert(run.number, TracedRun { context, outer });
    }

    /// Ends the span of a run.
    pub(crate) fn end_run(&self, number: u64, end: End<'_>) {
        let traced = self.runs().remove(&number);
        if let Some(traced) = traced {
            spans::end(&traced.context, end);
        }
    }

    /// What is around a call: a request or a node, and otherwise the run.
    pub(crate) fn around(&self, run: Option<&RunInfo>, carried: Option<&str>) -> TraceContext {
        let Some(run) = run else { return parent(carried) };
        let mut runs = self.runs();
        let traced = runs.entry(run.number).or_insert_with(|| {
            let joined = spans::run(run);
            let context = self.start(joined, &TraceContext::new());
            context.span().set_attribute(KeyValue::new(own::JOINED, true));
            TracedRun { context, outer: None }
        });
        // What is carried into the run from outside is around the run, not in it.
        match carried.filter(|carried| traced.outer.as_deref() != Some(carried)) {
            Some(carried) => parent(Some(carried)),
            None => traced.context.clone(),
        }
    }

    /// Takes a span that a plugin tells of its own work, in the call that is inside of what is around.
    ///
    /// # Errors
    /// When it has no times, or with `too-many` when more are told than can be sent.
    pub(crate) fn tell(
        &self,
        told: &Told,
        plugin: &str,
        around: &TraceContext,
        content: Content,
    ) -> Result<()> {
        let (begun, ended) = told.times()?;
        let around = around.span().span_context().clone();
        if !around.is_sampled() {
            return Ok(());
        }
        if !self.pace.lock().unwrap_or_else(PoisonError::into_inner).takes(Instant::now()) {
            self.losses.lose(1);
            return Err(Failure::new("too-many", "more spans are told in a second than can be sent"));
        }
        let above = told.parent_id(&around, plugin);
        let above = SpanContext::new(
            around.trace_id(),
            above,
            around.trace_flags(),
            true,
            around.trace_state().clone(),
        );
        let builder = spans::told(told, plugin, content).with_start_time(begun);
        let id = told.span_id(&around, plugin);
        let span =
            Ids::given(id, || self.start(builder, &TraceContext::new().with_remote_span_context(above)));
        spans::end_told(&span, told, content, ended);
        Ok(())
    }

    /// Begins a span inside of what is around it.
    pub(crate) fn start(&self, builder: SpanBuilder, parent: &TraceContext) -> TraceContext {
        parent.with_span(builder.start_with_context(&self.tracer, parent))
    }

    /// Ends what is under way, and sends what has not been sent. It takes a few seconds at most, and blocks.
    pub(crate) fn end(&self) {
        for (_, run) in self.runs().drain() {
            run.context.span().set_attribute(KeyValue::new(own::LEFT, true));
            run.context.span().end();
        }
        // What was not sent is told below.
        drop(self.provider.shutdown_with_timeout(LAST));
        self.losses.settle();
    }

    fn runs(&self) -> MutexGuard<'_, HashMap<u64, TracedRun>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ids at random, but for spans whose ids are given.
#[derive(Debug, Default)]
struct Ids(RandomIdGenerator);

thread_local! {
    /// The id of the span that is begun next on this thread.
    static GIVEN: Cell<Option<SpanId>> = const { Cell::new(None) };
}

impl Ids {
    /// Begins one span, with this id.
    fn given<T>(id: SpanId, begin: impl FnOnce() -> T) -> T {
        GIVEN.set(Some(id));
        let begun = begin();
        GIVEN.set(None);
        begun
    }
}

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        self.0.new_trace_id()
    }

    fn new_span_id(&self) -> SpanId {
        GIVEN.take().unwrap_or_else(|| self.0.new_span_id())
    }
}

/// What is carried to those inside of a span.
pub(crate) fn traceparent(context: &TraceContext) -> Option<String> {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(context, &mut carrier);
    carrier.remove(TRACEPARENT)
}

/// The span that is carried; none, when there is none or it is not to be read.
fn parent(carried: Option<&str>) -> TraceContext {
    let carrier: HashMap<String, String> =
        carried.map(|carried| (TRACEPARENT.to_owned(), carried.to_owned())).into_iter().collect();
    TraceContextPropagator::new().extract_with_context(&TraceContext::new(), &carrier)
}
