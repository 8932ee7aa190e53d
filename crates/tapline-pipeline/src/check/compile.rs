use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use tapline_core::{Request, Value};
use tapline_roles::NODE;
use tapline_template::{Expression, Reference, Template, TemplateError};

use super::schema::is_template;
use super::shape::Shape;
use crate::catalog::KnownPlugin;
use crate::definition::{
    Condition, Draft, DraftMap, DraftNode, MapDefinition, NodeDefinition, Setting, Text,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Element, ElementContent, Entry};
use crate::suggest::{did_you_mean, did_you_mean_or_list};

/// Compiles the texts of one node, or of the outputs, and collects what they refer to.
pub(super) struct Compiler<'a> {
    draft: &'a Draft,
    /// The node whose texts these are.
    node: Option<(&'a Arc<str>, &'a DraftNode)>,
    /// The name of the current item, where there is one.
    item: Option<Arc<str>>,
    pub(super) uses: Uses,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// What the texts of a node refer to.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// The nodes that it waits for, and where it says so first.
    pub(super) nodes: BTreeMap<Arc<str>, Range<usize>>,
    scope: BTreeSet<Arc<str>>,
}

/// Who evaluates a text.
enum Evaluator<'a> {
    Engine,
    /// The plugin of the node, which brings variables of its own.
    Plugin(&'a [&'a str]),
}

impl<'a> Evaluator<'a> {
    const fn names(&self) -> &'a [&'a str] {
        match self {
            Self::Engine => &[],
            Self::Plugin(names) => names,
        }
    }
}

impl<'a> Compiler<'a> {
    pub(super) fn new(draft: &'a Draft, node: Option<(&'a Arc<str>, &'a DraftNode)>) -> Self {
        Self { draft, node, item: None, uses: Uses::default(), diagnostics: Vec::new() }
    }

    /// `when` and `map.over` are evaluated once for the whole node, so the item exists in `with` alone.
    pub(super) fn node(
        &mut self,
        id: &Arc<str>,
        node: &DraftNode,
        provider: Option<&KnownPlugin>,
    ) -> NodeDefinition {
        let node_type =
            node.node_type.as_ref().map_or_else(|| "".into(), |node_type| Arc::clone(&node_type.value));
        for needed in &node.needs {
            self.refer_to_node(&needed.value, &needed.range, &[]);
        }
        let when = node.when.as_ref().and_then(|element| self.condition(element));
        let map = node.map.as_ref().and_then(|map| self.map(map));
        self.item = node.map.as_ref().map(|map| Arc::clone(&map.item.value));
        let shape = Shape::new(provider.and_then(|plugin| plugin.node_schema(&node_type)));
        let with = node.with.as_ref().map(|entry| &entry.element).filter(|element| !element.is_null());
        let with = with.map(|element| self.setting(element, &shape));
        let subject =
            [("id", Value::String(Arc::clone(id))), ("type", Value::String(Arc::clone(&node_type)))];
        let request =
            Request::new(NODE, &node_type, "handle", Value::Null).about(subject.into_iter().collect());
        NodeDefinition {
            id: Arc::clone(id),
            node_type,
            request,
            plugin: provider.map_or_else(|| "".into(), |plugin| plugin.name().into()),
            with: with.unwrap_or_else(|| Setting::constant(Value::Object(Arc::default()))),
            when,
            needs: node.needs.iter().map(|needed| Arc::clone(&needed.value)).collect(),
            map,
            dependencies: self.uses.nodes.keys().cloned().collect(),
            scope: std::mem::take(&mut self.uses.scope),
            span: self.draft.source().span(&node.key),
        }
    }

    pub(super) fn setting(&mut self, element: &Element, shape: &Shape<'_>) -> Setting {
        match &element.content {
            ElementContent::Scalar(scalar) => match (element.as_text(), shape.expression_names()) {
                (Some(source), Some(names)) => {
                    self.plugin_expression(element, source, &names);
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

    fn plugin_expression(&mut self, element: &Element, source: &str, names: &[&str]) {
        if let Some((expression, text)) = self.expression(element, source) {
            self.refer(expression.references(), &text, &Evaluator::Plugin(names));
        }
    }

    fn condition(&mut self, element: &Element) -> Option<Condition> {
        let source = element
            .as_scalar()
            .map(|scalar| scalar.value.as_str().map_or_else(|| scalar.value.to_json(), Into::into));
        let (expression, text) = self.expression(element, &source?)?;
        self.refer(expression.references(), &text, &Evaluator::Engine);
        Some(Condition::new(expression, text))
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

    fn map(&mut self, map: &DraftMap) -> Option<MapDefinition> {
        let over = map.over.as_ref()?;
        let wrong = match &over.content {
            ElementContent::Sequence(_) => None,
            _ if over.as_text().is_some_and(|text| is_template(text)) => None,
            _ => Some("`over` must be a list, or a template that yields one"),
        };
        if let Some(message) = wrong {
            let diagnostic = Diagnostic::error(self.draft.source(), Code::WrongType, &over.range, message);
            self.diagnostics.push(diagnostic.hint("write it as in `over: \"{{ load.items }}\"`"));
        }
        let over = self.setting(over, &Shape::default());
        Some(MapDefinition { over, item: Arc::clone(&map.item.value), parallel: map.parallel })
    }

    fn refer(&mut self, references: &[Reference], text: &Text, evaluator: &Evaluator<'_>) {
        for reference in references {
            let name = reference.name();
            let is_item = self.item.as_deref() == Some(name);
            match evaluator {
                Evaluator::Plugin(names) if names.contains(&name) => continue,
                Evaluator::Plugin(_) => drop(self.uses.scope.insert(name.into())),
                Evaluator::Engine => {}
            }
            let input = reference.path().split('.').nth(1);
            match (name, input) {
                _ if is_item => {}
                ("inputs", Some(input)) => {
                    let length = "inputs.".len() + input.len();
                    self.refer_to_input(input, &text.range(reference.position(), length));
                }
                ("inputs", None) => {}
                _ => {
                    self.refer_to_node(name, &text.range(reference.position(), name.len()), evaluator.names())
                }
            }
        }
    }

    fn refer_to_input(&mut self, name: &str, range: &Range<usize>) {
        if self.draft.inputs.contains_key(name) {
            return;
        }
        let hint = did_you_mean_or_list(name, self.draft.inputs.keys().map(|name| &**name), "it has");
        let declare = format!("declare it: `inputs: {{ {name}: {{ type: string }} }}`");
        self.unknown(range, format!("the pipeline has no input `{name}`"), hint.unwrap_or(declare));
    }

    /// `others` are the names that would have done beside nodes.
    fn refer_to_node(&mut self, name: &str, range: &Range<usize>, others: &[&str]) {
        if let Some((id, _)) = self.draft.nodes.get_key_value(name) {
            self.uses.nodes.entry(Arc::clone(id)).or_insert_with(|| range.clone());
            return;
        }
        let (message, hint) = self.explain_unknown(name, others);
        self.unknown(range, message, hint);
    }

    fn explain_unknown(&self, name: &str, others: &[&str]) -> (String, String) {
        let map = self.node.and_then(|(_, node)| node.map.as_ref());
        let message =
            if name == "item" { "there is no `item` here" } else { &format!("there is no node `{name}`") };
        let hint = match map.map(|map| &*map.item.value) {
            Some(item) if item == name => {
                let message = format!(
                    "there is no `{name}` here: `when` and `over` are evaluated before there are items"
                );
                return (message, "filter the list that `over` yields".to_owned());
            }
            Some(item) if name == "item" => format!("`map` calls the item `{item}`"),
            None if name == "item" && others.is_empty() => {
                "a node has items when it has `map: { over: ... }`".to_owned()
            }
            _ => self.near(name, others),
        };
        (message.to_owned(), hint)
    }

    fn near(&self, name: &str, others: &[&str]) -> String {
        if self.draft.inputs.contains_key(name) {
            return format!("an input is called `inputs.{name}`");
        }
        let own = self.node.map(|(id, _)| &**id);
        let nodes = self.draft.nodes.keys().map(|id| &**id).filter(|id| Some(*id) != own);
        let known = nodes.chain(["inputs"]).chain(self.item.as_deref()).chain(others.iter().copied());
        did_you_mean(name, known).unwrap_or_else(|| {
            let others: Vec<_> = others.iter().map(|other| format!("`{other}`, ")).collect();
            format!("name {}a node, or `inputs.NAME`", others.concat())
        })
    }

    fn unknown(&mut self, range: &Range<usize>, message: String, hint: String) {
        let diagnostic = Diagnostic::error(self.draft.source(), Code::UnknownReference, range, message);
        self.diagnostics.push(diagnostic.hint(hint));
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
