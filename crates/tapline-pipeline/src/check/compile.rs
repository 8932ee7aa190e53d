use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;
use tapline_core::{Request, Value};
use tapline_roles::NODE;

use super::names::{Local, Names};
use super::parts::Parts;
use super::plugins::Plugins;
use super::schema::Validators;
use super::schema::is_template;
use super::shape::Shape;
use crate::definition::{
    CallDefinition, Definition, Draft, DraftLoop, DraftMap, DraftNode, DraftOnError, DraftStep, DraftWork,
    LoopDefinition, MapDefinition, NodeDefinition, OnError, PartDefinition, Setting, Spanned, Step, Work,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Element, ElementContent};

/// What all nodes of a check have in common.
pub(super) struct Common<'a> {
    pub(super) plugins: Plugins<'a>,
    pub(super) validators: Validators,
    pub(super) parts: Parts,
}

/// Compiles one node, or the outputs, of one file.
pub(super) struct Compiler<'a, 'c> {
    pub(super) draft: &'a Draft,
    pub(super) common: &'c mut Common<'a>,
    pub(super) names: Names<'a>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// The nodes that one waits for, and where it says so first.
pub(super) type Uses = BTreeMap<Arc<str>, Range<usize>>;

impl<'a, 'c> Compiler<'a, 'c> {
    pub(super) fn new(draft: &'a Draft, common: &'c mut Common<'a>, node: Option<&'a Arc<str>>) -> Self {
        Self { draft, common, names: Names::new(draft, node), diagnostics: Vec::new() }
    }

    pub(super) fn node(&mut self, id: &Arc<str>, node: &'a DraftNode) -> NodeDefinition {
        for needed in &node.needs {
            self.refer_to_node(&needed.value, &needed.range, &[]);
        }
        let step = self.step(id, &node.step);
        let paged = if let Work::Call(call) = &step.work { call.takes_rows_of.clone() } else { None };
        let is_whole = |(name, times): (&Arc<str>, &usize)| {
            (*times > usize::from(paged.as_ref() == Some(name))).then(|| Arc::clone(name))
        };
        let whole = self.names.rows.iter().filter_map(is_whole).collect();
        NodeDefinition {
            whole,
            id: Arc::clone(id),
            step,
            needs: node.needs.iter().map(|needed| Arc::clone(&needed.value)).collect(),
            dependencies: self.names.uses.keys().cloned().collect(),
        }
    }

    /// `when` and `map.over` are evaluated once for all items, so the item exists below them alone.
    fn step(&mut self, id: &Arc<str>, step: &'a DraftStep) -> Step {
        self.names.depth += 1;
        let depth = self.names.locals.len();
        let outer = self.names.step.replace(step);
        let when = step.when.as_ref().and_then(|element| self.condition(element));
        let map = step.map.as_ref().and_then(|map| self.map(map));
        self.names.locals.extend(step.map.as_ref().map(|map| Local::item(&map.item.value)));
        let on_error = self.on_error(id, &step.on_error);
        self.names.step = Some(step);
        let repeat = step.repeat.as_ref().and_then(|repeat| self.repeat(repeat));
        if step.repeat.is_some() {
            self.names.locals.extend([Local::new("last"), Local::new("iteration")]);
        }
        let work = self.work(id, step);
        self.refuse_unknown_validators(step);
        self.names.locals.truncate(depth);
        self.names.step = outer;
        self.names.depth -= 1;
        let span = self.draft.source().span(&step.key);
        Step { work, when, map, repeat, rules: step.rules.clone(), on_error, span }
    }

    fn work(&mut self, id: &Arc<str>, step: &'a DraftStep) -> Work {
        match &step.work {
            DraftWork::Nothing => Work::Value(Setting::constant(Value::Null)),
            DraftWork::Call(node_type) => Work::Call(self.call(id, step, node_type)),
            DraftWork::Value(element) => Work::Value(self.setting(element, &Shape::default())),
            DraftWork::Switch(cases) => Work::Switch(self.listed(id, cases)),
            DraftWork::First(parts) => Work::First(self.listed(id, parts)),
            DraftWork::Fallback(parts) => Work::Fallback(self.listed(id, parts)),
            DraftWork::All(parts) => Work::All(self.named(id, parts)),
            DraftWork::Pipeline(file) => self.pipeline(step, file),
        }
    }

    fn refuse_unknown_validators(&mut self, step: &DraftStep) {
        for used in &step.rules.validate {
            if !self.common.plugins.choice.has_validator(&used.validator) {
                let message = format!("no plugin provides the validator `{}`", used.validator);
                let source = self.draft.source();
                let diagnostic = Diagnostic::error(source, Code::UnknownNodeType, &used.range, message);
                self.diagnostics.push(diagnostic.hint("`tapline plugin list` shows which plugins there are"));
            }
        }
    }

    fn listed(&mut self, id: &Arc<str>, steps: &'a [DraftStep]) -> Vec<Step> {
        steps.iter().map(|step| self.step(id, step)).collect()
    }

    fn named(&mut self, id: &Arc<str>, steps: &'a IndexMap<Arc<str>, DraftStep>) -> IndexMap<Arc<str>, Step> {
        steps.iter().map(|(name, step)| (Arc::clone(name), self.step(id, step))).collect()
    }

    fn call(&mut self, id: &Arc<str>, step: &DraftStep, node_type: &Spanned<Arc<str>>) -> CallDefinition {
        let source = self.draft.source();
        let provider = match self.common.plugins.provider(source, node_type) {
            Ok(provider) => Some(provider),
            Err(diagnostic) => {
                self.diagnostics.push(*diagnostic);
                None
            }
        };
        if let Some(provider) = provider {
            self.diagnostics.extend(self.common.validators.check(source, step, node_type, provider));
        }
        let node_type = Arc::clone(&node_type.value);
        let shape = Shape::new(provider.and_then(|plugin| plugin.node_schema(&node_type)));
        let named_before = std::mem::take(&mut self.names.scope);
        let with = self.with(step, &shape);
        let scope = std::mem::replace(&mut self.names.scope, named_before);
        let subject =
            [("id", Value::String(Arc::clone(id))), ("type", Value::String(Arc::clone(&node_type)))];
        let request = Request::new(NODE, &node_type, "handle", Value::Null);
        let plugin = provider.map_or_else(|| "".into(), |plugin| plugin.name().into());
        let request = request.about(subject.into_iter().collect());
        // Only a node that is one step is done page by page.
        let is_plain = step.map.is_none() && step.repeat.is_none() && self.names.depth == 1;
        let makes_pages = is_plain && shape.makes_pages();
        let takes_rows_of = if is_plain { self.rows_of(step, &shape) } else { None };
        CallDefinition { node_type, plugin, request, with, scope, makes_pages, takes_rows_of }
    }

    /// The node whose `items` alone stand where a plugin takes rows.
    fn rows_of(&self, step: &DraftStep, shape: &Shape<'_>) -> Option<Arc<str>> {
        let with = step.with.as_ref()?.element.as_mapping()?;
        shape.row_keys().find_map(|key| {
            let text = with.get(key)?.element.as_text()?;
            let node = text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim().strip_suffix(".items")?;
            self.draft.nodes.get_key_value(node).map(|(node, _)| Arc::clone(node))
        })
    }

    fn with(&mut self, step: &DraftStep, shape: &Shape<'_>) -> Setting {
        let with = step.with.as_ref().map(|entry| &entry.element).filter(|element| !element.is_null());
        let with = with.map(|element| self.setting(element, shape));
        with.unwrap_or_else(|| Setting::constant(Value::Object(Arc::default())))
    }

    fn pipeline(&mut self, step: &DraftStep, file: &Spanned<Arc<str>>) -> Work {
        let with = self.with(step, &Shape::default());
        let nothing = Work::Value(Setting::constant(Value::Null));
        let Some(part) = self.draft.parts.get(&file.value) else { return nothing };
        let definition = self.part(part);
        self.diagnostics.extend(super::parts::check_inputs(self.draft, part, step, file));
        let file = Arc::clone(&file.value);
        definition.map_or(nothing, |definition| Work::Pipeline(PartDefinition { file, definition, with }))
    }

    /// A pipeline in another file, which is compiled when it is met first.
    fn part(&mut self, part: &'a Draft) -> Option<Arc<Definition>> {
        let file = part.source().file();
        if let Some(known) = self.common.parts.get(file) {
            return known.clone();
        }
        let (definition, found) = super::file(part, self.common);
        let is_valid = !found.iter().any(Diagnostic::is_error);
        self.diagnostics.extend(found);
        let definition = definition.filter(|_| is_valid).map(Arc::new);
        self.common.parts.insert(Arc::clone(file), definition.clone());
        definition
    }

    fn map(&mut self, map: &DraftMap) -> Option<MapDefinition> {
        let over = map.over.as_ref()?;
        let is_list = matches!(over.content, ElementContent::Sequence(_));
        if !is_list && !over.as_text().is_some_and(|text| is_template(text)) {
            let message = "`over` must be a list, or a template that yields one";
            let diagnostic = Diagnostic::error(self.draft.source(), Code::WrongType, &over.range, message);
            self.diagnostics.push(diagnostic.hint("write it as in `over: \"{{ load.items }}\"`"));
        }
        let over = self.setting(over, &Shape::default());
        Some(MapDefinition { over, item: Arc::clone(&map.item.value), parallel: map.parallel })
    }

    fn repeat(&mut self, repeat: &DraftLoop) -> Option<LoopDefinition> {
        let nothing = || Setting::constant(Value::Null);
        let start =
            repeat.start.as_ref().map_or_else(nothing, |start| self.setting(start, &Shape::default()));
        let depth = self.names.locals.len();
        self.names.locals.extend([Local::new("last"), Local::new("iteration")]);
        let condition = self.condition(&repeat.condition);
        self.names.locals.truncate(depth);
        Some(LoopDefinition { condition: condition?, start, max: repeat.max })
    }

    fn on_error(&mut self, id: &Arc<str>, on_error: &'a DraftOnError) -> OnError {
        match on_error {
            DraftOnError::Fail => OnError::Fail,
            DraftOnError::Continue => OnError::Continue,
            DraftOnError::Skip => OnError::Skip,
            DraftOnError::DeadLetter(path) => OnError::DeadLetter(path.clone()),
            DraftOnError::Fallback(step) => {
                self.names.locals.push(Local::new("error"));
                let step = self.step(id, step);
                self.names.locals.pop();
                OnError::Fallback(Box::new(step))
            }
        }
    }

    pub(super) fn refer_to_node(&mut self, name: &str, range: &Range<usize>, others: &[&str]) {
        if let Some(unknown) = self.names.refer_to_node(name, range, others) {
            self.diagnostics.push(unknown);
        }
    }

    pub(super) fn settings_of(&mut self, element: &Element) -> Setting {
        self.setting(element, &Shape::default())
    }
}
