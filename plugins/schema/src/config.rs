use std::collections::BTreeMap;

use serde::Deserialize;
use tapline_pdk::Value;
use tapline_pdk::roles::Finding;

use crate::below;
use crate::document::escaped;
use crate::schema::Schema;

/// What a pipeline says of what is held against which schema.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The whole file.
    pipeline: Option<Value>,
    /// Nodes by their names.
    nodes: BTreeMap<String, Rules>,
    /// All nodes of a type.
    types: BTreeMap<String, Rules>,
}

/// What is held against schemas of a node.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Rules {
    with: Option<Value>,
    output: Option<Value>,
}

/// The same with all schemas compiled.
#[derive(Debug)]
pub(crate) struct Compiled {
    pipeline: Option<Schema>,
    nodes: BTreeMap<String, CompiledRules>,
    types: BTreeMap<String, CompiledRules>,
}

#[derive(Debug)]
struct CompiledRules {
    with: Option<Schema>,
    output: Option<Schema>,
}

/// A side of a node.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    With,
    Output,
}

impl Config {
    /// Compiles all schemas.
    ///
    /// # Errors
    /// The first that is none, with its place in the configuration.
    pub(crate) fn compile(&self) -> Result<Compiled, Finding> {
        Ok(Compiled {
            pipeline: compile(self.pipeline.as_ref(), "/pipeline")?,
            nodes: compile_rules(&self.nodes, "/nodes")?,
            types: compile_rules(&self.types, "/types")?,
        })
    }
}

fn compile_rules(
    rules: &BTreeMap<String, Rules>,
    pointer: &str,
) -> Result<BTreeMap<String, CompiledRules>, Finding> {
    let compile_one = |(name, rules): (&String, &Rules)| {
        let pointer = format!("{pointer}/{}", escaped(name));
        if rules.with.is_none() && rules.output.is_none() {
            let message = "neither `with` nor `output` has a schema".to_owned();
            return Err(Finding { path: pointer, message, rule: None });
        }
        let with = compile(rules.with.as_ref(), &format!("{pointer}/with"))?;
        let output = compile(rules.output.as_ref(), &format!("{pointer}/output"))?;
        Ok((name.clone(), CompiledRules { with, output }))
    };
    rules.iter().map(compile_one).collect()
}

fn compile(schema: Option<&Value>, pointer: &str) -> Result<Option<Schema>, Finding> {
    schema.map(Schema::new).transpose().map_err(|finding| below(pointer, finding))
}

impl Compiled {
    /// The schemas for a side of a node.
    pub(crate) fn of<'a>(
        &'a self,
        id: &str,
        node_type: &str,
        part: Part,
    ) -> impl Iterator<Item = &'a Schema> {
        let rules = [self.nodes.get(id), self.types.get(node_type)];
        rules.into_iter().flatten().filter_map(move |rules| rules.part(part))
    }

    /// Whether there is no schema for a side of any node.
    pub(crate) fn is_without(&self, part: Part) -> bool {
        self.nodes.values().chain(self.types.values()).all(|rules| rules.part(part).is_none())
    }

    /// What is wrong with a file: that it does not follow its schema, or has no node that a schema is for.
    pub(crate) fn check_document(&self, document: &Value) -> Vec<Finding> {
        let mut found: Vec<_> =
            self.pipeline.iter().flat_map(|schema| schema.findings_before_a_run(document)).collect();
        let known = document.get("nodes");
        let unknown = self.nodes.keys().filter(|id| known.and_then(|nodes| nodes.get(id)).is_none());
        found.extend(unknown.map(|id| Finding {
            path: format!("/plugins/schema/config/nodes/{}", escaped(id)),
            message: format!("there is no node `{id}`"),
            rule: None,
        }));
        found
    }
}

impl CompiledRules {
    const fn part(&self, part: Part) -> Option<&Schema> {
        match part {
            Part::With => self.with.as_ref(),
            Part::Output => self.output.as_ref(),
        }
    }
}

impl Part {
    /// What people call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::With => "the settings do not follow their schema",
            Self::Output => "the output does not follow its schema",
        }
    }
}
