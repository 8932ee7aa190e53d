//! What tests of Tapline and of its plugins share.
//!
//! [`mod@conformance`] is one suite of promises that every kind of plugin has to keep; each kind runs it by one line:
//!
//! ```
//! mod native {
//!     tapline_test_kit::conformance!(tapline_test_kit::Native);
//! }
//! # fn main() {}
//! ```

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
