use std::net::{SocketAddr, ToSocketAddrs as _, UdpSocket};
use std::time::Duration;

use cadence::prelude::*;
use cadence::{BufferedUdpMetricSink, Metric, MetricBuilder, StatsdClient};
use tapline_pdk::prelude::*;

use crate::config::{StatsdConfig, Tags, invalid};
use crate::names::{INPUT, OUTPUT};
use crate::observed::{Execution, ModelRequest, WholeRun};

/// The metrics in StatsD's words. Sending waits for nobody, and what the network loses is lost.
#[derive(Debug)]
pub(crate) struct Statsd {
    client: StatsdClient,
    tags: Tags,
}

/// What a metric is of: names and values.
type Of<'o> = &'o [(&'static str, &'o str)];

impl Statsd {
    /// Looks the server up, which may block; whether it hears anything is not to be known.
    pub(crate) fn begin(config: &StatsdConfig) -> Result<Self> {
        let unusable = |error: &dyn std::fmt::Display| {
            invalid("statsd.address", &format!("`{}` cannot be sent to: {error}", config.address))
        };
        let mut found = config.address.to_socket_addrs().map_err(|error| unusable(&error))?;
        let server = found.next().ok_or_else(|| unusable(&"no such host"))?;
        let any: SocketAddr =
            if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
        let socket = UdpSocket::bind(any).map_err(|error| unusable(&error))?;
        socket.set_nonblocking(true).map_err(|error| unusable(&error))?;
        let sink = BufferedUdpMetricSink::from(server, socket).map_err(|error| unusable(&error))?;
        Ok(Self { client: StatsdClient::from_sink(&config.prefix, sink), tags: config.tags })
    }

    pub(crate) fn run(&self, run: &WholeRun<'_>) {
        let pipeline = ("pipeline", run.pipeline);
        self.count("runs", 1, &[pipeline, ("outcome", run.end.outcome())]);
        self.time("run.duration", run.took, &[pipeline]);
        self.flush();
    }

    pub(crate) fn execution(&self, execution: &Execution<'_>) {
        let node = [("type", execution.node_type), ("plugin", execution.plugin)];
        let [node_type, plugin] = node;
        self.count("node.executions", 1, &[node_type, plugin, ("outcome", execution.end.outcome())]);
        self.time("node.execution.duration", execution.took, &node);
        if execution.attempt > 1 {
            self.count("node.retries", 1, &node);
        }
        self.flush();
    }

    pub(crate) fn request(&self, request: &ModelRequest<'_>) {
        let (provider, model) = (("provider", request.provider), ("model", request.model()));
        let (operation, outcome) = (("operation", request.operation), ("outcome", request.end.outcome()));
        self.count("model.requests", 1, &[provider, model, operation, outcome]);
        self.time("model.request.duration", request.took, &[provider, model, operation]);
        if let Some(usage) = &request.usage {
            for (kind, tokens) in [(INPUT, usage.input_tokens), (OUTPUT, usage.output_tokens)] {
                self.count("model.tokens", tokens, &[provider, model, ("kind", kind)]);
            }
            // StatsD counts whole numbers.
            if let Some(cost) = usage.cost.filter(|cost| *cost > 0.0) {
                self.count("model.cost_micros", (cost * 1e6).round() as u64, &[provider, model]);
            }
        }
        self.flush();
    }

    /// Sends what is waiting for more.
    fn flush(&self) {
        // Whoever sends over UDP does not ask what has become of it.
        drop(self.client.flush());
    }

    fn count(&self, name: &str, count: u64, of: Of<'_>) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let named = Named::new(name, of, self.tags);
        named.send(self.client.count_with_tags(&named.name, count));
    }

    fn time(&self, name: &str, took: Duration, of: Of<'_>) {
        let named = Named::new(name, of, self.tags);
        named.send(self.client.time_with_tags(&named.name, took));
    }
}

/// The name of a metric, and what it is of beside it.
struct Named {
    name: String,
    tags: Vec<(&'static str, String)>,
}

impl Named {
    fn new(name: &str, of: Of<'_>, tags: Tags) -> Self {
        let tagged = of.iter().map(|(tag, value)| (*tag, plain(value, tags)));
        match tags {
            Tags::Datadog => Self { name: name.to_owned(), tags: tagged.collect() },
            Tags::None => {
                let name = tagged.fold(name.to_owned(), |name, (_, value)| name + "." + &value);
                Self { name, tags: Vec::new() }
            }
        }
    }

    fn send<'n, T: Metric + From<String>>(&'n self, metric: MetricBuilder<'n, '_, T>) {
        self.tags.iter().fold(metric, |metric, (tag, value)| metric.with_tag(tag, value)).send();
    }
}

/// A value without what a StatsD server reads as something else.
fn plain(value: &str, tags: Tags) -> String {
    let is_read = |c: char| c.is_control() || "|#,".contains(c);
    let is_read_in_a_name = |c: char| c.is_whitespace() || ":@./".contains(c);
    if value.is_empty() {
        return "none".to_owned();
    }
    value.replace(|c| is_read(c) || (tags == Tags::None && is_read_in_a_name(c)), "_")
}
