use indexmap::IndexMap;
use std::sync::Arc;

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
        let diagnostics = in_order(draft.diagnostics.clone());
        return Checked { diagnostics, definition: None, choice: Choice::default() };
    }
    let choice = Choice::new(draft, catalog);
    let plugins = Plugins { draft, catalog, choice: &choice };
    let mut diagnostics = draft.diagnostics.clone();
    diagnostics.extend(plugins.check());
    let mut checker = Checker { draft, plugins, diagnostics };
    let nodes = checker.nodes();
    let outputs = checker.outputs();
    let graph = checker.graph(&nodes);
    let diagnostics = in_order(checker.diagnostics);
    let is_valid = !diagnostics.iter().any(Diagnostic::is_error);
    let definition = graph.filter(|_| is_valid).map(|graph| definition(draft, nodes, outputs, graph));
    Checked { diagnostics, definition, choice }
}

fn in_order(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by(|left, right| {
        let key = |diagnostic: &Diagnostic| (diagnostic.span.start, diagnostic.span.end, diagnostic.code);
        key(left).cmp(&key(right)).then_with(|| left.message.cmp(&right.message))
    });
    diagnostics
}

/// Looks at a draft from all sides, and collects what is wrong with it.
struct Checker<'a> {
    draft: &'a Draft,
    plugins: Plugins<'a>,
    diagnostics: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn nodes(&mut self) -> IndexMap<Arc<str>, (NodeDefinition, Uses)> {
        let mut validators = Validators::default();
        let mut nodes = IndexMap::new();
        for (id, node) in &self.draft.nodes {
            let provider = self.provider(node);
            if let (Some(provider), Some(node_type)) = (provider, &node.node_type) {
                let found = validators.check(self.draft.source(), node, node_type, provider);
                self.diagnostics.extend(found);
            }
            let mut compiler = Compiler::new(self.draft, Some((id, node)));
            let definition = compiler.node(id, node, provider);
            self.diagnostics.append(&mut compiler.diagnostics);
            nodes.insert(Arc::clone(id), (definition, compiler.uses));
        }
        nodes
    }

    fn outputs(&mut self) -> IndexMap<Arc<str>, Setting> {
        let mut compiler = Compiler::new(self.draft, None);
        let outputs = &self.draft.outputs;
        let compiled = outputs
            .iter()
            .map(|(name, entry)| (Arc::clone(name), compiler.setting(&entry.element, &Shape::default())));
        let compiled = compiled.collect();
        self.diagnostics.append(&mut compiler.diagnostics);
        compiled
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
        let place = |node: &Arc<str>, waits_for: &Arc<str>| nodes.get(node)?.1.nodes.get(waits_for);
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
    outputs: IndexMap<Arc<str>, Setting>,
    graph: Graph,
) -> Definition {
    Definition {
        name: Arc::clone(&draft.name),
        plugins: draft.plugins.clone(),
        inputs: draft.inputs.clone(),
        limits: draft.limits.clone(),
        nodes: nodes.into_iter().map(|(id, (node, _))| (id, node)).collect(),
        outputs,
        graph,
        document: draft.document.clone(),
    }
}

mod plugins;
mod refusals;
mod shape;
mod schema;
mod mismatch;
mod compile;

use compile::{Compiler, Uses};
use plugins::Plugins;
use schema::Validators;
use shape::Shape;
