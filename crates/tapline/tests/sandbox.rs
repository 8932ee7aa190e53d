//! What holds for plugins in a sandbox, whatever they do. Each promise is tried by a plugin that tries to break it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "sandbox/support.rs"]
mod support;
#[path = "sandbox/chains.rs"]
mod chains;
#[path = "sandbox/faults.rs"]
mod faults;
#[path = "sandbox/limits.rs"]
mod limits;
#[path = "sandbox/grants.rs"]
mod grants;
#[path = "sandbox/handwritten.rs"]
mod handwritten;
#[path = "sandbox/http.rs"]
mod http;
#[path = "sandbox/artifacts.rs"]
mod artifacts;
#[path = "sandbox/files.rs"]
mod files;
#[path = "sandbox/denied.rs"]
mod denied;
#[path = "sandbox/machine.rs"]
mod machine;
#[path = "sandbox/folders.rs"]
mod folders;
#[path = "sandbox/lifecycle.rs"]
mod lifecycle;
#[path = "sandbox/swap.rs"]
mod swap;
