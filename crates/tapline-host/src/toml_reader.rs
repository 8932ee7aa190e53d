use std::ops::Range;
use std::path::Path;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::mistake::{Mistake, Place};

/// A value of a TOML file, with its place.
pub(crate) type Value<'t> = Spanned<DeValue<'t>>;

/// Looks at a TOML file value by value, and collects what is wrong with it.
pub(crate) struct TomlReader<'t> {
    file: &'t Path,
    text: &'t str,
    pub(crate) mistakes: Vec<Mistake>,
}

/// So many mistakes of a file are told.
const MOST_MISTAKES: usize = 100;

impl<'t> TomlReader<'t> {
    /// The file's root table, or everything that breaks the grammar of TOML.
    pub(crate) fn open(file: &'t Path, text: &'t str) -> Result<(Self, DeTable<'t>), Vec<Mistake>> {
        let mut reader = Self { file, text, mistakes: Vec::new() };
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            reader.mistake(error.span().unwrap_or_default(), error.message().trim_end());
        }
        if reader.mistakes.is_empty() {
            return Ok((reader, root.into_inner()));
        }
        // They come in the order in which the parser notices them.
        reader.mistakes.sort_by(|one, other| one.place.cmp(&other.place));
        Err(reader.mistakes)
    }

    pub(crate) fn place(&self, span: &Range<usize>) -> Place {
        Place::at(self.file, self.text, span.start)
    }

    pub(crate) fn mistake(&mut self, span: Range<usize>, message: impl Into<String>) {
        // Each is looked up in the text, and nobody reads more of them.
        if self.mistakes.len() >= MOST_MISTAKES {
            return;
        }
        let place = self.place(&span);
        self.mistakes.push(Mistake { place, message: message.into() });
    }

    /// Takes a table apart; a key that is not one of those known is a mistake.
    pub(crate) fn known<'a>(
        &mut self,
        table: &'a DeTable<'t>,
        known: &[&str],
    ) -> impl Fn(&str) -> Option<&'a Value<'t>> + use<'a, 't> {
        for key in table.keys().filter(|key| !known.contains(&&**key.get_ref())) {
            self.mistake(key.span(), unknown(key.get_ref(), known));
        }
        |key| table.get(key)
    }

    /// A table; an absent one is empty.
    pub(crate) fn table<'a>(&mut self, value: Option<&'a Value<'t>>) -> Option<&'a DeTable<'t>> {
        let value = value?;
        self.expected(value, "a table", value.get_ref().as_table())
    }

    /// A text that means something.
    pub(crate) fn parsed<T, E: ToString>(
        &mut self,
        value: Option<&Value<'t>>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = value?;
        let text = self.expected(value, "a text", value.get_ref().as_str())?;
        parse(text).map_err(|error| self.mistake(value.span(), error.to_string())).ok()
    }

    /// A list of texts that mean something.
    pub(crate) fn list<T, E: ToString>(
        &mut self,
        value: Option<&Value<'t>>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        let list = value.and_then(|value| self.expected(value, "a list", value.get_ref().as_array()));
        list.into_iter()
            .flat_map(|list| list.iter())
            .filter_map(|one| self.parsed(Some(one), &parse))
            .collect()
    }

    /// A value that says of itself how it is written.
    pub(crate) fn read<T: DeserializeOwned>(&mut self, value: Option<&Value<'t>>) -> Option<T> {
        let value = value?;
        let read = T::deserialize(ValueDeserializer::from(value.clone()));
        read.map_err(|error| {
            let span = error.span().unwrap_or_else(|| value.span());
            self.mistake(span, error.message().trim_end());
        })
        .ok()
    }

    /// A list of such values.
    pub(crate) fn tables<T: DeserializeOwned>(&mut self, value: Option<&Value<'t>>) -> Vec<T> {
        let list = value.and_then(|value| self.expected(value, "a list", value.get_ref().as_array()));
        list.into_iter().flat_map(|list| list.iter()).filter_map(|one| self.read(Some(one))).collect()
    }

    /// A whole number that is not negative.
    pub(crate) fn number<T: TryFrom<u64>>(&mut self, value: Option<&Value<'t>>) -> Option<T> {
        let value = value?;
        let number = value.get_ref().as_integer();
        let number = number.and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok());
        let number = number.and_then(|number| T::try_from(number).ok());
        self.expected(value, "a whole number that is not negative", number)
    }

    fn expected<T>(&mut self, value: &Value<'t>, what: &str, found: Option<T>) -> Option<T> {
        if found.is_none() {
            self.mistake(value.span(), format!("{what} is expected here"));
        }
        found
    }
}

/// Names a key that has no meaning, and those that have one.
fn unknown(written: &str, known: &[&str]) -> String {
    let names = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    // A long text is no typing error of a short name, and comparing it would cost its length squared.
    let near = known.iter().filter(|name| written.len() <= 2 * name.len());
    let nearest = near.map(|name| (strsim::osa_distance(written, name), name)).min();
    let hint = match nearest {
        Some((distance, near)) if distance <= 1 + near.len() / 4 => format!(" (did you mean `{near}`?)"),
        _ => String::new(),
    };
    format!("unknown key `{written}`, expected one of {names}{hint}")
}
