//! Pipeline files, and what a person reads of the mistakes in them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

// The renderer of the command finds the engine under the name that the facade gives it.
extern crate self as tapline;
pub use tapline_pipeline as pipeline;

#[path = "../../tapline-cli/src/diagnostics.rs"]
mod diagnostics;
#[path = "check/support.rs"]
mod support;

#[path = "check/mistakes.rs"]
mod mistakes;
#[path = "check/choice.rs"]
mod choice;
#[path = "check/plugins.rs"]
mod plugins;
#[path = "check/bad_input.rs"]
mod bad_input;
#[path = "check/compiled.rs"]
mod compiled;
#[path = "check/codes.rs"]
mod codes;
#[path = "check/format.rs"]
mod format;
#[path = "check/never_panics.rs"]
mod never_panics;
