//! Runs of pipelines: what holds for each key of the file.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

// The renderer of the command finds the engine under the name that the facade gives it.
extern crate self as tapline;
pub use tapline_pipeline as pipeline;

#[path = "../../tapline-cli/src/diagnostics.rs"]
#[expect(dead_code, reason = "the tests of checks use the rest")]
mod diagnostics;
#[path = "run/support.rs"]
mod support;

#[path = "run/flow.rs"]
mod flow;
#[path = "run/rules.rs"]
mod rules;
#[path = "run/on_error.rs"]
mod on_error;
#[path = "run/limits.rs"]
mod limits;
#[path = "run/parts.rs"]
mod parts;
#[path = "run/events.rs"]
mod events;
#[path = "run/mistakes.rs"]
mod mistakes;
#[path = "run/lists.rs"]
mod lists;
#[path = "run/carried.rs"]
mod carried;
#[path = "run/points.rs"]
mod points;
