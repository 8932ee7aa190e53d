use std::env::consts::EXE_SUFFIX;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Page;
use crate::process;
use crate::workspace::Workspace;

/// What the command says of itself: its verbs and flags, and the nodes that it brings.
pub(super) fn ask(workspace: &Workspace) -> Result<Value> {
    // Of the whole workspace, so that its dependencies have the features with which the tests build them, too.
    process::run_well(process::cargo().args(["build", "--quiet", "--workspace", "--bin", "tapline"]))?;
    let program = workspace.target().join(format!("debug/tapline{EXE_SUFFIX}"));
    let said = process::answer(process::command(program).arg("reference"));
    let said = said.context("`tapline reference` says nothing")?;
    serde_json::from_str(&said).context("what `tapline reference` says")
}

pub(super) fn page(said: &Value) -> Result<Page> {
    let text = said["command"].as_str().context("`tapline reference` does not say how it is used")?;
    // The title is ours, and the next line says only that this is the help.
    let text = text.find("**Command Overview:**").map_or(text, |start| &text[start..]);
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    let text = format!("[The command](../command.md) says how it is used.\n\n{}", lines.join("\n"));
    Ok(Page::new("command.md", "The command, verb by verb", "the definition of the command", &text))
}
