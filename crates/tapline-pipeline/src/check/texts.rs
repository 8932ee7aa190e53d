//! Compiles the texts of a file: templates, conditions, and the expressions that plugins evaluate.

use std::sync::Arc;

use tapline_core::Value;
use tapline_template::{Expression, Reference, Template, TemplateError};

use super::compile::Compiler;
use super::schema::is_template;
use super::shape::{PluginText, Shape};
use crate::definition::{Condition, Setting, Text};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Element, ElementContent, Entry};

/// Who evaluates a text.
enum Evaluator<'a> {
    Engine,
    /// The plugin of the node, which brings variables of its own.
    Plugin(&'a [&'a str]),
}

impl Compiler<'_, '_> {
    pub(super) fn setting(&mut self, element: &Element, shape: &Shape<'_>) -> Setting {
        match &element.content {
            ElementContent::Scalar(scalar) => match (element.as_text(), shape.plugin_text()) {
                (Some(source), Some((kind, names))) => {
                    self.plugin_text(kind, element, source, &names);
                    Setting::constant(scalar.value.clone())
                }
                (Some(source), None) if is_template(source) => self.template(element, source),
                _ => Setting::constant(scalar.value.clone()),
            },
            ElementContent::Sequence(elements) => {
                let settings = elements.iter().enumerate();
                Setting::array(
                    settings.map(|(index, inner)| self.setting(inner, &shape.element(index))).collect(),
                )
            }
            ElementContent::Mapping(mapping) => {
                let compile = |(key, entry): (&Arc<str>, &Entry)| {
                    (Arc::clone(key), self.setting(&entry.element, &shape.property(key)))
                };
                Setting::object(mapping.iter().map(compile).collect())
            }
        }
    }

    pub(super) fn condition(&mut self, element: &Element) -> Option<Condition> {
        let source = element
            .as_scalar()
            .map(|scalar| scalar.value.as_str().map_or_else(|| scalar.value.to_json(), Into::into));
        let (expression, text) = self.expression(element, &source?)?;
        self.refer(expression.references(), &text, &Evaluator::Engine);
        Some(Condition::new(expression, text))
    }

    fn template(&mut self, element: &Element, source: &str) -> Setting {
        let text = self.text(element);
        match Template::parse(source) {
            Ok(template) => {
                self.refer(template.references(), &text, &Evaluator::Engine);
                Setting::template(template, text)
            }
            Err(error) => {
                self.invalid(&error, &text, None);
                Setting::constant(Value::Null)
            }
        }
    }

    fn plugin_text(&mut self, kind: PluginText, element: &Element, source: &str, names: &[&str]) {
        let evaluator = Evaluator::Plugin(names);
        match kind {
            PluginText::Expression => {
                if let Some((expression, text)) = self.expression(element, source) {
                    self.refer(expression.references(), &text, &evaluator);
                }
            }
            PluginText::Template => {
                let text = self.text(element);
                match Template::parse(source) {
                    Ok(template) => self.refer(template.references(), &text, &evaluator),
                    Err(error) => self.invalid(&error, &text, None),
                }
            }
        }
    }

    fn expression(&mut self, element: &Element, source: &str) -> Option<(Expression, Text)> {
        let text = self.text(element);
        match Expression::parse(source) {
            Ok(expression) => Some((expression, text)),
            Err(error) => {
                let hint = "this is a bare expression: write it without `{{` and `}}`";
                self.invalid(&error, &text, source.contains("{{").then_some(hint));
                None
            }
        }
    }

    fn refer(&mut self, references: &[Reference], text: &Text, evaluator: &Evaluator<'_>) {
        for reference in references {
            let name = reference.name();
            let others = match evaluator {
                Evaluator::Plugin(names) if names.contains(&name) => continue,
                Evaluator::Plugin(names) => {
                    self.names.scope.insert(name.into());
                    names
                }
                Evaluator::Engine => &[][..],
            };
            let input = reference.path().split('.').nth(1);
            match (name, input) {
                _ if self.names.is_local(name) => {}
                ("inputs", Some(input)) => {
                    let length = "inputs.".len() + input.len();
                    let range = text.range(reference.position(), length);
                    self.diagnostics.extend(self.names.refer_to_input(input, &range));
                }
                ("inputs", None) => {}
                _ => {
                    if matches!(input, None | Some("items")) {
                        *self.names.rows.entry(name.into()).or_default() += 1;
                    }
                    self.refer_to_node(name, &text.range(reference.position(), name.len()), others);
                }
            }
        }
    }

    fn invalid(&mut self, error: &TemplateError, text: &Text, hint: Option<&str>) {
        let range = text.range_of_error(error);
        let diagnostic =
            Diagnostic::error(self.draft.source(), Code::InvalidTemplate, &range, error.to_string());
        self.diagnostics.push(diagnostic.maybe_hint(hint.map(str::to_owned)));
    }

    fn text(&self, element: &Element) -> Text {
        Text::new(self.draft.source().clone(), element.clone())
    }
}
