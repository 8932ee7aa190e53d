use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use indexmap::map::Entry as Slot;
use saphyr_parser::ScalarStyle;
use tapline_core::Value;

use super::Source;
use super::document::{Content, Element, Entry, Mapping, Scalar};
use super::scalar;
use crate::diagnostic::{Code, Diagnostic};

/// How deep a file may nest, aliases expanded.
const MAX_DEPTH: usize = 64;

/// How many elements a file may have, aliases expanded.
const MAX_ELEMENTS: usize = 250_000;

/// Long text counts as one more element for each so many bytes, or a few aliases of it would make gigabytes.
const BYTES_PER_ELEMENT: usize = 64;

/// A tree that grows event by event, within a budget.
pub(super) struct Tree<'a> {
    source: &'a Source,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Measured>,
    elements: usize,
    pub(super) root: Option<Element>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// A limit that a file passed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Budget {
    Depth,
    Elements,
}

/// A collection that is not closed yet.
struct Open {
    start: usize,
    anchor: usize,
    /// The elements counted before it.
    elements: usize,
    /// The depth of the deepest element inside.
    depth: usize,
    content: Growing,
}

enum Growing {
    Sequence(Vec<Element>),
    Mapping(Mapping, Pending),
}

/// What a mapping expects next.
enum Pending {
    Key,
    ValueOf(Arc<str>, Range<usize>),
    /// The value of a key that was refused.
    Nothing,
}

#[derive(Clone)]
struct Measured {
    element: Element,
    elements: usize,
    depth: usize,
}

impl<'a> Tree<'a> {
    pub(super) const fn new(source: &'a Source) -> Self {
        let anchors = BTreeMap::new();
        Self { source, open: Vec::new(), anchors, elements: 0, root: None, diagnostics: Vec::new() }
    }

    pub(super) fn open_sequence(&mut self, range: Range<usize>, anchor: usize) -> Result<(), Budget> {
        self.open(range, anchor, Growing::Sequence(Vec::new()))
    }

    pub(super) fn open_mapping(&mut self, range: Range<usize>, anchor: usize) -> Result<(), Budget> {
        self.open(range, anchor, Growing::Mapping(Mapping::new(), Pending::Key))
    }

    pub(super) fn close(&mut self, end: usize) -> Result<(), Budget> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let content = match open.content {
            Growing::Sequence(elements) => Content::Sequence(Arc::new(elements)),
            Growing::Mapping(mapping, _) => Content::Mapping(Arc::new(mapping)),
        };
        let element = Element { range: open.start..end.max(open.start), content };
        let measured = Measured { element, elements: self.elements - open.elements, depth: open.depth + 1 };
        self.add(measured, open.anchor)
    }

    pub(super) fn scalar(
        &mut self,
        range: Range<usize>,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
    ) -> Result<(), Budget> {
        let value = if style == ScalarStyle::Plain { self.plain(&range, text) } else { Value::from(text) };
        let elements = 1 + text.len() / BYTES_PER_ELEMENT;
        self.count(elements)?;
        let element = Element { range, content: Content::Scalar(Scalar { value, style }) };
        self.add(Measured { element, elements, depth: 1 }, anchor)
    }

    pub(super) fn alias(&mut self, range: Range<usize>, anchor: usize) -> Result<(), Budget> {
        let Some(measured) = self.anchors.get(&anchor).cloned() else {
            let message = "this alias stands inside what it stands for";
            self.diagnostics.push(Diagnostic::error(self.source, Code::UnsupportedYaml, &range, message));
            let content = Content::Scalar(Scalar { value: Value::Null, style: ScalarStyle::Plain });
            return self.add(Measured { element: Element { range, content }, elements: 1, depth: 1 }, 0);
        };
        self.count(measured.elements)?;
        self.add(measured, 0)
    }

    fn open(&mut self, range: Range<usize>, anchor: usize, content: Growing) -> Result<(), Budget> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Budget::Depth);
        }
        let elements = self.elements;
        self.count(1)?;
        self.open.push(Open { start: range.start, anchor, elements, depth: 0, content });
        Ok(())
    }

    const fn count(&mut self, elements: usize) -> Result<(), Budget> {
        self.elements += elements;
        if self.elements > MAX_ELEMENTS { Err(Budget::Elements) } else { Ok(()) }
    }

    fn add(&mut self, measured: Measured, anchor: usize) -> Result<(), Budget> {
        if self.open.len() + measured.depth > MAX_DEPTH + 1 {
            return Err(Budget::Depth);
        }
        if anchor != 0 {
            self.anchors.insert(anchor, measured.clone());
        }
        let Measured { element, depth, .. } = measured;
        let Some(open) = self.open.last_mut() else {
            self.root = Some(element);
            return Ok(());
        };
        open.depth = open.depth.max(depth);
        match &mut open.content {
            Growing::Sequence(elements) => elements.push(element),
            Growing::Mapping(mapping, pending) => match std::mem::replace(pending, Pending::Key) {
                Pending::Key => *pending = key(self.source, &element, &mut self.diagnostics),
                Pending::ValueOf(key, range) => {
                    insert(self.source, mapping, key, Entry { key: range, element }, &mut self.diagnostics);
                }
                Pending::Nothing => {}
            },
        }
        Ok(())
    }

    fn plain(&mut self, range: &Range<usize>, text: &str) -> Value {
        scalar::resolve(text).unwrap_or_else(|what| {
            let message = format!("`{text}` is {what}");
            let diagnostic = Diagnostic::error(self.source, Code::InvalidValue, range, message);
            self.diagnostics.push(diagnostic.hint("write it in quotes if it is text"));
            Value::from(text)
        })
    }
}

fn key(source: &Source, element: &Element, diagnostics: &mut Vec<Diagnostic>) -> Pending {
    let error = |message: String, hint: &str| {
        Diagnostic::error(source, Code::UnsupportedYaml, &element.range, message).hint(hint)
    };
    match (element.as_text(), element.as_scalar()) {
        (Some(text), Some(scalar)) if **text == *"<<" && scalar.style == ScalarStyle::Plain => {
            diagnostics
                .push(error("merge keys (`<<`) are not part of YAML 1.2".into(), "write the keys out"));
            Pending::Nothing
        }
        (Some(text), _) => Pending::ValueOf(Arc::clone(text), element.range.clone()),
        (None, Some(scalar)) => {
            let message = format!("a key must be text, and `{}` is a {}", scalar.value, scalar.value.kind());
            diagnostics.push(error(message, "write the key in quotes"));
            Pending::Nothing
        }
        (None, None) => {
            let is_template = source.text()[..element.range.start].ends_with('{');
            let hint = if is_template {
                "write a text that begins with `{{` in quotes"
            } else {
                "write the key as text"
            };
            diagnostics.push(error(format!("a key must be text, and this is an {}", element.kind()), hint));
            Pending::Nothing
        }
    }
}

fn insert(
    source: &Source,
    mapping: &mut Mapping,
    key: Arc<str>,
    entry: Entry,
    diagnostics: &mut Vec<Diagnostic>,
) {
    match mapping.entry(key) {
        Slot::Vacant(slot) => {
            slot.insert(entry);
        }
        Slot::Occupied(slot) => {
            let message = format!("the key `{}` stands here a second time", slot.key());
            let diagnostic = Diagnostic::error(source, Code::DuplicateKey, &entry.key, message);
            let hint = "keep one of the two";
            diagnostics.push(diagnostic.label(source, &slot.get().key, "the first one is here").hint(hint));
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Depth => write!(formatter, "the file nests deeper than {MAX_DEPTH} levels"),
            Self::Elements => {
                write!(formatter, "the file has more than {MAX_ELEMENTS} elements, aliases expanded")
            }
        }
    }
}
