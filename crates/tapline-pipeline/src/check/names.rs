use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::compile::Uses;
use crate::definition::{Draft, DraftStep};
use crate::diagnostic::{Code, Diagnostic};
use crate::suggest::{did_you_mean, did_you_mean_or_list};

/// What the texts of a node may name, and what they do name.
pub(super) struct Names<'a> {
    draft: &'a Draft,
    /// The node whose texts these are.
    node: Option<&'a Arc<str>>,
    /// The step of the node whose texts are compiled now.
    pub(super) step: Option<&'a DraftStep>,
    /// How many steps are around that place, its own included.
    pub(super) depth: usize,
    /// What the steps around the current place bring.
    pub(super) locals: Vec<Local>,
    pub(super) uses: Uses,
    /// What the expressions of a plugin name and the plugin does not bring.
    pub(super) scope: BTreeSet<Arc<str>>,
    /// How often the rows of each node are named.
    pub(super) rows: BTreeMap<Arc<str>, usize>,
}

/// A name that means something within a step.
pub(super) struct Local {
    name: Arc<str>,
    is_item: bool,
}

impl Local {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.into(), is_item: false }
    }

    pub(super) fn item(name: &Arc<str>) -> Self {
        Self { name: Arc::clone(name), is_item: true }
    }
}

impl<'a> Names<'a> {
    pub(super) fn new(draft: &'a Draft, node: Option<&'a Arc<str>>) -> Self {
        let (locals, uses, scope, rows) = (Vec::new(), Uses::new(), BTreeSet::new(), BTreeMap::new());
        Self { draft, node, step: None, depth: 0, locals, uses, scope, rows }
    }

    pub(super) fn is_local(&self, name: &str) -> bool {
        self.locals.iter().any(|local| *local.name == *name)
    }

    pub(super) fn refer_to_input(&self, name: &str, range: &Range<usize>) -> Option<Diagnostic> {
        if self.draft.inputs.contains_key(name) {
            return None;
        }
        let hint = did_you_mean_or_list(name, self.draft.inputs.keys().map(|name| &**name), "it has");
        let declare = format!("declare it: `inputs: {{ {name}: {{ type: string }} }}`");
        let message = format!("the pipeline has no input `{name}`");
        Some(self.unknown(range, message, hint.unwrap_or(declare)))
    }

    /// `others` are the names that would have done beside nodes.
    pub(super) fn refer_to_node(
        &mut self,
        name: &str,
        range: &Range<usize>,
        others: &[&str],
    ) -> Option<Diagnostic> {
        if let Some((id, _)) = self.draft.nodes.get_key_value(name) {
            self.uses.entry(Arc::clone(id)).or_insert_with(|| range.clone());
            return None;
        }
        let (message, hint) = self.explain_unknown(name, others);
        Some(self.unknown(range, message, hint))
    }

    fn explain_unknown(&self, name: &str, others: &[&str]) -> (String, String) {
        let own = self.step.and_then(|step| step.map.as_ref()).map(|map| &*map.item.value);
        if own == Some(name) {
            let message =
                format!("there is no `{name}` here: `when` and `over` are evaluated before there are items");
            return (message, "filter the list that `over` yields".to_owned());
        }
        let message = match name {
            "item" => "there is no `item` here".to_owned(),
            "last" | "iteration" | "error" => format!("there is no `{name}` here"),
            _ => format!("there is no node `{name}`"),
        };
        let item = self.locals.iter().rev().find(|local| local.is_item).map(|local| &*local.name).or(own);
        let hint = match (name, item) {
            ("item", Some(item)) => format!("`map` calls the item `{item}`"),
            ("item", None) if others.is_empty() => {
                "a node has items when it has `map: { over: ... }`".to_owned()
            }
            ("last" | "iteration", _) => "it exists in a node that has `while`".to_owned(),
            ("error", _) => "it exists in the fallback of `on_error`".to_owned(),
            _ => self.near(name, others),
        };
        (message, hint)
    }

    fn near(&self, name: &str, others: &[&str]) -> String {
        if self.draft.inputs.contains_key(name) {
            return format!("an input is called `inputs.{name}`");
        }
        let nodes = self.draft.nodes.keys().filter(|id| Some(*id) != self.node).map(|id| &**id);
        let locals = self.locals.iter().map(|local| &*local.name);
        let known = nodes.chain(["inputs"]).chain(locals).chain(others.iter().copied());
        did_you_mean(name, known).unwrap_or_else(|| {
            let others: Vec<_> = others.iter().map(|other| format!("`{other}`, ")).collect();
            format!("name {}a node, or `inputs.NAME`", others.concat())
        })
    }

    fn unknown(&self, range: &Range<usize>, message: String, hint: String) -> Diagnostic {
        Diagnostic::error(self.draft.source(), Code::UnknownReference, range, message).hint(hint)
    }
}
