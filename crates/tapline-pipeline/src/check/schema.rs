use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use jsonschema::Validator;
use tapline_core::Value;

use super::mismatch::{Mismatch, Part, mismatches};
use super::shape::Shape;
use crate::catalog::KnownPlugin;
use crate::definition::{DraftStep, Spanned};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Element, ElementContent, Source};

/// The compiled schemas of node types, each compiled when the first node of its type is met.
#[derive(Default)]
pub(super) struct Validators {
    by_type: BTreeMap<Arc<str>, Option<Validator>>,
}

impl Validators {
    /// What the schema of a node's type has against its settings.
    pub(super) fn check(
        &mut self,
        source: &Source,
        node: &DraftStep,
        node_type: &Spanned<Arc<str>>,
        plugin: &KnownPlugin,
    ) -> Vec<Diagnostic> {
        let Some(schema) = plugin.node_schema(&node_type.value) else { return Vec::new() };
        let mut diagnostics = Vec::new();
        let validator = self.by_type.entry(Arc::clone(&node_type.value)).or_insert_with(|| {
            let compiled = jsonschema::options().offline().build(&schema.into());
            compiled
                .map_err(|error| diagnostics.push(broken(source, node_type, plugin, &error.to_string())))
                .ok()
        });
        if let Some(validator) = validator {
            let settings = Settings { source, node, node_type, shape: Shape::new(Some(schema)) };
            diagnostics.extend(settings.check(validator));
        }
        diagnostics
    }
}

fn broken(source: &Source, node_type: &Spanned<Arc<str>>, plugin: &KnownPlugin, error: &str) -> Diagnostic {
    let (name, key) = (plugin.name(), &node_type.value);
    let message = format!("the schema of node type `{key}` in plugin `{name}` is broken: {error}");
    let hint = format!("this is a mistake in plugin `{name}`, not in this file");
    Diagnostic::error(source, Code::BrokenSchema, &node_type.range, message).hint(hint)
}

/// The settings of one node.
pub(super) struct Settings<'a> {
    source: &'a Source,
    node: &'a DraftStep,
    pub(super) node_type: &'a Spanned<Arc<str>>,
    pub(super) shape: Shape<'a>,
}

impl Settings<'_> {
    fn check(&self, validator: &Validator) -> Vec<Diagnostic> {
        let root = self.node.with.as_ref().map(|entry| &entry.element);
        let value = root.filter(|element| !element.is_null()).map_or_else(empty, Element::to_value);
        let instance = serde_json::Value::from(&value);
        let found = validator.iter_errors(&instance).flat_map(|error| mismatches(self, &error));
        found.map(|mismatch| self.diagnostic(mismatch)).collect()
    }

    fn diagnostic(&self, mismatch: Mismatch) -> Diagnostic {
        let range = self.range(&mismatch.path, mismatch.part);
        let diagnostic = Diagnostic::error(self.source, Code::InvalidConfig, &range, mismatch.message);
        diagnostic.maybe_hint(mismatch.hint)
    }

    /// The key or value at a path; of a value of several lines, its key.
    fn range(&self, path: &[String], part: Part) -> Range<usize> {
        let Some(with) = &self.node.with else { return self.node_type.range.clone() };
        let mut place = (&with.key, &with.element);
        for token in path {
            let Some(child) = place.1.child(token) else { break };
            place = child;
        }
        let (key, element) = place;
        let has_text = element.as_scalar().is_some() && !element.is_null();
        if part == Part::Value && has_text { element.range.clone() } else { key.clone() }
    }

    fn element(&self, path: &[String]) -> Option<&Element> {
        let root = &self.node.with.as_ref()?.element;
        path.iter().try_fold(root, |element, token| Some(element.child(token)?.1))
    }

    /// Whether nobody knows what the value at a path will be: it, or something in it, is a template.
    pub(super) fn is_templated(&self, path: &[String]) -> bool {
        self.element(path).is_some_and(has_template)
    }

    pub(super) fn shape_at(&self, path: &[String]) -> Shape<'_> {
        path.iter().fold(self.shape.clone(), |shape, token| shape.child(token))
    }
}

fn empty() -> Value {
    Value::Object(Arc::default())
}

pub(super) fn has_template(element: &Element) -> bool {
    match &element.content {
        ElementContent::Scalar(_) => element.as_text().is_some_and(|text| is_template(text)),
        ElementContent::Sequence(elements) => elements.iter().any(has_template),
        ElementContent::Mapping(mapping) => mapping.values().any(|entry| has_template(&entry.element)),
    }
}

/// Whether a text holds anything that the template language would replace.
pub(super) fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|tag| text.contains(tag))
}
