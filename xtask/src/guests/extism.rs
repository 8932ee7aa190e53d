//! The guest of Extism that benchmarks compare ours with: a module in a workspace of its own.

use anyhow::Result;
use cargo_metadata::camino::Utf8PathBuf;
use tapline_build::rust::Toolchain;

use super::source_hash::folder_hash;
use super::{ARTIFACT, HASH, core_module, machine_paths, read, refuse_machine_paths, write_if_changed};
use crate::peers;
use crate::workspace::Workspace;

pub(super) const GUEST: &str = "extism-peer-guest";

/// Builds it, and puts it beside its source.
pub(super) fn commit(workspace: &Workspace, toolchain: Toolchain) -> Result<()> {
    let module = core_module(workspace, toolchain, &peers::extism_source(workspace), GUEST)?;
    refuse_machine_paths(&module, &machine_paths(workspace, toolchain))?;
    write_if_changed(&folder(workspace).join(ARTIFACT), &module)?;
    let hash = format!("{}\n", folder_hash(workspace, &folder(workspace))?);
    write_if_changed(&folder(workspace).join(HASH), hash.as_bytes())
}

/// Whether the committed module is that of its source.
pub(super) fn is_fresh(workspace: &Workspace) -> Result<bool> {
    let committed = read(&folder(workspace).join(HASH))?;
    Ok(committed.trim_ascii() == folder_hash(workspace, &folder(workspace))?.as_bytes())
}

fn folder(workspace: &Workspace) -> Utf8PathBuf {
    peers::extism_source(workspace).join("guest")
}
