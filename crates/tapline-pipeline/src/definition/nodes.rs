use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;
use tapline_template::is_reserved;

use super::fields::{Fields, Spanned};
use crate::source::{Element, Entry, Mapping};

/// A node as it is written: its type and its texts mean nothing yet.
#[derive(Debug, Clone)]
pub(crate) struct DraftNode {
    pub(crate) key: Range<usize>,
    pub(crate) node_type: Option<Spanned<Arc<str>>>,
    pub(crate) with: Option<Entry>,
    pub(crate) when: Option<Element>,
    pub(crate) needs: Vec<Spanned<Arc<str>>>,
    pub(crate) map: Option<DraftMap>,
}

/// The key `map` of a node as it is written.
#[derive(Debug, Clone)]
pub(crate) struct DraftMap {
    pub(crate) over: Option<Element>,
    pub(crate) item: Spanned<Arc<str>>,
    pub(crate) parallel: usize,
}

const KEYS: [&str; 5] = ["type", "with", "when", "needs", "map"];
const MAP_KEYS: [&str; 3] = ["over", "as", "parallel"];
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
    let ids: Vec<_> = nodes.keys().cloned().collect();
    for map in nodes.values().filter_map(|node: &DraftNode| node.map.as_ref()) {
        if ids.contains(&map.item.value) {
            let message = format!("the item's name `{}` hides the node of that name", map.item.value);
            fields.invalid_name(&map.item.range, message, "choose another name");
        }
    }
    nodes
}

fn read_node(fields: &mut Fields<'_>, id: &str, entry: &Entry) -> DraftNode {
    let empty = Mapping::new();
    let what = format!("node `{id}`");
    let written = fields.mapping(&entry.element, &entry.key, &what);
    let mapping = written.unwrap_or(&empty);
    fields.refuse_unknown(mapping, &what, &KEYS, "settings of its type stand under `with`; beside it stand");
    if mapping.get("type").is_none() && (written.is_some() || entry.element.is_null()) {
        fields.missing(
            &entry.key,
            format!("{what} has no `type`"),
            "`type` says which plugin handles the node",
        );
    }
    DraftNode {
        key: entry.key.clone(),
        node_type: mapping.get("type").and_then(|entry| fields.text(entry, "`type`")),
        with: mapping.get("with").filter(|entry| is_mapping(fields, entry, "`with`")).cloned(),
        when: mapping.get("when").and_then(|entry| read_when(fields, entry)),
        needs: mapping.get("needs").map(|entry| read_needs(fields, entry)).unwrap_or_default(),
        map: mapping.get("map").and_then(|entry| read_map(fields, entry)),
    }
}

fn is_mapping(fields: &mut Fields<'_>, entry: &Entry, what: &str) -> bool {
    fields.mapping(&entry.element, &entry.key, what).is_some()
}

/// `when: true` is a condition like any other.
fn read_when(fields: &mut Fields<'_>, entry: &Entry) -> Option<Element> {
    let is_condition = entry.element.as_scalar().is_some() && !entry.element.is_null();
    if !is_condition {
        fields.wrong_type(&entry.element, &entry.key, "`when`", "an expression");
    }
    is_condition.then(|| entry.element.clone())
}

fn read_needs(fields: &mut Fields<'_>, entry: &Entry) -> Vec<Spanned<Arc<str>>> {
    let elements = fields.list(entry, "`needs`");
    elements
        .iter()
        .filter_map(|element| fields.element_text(element, &entry.key, "an element of `needs`"))
        .collect()
}

fn read_map(fields: &mut Fields<'_>, entry: &Entry) -> Option<DraftMap> {
    let mapping = fields.known(entry, "`map`", &MAP_KEYS);
    if mapping.is_none() && entry.element.is_null()
        || mapping.is_some_and(|mapping| !mapping.contains_key("over"))
    {
        let hint = "`over` is the list, as in `over: \"{{ load.items }}\"`";
        fields.missing(&entry.key, "`map` has no `over`".into(), hint);
    }
    let mapping = mapping?;
    let item = mapping.get("as").and_then(|entry| fields.text(entry, "`as`"));
    if let Some(item) = &item
        && *item.value != *"item"
    {
        check_name(fields, "name of an item", &item.value, &item.range);
    }
    Some(DraftMap {
        over: mapping.get("over").map(|entry| entry.element.clone()),
        item: item.unwrap_or_else(|| Spanned { value: "item".into(), range: entry.key.clone() }),
        parallel: mapping.get("parallel").and_then(|entry| fields.count(entry, "`parallel`")).unwrap_or(1),
    })
}

fn check_name(fields: &mut Fields<'_>, what: &str, name: &str, range: &Range<usize>) {
    let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase());
    let goes_on_well = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !starts_well || !goes_on_well {
        fields.invalid_name(range, format!("`{name}` is not a {what}: {NAME_RULE}"), "choose another name");
    } else if matches!(name, "inputs" | "item") || is_reserved(name) {
        let message = format!("`{name}` cannot be a {what}: it means something else in templates");
        fields.invalid_name(range, message, "choose another name");
    }
}
