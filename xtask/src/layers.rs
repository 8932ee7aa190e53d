use anyhow::{Result, bail};
use cargo_metadata::{DependencyKind, Package};

use crate::workspace::{Workspace, folder, is_guest};

/// A kind of crate, and those of ours that it may be built from; dependencies used by tests alone are exempt.
struct Row {
    kind: &'static str,
    may_use: &'static [&'static str],
}

const PLUGINS: &str = "plugins/*";
const EXAMPLES: &str = "examples/*";

/// The crate table.
///
/// What is absent is the design: `tapline-host` is given its runtimes and depends on none, and `tapline-wire` depends on
/// nothing of ours.
const TABLE: &[Row] = &[
    row("tapline-core", &[]),
    row("tapline-wire", &[]),
    row("tapline-build", &["tapline-core"]),
    row("tapline-template", &["tapline-core"]),
    row("tapline-roles", &["tapline-core"]),
    row("tapline-wasm", &["tapline-core"]),
    row("tapline-http", &["tapline-core"]),
    row("tapline-process", &["tapline-core", "tapline-wire"]),
    row("tapline-mcp", &["tapline-core", "tapline-process"]),
    row("tapline-host", &["tapline-core"]),
    row("tapline-install", &["tapline-core", "tapline-host"]),
    row("tapline-pipeline", &["tapline-core", "tapline-host", "tapline-roles", "tapline-template"]),
    row("tapline-journal", &["tapline-core", "tapline-pipeline"]),
    row(
        "tapline",
        &[
            "tapline-core",
            "tapline-host",
            "tapline-http",
            "tapline-install",
            "tapline-journal",
            "tapline-mcp",
            "tapline-pipeline",
            "tapline-process",
            "tapline-roles",
            "tapline-template",
            "tapline-wasm",
            "tapline-wire",
        ],
    ),
    row("tapline-pdk-macros", &["tapline-core", "tapline-roles"]),
    row("tapline-pdk", &["tapline-core", "tapline-pdk-macros", "tapline-roles"]),
    row("tapline-test-kit", &["tapline", "tapline-pdk", PLUGINS]),
    row("tapline-cli", &["tapline", "tapline-build", "tapline-test-kit", "tapline-pdk", PLUGINS]),
    row("tapline-benches", &["tapline", "tapline-test-kit", PLUGINS]),
    row(PLUGINS, &["tapline-pdk", "tapline-template"]),
    row(EXAMPLES, &["tapline"]),
    row("xtask", &["tapline-build", "tapline-core"]),
];

/// A dependency of one member on another, by name and kind.
struct Edge<'w> {
    from: Member<'w>,
    to: Member<'w>,
}

#[derive(Clone, Copy)]
struct Member<'w> {
    name: &'w str,
    kind: &'w str,
}

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let members = workspace.members();
    let edges: Vec<Edge<'_>> = members.iter().flat_map(|from| edges(workspace, from, &members)).collect();
    let strangers = members.iter().map(|package| member(workspace, package)).filter_map(stranger);
    let broken: Vec<String> = strangers.chain(edges.iter().filter_map(broken_rule)).collect();
    if !broken.is_empty() {
        bail!("the crate table does not hold\n{}", broken.join("\n"));
    }
    println!("layers: {} crates, {} dependencies among them, all in the table", members.len(), edges.len());
    Ok(())
}

const fn row(kind: &'static str, may_use: &'static [&'static str]) -> Row {
    Row { kind, may_use }
}

fn edges<'w>(workspace: &'w Workspace, from: &'w Package, members: &[&'w Package]) -> Vec<Edge<'w>> {
    let used = from.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
    let ours = used.filter_map(|dependency| members.iter().find(|to| *to.name == dependency.name));
    ours.map(|to| Edge { from: member(workspace, from), to: member(workspace, to) }).collect()
}

fn member<'w>(workspace: &Workspace, package: &'w Package) -> Member<'w> {
    let place = folder(package).strip_prefix(workspace.root()).unwrap_or(folder(package));
    let kind =
        if is_guest(package) || ["plugins", "tests/guests"].iter().any(|folder| place.starts_with(folder)) {
            PLUGINS
        } else if place.starts_with("examples") {
            EXAMPLES
        } else {
            &package.name
        };
    Member { name: &package.name, kind }
}

fn rule(kind: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.kind == kind)
}

fn stranger(member: Member<'_>) -> Option<String> {
    let Member { name, kind } = member;
    rule(kind).is_none().then(|| format!("  {name} is in no row; the table is in xtask/src/layers.rs"))
}

fn broken_rule(Edge { from, to }: &Edge<'_>) -> Option<String> {
    let row = rule(from.kind)?;
    if row.may_use.contains(&to.kind) {
        return None;
    }
    let allowed = if row.may_use.is_empty() { "nothing of ours".to_owned() } else { row.may_use.join(", ") };
    Some(format!("  {} depends on {}; the rule: {} may use {allowed}", from.name, to.name, row.kind))
}

#[cfg(test)]
mod tests;
