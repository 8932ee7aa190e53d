use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};

mod forms;
mod redactor;

pub(crate) use redactor::Redactor;

/// Values that nobody may see, by their names. A clone costs next to nothing, for each answer of a server needs one.
#[derive(Clone, Default)]
pub struct Secrets {
    values: Arc<BTreeMap<String, String>>,
    finder: Option<Arc<Finder>>,
}

/// Finds all forms of all values in one pass.
struct Finder {
    forms: AhoCorasick,
    texts: Vec<String>,
    /// What stands in the place of each form.
    marks: Vec<String>,
}

/// Why a value cannot be kept secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// There is nothing to keep.
    #[error("the value is empty")]
    Empty,
    /// Taking it out of a text would shred the text.
    #[error("the value has fewer than {SHORTEST} characters, and cannot be told from other text")]
    Short,
}

/// The characters of the shortest value.
const SHORTEST: usize = 4;

impl SecretError {
    pub(super) fn of(value: &str) -> Option<Self> {
        match value.chars().count() {
            0 => Some(Self::Empty),
            1..SHORTEST => Some(Self::Short),
            _ => None,
        }
    }
}

impl Secrets {
    /// Keeps values, by their names.
    ///
    /// # Errors
    /// When a value is empty or short.
    pub fn new<'a>(values: impl IntoIterator<Item = (&'a str, String)>) -> Result<Self, SecretError> {
        let values: Vec<_> = values.into_iter().collect();
        match values.iter().find_map(|(_, value)| SecretError::of(value)) {
            Some(error) => Err(error),
            None => Ok(Self::of(values)),
        }
    }

    pub(super) fn of<'a>(values: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let values: BTreeMap<_, _> =
            values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { finder: Finder::new(&values).map(Arc::new), values: Arc::new(values) }
    }

    /// The value of a secret.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Whether there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The text with `«secret:NAME»` in the place of every value, whether it stands there as it is, as base64, as hex,
    /// as in a URL, or as in JSON.
    ///
    /// It does not protect against who wants to tell: a value that is cut, reversed or encoded otherwise is not found.
    #[must_use]
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.finder {
            Some(finder) if finder.forms.is_match(text) => Cow::Owned(finder.marked(text)),
            _ => Cow::Borrowed(text),
        }
    }
}

impl Finder {
    fn new(values: &BTreeMap<String, String>) -> Option<Self> {
        // Two secrets of one value share their forms, and the first name is shown.
        let mut marked = BTreeMap::new();
        for (name, value) in values {
            for form in forms::of(value) {
                marked.entry(form).or_insert_with(|| format!("«secret:{name}»"));
            }
        }
        let (texts, marks): (Vec<_>, Vec<_>) = marked.into_iter().unzip();
        let forms = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&texts);
        // It fails for gigabytes of forms alone, and values have a largest size.
        forms.ok().filter(|_| !marks.is_empty()).map(|forms| Self { forms, texts, marks })
    }

    /// Where values stand, from the first to the last, with what is to stand there instead.
    fn found(&self, text: &[u8]) -> impl Iterator<Item = (Range<usize>, &str)> {
        let found = self.forms.find_overlapping_iter(text);
        let mut found: Vec<_> =
            found.map(|found| (found.range(), self.marks[found.pattern()].as_str())).collect();
        found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        found.into_iter()
    }

    /// How many bytes at the end may be the begin of a value.
    fn begun(&self, text: &[u8]) -> usize {
        let longest = self.forms.max_pattern_len().saturating_sub(1).min(text.len());
        let is_begin = |end: &[u8]| {
            self.texts.iter().any(|form| form.len() > end.len() && form.as_bytes().starts_with(end))
        };
        (1..=longest).rev().find(|length| is_begin(&text[text.len() - length..])).unwrap_or(0)
    }

    /// The text with marks. Values that overlap are taken out together, so that no rest of one is left behind.
    fn marked(&self, text: &str) -> String {
        let (mut marked, mut done) = (String::new(), 0);
        for (range, mark) in self.found(text.as_bytes()) {
            if range.start >= done {
                marked.push_str(&text[done..range.start]);
                marked.push_str(mark);
            }
            done = done.max(range.end);
        }
        marked + &text[done..]
    }
}

/// Shows the names and no value.
impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.values.keys()).finish()
    }
}

#[cfg(test)]
mod tests;
