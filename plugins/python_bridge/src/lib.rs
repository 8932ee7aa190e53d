//! The plugin `python_bridge`: provides Python for plugins that are processes of it.
//!
//! Such plugins need the capability `python`, whose version is that of the interpreter. So this plugin is there for as long
//! as any of them is, and a command finds out before a run when there is no Python that they could use.

mod bridge;
mod interpreter;
mod environment;

pub use bridge::{PythonBridge, of};
pub use environment::{EnvironmentError, REQUIREMENTS, make};
pub use interpreter::{Interpreter, InterpreterError};
