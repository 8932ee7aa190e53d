use anyhow::Result;
use serde::Serialize;
use tapline::core::RuntimeKind;
use tapline::host::rights;
use tapline::pipeline::{Definition, Durability, KnownPlugin};

use crate::Ending;
use crate::arguments::PlanArguments;
use crate::lock::granted;
use crate::output::Output;
use crate::plugin::from;
use crate::project::Project;

mod steps;
mod rules;
mod table;

use rules::{amounts, time};
use steps::{PlannedNode, Planner};

/// Shows what a run of a pipeline would do; runs no code of a plugin.
pub(crate) fn plan(arguments: &PlanArguments) -> Result<Ending> {
    let project = Project::read(&arguments.file)?;
    project.warn();
    project.tell_checked();
    let Some(definition) = &project.checked.definition else { return Ok(Ending::Refused) };
    let plan = Plan::new(&project, definition)?;
    if arguments.json {
        Output::Standard.line(serde_json::to_string(&plan)?);
    } else {
        Output::Standard.text(table::for_people(&plan));
    }
    Ok(Ending::Done)
}

/// What a run would do.
#[derive(Debug, Serialize)]
struct Plan<'a> {
    name: &'a str,
    levels: usize,
    /// Level by level.
    nodes: Vec<PlannedNode<'a>>,
    /// What is needed first.
    plugins: Vec<PlannedPlugin<'a>>,
    limits: Vec<String>,
    durability: &'static str,
}

/// A plugin of a run, and what it may touch.
#[derive(Debug, Serialize)]
struct PlannedPlugin<'a> {
    id: &'a str,
    version: String,
    from: String,
    runtime: RuntimeKind,
    sandboxed: bool,
    /// Each follows on "may".
    may: Vec<String>,
}

impl<'a> Plan<'a> {
    fn new(project: &'a Project, definition: &'a Definition) -> Result<Self> {
        let plugins = project.plugins().map(|plugin| PlannedPlugin::new(project, definition, plugin));
        Ok(Self {
            name: &definition.name,
            levels: definition.graph().levels().len(),
            nodes: Planner::new(project).nodes(definition, ""),
            plugins: plugins.collect::<Result<_>>()?,
            limits: limits(definition),
            durability: match definition.durability {
                Durability::Node => "node",
                Durability::Exit => "exit",
                Durability::None => "none",
            },
        })
    }
}

impl<'a> PlannedPlugin<'a> {
    fn new(project: &Project, definition: &Definition, plugin: &'a KnownPlugin) -> Result<Self> {
        Ok(Self {
            id: plugin.name(),
            version: plugin.version().to_string(),
            from: from(plugin),
            runtime: plugin.manifest.plugin.runtime,
            sandboxed: plugin.manifest.plugin.runtime == RuntimeKind::Wasm,
            may: rights(&granted(project, definition, plugin)?),
        })
    }
}

/// What the file says of the limits of a run.
fn limits(definition: &Definition) -> Vec<String> {
    let limits = &definition.limits;
    let wall = limits.wall.map(|wall| format!("wall {}", time(wall)));
    let counts = [("parallel", limits.parallel), ("steps", limits.steps), ("depth", limits.depth)];
    let counts = counts.into_iter().filter_map(|(name, count)| Some(format!("{name} {}", count?)));
    wall.into_iter().chain(counts).chain(amounts(&limits.amounts)).collect()
}
