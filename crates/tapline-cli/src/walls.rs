use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use tapline::mcp::McpRuntime;
use tapline::process::{Walls, confine};

use crate::run::variable;

/// The verb with which this command calls itself to confine a process; what follows on it is not ours.
const CONFINE: &str = "confine-process";

/// Becomes the process that is to be confined, where this command was called for that.
pub(crate) fn confined() -> Option<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    (arguments.next()? == CONFINE).then(|| confine(arguments))
}

/// What runs MCP servers, behind all walls that this machine has.
pub(crate) fn servers() -> Result<McpRuntime> {
    let program = env::current_exe().context("this command does not find itself")?;
    let walls = Walls::new(program, [CONFINE], path());
    Ok(McpRuntime::builder(walls).path(path()).variables(variable).build())
}

/// The folders that programs are looked for in.
fn path() -> Vec<PathBuf> {
    variable("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}
