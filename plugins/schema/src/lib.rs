//! The validator `schema`: holds values against JSON Schemas.
//!
//! A node names it under `validate`, with a schema of its own; the plugin's configuration holds settings and outputs of
//! nodes, and the whole file, against others.
//!
//! A schema is one of draft 2020-12 unless its `$schema` says otherwise. It may refer to itself, and to nothing outside:
//! nothing is fetched. `format` is asserted, and a format that nobody knows is a mistake in the schema.

mod config;
mod document;
mod schema;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tapline_pdk::prelude::*;
use tapline_pdk::roles::{Finding, Findings, NodeOutline, PipelineOutline, Validation, ValidationRequest};

use crate::config::{Compiled, Config, Part};
use crate::schema::{Schema, told};

/// The plugin.
#[derive(Debug)]
pub struct SchemaValidator {
    compiled: Compiled,
    /// The schemas that nodes name, by their text: as many as stand in the file.
    used: Mutex<HashMap<String, Arc<Schema>>>,
}

#[plugin(
    id = "schema",
    requires = { context = { read = ["input", "output", "node"], write = ["output"] } },
)]
impl SchemaValidator {
    #[init]
    fn init(config: Config) -> Result<Self> {
        let compiled = config.compile().map_err(|finding| invalid(&below("/config", finding)))?;
        Ok(Self { compiled, used: Mutex::default() })
    }

    #[provides(point = "validator", key = "schema", method = "validate")]
    async fn validate(&self, _context: &Context, request: ValidationRequest) -> Result<Validation> {
        let schema = self.used(&request.with).map_err(|finding| invalid(&below("/with", finding)))?;
        Ok(Validation { errors: schema.findings(&request.value) })
    }

    /// The file against the schema for it, and the schemas in the file.
    #[hook(point = "pipeline.validate", kind = "answer")]
    async fn check_pipeline(&self, context: &Context) -> Result<Option<Findings>> {
        let pipeline: PipelineOutline = context.read("input")?;
        let mut found = self.compiled.check_document(&pipeline.document);
        for (pointer, schema) in document::used_schemas(&pipeline.document) {
            found.extend(Schema::new(schema).err().map(|finding| below(&pointer, finding)));
        }
        Ok(Some(Findings(found)))
    }

    /// The settings of a node as they are written, as far as they are known before a run.
    #[hook(point = "node.validate", kind = "answer")]
    async fn check_node(&self, context: &Context) -> Result<Option<Findings>> {
        let node: NodeOutline = context.read("input")?;
        let schemas = self.compiled.of(&node.id, &node.node_type, Part::With);
        let found = schemas.flat_map(|schema| schema.findings_before_a_run(&node.with));
        Ok(Some(Findings(found.collect())))
    }

    /// The settings of a node with their templates rendered.
    #[hook(point = "node.execute", kind = "before", priority = 10)]
    fn check_with(&self, context: &Context) -> Result<Flow> {
        self.check(context, Part::With, "input.with", "invalid-config").map(|()| Flow::Proceed)
    }

    /// The output of a node, after whatever other plugins have made of it.
    #[hook(point = "node.execute", kind = "after", priority = 10)]
    fn check_output(&self, context: &Context) -> Result<()> {
        self.check(context, Part::Output, "output", "invalid-output")
    }
}

impl SchemaValidator {
    fn check(&self, context: &Context, part: Part, path: &str, code: &'static str) -> Result<()> {
        if self.compiled.is_without(part) {
            return Ok(());
        }
        let (id, node_type): (String, String) = (context.read("node.id")?, context.read("node.type")?);
        let schemas: Vec<_> = self.compiled.of(&id, &node_type, part).collect();
        if schemas.is_empty() {
            return Ok(());
        }
        let value: Value = context.read(path)?;
        let found: Vec<_> = schemas.iter().flat_map(|schema| schema.findings(&value)).collect();
        if found.is_empty() { Ok(()) } else { Err(Failure::new(code, told(part.name(), &found))) }
    }

    /// A schema that a node names, compiled once.
    fn used(&self, schema: &Value) -> Result<Arc<Schema>, Finding> {
        let text = schema.to_json();
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = used.get(&text) {
            return Ok(Arc::clone(known));
        }
        let compiled = Arc::new(Schema::new(schema)?);
        used.insert(text, Arc::clone(&compiled));
        Ok(compiled)
    }
}

/// A finding whose path begins further up.
fn below(pointer: &str, finding: Finding) -> Finding {
    Finding { path: format!("{pointer}{}", finding.path), ..finding }
}

fn invalid(finding: &Finding) -> Failure {
    Failure::new("invalid-config", format!("{} at `{}`", finding.message, finding.path))
}

#[cfg(test)]
mod tests;
