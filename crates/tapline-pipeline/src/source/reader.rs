use std::ops::Range;

use saphyr_parser::{Event, Parser, ScanError, Span, Tag};

use super::Source;
use super::document::{Document, Element};
use super::tree::{Budget, Tree};
use crate::diagnostic::{Code, Diagnostic};

/// How many bytes a file may have.
const MAX_BYTES: usize = 1 << 20;

/// Reads YAML, of which JSON is a part; what can be read of a file with mistakes is kept.
pub(crate) fn read(source: &Source) -> (Document, Vec<Diagnostic>) {
    let mut reader = Reader { source, offsets: Offsets::new(source.text()), tree: Tree::new(source) };
    let root = match reader.check_bytes().and_then(|()| reader.read_events()) {
        Ok(root) => root,
        Err(diagnostic) => {
            reader.tree.diagnostics.push(*diagnostic);
            None
        }
    };
    (Document::new(source.clone(), root), reader.tree.diagnostics)
}

struct Reader<'a> {
    source: &'a Source,
    offsets: Offsets,
    tree: Tree<'a>,
}

/// From places counted in characters, as the parser gives them, to bytes.
struct Offsets {
    /// One entry for each character; empty when every character is one byte.
    bytes: Vec<usize>,
    length: usize,
}

type Fatal = Box<Diagnostic>;

impl Reader<'_> {
    fn check_bytes(&self) -> Result<(), Fatal> {
        if let Some(bad) = self.source.first_bad_byte() {
            let message = "the file is not UTF-8: this byte belongs to no character";
            return Err(self.error(Code::NotUtf8, &(bad..bad + 1), message, "save the file as UTF-8"));
        }
        if self.source.text().len() > MAX_BYTES {
            let message = format!("the file has more than {MAX_BYTES} bytes");
            let hint = "keep data in files of its own, and read them with a node";
            return Err(self.error(Code::TooLarge, &(0..0), &message, hint));
        }
        Ok(())
    }

    fn read_events(&mut self) -> Result<Option<Element>, Fatal> {
        let source = self.source;
        let mut parser = Parser::new_from_str(source.text());
        let mut documents = 0_usize;
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| self.scan_error(&error))?;
            let range = self.offsets.range(span);
            if matches!(event, Event::DocumentStart(_)) {
                documents += 1;
            }
            if documents > 1 {
                let hint = "put each pipeline in a file of its own";
                let message = "a second document begins here, but a file is one pipeline";
                self.tree.diagnostics.push(*self.error(Code::UnsupportedYaml, &range, message, hint));
                break;
            }
            self.take(event, range)?;
        }
        let root = self.tree.root.take();
        if root.as_ref().is_none_or(Element::is_null) {
            let hint = "`tapline init` writes a pipeline to begin with";
            return Err(self.error(Code::EmptyFile, &(0..0), "the file is empty", hint));
        }
        Ok(root)
    }

    fn take(&mut self, event: Event<'_>, range: Range<usize>) -> Result<(), Fatal> {
        let outcome = match event {
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), &range);
                self.tree.open_sequence(range.clone(), anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), &range);
                self.tree.open_mapping(range.clone(), anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => self.tree.close(range.end),
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), &range);
                self.tree.scalar(range.clone(), &text, style, anchor)
            }
            Event::Alias(anchor) => self.tree.alias(range.clone(), anchor),
            _ => Ok(()),
        };
        outcome.map_err(|budget| {
            let hint = match budget {
                Budget::Depth => "no pipeline needs this: a bracket is probably missing or repeated",
                Budget::Elements => {
                    "repeat less through aliases (`*name`), and keep data in files of its own"
                }
            };
            self.error(Code::TooLarge, &range, &budget.to_string(), hint)
        })
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, range: &Range<usize>) {
        let Some(tag) = tag else { return };
        let shown = if tag.is_yaml_core_schema() { format!("!!{}", tag.suffix) } else { tag.to_string() };
        let message = format!("the tag `{shown}` has no meaning here");
        let hint = "leave the tag out, and write text in quotes";
        self.tree.diagnostics.push(*self.error(Code::UnsupportedYaml, range, &message, hint));
    }

    fn scan_error(&self, error: &ScanError) -> Fatal {
        let text = self.source.text();
        // Beyond the last line there is nothing to show.
        let at = self.offsets.byte(error.marker().index()).min(text.trim_end().len());
        let range = at..at + text[at..].chars().next().map_or(0, char::len_utf8);
        if error.info().contains("recursion limit") {
            let hint = "no pipeline needs this: a bracket is probably missing or repeated";
            return self.error(Code::TooLarge, &range, &Budget::Depth.to_string(), hint);
        }
        let line = &text[self.source.line(self.source.line_of(at))];
        let hint = if line.contains(": {{") || line.contains("- {{") {
            "write a text that begins with `{{` in quotes"
        } else if at == text.trim_end().len() {
            "the file ends here: is the rest of it missing?"
        } else if line[..line.len() - line.trim_start().len()].contains('\t') {
            "indent with spaces"
        } else {
            scalar_hint(error.info())
        };
        self.error(Code::InvalidYaml, &range, error.info(), hint)
    }

    fn error(&self, code: Code, range: &Range<usize>, message: &str, hint: &str) -> Fatal {
        let diagnostic = Diagnostic::error(self.source, code, range, message);
        Box::new(if hint.is_empty() { diagnostic } else { diagnostic.hint(hint) })
    }
}

fn scalar_hint(info: &str) -> &'static str {
    if info.contains("unexpected character") || info.contains("mapping values are not allowed") {
        "write a text that holds `: ` or begins with one of @ ` % & * ! | > in quotes"
    } else {
        ""
    }
}

impl Offsets {
    fn new(text: &str) -> Self {
        let bytes =
            if text.is_ascii() { Vec::new() } else { text.char_indices().map(|(at, _)| at).collect() };
        Self { bytes, length: text.len() }
    }

    fn byte(&self, index: usize) -> usize {
        if self.bytes.is_empty() {
            return index.min(self.length);
        }
        self.bytes.get(index).copied().unwrap_or(self.length)
    }

    fn range(&self, span: Span) -> Range<usize> {
        let start = self.byte(span.start.index());
        start..self.byte(span.end.index()).max(start)
    }
}
