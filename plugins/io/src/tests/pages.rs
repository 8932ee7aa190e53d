use super::{Folder, json};
use crate::IoError;

/// A row with newlines within quotes, of about 50 bytes.
fn csv(rows: usize, newline: &str) -> String {
    let row = |row: usize| format!("{row},\"two{newline}lines, \"\"{row}\"\"\",ééééééé{newline}");
    format!("\u{feff}id,note,rest{newline}") + &(0..rows).map(row).collect::<String>()
}

#[test]
fn csv_is_read_page_by_page_and_as_it_is_whole() {
    for newline in ["\n", "\r\n"] {
        let folder = Folder::with("x.csv", csv(60_000, newline));
        let whole = folder.read(r#"{"path": "x.csv"}"#).unwrap();
        let (rows, pages) = folder.pages(r#"{"path": "x.csv"}"#).unwrap();
        assert!(pages > 2, "{pages}");
        assert!(whole.get("items").unwrap().as_array().unwrap() == rows);
        assert_eq!(rows.len(), 60_000);
    }
}

#[test]
fn a_mistake_of_a_late_page_stands_at_its_line() {
    for newline in ["\n", "\r\n"] {
        let folder = Folder::with("x.csv", csv(60_000, newline) + "1,2");
        let error = folder.pages(r#"{"path": "x.csv"}"#).unwrap_err();
        assert_eq!(error.to_string(), "x.csv:120002:3: 2 fields, but the header has 3");
    }
    let folder = Folder::with("x.jsonl", "{\"a\": \"some text\"}\n".repeat(100_000) + "{");
    let error = folder.pages(r#"{"path": "x.jsonl"}"#).unwrap_err();
    assert_eq!(error.to_string(), "x.jsonl:100001:1: EOF while parsing an object");
}

#[test]
fn small_files_are_one_page() {
    for (name, content, rows) in [
        ("x.csv", "", 0),
        ("x.csv", "a", 0),
        ("x.csv", "\na\n\n1", 1),
        ("x.jsonl", "", 0),
        ("x.jsonl", "1\n\n2", 2),
    ] {
        let read = Folder::with(name, content).pages(&format!(r#"{{"path": "{name}"}}"#)).unwrap();
        assert_eq!((read.0.len(), read.1), (rows, 1), "{name}: {content:?}");
    }
}

#[test]
fn csv_is_written_page_by_page() {
    let folder = Folder::new();
    folder.write_page(r#"{"path": "x.csv", "items": [{"a": 1, "b": "x\ny"}, {"b": 2}]}"#, 0, false).unwrap();
    assert_eq!(folder.names(), [".x.csv.part"]);
    folder.write_page(r#"{"path": "x.csv", "items": [{"b": 3}]}"#, 1, false).unwrap();
    let output = folder.write_page(r#"{"path": "x.csv", "items": [{"b": 4, "a": 5}]}"#, 2, true).unwrap();
    assert_eq!(output, json(r#"{"path": "x.csv", "bytes": 4, "count": 1}"#));
    assert_eq!(folder.names(), ["x.csv"]);
    assert_eq!(folder.content("x.csv"), "a,b\n1,\"x\ny\"\n,2\n,3\n5,4\n");
}

#[test]
fn a_field_that_comes_too_late_for_a_column_is_refused_unless_columns_are_named() {
    let folder = Folder::new();
    let late = r#"{"path": "x.csv", "items": [{"a": 2}, {"c": 3}]}"#;
    folder.write_page(r#"{"path": "x.csv", "items": [{"a": 1}]}"#, 0, false).unwrap();
    let error = folder.write_page(late, 1, true).unwrap_err();
    assert_eq!(error.to_string(), "row 1: `c` is none of the columns: name all of them in `columns`");
    assert!(matches!(error, IoError::Config { .. }));
    let named = |items: &str| format!(r#"{{"path": "x.csv", "columns": ["a", "c"], "items": {items}}}"#);
    folder.write_page(&named(r#"[{"a": 1}]"#), 0, false).unwrap();
    folder.write_page(&named(r#"[{"a": 2}, {"c": 3}]"#), 1, true).unwrap();
    assert_eq!(folder.content("x.csv"), "a,c\n1,\n2,\n,3\n");
}

#[test]
fn what_a_run_that_was_killed_has_left_is_written_over() {
    let folder = Folder::with(".x.jsonl.part", "old\nold\nold\n");
    folder.write_page(r#"{"path": "x.jsonl", "items": [1]}"#, 0, false).unwrap();
    folder.write_page(r#"{"path": "x.jsonl", "items": [2]}"#, 1, true).unwrap();
    assert_eq!(folder.content("x.jsonl"), "1\n2\n");
}

#[test]
fn a_long_list_has_to_be_jsonl_or_csv() {
    let error = Folder::new().write_page(r#"{"path": "x.json", "items": []}"#, 0, false).unwrap_err();
    assert_eq!(error.to_string(), "a list that is too long for memory is written as JSONL or CSV");
}
