use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::catalog::Catalog;
use crate::choice::Choice;
use crate::definition::{Definition, Draft, Graph, NodeDefinition, Setting};
use crate::diagnostic::{Code, Diagnostic};

/// What came of a check.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Checked {
    /// All mistakes, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// The pipeline, if none of the mistakes is an error.
    pub definition: Option<Definition>,
    /// The plugins that it uses; what can be said of them beside mistakes.
    pub choice: Choice,
}

/// Compares a draft with the plugins that there are, chooses which of them it uses, and compiles it.
///
/// It does no I/O and runs no plugin: settings are compared with the JSON Schemas of the catalog. A text with a
/// template in it has a type only when it is rendered, so nothing is said of its type here; a plugin must still
/// expect anything.
#[must_use]
pub fn check(draft: &Draft, catalog: &Catalog) -> Checked {
    if draft.document.root().is_none() {
        let diagnostics = in_order(draft, draft.diagnostics.clone());
        return Checked { diagnostics, definition: None, choice: Choice::default() };
    }
    let choice = Choice::new(draft, catalog);
    let plugins = Plugins { draft, catalog, choice: &choice };
    let (about_plugins, provider_rates) = (plugins.check(), plugins.provider_rates().into());
    let mut common = Common { plugins, validators: Validators::default(), parts: Parts::new() };
    let (definition, found) = file(draft, &mut common);
    let has_broken_parts = common.parts.values().any(Option::is_none);
    let diagnostics = in_order(draft, about_plugins.into_iter().chain(found).collect());
    let definition = definition.map(|definition| Definition { provider_rates, ..definition });
    let is_valid = !has_broken_parts && !diagnostics.iter().any(Diagnostic::is_error);
    Checked { diagnostics, definition: definition.filter(|_| is_valid), choice }
}

/// Checks one file; its mistakes include those of its parts that no other file has told of.
fn file<'a>(draft: &'a Draft, common: &mut Common<'a>) -> (Option<Definition>, Vec<Diagnostic>) {
    let mut checker = Checker { draft, common, diagnostics: draft.diagnostics.clone() };
    let nodes = checker.nodes();
    let outputs = checker.outputs();
    let graph = checker.graph(&nodes);
    let diagnostics = checker.diagnostics;
    (graph.map(|graph| definition(draft, nodes, outputs, graph)), diagnostics)
}

/// The main file first, and within a file from its begin.
fn in_order(draft: &Draft, mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let main = draft.source().file();
    diagnostics.sort_by(|left, right| {
        let key = |diagnostic: &Diagnostic| {
            let file = (*diagnostic.file != **main).then(|| Arc::clone(&diagnostic.file));
            (file, diagnostic.span.start, diagnostic.span.end, diagnostic.code)
        };
        key(left).cmp(&key(right)).then_with(|| left.message.cmp(&right.message))
    });
    diagnostics
}

/// Looks at a file from all sides, and collects what is wrong with it.
struct Checker<'a, 'c> {
    draft: &'a Draft,
    common: &'c mut Common<'a>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Checker<'a, '_> {
    fn nodes(&mut self) -> IndexMap<Arc<str>, (NodeDefinition, Uses)> {
        let mut nodes = IndexMap::new();
        for (id, node) in &self.draft.nodes {
            let mut compiler = Compiler::new(self.draft, self.common, Some(id));
            let definition = compiler.node(id, node);
            self.diagnostics.append(&mut compiler.diagnostics);
            nodes.insert(Arc::clone(id), (definition, compiler.names.uses));
        }
        nodes
    }

    fn outputs(&mut self) -> (IndexMap<Arc<str>, Setting>, BTreeMap<Arc<str>, bool>) {
        let mut compiler = Compiler::new(self.draft, self.common, None);
        let outputs = self.draft.outputs.iter();
        let compiled =
            outputs.map(|(name, entry)| (Arc::clone(name), compiler.settings_of(&entry.element))).collect();
        self.diagnostics.append(&mut compiler.diagnostics);
        let Names { uses, rows, .. } = compiler.names;
        (compiled, uses.into_keys().map(|name| (Arc::clone(&name), rows.contains_key(&name))).collect())
    }

    fn graph(&mut self, nodes: &IndexMap<Arc<str>, (NodeDefinition, Uses)>) -> Option<Graph> {
        let dependencies = nodes.iter().map(|(id, (node, _))| (id, &node.dependencies)).collect();
        let cycles = match Graph::new(&dependencies) {
            Ok(graph) => return Some(graph),
            Err(cycles) => cycles,
        };
        for cycle in cycles {
            let diagnostic = self.cycle(nodes, &cycle);
            self.diagnostics.extend(diagnostic);
        }
        None
    }

    /// Shows a closed path at the place where its first node waits for its last.
    fn cycle(
        &self,
        nodes: &IndexMap<Arc<str>, (NodeDefinition, Uses)>,
        cycle: &[Arc<str>],
    ) -> Option<Diagnostic> {
        let source = self.draft.source();
        let (first, last) = (cycle.first()?, cycle.last()?);
        let place = |node: &Arc<str>, waits_for: &Arc<str>| nodes.get(node)?.1.get(waits_for);
        let path = cycle.iter().chain([first]).map(|id| &**id).collect::<Vec<_>>().join(" → ");
        let message = if cycle.len() == 1 {
            format!("node `{first}` waits for itself: {path}")
        } else {
            format!("these nodes wait for each other: {path}")
        };
        let diagnostic = Diagnostic::error(source, Code::Cycle, place(first, last)?, message);
        let others =
            cycle.windows(2).filter_map(|pair| Some((place(&pair[1], &pair[0])?, &pair[1], &pair[0])));
        Some(others.fold(diagnostic, |diagnostic, (range, node, waits_for)| {
            diagnostic.label(source, range, format!("`{node}` waits for `{waits_for}` here"))
        }))
    }
}

fn definition(
    draft: &Draft,
    nodes: IndexMap<Arc<str>, (NodeDefinition, Uses)>,
    (outputs, output_uses): (IndexMap<Arc<str>, Setting>, BTreeMap<Arc<str>, bool>),
    graph: Graph,
) -> Definition {
    Definition {
        name: Arc::clone(&draft.name),
        plugins: draft.plugins.clone(),
        inputs: draft.inputs.clone(),
        limits: draft.limits.clone(),
        durability: draft.durability,
        nodes: nodes.into_iter().map(|(id, (node, _))| (id, node)).collect(),
        outputs,
        output_uses,
        provider_rates: Arc::default(),
        graph,
        document: draft.document.clone(),
    }
}

mod plugins;
mod refusals;
mod shape;
mod schema;
mod mismatch;
mod parts;
mod names;
mod texts;
mod compile;

use compile::{Common, Compiler, Uses};
use names::Names;
use parts::Parts;
use plugins::Plugins;
use schema::Validators;
