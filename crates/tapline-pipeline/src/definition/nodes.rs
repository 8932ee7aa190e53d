use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;
use tapline_template::is_reserved;

use super::draft_step::{self, DraftOnError, DraftStep};
use super::fields::{Fields, Spanned};
use crate::source::{Entry, Mapping};

/// A node as it is written: its type and its texts mean nothing yet.
#[derive(Debug, Clone)]
pub(crate) struct DraftNode {
    pub(crate) step: DraftStep,
    pub(crate) needs: Vec<Spanned<Arc<str>>>,
}

/// The keys of a node beside those of every step.
pub(super) const KEYS: [&str; 1] = ["needs"];
/// What means something in templates beside the names of nodes.
pub(super) const TAKEN: [&str; 2] = ["inputs", "item"];
const NAME_RULE: &str = "lower-case letters, digits and `_`, beginning with a letter";

pub(super) fn read(
    fields: &mut Fields<'_>,
    section: Option<&Entry>,
    whole: &Range<usize>,
) -> IndexMap<Arc<str>, DraftNode> {
    let example = "write `nodes: { load: { type: read } }`, for example";
    let Some(section) = section else {
        fields.missing(whole, "the pipeline has no `nodes`".into(), example);
        return IndexMap::new();
    };
    let mapping = fields.mapping(&section.element, &section.key, "`nodes`");
    if section.element.is_null() || mapping.is_some_and(Mapping::is_empty) {
        fields.missing(&section.key, "the pipeline has no nodes".into(), example);
    }
    let mut nodes = IndexMap::new();
    for (id, entry) in mapping.into_iter().flatten() {
        check_name(fields, "node id", id, &entry.key);
        nodes.insert(Arc::clone(id), read_node(fields, id, entry));
    }
    refuse_hidden(fields, &nodes);
    nodes
}

fn read_node(fields: &mut Fields<'_>, id: &str, entry: &Entry) -> DraftNode {
    let step = draft_step::read(fields, &format!("node `{id}`"), entry, &KEYS);
    let needs = entry.element.as_mapping().and_then(|mapping| mapping.get("needs"));
    DraftNode { step, needs: needs.map(|entry| read_needs(fields, entry)).unwrap_or_default() }
}

fn read_needs(fields: &mut Fields<'_>, entry: &Entry) -> Vec<Spanned<Arc<str>>> {
    let elements = fields.list(entry, "`needs`");
    elements
        .iter()
        .filter_map(|element| fields.element_text(element, &entry.key, "an element of `needs`"))
        .collect()
}

/// What a step brings must not hide a node.
fn refuse_hidden(fields: &mut Fields<'_>, nodes: &IndexMap<Arc<str>, DraftNode>) {
    for step in nodes.values().flat_map(|node| node.step.all()) {
        let item = step.map.as_ref().map(|map| (&*map.item.value, &map.item.range));
        let turns = step.repeat.as_ref().map(|_| [("last", &step.key), ("iteration", &step.key)]);
        let error = matches!(step.on_error, DraftOnError::Fallback(_)).then_some(("error", &step.key));
        let brought = item.into_iter().chain(turns.into_iter().flatten()).chain(error);
        for (name, range) in brought.filter(|(name, _)| nodes.contains_key(*name)) {
            let message = match name {
                "last" | "iteration" => format!("`while` brings `{name}`, which hides the node of that name"),
                "error" => "`on_error` brings `error`, which hides the node of that name".to_owned(),
                name => format!("the item's name `{name}` hides the node of that name"),
            };
            fields.invalid_name(range, message, "choose another name");
        }
    }
}

pub(super) fn check_name(fields: &mut Fields<'_>, what: &str, name: &str, range: &Range<usize>) {
    let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase());
    let goes_on_well = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !starts_well || !goes_on_well {
        fields.invalid_name(range, format!("`{name}` is not a {what}: {NAME_RULE}"), "choose another name");
    } else if TAKEN.contains(&name) || is_reserved(name) {
        let message = format!("`{name}` cannot be a {what}: it means something else in templates");
        fields.invalid_name(range, message, "choose another name");
    }
}
