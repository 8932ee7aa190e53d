use comfy_table::{Table, presets};
use tapline::core::RuntimeKind;

use super::steps::{PlannedNode, PlannedStep};
use super::{Plan, PlannedPlugin};
use crate::error::visible;

/// What a run would do, for people.
pub(super) fn for_people(plan: &Plan<'_>) -> String {
    let mut nodes = table(["level", "node", "does", "plugin", "after", "rules"]);
    plan.nodes.iter().for_each(|node| add_node(&mut nodes, node, 0));
    let mut plugins = table(["plugin", "from", "runs", "may"]);
    plan.plugins.iter().for_each(|plugin| add_plugin(&mut plugins, plugin));
    let limits = if plan.limits.is_empty() { "none".to_owned() } else { plan.limits.join(", ") };
    format!(
        "{}: {} in {}\n{}\n\n{plugins}\n\nlimits: {limits}\ndurability: {}\n",
        visible(plan.name),
        counted(plan.nodes.len(), "node"),
        counted(plan.levels, "level"),
        visible(nodes),
        plan.durability
    )
}

fn add_node(table: &mut Table, node: &PlannedNode<'_>, depth: usize) {
    add_step(table, [&node.level, node.id, &node.after.join(", ")], &node.step, depth);
}

/// A row for a step, and below it, further in, those of what it is made of.
fn add_step(table: &mut Table, [level, name, after]: [&str; 3], step: &PlannedStep<'_>, depth: usize) {
    let name = format!("{:indent$}{name}", "", indent = 2 * depth);
    let does = step.file.map_or_else(|| step.does.to_string(), |file| format!("{} {file}", step.does));
    let plugin = [step.plugin, step.version.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    table.add_row([level, &name, &does, &plugin, after, &step.rules.join(", ")]);
    for part in &step.steps {
        add_step(table, ["", &part.path, ""], &part.step, depth + 1);
    }
    for node in &step.nodes {
        add_node(table, node, depth + 1);
    }
}

fn add_plugin(table: &mut Table, plugin: &PlannedPlugin<'_>) {
    let runs = match plugin.runtime {
        RuntimeKind::Wasm => "in a sandbox",
        RuntimeKind::Process => "in a process",
        RuntimeKind::Mcp => "as a server",
        RuntimeKind::Native => "in the command",
    };
    let name = format!("{} {}", plugin.id, plugin.version);
    let may = if plugin.may.is_empty() { "nothing".to_owned() } else { plugin.may.join(", ") };
    table.add_row([&name, &plugin.from, runs, &may]);
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    table
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
