//! What a manifest says to people, and whether they can see what it says.

use icu_properties::props::{DefaultIgnorableCodePoint, Script};
use icu_properties::{CodePointMapData, CodePointSetData};
use serde_json::Value;
use tapline_core::Manifest;
use unicode_security::MixedScript as _;
use unicode_security::skeleton;

use crate::error::PackageError;

/// Refuses words that nobody sees as they are: characters that are not visible or that turn the direction of reading
/// around, and names of authors that are written to look like others.
pub(crate) fn check(manifest: &Manifest) -> Result<(), PackageError> {
    let words = serde_json::to_value(manifest).map_err(|error| PackageError::Damaged(error.to_string()))?;
    check_visible(&words)?;
    for author in &manifest.plugin.authors {
        if is_disguised(author) {
            return Err(PackageError::Disguised(author.clone()));
        }
    }
    Ok(())
}

fn check_visible(words: &Value) -> Result<(), PackageError> {
    match words {
        Value::String(text) => check_text(text),
        Value::Array(items) => items.iter().try_for_each(check_visible),
        Value::Object(entries) => entries.iter().try_for_each(|(key, value)| {
            check_text(key)?;
            check_visible(value)
        }),
        _ => Ok(()),
    }
}

/// Refuses a text in which there is a character that nobody sees.
pub(crate) fn check_text(text: &str) -> Result<(), PackageError> {
    match text.chars().find(|character| is_hidden(*character)) {
        Some(character) => Err(PackageError::Hidden { text: around(text, character), character }),
        None => Ok(()),
    }
}

/// The line in which a character stands.
fn around(text: &str, character: char) -> String {
    text.lines().find(|line| line.contains(character)).unwrap_or(text).to_owned()
}

/// Whether a character is not seen: controls other than those of lines, marks of direction, joiners, fillers.
fn is_hidden(character: char) -> bool {
    let is_line = matches!(character, '\n' | '\r' | '\t');
    let is_separator = matches!(character, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}');
    let is_ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character);
    (character.is_control() && !is_line) || is_separator || is_ignorable
}

/// Whether a word of a name mixes scripts, or the whole name has no Latin letter and looks Latin.
fn is_disguised(name: &str) -> bool {
    let script = CodePointMapData::<Script>::new();
    let is_latin = |character| script.get(character) == Script::Latin;
    let looks_latin = || !name.is_ascii() && skeleton(name).all(|character| character.is_ascii());
    let mut words = name.split(|character: char| !character.is_alphanumeric());
    words.any(|word| !word.is_single_script()) || (!name.contains(is_latin) && looks_latin())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(about: &str) -> Manifest {
        let head = "[plugin]\nid = 'x'\nversion = '1.0.0'\nhost = '^1'\nruntime = 'wasm'\n";
        toml::from_str(&format!("{head}{about}")).unwrap()
    }

    #[track_caller]
    fn refused(about: &str, expected: &str) {
        assert_eq!(check(&manifest(about)).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a35_a_name_that_is_written_to_look_like_another_is_refused() {
        let told = |name| {
            format!("the author `{name}` is written in several scripts, or in letters that look Latin")
        };
        refused("authors = ['Ada', 'Аcme']", &told("\\u{410}cme"));
        refused("authors = ['АСМЕ']", &told("\\u{410}\\u{421}\\u{41c}\\u{415}"));
        let honest = "authors = ['Ada Lovelace <ada@example.org>', 'José Álvarez', 'Łukasz', 'Сергей Иванов \
            <sergej@example.org>', '山田 太郎', 'やまだタロウ山', 'Νίκος', 'Nguyễn', 'Yıldız', 'محمد', 'R2-D2 & C3']";
        check(&manifest(honest)).unwrap();
    }

    #[test]
    fn a35_characters_that_nobody_sees_are_refused_wherever_they_stand() {
        refused(
            "authors = [\"Ac\\u200Bme\"]",
            "the manifest says `Ac\\u{200b}me`, in which U+200B is not visible as it is",
        );
        for character in
            ["\\u202E", "\\u2066", "\\u200E", "\\u061C", "\\uFEFF", "\\u00AD", "\\u3164", "\\u001B"]
        {
            for about in [
                format!("description = \"a{character}b\""),
                format!("capabilities = [\"a{character}b\"]"),
                format!("[requires]\nfs = [{{ path = 'data:', mode = 'r', why = \"a{character}b\" }}]"),
                format!("[[provides]]\npoint = 'node'\nkey = \"a{character}b\""),
            ] {
                assert!(check(&manifest(&about)).is_err(), "{about}");
            }
        }
        check(&manifest("description = \"\"\"Zählt.\n\tМетоды, 数, שלום: ← “x”, 🎉\"\"\"")).unwrap();
    }
}
