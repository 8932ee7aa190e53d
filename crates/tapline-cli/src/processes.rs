use std::path::PathBuf;

use anyhow::{Context as _, Result};
use tapline::process::{ProcessRuntime, Walls};

use crate::arguments::CONFINE;

/// What runs plugins that are processes, behind the walls that this machine has.
pub(crate) fn processes(needs_walls: bool) -> Result<ProcessRuntime> {
    Ok(ProcessRuntime::builder(walls()?.required(needs_walls)).path(path()).build())
}

/// The walls that stand here.
pub(crate) fn walls() -> Result<Walls> {
    let program = std::env::current_exe().context("this command does not find itself")?;
    Ok(Walls::new(program, [CONFINE], path()))
}

/// Where programs are looked for.
#[expect(clippy::disallowed_methods, reason = "this is the command")]
fn path() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}
