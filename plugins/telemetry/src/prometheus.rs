use std::io;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tempfile::NamedTempFile;

use crate::names::{INPUT, MODEL_BUCKETS, OUTPUT, TOKEN_BUCKETS, WORK_BUCKETS, conventions};
use crate::observed::{Execution, ModelRequest, WholeRun};
use crate::otlp::Losses;

mod listener;

pub(crate) use listener::Listener;

/// Labels with their values.
type Labels = Vec<(String, String)>;
type Histograms = Family<Labels, Histogram, fn() -> Histogram>;

/// The metrics in Prometheus' words.
#[derive(Debug)]
pub(crate) struct Prometheus {
    registry: Arc<Registry>,
    runs: Family<Labels, Counter>,
    run_duration: Histograms,
    executions: Family<Labels, Counter>,
    execution_duration: Histograms,
    retries: Family<Labels, Counter>,
    requests: Family<Labels, Counter>,
    tokens: Family<Labels, Counter>,
    cost: Family<Labels, Counter<f64, AtomicU64>>,
    token_usage: Histograms,
    operation_duration: Histograms,
}

impl Prometheus {
    pub(crate) fn new(losses: &Arc<Losses>) -> Self {
        let work = || Histogram::new(WORK_BUCKETS);
        let mut new = Self {
            registry: Arc::default(),
            runs: Family::default(),
            run_duration: Histograms::new_with_constructor(work),
            executions: Family::default(),
            execution_duration: Histograms::new_with_constructor(work),
            retries: Family::default(),
            requests: Family::default(),
            tokens: Family::default(),
            cost: Family::default(),
            token_usage: Histograms::new_with_constructor(|| Histogram::new(TOKEN_BUCKETS)),
            operation_duration: Histograms::new_with_constructor(|| Histogram::new(MODEL_BUCKETS)),
        };
        new.registry = Arc::new(new.registry(losses));
        new
    }

    /// The names, and what each counts. The encoding puts `_total` behind those of counters, and the unit behind all.
    fn registry(&self, losses: &Arc<Losses>) -> Registry {
        let mut all = Registry::default();
        let own = all.sub_registry_with_prefix("tapline");
        own.register("runs", "Runs that have come to their end", self.runs.clone());
        let help = "How long runs have taken";
        own.register_with_unit("run_duration", help, Unit::Seconds, self.run_duration.clone());
        let help = "Executions of nodes: each attempt of each item counts";
        own.register("node_executions", help, self.executions.clone());
        let help = "How long executions of nodes have taken";
        own.register_with_unit(
            "node_execution_duration",
            help,
            Unit::Seconds,
            self.execution_duration.clone(),
        );
        own.register(
            "node_retries",
            "Executions of nodes that were not the first attempt",
            self.retries.clone(),
        );
        own.register("model_requests", "Requests to models", self.requests.clone());
        own.register("model_tokens", "Tokens that models have read and written", self.tokens.clone());
        let help = "What models have cost, in the currency of their providers";
        own.register("model_cost", help, self.cost.clone());
        own.register_collector(Box::new(LostSpans(Arc::clone(losses))));
        let name = in_metrics(conventions::TOKEN_USAGE);
        all.register(name, "Tokens of a request to a model", self.token_usage.clone());
        let (name, help) =
            (in_metrics(conventions::OPERATION_DURATION), "How long a request to a model has taken");
        all.register_with_unit(name, help, Unit::Seconds, self.operation_duration.clone());
        all
    }

    pub(crate) fn run(&self, run: &WholeRun<'_>) {
        let pipeline = ("pipeline", run.pipeline);
        self.runs.get_or_create(&labels(&[pipeline, ("outcome", run.end.outcome())])).inc();
        self.run_duration.get_or_create(&labels(&[pipeline])).observe(run.took.as_secs_f64());
    }

    pub(crate) fn execution(&self, execution: &Execution<'_>) {
        let node = [("type", execution.node_type), ("plugin", execution.plugin)];
        let [node_type, plugin] = node;
        let outcome = ("outcome", execution.end.outcome());
        self.executions.get_or_create(&labels(&[node_type, plugin, outcome])).inc();
        self.execution_duration.get_or_create(&labels(&node)).observe(execution.took.as_secs_f64());
        if execution.attempt > 1 {
            self.retries.get_or_create(&labels(&node)).inc();
        }
    }

    pub(crate) fn request(&self, request: &ModelRequest<'_>, error: Option<&str>) {
        let (provider, model) = (("provider", request.provider), ("model", request.model()));
        let (operation, outcome) = (("operation", request.operation), ("outcome", request.end.outcome()));
        self.requests.get_or_create(&labels(&[provider, model, operation, outcome])).inc();
        let mut told = labels(&[
            (conventions::OPERATION_NAME, request.operation),
            (conventions::PROVIDER_NAME, request.provider),
            (conventions::REQUEST_MODEL, request.request_model.unwrap_or_default()),
            (conventions::RESPONSE_MODEL, request.response_model.unwrap_or_default()),
        ]);
        if let Some(usage) = &request.usage {
            for (kind, tokens) in [(INPUT, usage.input_tokens), (OUTPUT, usage.output_tokens)] {
                self.tokens.get_or_create(&labels(&[provider, model, ("kind", kind)])).inc_by(tokens);
                let mut told = told.clone();
                told.extend(labels(&[(conventions::TOKEN_TYPE, kind)]));
                self.token_usage.get_or_create(&told).observe(tokens as f64);
            }
            // A negative one would break the counter.
            if let Some(cost) = usage.cost.filter(|cost| *cost > 0.0) {
                self.cost.get_or_create(&labels(&[provider, model])).inc_by(cost);
            }
        }
        told.extend(labels(&[(conventions::ERROR_TYPE, error.unwrap_or_default())]));
        self.operation_duration.get_or_create(&told).observe(request.took.as_secs_f64());
    }

    /// The metrics as they are fetched.
    pub(crate) fn text(&self) -> String {
        text(&self.registry)
    }

    /// What answers requests for the metrics.
    pub(crate) fn exposition(&self) -> impl Fn() -> String + Send + Sync + 'static + use<> {
        let registry = Arc::clone(&self.registry);
        move || text(&registry)
    }
}

/// Writes metrics into a file that appears whole, for the collector of text files of Prometheus' node exporter.
pub(crate) fn write(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut new = NamedTempFile::new_in(folder.unwrap_or_else(|| Path::new(".")))?;
    new.write_all(text.as_bytes())?;
    readable_by_all(new.as_file())?;
    new.persist(file)?;
    Ok(())
}

/// Whoever collects the file is somebody else.
#[cfg(unix)]
fn readable_by_all(file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_: &std::fs::File) -> io::Result<()> {
    Ok(())
}

fn text(registry: &Registry) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    _ = encode(&mut text, registry);
    text
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(name, value)| (in_metrics(name), (*value).to_owned())).collect()
}

/// A name of the conventions as Prometheus has it.
fn in_metrics(name: &str) -> String {
    name.replace('.', "_")
}

/// How many spans did not arrive.
#[derive(Debug)]
struct LostSpans(Arc<Losses>);

impl prometheus_client::collector::Collector for LostSpans {
    fn encode(
        &self,
        mut encoder: prometheus_client::encoding::DescriptorEncoder<'_>,
    ) -> Result<(), std::fmt::Error> {
        use prometheus_client::encoding::EncodeMetric as _;
        let counter = ConstCounter::new(self.0.lost());
        let help = "Spans that did not arrive at the collector";
        let encoder = encoder.encode_descriptor("telemetry_lost_spans", help, None, counter.metric_type())?;
        counter.encode(encoder)
    }
}
