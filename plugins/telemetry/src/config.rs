use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use opentelemetry_http::Request;
use tapline_pdk::prelude::*;
use url::Url;

/// What is told to whom.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) traces: Option<TracesConfig>,
    pub(crate) prometheus: Option<PrometheusConfig>,
    pub(crate) statsd: Option<StatsdConfig>,
    /// Whether prompts and answers stand in the spans of requests to models.
    #[serde(default)]
    pub(crate) capture_content: bool,
}

/// Spans, over OTLP as protobuf over http.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TracesConfig {
    /// The collector; without a path, `/v1/traces` there.
    otlp: String,
    /// Headers of each request to it.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// What the application is called among others.
    #[serde(default = "service_name")]
    pub(crate) service_name: String,
    /// Which share of the runs is traced, from 0 to 1.
    #[serde(default = "all")]
    pub(crate) sample: f64,
}

/// Metrics for Prometheus, to be fetched or in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PrometheusConfig {
    /// Where `/metrics` is served.
    pub(crate) listen: Option<SocketAddr>,
    /// A file that is written at the end of each run.
    pub(crate) file: Option<PathBuf>,
}

/// Metrics for a StatsD server.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatsdConfig {
    /// Its host and port.
    pub(crate) address: String,
    /// What all names begin with.
    #[serde(default = "service_name")]
    pub(crate) prefix: String,
    #[serde(default)]
    pub(crate) tags: Tags,
}

/// How StatsD metrics say what they are of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tags {
    /// As tags, which DogStatsD, Telegraf, Vector and the exporter of Prometheus read.
    #[default]
    Datadog,
    /// As parts of the name, which every server reads.
    None,
}

impl Config {
    /// Reads what the pipeline says, and refuses what could not be done.
    pub(crate) fn read(config: &Value) -> Result<Self> {
        let json = serde_json::to_value(config).map_err(|error| invalid("config", &error))?;
        let config: Self = serde_path_to_error::deserialize(json).map_err(|error| match error.path() {
            path if path.iter().next().is_none() => invalid_whole(error.inner()),
            path => invalid(&path.to_string(), error.inner()),
        })?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        if self.traces.is_none() && self.prometheus.is_none() && self.statsd.is_none() {
            return Err(invalid_whole(
                &"nobody is to be told anything: set `traces`, `prometheus` or `statsd`",
            ));
        }
        if self.capture_content && self.traces.is_none() {
            return Err(invalid("capture_content", &"content stands in spans, so `traces` has to be set"));
        }
        if let Some(PrometheusConfig { listen: None, file: None }) = &self.prometheus {
            return Err(invalid("prometheus", &"set `listen`, `file` or both"));
        }
        if let Some(traces) = &self.traces {
            traces.check()?;
        }
        Ok(())
    }
}

impl TracesConfig {
    fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.sample) {
            let message = format!("{} is no share of the runs: from 0, none, to 1, all", self.sample);
            return Err(invalid("traces.sample", &message));
        }
        for (name, value) in &self.headers {
            if Request::builder().header(name, value).body(()).is_err() {
                // The value may be a secret.
                return Err(invalid(&format!("traces.headers.{name}"), &"http allows no such header"));
            }
        }
        self.endpoint().map(drop)
    }

    /// Where spans are sent.
    pub(crate) fn endpoint(&self) -> Result<Url> {
        let is_http = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        let Some(mut url) = Url::parse(&self.otlp).ok().filter(is_http) else {
            let message =
                format!("`{}` is no address of a collector; one is `http://localhost:4318`", self.otlp);
            return Err(invalid("traces.otlp", &message));
        };
        if url.path() == "/" {
            url.set_path("/v1/traces");
        }
        Ok(url)
    }
}

fn service_name() -> String {
    "tapline".to_owned()
}

const fn all() -> f64 {
    1.0
}

pub(crate) fn invalid(path: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::new("invalid-config", format!("{path}: {error}"))
}

fn invalid_whole(error: &dyn std::fmt::Display) -> Failure {
    Failure::new("invalid-config", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(config: &str, expected: &str) {
        let config = Config::read(&Value::from_json(config).unwrap());
        assert_eq!(config.map(drop).map_err(|failure| failure.message().to_owned()), Err(expected.into()));
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        check("{}", "nobody is to be told anything: set `traces`, `prometheus` or `statsd`");
        check(
            r#"{"trace": {}}"#,
            "trace: unknown field `trace`, expected one of `traces`, `prometheus`, `statsd`, `capture_content`",
        );
        check(
            r#"{"traces": {"otlp": "localhost:4318"}}"#,
            "traces.otlp: `localhost:4318` is no address of a collector; one is `http://localhost:4318`",
        );
        check(
            r#"{"traces": {"otlp": "http://localhost:4318", "sample": 10}}"#,
            "traces.sample: 10 is no share of the runs: from 0, none, to 1, all",
        );
        check(
            r#"{"traces": {"otlp": "http://localhost:4318", "headers": {"a b": "c"}}}"#,
            "traces.headers.a b: http allows no such header",
        );
        check(r#"{"prometheus": {}}"#, "prometheus: set `listen`, `file` or both");
        check(r#"{"prometheus": {"listen": "9464"}}"#, "prometheus.listen: invalid socket address syntax");
        check(
            r#"{"statsd": {"address": "localhost:8125", "tags": "dog"}}"#,
            "statsd.tags: unknown variant `dog`, expected `datadog` or `none`",
        );
        check(
            r#"{"statsd": {"address": "localhost:8125"}, "capture_content": true}"#,
            "capture_content: content stands in spans, so `traces` has to be set",
        );
    }

    #[test]
    fn a_collector_without_a_path_takes_traces_where_all_do() {
        let endpoint = |otlp: &str| {
            let config = Value::from_iter([("traces", Value::from_iter([("otlp", Value::from(otlp))]))]);
            Config::read(&config).unwrap().traces.unwrap().endpoint().unwrap().to_string()
        };
        assert_eq!(endpoint("http://localhost:4318"), "http://localhost:4318/v1/traces");
        assert_eq!(
            endpoint("https://collector.example/otlp/traces"),
            "https://collector.example/otlp/traces"
        );
    }
}
