use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tapline::Host;
use tapline::host::PluginState;

/// Labels with their values.
type Labels = Vec<(&'static str, String)>;
type Histograms = Family<Labels, Histogram, fn() -> Histogram>;

/// What is counted while the server is up.
pub(crate) struct Metrics {
    requests: Family<Labels, Counter>,
    request_duration: Histograms,
    runs: Family<Labels, Counter>,
    run_duration: Histograms,
}

/// From a millisecond to ten minutes.
const BUCKETS: [f64; 15] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0, 600.0];

impl Default for Metrics {
    fn default() -> Self {
        let histogram = || Histogram::new(BUCKETS);
        Self {
            requests: Family::default(),
            request_duration: Histograms::new_with_constructor(histogram),
            runs: Family::default(),
            run_duration: Histograms::new_with_constructor(histogram),
        }
    }
}

impl Metrics {
    /// Counts a request. `route` is the path as it is declared, because there is no end of others.
    pub(crate) fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let route = ("route", route.to_owned());
        let labels = vec![("method", method.to_owned()), route.clone(), ("status", status.to_string())];
        self.requests.get_or_create(&labels).inc();
        self.request_duration.get_or_create(&vec![route]).observe(took.as_secs_f64());
    }

    /// Counts a run.
    pub(crate) fn run(&self, pipeline: &str, status: &str, took: Duration) {
        let pipeline = ("pipeline", pipeline.to_owned());
        self.runs.get_or_create(&vec![pipeline.clone(), ("outcome", status.to_owned())]).inc();
        self.run_duration.get_or_create(&vec![pipeline]).observe(took.as_secs_f64());
    }

    /// All of it in the words of Prometheus, with what is known of the plugins and runs now.
    pub(crate) fn text(&self, host: &Host, runs_under_way: usize) -> Result<String, std::fmt::Error> {
        let mut all = Registry::with_prefix("tapline_serve");
        all.register("requests", "Requests that were answered", self.requests.clone());
        let help = "How long answers to requests took to begin";
        all.register_with_unit("request_duration", help, Unit::Seconds, self.request_duration.clone());
        all.register("runs", "Runs that have come to their end", self.runs.clone());
        let help = "How long runs took";
        all.register_with_unit("run_duration", help, Unit::Seconds, self.run_duration.clone());
        let under_way = Gauge::<i64>::default();
        under_way.set(runs_under_way.try_into().unwrap_or(i64::MAX));
        all.register("runs_under_way", "Runs that are under way", under_way);
        Plugins::of(host).register(&mut all);
        let mut text = String::new();
        encode(&mut text, &all)?;
        Ok(text)
    }
}

/// Whether a plugin answers; one that has a hook in quarantine does.
pub(super) const fn answers(state: &PluginState) -> bool {
    matches!(state, PluginState::Active | PluginState::Degraded)
}

/// What is known of the plugins at one moment.
#[derive(Default)]
struct Plugins {
    up: Family<Labels, Gauge>,
    calls: Family<Labels, Counter>,
    errors: Family<Labels, Counter>,
    time: Family<Labels, Counter<f64, AtomicU64>>,
    memory: Family<Labels, Gauge>,
}

impl Plugins {
    fn of(host: &Host) -> Self {
        let plugins = Self::default();
        for info in host.plugins() {
            let id = info.manifest.id();
            let version = ("version", info.manifest.plugin.version.to_string());
            let labels = vec![("plugin", id.to_string()), version];
            plugins.up.get_or_create(&labels).set(i64::from(answers(&host.state(id))));
            plugins.calls.get_or_create(&labels).inc_by(info.stats.calls());
            plugins.errors.get_or_create(&labels).inc_by(info.stats.errors());
            plugins.time.get_or_create(&labels).inc_by(info.stats.own_time().as_secs_f64());
            if let Some(figures) = host.figures(id) {
                let memory = figures.memory.0.try_into().unwrap_or(i64::MAX);
                plugins.memory.get_or_create(&labels).set(memory);
            }
        }
        plugins
    }

    fn register(self, all: &mut Registry) {
        all.register("plugin_up", "Whether a plugin answers", self.up);
        all.register("plugin_calls", "Calls that have left a plugin since it was loaded", self.calls);
        all.register("plugin_errors", "Calls that left a plugin with an error of its own", self.errors);
        let help = "Time of its own that a plugin has taken, without what others did meanwhile";
        all.register_with_unit("plugin_time", help, Unit::Seconds, self.time);
        let help = "Memory of a plugin, as far as its runtime knows";
        all.register_with_unit("plugin_memory", help, Unit::Bytes, self.memory);
    }
}
