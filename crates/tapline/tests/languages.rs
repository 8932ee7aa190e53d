//! Plugins in other languages than Rust: beside each other, and hostile ones. They skip where their guests are not built.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "languages/mixed.rs"]
mod mixed;
#[path = "languages/errors.rs"]
mod errors;
#[path = "languages/limits.rs"]
mod limits;
#[path = "languages/docs.rs"]
mod docs;
