//! Tests of plugins, of applications that have plugins, and of Tapline itself.
//!
//! A [`Rig`] is a host with one plugin in it and nothing real around it:
//!
//! ```
//! use tapline_test_kit::{HookCall, Rig};
//! # use tapline_test_kit::guest;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! // The package in a folder, in its sandbox.
//! # let folder = guest("redact");
//! let rig = Rig::load(folder).await?;
//!
//! // A call of the hook point that it joins, as a pipeline makes it.
//! let input = serde_json::json!({ "with": { "prompt": "Write to ada@example.com." } });
//! let outcome = rig.hook("node.execute", HookCall::new(input).fact("type", "chat")).await?;
//! assert_eq!(outcome.reached[0].at("with.prompt").unwrap().as_str(), Some("Write to [email]."));
//! assert!(rig.seen().audit().is_empty(), "it has done nothing that needs a grant");
//! # Ok::<_, tapline_test_kit::RigError>(())
//! # }).unwrap();
//! ```
//!
//! [`Setup`] says what the plugin finds around it: a scripted [provider](Setup::provider), servers, secrets, a clock that
//! stands still, and neighbours that answer badly ([`Answer`]); [`hostile`] is a plugin that does harm in every way. [`Cases`] are tests that are written in a file beside the
//! plugin, in whatever language the plugin is; `tapline plugin test` runs them.
//!
//! With the feature `conformance`, there is one suite of promises that every kind of plugin has to keep; each kind runs it by one line:
//!
//! ```
//! mod native {
//!     tapline_test_kit::conformance!(tapline_test_kit::Native);
//! }
//! # fn main() {}
//! ```

mod rig;
mod cases;
mod hostile;
#[cfg(feature = "conformance")]
mod suite;

pub use cases::{CaseResult, Cases, CasesError, Mismatch};
pub use hostile::hostile;
pub use rig::{Answer, HookCall, HookOutcome, Reply, Rig, RigError, Seen, SeenCall, SeenRequest, Setup};
#[cfg(feature = "conformance")]
pub use suite::*;
