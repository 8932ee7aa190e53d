use std::collections::BTreeSet;

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use tapline_core::Value;

/// All that RFC 3986 does not leave as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What cannot stand in a URL at all.
const IMPOSSIBLE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'%');
/// A shorter line of a value says too little of it, and too much of other texts.
const SHORTEST_LINE: usize = 8;

/// The texts as which a value may stand in another text.
pub(super) fn of(value: &str) -> BTreeSet<String> {
    let bytes = value.as_bytes();
    let mut forms = BTreeSet::from([value.to_owned()]);
    forms.extend([BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD].map(|encoding| encoding.encode(bytes)));
    forms.extend([HEXLOWER, HEXUPPER].map(|encoding| encoding.encode(bytes)));
    for kept in [NON_ALPHANUMERIC, RESERVED, IMPOSSIBLE] {
        let encoded = utf8_percent_encode(value, kept).to_string();
        forms.insert(encoded.replace("%20", "+"));
        forms.insert(lower(&encoded));
        forms.insert(encoded);
    }
    forms.insert(inside_quotes(&Value::from(value).to_json()));
    forms.insert(inside_quotes(&format!("{value:?}")));
    // A table breaks a cell at the ends of lines.
    let lines = value.lines().map(str::trim).filter(|line| line.chars().count() >= SHORTEST_LINE);
    forms.extend(lines.map(str::to_owned));
    forms
}

/// A percent-encoded text with its hex digits in lower case.
fn lower(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (digits, rest) = part.split_at(2.min(part.len()));
        format!("{text}%{}{rest}", digits.to_lowercase())
    })
}

fn inside_quotes(quoted: &str) -> String {
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted).to_owned()
}
