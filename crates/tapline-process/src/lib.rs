//! Runs plugins that are processes of their own.
//!
//! A host is given a [`ProcessRuntime`]. The protocol is that of `tapline-wire`; what a process can reach beyond it is for
//! the [`Walls`] that the machine has.

mod runtime;
mod staged;
mod plugin;
mod process;
mod enclosure;
mod spawn;
mod group;
mod ending;
mod lines;
mod outbox;
mod calls;
mod call;
mod asks;
mod bodies;
mod walls;

pub use enclosure::{Enclosure, Started};
pub use ending::{Ending, Unready};
pub use group::Group;
pub use lines::{LastWords, log_lines};
pub use runtime::{ProcessRuntime, ProcessRuntimeBuilder};
pub use walls::{Standing, Wall, Walls, WallsError, confine};
