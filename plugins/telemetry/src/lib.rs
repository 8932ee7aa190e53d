//! Tells others of runs: spans over OTLP with the `gen_ai.*` names of OpenTelemetry, metrics for Prometheus and for
//! StatsD.
//!
//! It stands outside of all other hooks at `node.execute` and `provider.request`, and listens at `pipeline.start` and
//! `pipeline.complete`; other plugins tell it of their own work with its method `span`. Which span is inside of which follows from what is carried with a call: the run, which the engine
//! carries, and `traceparent`, which this plugin leaves for whoever is inside of a node or a request.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::Context as TraceContext;
use opentelemetry::trace::TraceContextExt as _;
use tapline_pdk::prelude::*;
use tapline_pdk::roles::{NodeInfo, RunInfo, StepInfo};

mod config;
mod names;
mod observed;
mod model;
mod guard;
mod traces;
mod spans;
mod told;
mod otlp;
mod metrics;
mod bounded;
mod prometheus;
mod statsd;

use config::{Config, PrometheusConfig, invalid};
use guard::Guard;
use metrics::Metrics;
use model::{Answered, Asked, Content};
use names::APPLICATION;
use observed::{End, Execution, ModelRequest, WholeRun};
use otlp::Losses;
use prometheus::{Listener, Prometheus};
use statsd::Statsd;
use told::{Told, Wanted};
use traces::Traces;

/// The plugin.
#[derive(Debug)]
pub struct Telemetry {
    traces: Option<Arc<Traces>>,
    metrics: Metrics,
    content: Content,
    losses: Arc<Losses>,
    listen: Option<SocketAddr>,
    listener: Mutex<Option<Listener>>,
    file: Option<PathBuf>,
}

/// How the plugin itself is doing.
#[derive(Debug, Serialize)]
struct Status {
    /// Where the metrics can be fetched.
    metrics: Option<String>,
    /// Spans that have arrived at the collector.
    sent_spans: u64,
    /// Spans that have not.
    lost_spans: u64,
}

#[plugin(
    id = "telemetry",
    capabilities = ["telemetry"],
    requires = { context = {
        read = [
            "node", "provider", "carried",
            "input.model", "input.messages", "input.prompt", "input.system",
            "output.model", "output.usage", "output.finish_reason", "output.output",
            "input.pipeline", "input.run", "input.number", "input.error", "input.milliseconds",
        ],
        write = ["carried.traceparent"],
    } },
)]
impl Telemetry {
    #[init]
    async fn init(config: Value) -> Result<Self> {
        let config = Config::read(&config)?;
        let losses = Arc::new(Losses::default());
        let traces = config.traces.as_ref().map(|traces| Traces::begin(traces, Arc::clone(&losses)));
        let statsd = config.statsd.map(|config| blocking(move || Statsd::begin(&config)));
        let statsd = match statsd {
            Some(begun) => Some(begun.await??),
            None => None,
        };
        let prometheus = config.prometheus.as_ref().map(|_| Prometheus::new(&losses));
        let (listen, file) = match config.prometheus {
            Some(PrometheusConfig { listen, file }) => (listen, file),
            None => (None, None),
        };
        Ok(Self {
            traces: traces.transpose()?.map(Arc::new),
            metrics: Metrics::new(prometheus, statsd),
            content: if config.capture_content { Content::Captured } else { Content::LeftOut },
            losses,
            listen,
            listener: Mutex::default(),
            file,
        })
    }

    #[start]
    async fn start(&self) -> Result<()> {
        let (Some(address), Some(prometheus)) = (self.listen, &self.metrics.prometheus) else {
            return Ok(());
        };
        let opened = Listener::open(address, prometheus.exposition()).await;
        let listener = opened.map_err(|error| {
            let message =
                format!("`{address}` cannot be listened at: {error}; end whoever has it, or say another one");
            invalid("prometheus.listen", &message)
        })?;
        *self.listener() = Some(listener);
        Ok(())
    }

    #[stop]
    async fn stop(&self) -> Result<()> {
        let listener = self.listener().take();
        if let Some(listener) = listener {
            listener.close().await;
        }
        if let Some(traces) = self.traces.clone() {
            blocking(move || traces.end()).await?;
        }
        self.write_metrics().await
    }

    #[hook(point = "pipeline.start", kind = "answer")]
    fn begin_run(&self, context: &Context) -> Result<()> {
        if let Some(traces) = &self.traces {
            let run = RunInfo {
                pipeline: context.read("input.pipeline")?,
                run: context.read("input.run")?,
                number: context.read("input.number")?,
            };
            traces.begin_run(&run, model::text(context, "carried.traceparent")?);
        }
        Ok(())
    }

    #[hook(point = "pipeline.complete", kind = "answer")]
    async fn end_run(&self, context: &Context) -> Result<()> {
        let (pipeline, error): (String, Option<String>) =
            (context.read("input.pipeline")?, context.read("input.error")?);
        let end = match &error {
            Some(error) => End::Failed("failed", self.told(error)),
            None => End::Done,
        };
        let milliseconds: f64 = context.read("input.milliseconds")?;
        let took = Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default();
        self.metrics.run(&WholeRun { pipeline: &pipeline, end, took });
        if let Some(traces) = &self.traces {
            traces.end_run(context.read("input.number")?, end);
        }
        self.write_metrics().await
    }

    // Outside of hooks that refuse, so that what they refuse is seen; its own failure is nobody else's.
    #[hook(point = "node.execute", kind = "around", priority = 2, on_failure = "skip")]
    async fn execution(&self, context: &Context) -> Result<()> {
        let node: NodeInfo = context.read("node")?;
        let step: Option<StepInfo> = context.read("carried.step")?;
        let span = self.begin(context, || spans::node(&node, step.as_ref()))?;
        let begun = Instant::now();
        let guard = Guard::new(|end: End<'_>| {
            let (plugin, attempt) = step.as_ref().map_or(("", 1), |step| (&*step.plugin, step.attempt));
            let took = begun.elapsed();
            self.metrics.execution(&Execution { node_type: &node.node_type, plugin, attempt, end, took });
            span.iter().for_each(|span| spans::end(span, end));
        });
        let outcome = context.next().await;
        guard.end(self.end(&outcome));
        outcome
    }

    #[hook(point = "provider.request", kind = "around", priority = 2, on_failure = "skip")]
    async fn request(&self, context: &Context) -> Result<()> {
        let asked = Asked::read(context, self.content)?;
        let span = self.begin(context, || spans::request(&asked))?;
        let begun = Instant::now();
        let guard = Guard::new(|end: End<'_>| {
            let answered = match end {
                End::Done => Answered::read(context, self.content).unwrap_or_default(),
                End::Failed(..) | End::GivenUp => Answered::default(),
            };
            self.metrics.request(&ModelRequest {
                operation: &asked.operation,
                provider: &asked.provider,
                request_model: asked.model.as_deref(),
                response_model: answered.model.as_deref(),
                usage: answered.usage,
                end,
                took: begun.elapsed(),
            });
            span.iter().for_each(|span| {
                spans::answered(span, &answered);
                spans::end(span, end);
            });
        });
        let outcome = context.next().await;
        guard.end(self.end(&outcome));
        outcome
    }

    /// What another plugin may tell of its own work.
    #[method]
    fn wanted(&self, context: &Context) -> Result<Wanted> {
        let Some(traces) = &self.traces else { return Ok(Wanted { spans: false, content: false }) };
        let spans = around(traces, context)?.span().span_context().is_sampled();
        Ok(Wanted { spans, content: spans && self.content == Content::Captured })
    }

    /// Takes a span of another plugin's own work, which has ended.
    #[method]
    #[expect(clippy::needless_pass_by_value, reason = "a method is given its request as a value")]
    fn span(&self, context: &Context, told: Told) -> Result<()> {
        let Some(traces) = &self.traces else { return Ok(()) };
        let teller = context.caller();
        let teller = teller.as_deref().unwrap_or(APPLICATION);
        traces.tell(&told, teller, &around(traces, context)?, self.content)
    }

    /// How the plugin itself is doing, for whoever asks.
    #[method]
    fn status(&self, _context: &Context) -> Result<Status> {
        let listener = self.listener();
        let metrics = listener.as_ref().map(|listener| format!("http://{}/metrics", listener.address()));
        Ok(Status { metrics, sent_spans: self.losses.sent(), lost_spans: self.losses.lost() })
    }
}

impl Telemetry {
    /// Begins a span inside of what is around the call, and carries it to those inside.
    fn begin(
        &self,
        context: &Context,
        builder: impl FnOnce() -> opentelemetry::trace::SpanBuilder,
    ) -> Result<Option<TraceContext>> {
        let Some(traces) = &self.traces else { return Ok(None) };
        let span = traces.start(builder(), &around(traces, context)?);
        if let Some(traceparent) = traces::traceparent(&span) {
            context.set("carried.traceparent", traceparent.into())?;
        }
        Ok(Some(span))
    }

    fn end<'o>(&self, outcome: &'o Result<()>) -> End<'o> {
        match outcome {
            Ok(()) => End::Done,
            Err(failure) => End::Failed(failure.code(), self.told(failure.message())),
        }
    }

    /// What is told of the message of an error, which may quote what was asked or answered.
    const fn told<'m>(&self, message: &'m str) -> &'m str {
        match self.content {
            Content::Captured => message,
            Content::LeftOut => "",
        }
    }

    async fn write_metrics(&self) -> Result<()> {
        let (Some(file), Some(prometheus)) = (self.file.clone(), &self.metrics.prometheus) else {
            return Ok(());
        };
        let text = prometheus.text();
        let written =
            blocking(move || prometheus::write(&file, &text).map_err(|error| unwritten(&file, &error)));
        written.await?
    }

    fn listener(&self) -> std::sync::MutexGuard<'_, Option<Listener>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is around a call: the host says which run it belongs to, and this plugin has left which span it is inside of.
fn around(traces: &Traces, context: &Context) -> Result<TraceContext> {
    let run: Option<RunInfo> = context.read("carried.run")?;
    let carried = model::text(context, "carried.traceparent")?;
    Ok(traces.around(run.as_ref(), carried.as_deref()))
}

fn unwritten(file: &Path, error: &std::io::Error) -> Failure {
    invalid("prometheus.file", &format!("`{}` cannot be written: {error}", file.display()))
}

/// Does what blocks where nobody waits for the thread.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failure::new("broken", error.to_string()))
}
