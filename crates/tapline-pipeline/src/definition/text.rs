use std::fmt;
use std::ops::Range;

use tapline_template::{Position, TemplateError};

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Element, Source};

/// A template or condition of a pipeline file that gave no value.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{} cannot be evaluated", .diagnostic.location())]
pub struct RenderError {
    diagnostic: Box<Diagnostic>,
    source: TemplateError,
}

/// Where a text of the file stands, so that what is wrong inside it can be shown there.
#[derive(Clone)]
pub(crate) struct Text {
    source: Source,
    element: Element,
}

impl RenderError {
    /// The mistake in its place.
    #[must_use]
    pub fn diagnostic(&self) -> &Diagnostic {
        &self.diagnostic
    }

    /// What the template language says.
    #[must_use]
    pub const fn template_error(&self) -> &TemplateError {
        &self.source
    }
}

impl Text {
    pub(crate) const fn new(source: Source, element: Element) -> Self {
        Self { source, element }
    }

    /// The place of `length` bytes of the text.
    pub(crate) fn range(&self, position: Position, length: usize) -> Range<usize> {
        self.element.range_within(&self.source, &(position.offset..position.offset + length))
    }

    /// The place that an error speaks of: one character, or the whole text when the error does not know.
    pub(crate) fn range_of_error(&self, error: &TemplateError) -> Range<usize> {
        let Some(position) = error.position() else { return self.element.range.clone() };
        let length =
            self.element.as_text().and_then(|text| word_length(text.get(position.offset..)?)).unwrap_or(1);
        self.range(position, length)
    }

    pub(super) fn render_error(&self, error: TemplateError) -> RenderError {
        let range = self.range_of_error(&error);
        let diagnostic = Diagnostic::error(&self.source, Code::Evaluation, &range, error.to_string());
        RenderError { diagnostic: Box::new(diagnostic), source: error }
    }
}

/// The bytes of the dotted name at the start of a text, or of its first character.
fn word_length(text: &str) -> Option<usize> {
    let length = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).unwrap_or(text.len());
    if length > 0 { Some(length) } else { text.chars().next().map(char::len_utf8) }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Text").field(&self.source.span(&self.element.range)).finish()
    }
}
