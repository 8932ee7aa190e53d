//! Runs MCP servers as plugins.
//!
//! A host is given an [`McpRuntime`]. A server is a package like any other: its manifest names how it is started or where it
//! is, and the tools of it that somebody has accepted, each as a node type. [`Offer`] is what a server says of itself, and
//! makes such a manifest; nothing that a server says counts until it stands in one.

mod runtime;
mod plugin;
mod server;
mod client;
mod lines;
mod http;
mod call;
mod resources;
mod offer;
mod tools;
mod manifest;

pub use offer::{Offer, OfferedTool};
pub use runtime::{McpRuntime, McpRuntimeBuilder};
