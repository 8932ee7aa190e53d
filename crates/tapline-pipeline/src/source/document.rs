use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;
use saphyr_parser::ScalarStyle;
use tapline_core::Value;

use super::{Source, position};
use crate::diagnostic::Span;

/// A file as a tree in which every key and every value knows its place; a clone shares it.
#[derive(Debug, Clone)]
pub struct Document {
    source: Source,
    root: Option<Element>,
}

/// Where a value of a [`Document`] stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its key; absent for elements of a list and for the whole file.
    pub key: Option<Span>,
    /// The value; of a value of several lines, the first.
    pub value: Span,
}

/// A value in its place.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub(crate) range: Range<usize>,
    pub(crate) content: Content,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Scalar(Scalar),
    Sequence(Arc<Vec<Element>>),
    Mapping(Arc<Mapping>),
}

#[derive(Debug, Clone)]
pub(crate) struct Scalar {
    pub(crate) value: Value,
    pub(crate) style: ScalarStyle,
}

pub(crate) type Mapping = IndexMap<Arc<str>, Entry>;

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: Range<usize>,
    pub(crate) element: Element,
}

impl Document {
    pub(crate) const fn new(source: Source, root: Option<Element>) -> Self {
        Self { source, root }
    }

    /// The text.
    #[must_use]
    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// Finds the value that a JSON pointer names, such as `/nodes/load/with/path`; the empty pointer is the file.
    ///
    /// With it, an error that a plugin finds in its settings can be shown in the file.
    #[must_use]
    pub fn place(&self, pointer: &str) -> Option<Place> {
        let mut element = self.root.as_ref()?;
        let mut key = None;
        for token in tokens(pointer) {
            match &element.content {
                Content::Mapping(mapping) => {
                    let entry = mapping.get(token.as_str())?;
                    key = Some(self.source.span(&entry.key));
                    element = &entry.element;
                }
                Content::Sequence(elements) => {
                    key = None;
                    element = elements.get(token.parse::<usize>().ok()?)?;
                }
                Content::Scalar(_) => return None,
            }
        }
        Some(Place { key, value: self.source.span(&element.range) })
    }

    /// The value that a JSON pointer names, as it is written.
    #[must_use]
    pub fn value(&self, pointer: &str) -> Option<Value> {
        let element = tokens(pointer).try_fold(self.root()?, |element, token| Some(element.child(&token)?.1));
        element.map(Element::to_value)
    }

    pub(crate) const fn root(&self) -> Option<&Element> {
        self.root.as_ref()
    }
}

impl Element {
    pub(crate) const fn as_mapping(&self) -> Option<&Arc<Mapping>> {
        if let Content::Mapping(mapping) = &self.content { Some(mapping) } else { None }
    }

    pub(crate) const fn as_scalar(&self) -> Option<&Scalar> {
        if let Content::Scalar(scalar) = &self.content { Some(scalar) } else { None }
    }

    pub(crate) const fn as_text(&self) -> Option<&Arc<str>> {
        if let Content::Scalar(Scalar { value: Value::String(text), .. }) = &self.content {
            Some(text)
        } else {
            None
        }
    }

    pub(crate) const fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar(Scalar { value: Value::Null, .. }))
    }

    pub(crate) const fn kind(&self) -> &'static str {
        match &self.content {
            Content::Scalar(scalar) => scalar.value.kind(),
            Content::Sequence(_) => "array",
            Content::Mapping(_) => "object",
        }
    }

    pub(crate) fn to_value(&self) -> Value {
        match &self.content {
            Content::Scalar(scalar) => scalar.value.clone(),
            Content::Sequence(elements) => elements.iter().map(Self::to_value).collect(),
            Content::Mapping(mapping) => {
                mapping.iter().map(|(key, entry)| (Arc::clone(key), entry.element.to_value())).collect()
            }
        }
    }

    /// The entry of a mapping or the element of a list that a token of a path names, with the place of its key.
    pub(crate) fn child(&self, token: &str) -> Option<(&Range<usize>, &Self)> {
        match &self.content {
            Content::Mapping(mapping) => mapping.get(token).map(|entry| (&entry.key, &entry.element)),
            Content::Sequence(elements) => {
                elements.get(token.parse::<usize>().ok()?).map(|element| (&element.range, element))
            }
            Content::Scalar(_) => None,
        }
    }

    /// The bytes of the file that `range` of this text was made from.
    pub(crate) fn range_within(&self, source: &Source, range: &Range<usize>) -> Range<usize> {
        let (Some(scalar), Some(text)) = (self.as_scalar(), self.as_text()) else {
            return self.range.clone();
        };
        let start = position::locate(source, &self.range, scalar.style, text, range.start);
        let end = position::locate(source, &self.range, scalar.style, text, range.end);
        start..end.max(start)
    }
}

/// The tokens of a JSON pointer, unescaped.
pub(crate) fn tokens(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"))
}
