//! Makes packages of the sources of plugins.
//!
//! [`Project::open`] finds out what a folder holds, and [`Project::build`] makes of it what a host loads: a manifest and a
//! component. Which tools that takes depends on the language; one that is missing is an error that says how to get it.
//!
//! What authors write against comes with this crate, as text: a project is built against the SDK of the command that
//! builds it, and needs nothing of Tapline from anywhere else.

mod error;
pub mod process;
pub mod rust;
mod declared;
mod world;
mod tool;
pub mod python;
mod process_package;
pub mod javascript;
mod sdk;
mod project;

pub use error::BuildError;
pub use project::{Artifact, Built, Language, Project};
pub use sdk::Sdk;
