//! What others are told of runs: by a collector, a client of Prometheus and a StatsD server that the tests play.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test asks promtool")]

#[path = "telemetry/support.rs"]
mod support;
#[path = "telemetry/collector.rs"]
mod collector;

#[path = "telemetry/spans.rs"]
mod spans;
#[path = "telemetry/told.rs"]
mod told;
#[path = "telemetry/metrics.rs"]
mod metrics;
#[path = "telemetry/switching.rs"]
mod switching;
#[path = "telemetry/trouble.rs"]
mod trouble;
