//! What is written is what is read.

use std::sync::Arc;

use proptest::prelude::*;
use tapline_pdk::Value;

use super::Folder;
use crate::{read, write};

const ODD: &[&str] = &[
    "",
    " ",
    "null",
    "~",
    "true",
    "yes",
    "on",
    "1",
    "007",
    "1.0",
    "1e3",
    "0x1f",
    "1_0",
    "-",
    "- a",
    "a: b",
    "#",
    "a #b",
    "'",
    "\"",
    "\n",
    "\r\n",
    "\r",
    "a\n",
    "\na",
    " a\nb",
    "a\n\n",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "&a",
    "*a",
    "!a",
    "%a",
    "@",
    "`",
    "|",
    ">",
    "{",
    "[",
    "?",
    "---",
    "...",
    ".nan",
    ".inf",
    "2026-01-02",
    "=",
    "<<",
    "\t",
    "\0",
    "\u{7f}",
    "😀",
    "a,b",
    "12:30:45",
    "0b1",
    "\\",
    "\u{1b}",
];

/// Text, of which much looks like something else.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(ODD).prop_map(str::to_owned),
        any::<String>(),
        "[ \\t\\r\\n\"':,#a-]{0,12}",
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no others", |number| number.is_finite()).prop_map(Value::from),
        text().prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((text(), inner), 0..6).prop_map(object),
        ]
    })
}

fn object(entries: impl IntoIterator<Item = (String, Value)>) -> Value {
    entries.into_iter().map(|(key, value)| (Arc::from(key), value)).collect::<tapline_pdk::Object>().into()
}

/// Rows of text with the same names.
fn table() -> impl Strategy<Value = Vec<Value>> {
    proptest::collection::btree_set(
        text().prop_filter("a mark at the top is dropped", |name| !name.starts_with('\u{feff}')),
        1..4,
    )
    .prop_flat_map(|names| {
        let row = proptest::collection::vec(text(), names.len());
        proptest::collection::vec(row, 1..6).prop_map(move |rows| {
            let row = |row: Vec<String>| object(names.iter().cloned().zip(row.into_iter().map(Value::from)));
            rows.into_iter().map(row).collect()
        })
    })
}

fn written(key: &str, content: Value, format: &str) -> Value {
    let folder = Folder::new();
    let of = |entries: Vec<(&str, Value)>| -> Value {
        let place = [("path", Value::from("file")), ("format", format.into())];
        place.into_iter().chain(entries).collect()
    };
    write(&folder.root, &of(vec![(key, content)])).unwrap();
    read(&folder.root, &of(Vec::new())).unwrap()
}

proptest! {
    #[test]
    fn rows_of_any_values(items in proptest::collection::vec(value(), 0..6)) {
        for format in ["json", "jsonl", "yaml"] {
            let items = Value::from(items.clone());
            let output = written("items", items.clone(), format);
            prop_assert_eq!(output.get("items"), Some(&items), "{}", format);
        }
    }

    #[test]
    fn a_value_of_any_kind(value in value()) {
        prop_assume!(value.as_array().is_none());
        for format in ["json", "yaml"] {
            let output = written("value", value.clone(), format);
            prop_assert_eq!(output.get("value"), Some(&value), "{}", format);
        }
    }

    #[test]
    fn csv_of_any_text(items in table()) {
        let items = Value::from(items);
        let output = written("items", items.clone(), "csv");
        prop_assert_eq!(output.get("items"), Some(&items));
    }

    #[test]
    fn text_of_any_kind(text in any::<String>()) {
        prop_assume!(!text.starts_with('\u{feff}'));
        let output = written("text", text.as_str().into(), "text");
        prop_assert_eq!(output.get("text").and_then(Value::as_str), Some(&*text));
    }

    /// The scan finds as many records as the crate that reads the fields.
    #[test]
    fn csv_of_any_bytes_is_read_as_its_crate_reads_it(content in "([a,\" ]{0,3}(\n|\r\n)?){0,20}") {
        let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(content.as_bytes());
        let theirs = reader.byte_records().count().saturating_sub(1);
        let folder = Folder::with("x.csv", content);
        let Ok(output) = folder.read(r#"{"path": "x.csv", "on_error": "skip"}"#) else { return Ok(()) };
        let ours = ["items", "skipped"].map(|name| output.get(name).unwrap().as_array().unwrap().len());
        prop_assert_eq!(ours.iter().sum::<usize>(), theirs);
    }
}
