use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use tapline::host::Settings;
use tapline::mcp::McpRuntime;
use tapline::process::{ProcessRuntime, Walls, confine};

use crate::run::variable;

/// The verb with which this command calls itself to confine a process; what follows on it is not ours.
const CONFINE: &str = "confine-process";

/// Becomes the process that is to be confined, where this command was called for that.
pub(crate) fn confined() -> Option<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    (arguments.next()? == CONFINE).then(|| confine(arguments))
}

/// The walls that stand here.
pub(crate) fn walls() -> Result<Walls> {
    let program = env::current_exe().context("this command does not find itself")?;
    Ok(Walls::new(program, [CONFINE], path()))
}

/// What runs plugins that are processes.
pub(crate) fn processes(settings: &Settings) -> Result<ProcessRuntime> {
    Ok(ProcessRuntime::builder(walls()?.required(settings.needs_walls())).path(path()).build())
}

/// What runs MCP servers.
pub(crate) fn servers(settings: &Settings) -> Result<McpRuntime> {
    let walls = walls()?.required(settings.needs_walls());
    Ok(McpRuntime::builder(walls).path(path()).variables(variable).build())
}

/// The folders that programs are looked for in.
fn path() -> Vec<PathBuf> {
    variable("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}
