use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use tapline::pipeline::{Definition, PartDefinition, Step, Work};

use super::rules::rules;
use crate::project::Project;

/// A node, and when its turn comes.
#[derive(Debug, Serialize)]
pub(super) struct PlannedNode<'a> {
    pub(super) id: &'a str,
    /// Counted from 1; a node of a part stands in the level of the node that runs the part, as in `3.1`.
    pub(super) level: String,
    /// The nodes that it waits for.
    pub(super) after: Vec<&'a str>,
    #[serde(flatten)]
    pub(super) step: PlannedStep<'a>,
}

/// A step that another one is made of.
#[derive(Debug, Serialize)]
pub(super) struct PlannedPart<'a> {
    /// The path to it, as in `switch/0`.
    pub(super) path: String,
    #[serde(flatten)]
    pub(super) step: PlannedStep<'a>,
}

/// What is done, and by which rules.
#[derive(Debug, Serialize)]
pub(super) struct PlannedStep<'a> {
    /// The type of the node, or the key that says what it does.
    pub(super) does: Arc<str>,
    pub(super) plugin: Option<&'a str>,
    pub(super) version: Option<String>,
    /// The file of the pipeline that it runs.
    pub(super) file: Option<&'a str>,
    pub(super) rules: Vec<String>,
    pub(super) steps: Vec<PlannedPart<'a>>,
    /// The nodes of the pipeline that it runs, where the plan comes to it first.
    pub(super) nodes: Vec<PlannedNode<'a>>,
}

/// Plans the steps of a pipeline and of its parts.
pub(super) struct Planner<'a> {
    /// The versions of the plugins, by id.
    versions: BTreeMap<&'a str, String>,
    /// The files of parts that are planned already: each is planned once, however often it is run.
    planned: BTreeSet<&'a str>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(project: &'a Project) -> Self {
        let versions = project.plugins().map(|plugin| (plugin.name(), plugin.version().to_string()));
        Self { versions: versions.collect(), planned: BTreeSet::new() }
    }

    /// The nodes level by level; `within` stands before the numbers of the levels.
    pub(super) fn nodes(&mut self, definition: &'a Definition, within: &str) -> Vec<PlannedNode<'a>> {
        let mut nodes = Vec::new();
        for (place, ids) in definition.graph().levels().iter().enumerate() {
            for node in ids.iter().filter_map(|id| definition.nodes.get(id)) {
                let level = format!("{within}{}", place + 1);
                let step = self.step(&node.step, &level);
                let after = node.dependencies.iter().map(|id| &**id).collect();
                nodes.push(PlannedNode { id: &node.id, level, after, step });
            }
        }
        nodes
    }

    fn step(&mut self, step: &'a Step, level: &str) -> PlannedStep<'a> {
        let part = if let Work::Pipeline(part) = &step.work { Some(part) } else { None };
        let plugin = step.plugin().map(|plugin| &**plugin);
        PlannedStep {
            does: step.kind(),
            plugin,
            version: plugin.and_then(|plugin| self.versions.get(plugin).cloned()),
            file: part.map(|part| &*part.file),
            rules: rules(step),
            steps: step
                .parts()
                .map(|(path, part)| PlannedPart { path, step: self.step(part, level) })
                .collect(),
            nodes: part.map(|part| self.part(part, level)).unwrap_or_default(),
        }
    }

    fn part(&mut self, part: &'a PartDefinition, level: &str) -> Vec<PlannedNode<'a>> {
        let definition = &*part.definition;
        if !self.planned.insert(definition.document().source().file()) {
            return Vec::new();
        }
        self.nodes(definition, &format!("{level}."))
    }
}
