use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::Span;

/// The text of a pipeline file and its name; a clone shares the text.
#[derive(Clone)]
pub struct Source {
    content: Arc<Content>,
}

struct Content {
    file: Arc<str>,
    text: String,
    line_starts: Vec<usize>,
    /// The bytes that begin no character.
    continuations: Vec<usize>,
    first_bad_byte: Option<usize>,
}

impl Source {
    /// Takes the bytes of a file; whether they make sense is said by [`Draft::read`](crate::Draft::read).
    ///
    /// A byte-order mark at the start is dropped, and bytes that are no UTF-8 are shown as `U+FFFD`.
    #[must_use]
    pub fn new(file: impl Into<Arc<str>>, bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let first_bad_byte = std::str::from_utf8(bytes).err().map(|error| error.valid_up_to());
        let text = String::from_utf8_lossy(bytes).into_owned();
        let line_starts =
            std::iter::once(0).chain(text.match_indices('\n').map(|(newline, _)| newline + 1)).collect();
        let continuations = (0..text.len()).filter(|at| !text.is_char_boundary(*at)).collect();
        Self {
            content: Arc::new(Content {
                file: file.into(),
                text,
                line_starts,
                continuations,
                first_bad_byte,
            }),
        }
    }

    /// The name of the file.
    #[must_use]
    pub fn file(&self) -> &Arc<str> {
        &self.content.file
    }

    /// The text, to which every [`Span`] refers.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.content.text
    }

    pub(crate) fn first_bad_byte(&self) -> Option<usize> {
        self.content.first_bad_byte
    }

    /// The place of a range of bytes, cut off at the end of its first line.
    pub(crate) fn span(&self, range: &Range<usize>) -> Span {
        let text = self.text();
        let start = text.floor_char_boundary(range.start);
        let line = self.line_of(start);
        let line_start = self.content.line_starts[line];
        let end = text.ceil_char_boundary(range.end).max(start);
        let end = text[start..end].find(['\r', '\n']).map_or(end, |length| start + length);
        let end = start + text[start..end].trim_end().len();
        Span { start, end, line: line + 1, column: self.characters(start) - self.characters(line_start) + 1 }
    }

    /// How many characters begin before a byte; the line that it lies in may be the whole file.
    fn characters(&self, offset: usize) -> usize {
        offset - self.content.continuations.partition_point(|at| *at < offset)
    }

    /// The number of the line that a byte lies in, counted from 0.
    fn line_of(&self, offset: usize) -> usize {
        self.content.line_starts.partition_point(|start| *start <= offset) - 1
    }

    /// The bytes of a line without the end of line, counted from 0; past the last line, the end of the text.
    fn line(&self, number: usize) -> Range<usize> {
        let end = self.text().len();
        let start = self.content.line_starts.get(number).copied().unwrap_or(end);
        let next = self.content.line_starts.get(number + 1).copied().unwrap_or(end);
        start..start + self.text()[start..next].trim_end_matches(['\r', '\n']).len()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Source").field(self.file()).finish()
    }
}

mod document;
mod reader;
mod tree;
mod scalar;
mod position;

pub(crate) use document::{Content as ElementContent, Element, Entry, Mapping, tokens};
pub use document::{Document, Place};
pub(crate) use reader::read;

#[cfg(test)]
mod tests;
