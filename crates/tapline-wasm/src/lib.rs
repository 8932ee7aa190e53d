//! Runs Tapline plugins that are WebAssembly components, each in a sandbox of its own.
//!
//! A plugin gets nothing that it was not granted: an interface that is not granted is not linked. It is stopped at
//! its memory cap and its cpu budget, and an instance in which anything went wrong is never entered again.

mod runtime;
mod compiler;
mod inspect;
mod plugin;
mod exports;
mod instance;
mod guest;
mod meter;
mod clock;

pub use compiler::{Jail, compile_in_jail};
pub use inspect::{Interfaces, NoComponent};
pub use runtime::{EngineError, WasmRuntime, WasmRuntimeBuilder};
