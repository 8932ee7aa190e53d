//! What the tests of this repository share.

mod guests;
mod held;
pub mod handwritten;
mod scripted;
mod bench;
pub mod conformance;

pub use bench::{Bench, Words};
pub use guests::guest;
pub use held::Held;
pub use script::Step;
pub use scripted::{Native, Sandboxed, Scripted, Subject, hook};
