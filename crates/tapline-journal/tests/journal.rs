//! What the journal promises.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "journal/support.rs"]
mod support;
#[path = "journal/runs.rs"]
mod runs;
#[path = "journal/opening.rs"]
mod opening;
#[path = "journal/caching.rs"]
mod caching;
#[path = "journal/history.rs"]
mod history;
#[cfg(unix)]
#[path = "journal/child.rs"]
mod child;
#[cfg(unix)]
#[path = "journal/processes.rs"]
mod processes;
#[cfg(target_os = "linux")]
#[path = "journal/mount.rs"]
mod mount;
#[cfg(target_os = "linux")]
#[path = "journal/disks.rs"]
mod disks;
