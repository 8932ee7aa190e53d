//! What the tests of this repository share.

mod guests;
mod foreign;
mod held;
pub mod handwritten;
mod peer;
mod python;
mod scripted;
mod bench;
pub mod conformance;

pub use bench::{Bench, Words};
pub use foreign::Foreign;
pub use guests::guest;
pub use held::Held;
pub use peer::Peer;
pub use python::{ProcessPackage, patient, programs};
pub use script::Step;
pub use scripted::{InJavaScript, InProcess, InPython, Native, Sandboxed, Scripted, Subject, hook};
