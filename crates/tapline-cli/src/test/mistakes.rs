use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_saphyr::{Error, Location};
use tapline::host::read_file;
use tapline::pipeline::{Code, Diagnostic, Severity, Source, Span};

use crate::output::Output;
use crate::{colour, diagnostics};

/// A file of cases, and what is wrong in it: all that can be found in one pass.
pub(super) struct Mistakes {
    source: Source,
    found: Vec<Diagnostic>,
}

/// A larger file is none of cases.
const LARGEST: u64 = 8 << 20;

impl Mistakes {
    /// Reads a file, in which no mistake is known yet.
    pub(super) fn read(file: impl AsRef<Path>) -> Result<Self> {
        let file = file.as_ref();
        let bytes = match read_file(file, LARGEST) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                bail!("{}: there are no cases; write one as the guide shows", file.display())
            }
            read => read.with_context(|| file.display().to_string())?,
        };
        std::str::from_utf8(&bytes).with_context(|| file.display().to_string())?;
        Ok(Self { source: Source::new(file.display().to_string(), &bytes), found: Vec::new() })
    }

    pub(super) fn text(&self) -> &str {
        self.source.text()
    }

    /// A place as `file:line:column`.
    pub(super) fn place(&self, place: &Location) -> String {
        format!("{}:{}:{}", self.source.file(), place.line(), place.column())
    }

    pub(super) fn add(&mut self, place: &Location, code: Code, message: impl Into<String>) {
        self.push(span(self.text(), place), code, message.into());
    }

    pub(super) fn add_at_start(&mut self, code: Code, message: &str) {
        self.push(Span { start: 0, end: 0, line: 1, column: 1 }, code, message.into());
    }

    /// Says what to do about the mistake that was added last.
    pub(super) fn hint(&mut self, hint: impl Into<String>) {
        if let Some(last) = self.found.last_mut() {
            last.hint = Some(hint.into());
        }
    }

    /// Adds that the file cannot be read as one of cases.
    pub(super) fn add_unread(&mut self, error: &Error) {
        let (code, message, hint) = described(error.without_snippet());
        match error.location() {
            Some(place) => self.add(&place, code, message),
            None => self.add_at_start(code, &message),
        }
        hint.into_iter().for_each(|hint| self.hint(hint));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Shows them to people, from the first place to the last.
    pub(super) fn tell(&mut self) {
        self.found.sort_by_key(|mistake| mistake.span);
        Output::Error.text(diagnostics::for_people(&self.found, &[&self.source], colour()));
    }

    fn push(&mut self, span: Span, code: Code, message: String) {
        let file = self.source.file().clone();
        let severity = Severity::Error;
        self.found.push(Diagnostic { severity, code, message, file, span, labels: Vec::new(), hint: None });
    }
}

/// A place in a text, cut off at the end of its line.
fn span(text: &str, place: &Location) -> Span {
    let (offset, length) = (place.span().byte_offset(), place.span().byte_len());
    let offset = usize::try_from(offset.unwrap_or_default()).unwrap_or(text.len());
    let length = usize::try_from(length.unwrap_or_default()).unwrap_or_default();
    let start = text.floor_char_boundary(offset);
    let line_end = text[start..].find(['\r', '\n']).map_or(text.len(), |length| start + length);
    let end = text.ceil_char_boundary(start.saturating_add(length)).min(line_end);
    let number = |counted: u64| usize::try_from(counted).unwrap_or_default().max(1);
    Span { start, end, line: number(place.line()), column: number(place.column()) }
}

fn described(error: &Error) -> (Code, String, Option<String>) {
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            (Code::UnknownKey, format!("`{field}` is not known here"), Some(listed(expected)))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            (Code::InvalidValue, format!("`{variant}` is not known here"), Some(listed(expected)))
        }
        Error::SerdeMissingField { field, .. } => (Code::MissingKey, format!("`{field}` is missing"), None),
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or_default();
            (Code::DuplicateKey, format!("`{key}` is there twice"), Some("take one away".into()))
        }
        other => {
            let message = other.to_string();
            let place = other
                .location()
                .map_or_else(String::new, |at| format!(" at line {}, column {}", at.line(), at.column()));
            let message = message.strip_suffix(&place).unwrap_or(&message);
            (Code::InvalidValue, message.to_owned(), None)
        }
    }
}

fn listed(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("there can be {}", names.join(", "))
}
