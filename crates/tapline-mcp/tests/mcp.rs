//! MCP servers, those that behave and those that do not, as plugins of a host.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "mcp/rig.rs"]
mod rig;
#[path = "mcp/servers.rs"]
mod servers;
#[path = "mcp/elsewhere.rs"]
mod elsewhere;
