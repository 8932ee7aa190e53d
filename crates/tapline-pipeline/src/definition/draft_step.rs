use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;

use super::fields::{Fields, Spanned};
use super::nodes::check_name;
use super::{Rules, rules};
use crate::source::{Element, Entry, Mapping};

/// A step as it is written.
#[derive(Debug, Clone)]
pub(crate) struct DraftStep {
    /// Where it stands: the id of a node, the name of a part, or the part itself.
    pub(crate) key: Range<usize>,
    pub(crate) work: DraftWork,
    pub(crate) with: Option<Entry>,
    pub(crate) when: Option<Element>,
    pub(crate) map: Option<DraftMap>,
    pub(crate) repeat: Option<DraftLoop>,
    pub(crate) rules: Rules,
    pub(crate) on_error: DraftOnError,
}

/// What a step does, as it is written.
#[derive(Debug, Clone)]
pub(crate) enum DraftWork {
    /// It does not say what it does; that is a mistake, and has been told.
    Nothing,
    Call(Spanned<Arc<str>>),
    Value(Element),
    Switch(Vec<DraftStep>),
    All(IndexMap<Arc<str>, DraftStep>),
    First(Vec<DraftStep>),
    Fallback(Vec<DraftStep>),
    Pipeline(Spanned<Arc<str>>),
}

/// The key `map` as it is written.
#[derive(Debug, Clone)]
pub(crate) struct DraftMap {
    pub(crate) over: Option<Element>,
    pub(crate) item: Spanned<Arc<str>>,
    pub(crate) parallel: usize,
}

/// The key `while` as it is written.
#[derive(Debug, Clone)]
pub(crate) struct DraftLoop {
    pub(crate) condition: Element,
    pub(crate) start: Option<Element>,
    pub(crate) max: usize,
}

/// The key `on_error` as it is written.
#[derive(Debug, Clone, Default)]
pub(crate) enum DraftOnError {
    #[default]
    Fail,
    Continue,
    Skip,
    Fallback(Box<DraftStep>),
    DeadLetter(PathBuf),
}

/// The keys that say what a step does, of which it has one.
pub(super) const WORK_KEYS: [&str; 7] = ["type", "value", "switch", "all", "first", "fallback", "pipeline"];
const OTHER_KEYS: [&str; 5] = ["with", "when", "map", "while", "on_error"];
pub(super) const MAP_KEYS: [&str; 3] = ["over", "as", "parallel"];
pub(super) const LOOP_KEYS: [&str; 3] = ["when", "start", "max"];
/// What `on_error` may be in a word, and the keys that it may have.
pub(super) const ON_ERROR: [(&str, DraftOnError); 3] =
    [("fail", DraftOnError::Fail), ("continue", DraftOnError::Continue), ("skip", DraftOnError::Skip)];
pub(super) const ON_ERROR_KEYS: [&str; 2] = ["fallback", "dead_letter"];

/// The keys that any step may have.
pub(crate) fn keys() -> impl Iterator<Item = &'static str> + Clone {
    WORK_KEYS.into_iter().chain(OTHER_KEYS).chain(rules::KEYS)
}

/// Reads a step; `more` are the keys that it may have besides those of every step.
pub(super) fn read(fields: &mut Fields<'_>, what: &str, entry: &Entry, more: &[&str]) -> DraftStep {
    let empty = Mapping::new();
    let written = fields.mapping(&entry.element, &entry.key, what);
    let mapping = written.unwrap_or(&empty);
    let known: Vec<&str> = keys().map(|key| key as &str).chain(more.iter().copied()).collect();
    fields.refuse_unknown(mapping, what, &known, "settings of its type stand under `with`; beside it stand");
    let is_read = written.is_some() || entry.element.is_null();
    let work = if is_read { read_work(fields, what, entry, mapping) } else { DraftWork::Nothing };
    let has_settings = matches!(work, DraftWork::Nothing | DraftWork::Call(_) | DraftWork::Pipeline(_));
    if let Some(with) = mapping.get("with").filter(|_| !has_settings) {
        let message = format!("{what} has settings, and no plugin or pipeline to give them to");
        fields.invalid(&with.key, message, Some("write `with` where its `type` or `pipeline` stands".into()));
    }
    DraftStep {
        key: entry.key.clone(),
        work,
        with: mapping.get("with").filter(|entry| is_mapping(fields, entry, "`with`")).cloned(),
        when: mapping.get("when").and_then(|entry| read_when(fields, entry, "`when`")),
        map: mapping.get("map").and_then(|entry| read_map(fields, entry)),
        repeat: mapping.get("while").and_then(|entry| read_loop(fields, entry)),
        rules: rules::read(fields, mapping),
        on_error: mapping.get("on_error").map(|entry| read_on_error(fields, what, entry)).unwrap_or_default(),
    }
}

fn read_work(fields: &mut Fields<'_>, what: &str, entry: &Entry, mapping: &Mapping) -> DraftWork {
    let mut found = WORK_KEYS.iter().filter_map(|key| Some((*key, mapping.get(*key)?)));
    let Some((key, inner)) = found.next() else {
        let hint = "`type` says which plugin handles the node";
        fields.missing(&entry.key, format!("{what} has no `type`"), hint);
        return DraftWork::Nothing;
    };
    if let Some((second, entry)) = found.next() {
        let message = format!("{what} has both `{key}` and `{second}`");
        fields.invalid(&entry.key, message, Some("keep the one that says what it does".into()));
    }
    let name = format!("`{key}`");
    let read = match key {
        "type" => fields.text(inner, &name).map(DraftWork::Call),
        "pipeline" => fields.text(inner, &name).map(DraftWork::Pipeline),
        "value" => Some(DraftWork::Value(inner.element.clone())),
        "switch" => read_list(fields, inner, "a case of `switch`").map(DraftWork::Switch),
        "first" => read_list(fields, inner, "a part of `first`").map(DraftWork::First),
        "fallback" => read_list(fields, inner, "a part of `fallback`").map(DraftWork::Fallback),
        _ => read_named(fields, inner).map(DraftWork::All),
    };
    read.unwrap_or(DraftWork::Nothing)
}

fn read_list(fields: &mut Fields<'_>, entry: &Entry, what: &str) -> Option<Vec<DraftStep>> {
    let elements = fields.list(entry, &what[what.find('`').unwrap_or(0)..]);
    if elements.is_empty() {
        let hint = "write steps there, as in `- { type: chat, with: { ... } }`";
        fields.missing(&entry.key, format!("there is not one {}", &what[2..]), hint);
        return None;
    }
    let part = |element: &Element| {
        // A part of a list has no key: its own first key shows where it stands.
        let first = element.as_mapping().and_then(|mapping| mapping.values().next());
        let key = first.map_or_else(|| element.range.clone(), |entry| entry.key.clone());
        read(fields, what, &Entry { key, element: element.clone() }, &[])
    };
    Some(elements.iter().map(part).collect())
}

fn read_named(fields: &mut Fields<'_>, entry: &Entry) -> Option<IndexMap<Arc<str>, DraftStep>> {
    let mapping = fields.mapping(&entry.element, &entry.key, "`all`")?;
    let parts = mapping.iter().map(|(name, entry)| {
        check_name(fields, "name of a part", name, &entry.key);
        (Arc::clone(name), read(fields, &format!("part `{name}`"), entry, &[]))
    });
    Some(parts.collect())
}

fn is_mapping(fields: &mut Fields<'_>, entry: &Entry, what: &str) -> bool {
    fields.mapping(&entry.element, &entry.key, what).is_some()
}

/// `when: true` is a condition like any other.
fn read_when(fields: &mut Fields<'_>, entry: &Entry, what: &str) -> Option<Element> {
    let is_condition = entry.element.as_scalar().is_some() && !entry.element.is_null();
    if !is_condition {
        fields.wrong_type(&entry.element, &entry.key, what, "an expression");
    }
    is_condition.then(|| entry.element.clone())
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

fn read_loop(fields: &mut Fields<'_>, entry: &Entry) -> Option<DraftLoop> {
    let mapping = fields.known(entry, "`while`", &LOOP_KEYS)?;
    let (Some(condition), Some(max)) = (mapping.get("when"), mapping.get("max")) else {
        let hint = "write what must be true for one more turn, and how many there may be: `while: { when: \"last.score < 8\", max: 5 }`";
        fields.missing(&entry.key, "`while` needs `when` and `max`".into(), hint);
        return None;
    };
    let (condition, max) = (read_when(fields, condition, "`when`"), fields.count(max, "`max`"));
    let start = mapping.get("start").map(|entry| entry.element.clone());
    Some(DraftLoop { condition: condition?, start, max: max? })
}

fn read_on_error(fields: &mut Fields<'_>, what: &str, entry: &Entry) -> DraftOnError {
    if entry.element.as_mapping().is_none() {
        return fields.choice(entry, "`on_error`", &ON_ERROR).unwrap_or_default();
    }
    let Some(mapping) = fields.known(entry, "`on_error`", &ON_ERROR_KEYS) else {
        return DraftOnError::Fail;
    };
    match (mapping.get("fallback"), mapping.get("dead_letter")) {
        (Some(inner), None) => {
            let step = read(fields, &format!("the fallback of {what}"), inner, &[]);
            DraftOnError::Fallback(Box::new(step))
        }
        (None, Some(inner)) => fields
            .text(inner, "`dead_letter`")
            .map_or(DraftOnError::Fail, |path| DraftOnError::DeadLetter(PathBuf::from(&*path.value))),
        _ => {
            let hint =
                "write `on_error: { fallback: { type: ... } }`, or `on_error: { dead_letter: failed.jsonl }`";
            fields.missing(&entry.key, "`on_error` needs one of `fallback` and `dead_letter`".into(), hint);
            DraftOnError::Fail
        }
    }
}

impl DraftStep {
    /// The step and all that it is made of.
    pub(crate) fn all(&self) -> Vec<&Self> {
        let mut all = vec![self];
        let mut next = 0;
        while let Some(step) = all.get(next).copied() {
            next += 1;
            all.extend(step.parts());
        }
        all
    }

    /// Its type, if a plugin handles it.
    pub(crate) const fn node_type(&self) -> Option<&Spanned<Arc<str>>> {
        if let DraftWork::Call(node_type) = &self.work { Some(node_type) } else { None }
    }

    fn parts(&self) -> Vec<&Self> {
        let mut parts: Vec<&Self> = match &self.work {
            DraftWork::Switch(steps) | DraftWork::First(steps) | DraftWork::Fallback(steps) => {
                steps.iter().collect()
            }
            DraftWork::All(steps) => steps.values().collect(),
            _ => Vec::new(),
        };
        if let DraftOnError::Fallback(step) = &self.on_error {
            parts.push(step);
        }
        parts
    }
}
