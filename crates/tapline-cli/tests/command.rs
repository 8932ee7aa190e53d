//! The command as its users start it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "command/support.rs"]
mod support;
#[path = "command/triage.rs"]
mod triage;
#[path = "command/review.rs"]
mod review;
#[path = "command/run.rs"]
mod run;
#[path = "command/transform.rs"]
mod transform;
#[path = "command/runs.rs"]
mod runs;
#[path = "command/cases.rs"]
mod cases;
#[path = "command/check.rs"]
mod check;
#[path = "command/plan.rs"]
mod plan;
#[path = "command/graph.rs"]
mod graph;
#[path = "command/schema.rs"]
mod schema;
#[path = "command/schema_plugin.rs"]
mod schema_plugin;
#[path = "command/bad_input.rs"]
mod bad_input;
#[path = "command/init.rs"]
mod init;
#[path = "command/plugin.rs"]
mod plugin;
#[path = "command/settings.rs"]
mod settings;
#[path = "command/lock.rs"]
mod lock;
#[path = "command/grants.rs"]
mod grants;
#[path = "command/choice.rs"]
mod choice;
#[path = "command/configured.rs"]
mod configured;
#[path = "command/author.rs"]
mod author;
#[path = "command/python.rs"]
mod python;
#[cfg(unix)]
#[path = "../../../plugins/telemetry/tests/telemetry/collector.rs"]
#[expect(dead_code, reason = "the tests of the plugin `telemetry` look at more of what comes")]
mod collector;
#[path = "command/langchain.rs"]
mod langchain;
#[path = "command/packages.rs"]
mod packages;
#[path = "command/install.rs"]
mod install;
#[path = "command/fetch.rs"]
mod fetch;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[path = "command/killed.rs"]
mod killed;
#[path = "command/hostile.rs"]
mod hostile;
#[path = "command/remove.rs"]
mod remove;
#[path = "command/openai.rs"]
mod openai;
#[path = "command/model_servers.rs"]
mod model_servers;
#[path = "command/mcp.rs"]
mod mcp;
#[path = "command/serving.rs"]
mod serving;
#[path = "command/serve.rs"]
mod serve;
#[cfg(unix)]
#[path = "command/fuzzed.rs"]
mod fuzzed;
#[path = "command/docs.rs"]
mod docs;
#[cfg(unix)]
#[path = "command/service.rs"]
mod service;
