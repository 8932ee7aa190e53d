use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tapline_core::Value;

use super::Schema;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Element, ElementContent, Entry, Mapping, Source};
use crate::suggest::{did_you_mean, did_you_mean_or_list};

/// A value and its place in the file.
#[derive(Debug, Clone)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) range: Range<usize>,
}

/// Reads the keys that the file's format knows, and collects what is wrong with them.
pub(super) struct Fields<'a> {
    pub(super) source: &'a Source,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Fields<'_> {
    /// The mapping of an entry, whose unknown keys are mistakes.
    pub(super) fn known<'e>(&mut self, entry: &'e Entry, what: &str, known: &[&str]) -> Option<&'e Mapping> {
        let mapping = self.mapping(&entry.element, &entry.key, what)?;
        self.refuse_unknown(mapping, what, known, "it may have");
        Some(mapping)
    }

    pub(super) fn refuse_unknown(
        &mut self,
        mapping: &Mapping,
        what: &str,
        known: &[&str],
        introduction: &str,
    ) {
        for (key, entry) in mapping.iter().filter(|(key, _)| !known.contains(&&***key)) {
            let hint = did_you_mean_or_list(key, known.iter().copied(), introduction);
            let message = format!("{what} has no key `{key}`");
            self.push(Diagnostic::error(self.source, Code::UnknownKey, &entry.key, message).maybe_hint(hint));
        }
    }

    /// A mapping; nothing at all is an empty one.
    pub(super) fn mapping<'e>(
        &mut self,
        element: &'e Element,
        key: &Range<usize>,
        what: &str,
    ) -> Option<&'e Mapping> {
        if let Some(mapping) = element.as_mapping() {
            return Some(mapping);
        }
        if !element.is_null() {
            self.wrong_type(element, key, what, "a mapping of keys to values");
        }
        None
    }

    /// The entries of a list; one text alone is not a list.
    pub(super) fn list<'e>(&mut self, entry: &'e Entry, what: &str) -> &'e [Element] {
        match &entry.element.content {
            ElementContent::Sequence(elements) => elements,
            _ if entry.element.is_null() => &[],
            _ => {
                self.wrong_type(&entry.element, &entry.key, what, "a list");
                &[]
            }
        }
    }

    pub(super) fn text(&mut self, entry: &Entry, what: &str) -> Option<Spanned<Arc<str>>> {
        self.element_text(&entry.element, &entry.key, what)
    }

    pub(super) fn element_text(
        &mut self,
        element: &Element,
        key: &Range<usize>,
        what: &str,
    ) -> Option<Spanned<Arc<str>>> {
        if let Some(text) = element.as_text() {
            return Some(Spanned { value: Arc::clone(text), range: element.range.clone() });
        }
        self.wrong_type(element, key, what, "text");
        None
    }

    pub(super) fn flag(&mut self, entry: &Entry, what: &str) -> Option<bool> {
        let flag = entry.element.as_scalar().and_then(|scalar| scalar.value.as_bool());
        if flag.is_none() {
            self.wrong_type(&entry.element, &entry.key, what, "`true` or `false`");
        }
        flag
    }

    /// A whole number from 1 on; `50_000` is one, too.
    pub(super) fn count(&mut self, entry: &Entry, what: &str) -> Option<usize> {
        let number = entry.element.as_scalar().and_then(|scalar| match &scalar.value {
            Value::String(text) if text.contains('_') => text.replace('_', "").parse().ok(),
            value => value.as_i64(),
        });
        let count = number.and_then(|number| usize::try_from(number).ok()).filter(|count| *count > 0);
        if count.is_none() {
            self.wrong_type(&entry.element, &entry.key, what, "a whole number from 1 on");
        }
        count
    }

    /// A number above 0.
    pub(super) fn amount(&mut self, entry: &Entry, what: &str) -> Option<f64> {
        let number = entry.element.as_scalar().and_then(|scalar| scalar.value.as_f64());
        let amount = number.filter(|number| *number > 0.0);
        if amount.is_none() {
            self.wrong_type(&entry.element, &entry.key, what, "a number above 0");
        }
        amount
    }

    /// A time, as in `1h 30m`.
    pub(super) fn duration(&mut self, entry: &Entry, what: &str) -> Option<Duration> {
        let text = self.text(entry, what)?;
        let duration = humantime::parse_duration(&text.value).ok().filter(|duration| !duration.is_zero());
        if duration.is_none() {
            let message = format!("`{}` is not a duration", text.value);
            self.invalid(&text.range, message, Some("write it as in `10m`, `1h 30m` or `500ms`".into()));
        }
        duration
    }

    /// A JSON Schema; one that is none is a mistake.
    pub(super) fn schema(&mut self, range: &Range<usize>, schema: Value, what: &str) -> Option<Schema> {
        match Schema::new(schema) {
            Ok(schema) => Some(schema),
            Err(error) => {
                self.invalid(range, format!("{what} is not a JSON Schema: {error}"), None);
                None
            }
        }
    }

    pub(super) fn missing(&mut self, range: &Range<usize>, message: String, hint: &str) {
        self.push(Diagnostic::error(self.source, Code::MissingKey, range, message).hint(hint));
    }

    pub(super) fn invalid(&mut self, range: &Range<usize>, message: String, hint: Option<String>) {
        self.push(Diagnostic::error(self.source, Code::InvalidValue, range, message).maybe_hint(hint));
    }

    pub(super) fn invalid_name(&mut self, range: &Range<usize>, message: String, hint: &str) {
        self.push(Diagnostic::error(self.source, Code::InvalidName, range, message).hint(hint));
    }

    /// One of a few words.
    pub(super) fn choice<T: Clone>(&mut self, entry: &Entry, what: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(entry, what)?;
        let found = choices.iter().find(|(name, _)| *name == &*text.value).map(|(_, choice)| choice.clone());
        if found.is_none() {
            let names = || choices.iter().map(|(name, _)| *name);
            let listed = names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let message = format!("{what} is one of {listed}, not `{}`", text.value);
            self.invalid(&text.range, message, did_you_mean(&text.value, names()));
        }
        found
    }

    pub(super) fn wrong_type(&mut self, element: &Element, key: &Range<usize>, what: &str, wanted: &str) {
        // A list or mapping of many lines says less about the place than its key.
        let range =
            if element.as_scalar().is_some_and(|_| !element.is_null()) { &element.range } else { key };
        let message = format!("{what} must be {wanted}, not {}", with_article(element.kind()));
        let unquoted = wanted == "text" && element.as_scalar().is_some_and(|scalar| !scalar.value.is_null());
        let hint = unquoted.then(|| "write it in quotes".to_owned());
        self.push(Diagnostic::error(self.source, Code::WrongType, range, message).maybe_hint(hint));
    }

    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

/// `an array`, `a number`, `null`.
pub(crate) fn with_article(kind: &str) -> String {
    match kind {
        "null" => "null".into(),
        _ if kind.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}
