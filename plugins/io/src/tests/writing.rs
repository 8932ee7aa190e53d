use super::{Folder, json};
use crate::IoError;

#[track_caller]
fn check(config: &str, name: &str, content: &str, output: &str) {
    let folder = Folder::new();
    assert_eq!(folder.write(config).unwrap(), json(output));
    assert_eq!(folder.content(name), content);
}

#[test]
fn every_format_can_be_written() {
    check(
        r#"{"path": "x.jsonl", "items": [{"a": 1}, "é"]}"#,
        "x.jsonl",
        "{\"a\":1}\n\"é\"\n",
        r#"{"path": "x.jsonl", "bytes": 13, "count": 2}"#,
    );
    check(
        r#"{"path": "x.json", "items": [1]}"#,
        "x.json",
        "[\n  1\n]\n",
        r#"{"path": "x.json", "bytes": 8, "count": 1}"#,
    );
    check(
        r#"{"path": "x.json", "value": null}"#,
        "x.json",
        "null\n",
        r#"{"path": "x.json", "bytes": 5, "count": null}"#,
    );
    check(
        r#"{"path": "x.txt", "text": "hi"}"#,
        "x.txt",
        "hi",
        r#"{"path": "x.txt", "bytes": 2, "count": null}"#,
    );
}

#[test]
fn csv_has_a_column_for_every_name() {
    check(
        r#"{"path": "x.csv", "items": [{"a": 1, "b": "x,\"y\"\n"}, {"c": [1], "a": null}, {"b": true}]}"#,
        "x.csv",
        "a,b,c\n1,\"x,\"\"y\"\"\n\",\n,,[1]\n,true,\n",
        r#"{"path": "x.csv", "bytes": 33, "count": 3}"#,
    );
    check(r#"{"path": "x.csv", "items": []}"#, "x.csv", "", r#"{"path": "x.csv", "bytes": 0, "count": 0}"#);
}

#[test]
fn csv_has_the_columns_that_are_named() {
    check(
        r#"{"path": "x.csv", "columns": ["b", "a"], "items": [{"a": 1}]}"#,
        "x.csv",
        "b,a\n,1\n",
        r#"{"path": "x.csv", "bytes": 7, "count": 1}"#,
    );
    check(
        r#"{"path": "x.csv", "columns": ["b"], "items": []}"#,
        "x.csv",
        "b\n",
        r#"{"path": "x.csv", "bytes": 2, "count": 0}"#,
    );
}

#[test]
fn yaml_is_written_in_blocks() {
    check(
        r#"{"path": "x.yaml", "value": {"a": [1, {"b": "yes", "c": []}], "d": "1", "e": "two\nlines\n"}}"#,
        "x.yaml",
        "a:\n- 1\n- b: \"yes\"\n  c: []\nd: \"1\"\ne: |\n  two\n  lines\n",
        r#"{"path": "x.yaml", "bytes": 52, "count": null}"#,
    );
}

#[test]
fn what_was_written_is_read_back() {
    let rows = r#"[{"id": 1, "note": "a \"b\"\n,c", "f": 0.1}, {"id": 18446744073709551615, "note": "", "f": -1e300}]"#;
    for format in ["json", "jsonl"] {
        let folder = Folder::new();
        folder.write(&format!(r#"{{"path": "x", "format": "{format}", "items": {rows}}}"#)).unwrap();
        let read = folder.read(&format!(r#"{{"path": "x", "format": "{format}"}}"#)).unwrap();
        assert_eq!(read.get("items"), Some(&json(rows)), "{format}");
    }
    let rows = r#"[{"only": ""}, {"only": "\r\n"}, {"only": " \"quoted\" "}]"#;
    let folder = Folder::new();
    folder.write(&format!(r#"{{"path": "x.csv", "items": {rows}}}"#)).unwrap();
    assert_eq!(folder.read(r#"{"path": "x.csv"}"#).unwrap().get("items"), Some(&json(rows)));
}

#[test]
fn folders_on_the_way_are_made() {
    let folder = Folder::new();
    folder.write(r#"{"path": "a/b/x.txt", "text": "deep"}"#).unwrap();
    assert_eq!(folder.content("a/b/x.txt"), "deep");
}

#[test]
fn an_old_file_is_replaced_and_nothing_else_is_left() {
    let folder = Folder::with("x.txt", "a longer old text");
    folder.write(r#"{"path": "x.txt", "text": "new"}"#).unwrap();
    assert_eq!((folder.content("x.txt").as_str(), folder.names()), ("new", vec!["x.txt".to_owned()]));
}

#[test]
fn a_failure_leaves_no_temporary_file() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.folder.path().join("x.txt/full")).unwrap();
    let error = folder.write(r#"{"path": "x.txt", "text": "new"}"#).unwrap_err();
    assert!(matches!(error, IoError::File { action: "write", .. }), "{error:?}");
    assert_eq!(folder.names(), ["x.txt"]);
}

#[test]
fn content_that_does_not_fit_the_format_is_refused() {
    for (config, message) in [
        (
            r#"{"path": "x.csv", "items": [{"a": 1}, 2]}"#,
            "row 1: the row is of kind number, but CSV needs objects",
        ),
        (
            r#"{"path": "x.csv", "columns": ["a"], "items": [{"a": 1}, {"a": 1, "b": 2}]}"#,
            "row 1: `b` is none of the columns: name all of them in `columns`",
        ),
        (r#"{"path": "x.csv", "columns": ["a", "a"], "items": []}"#, "`columns` has `a` twice"),
        (r#"{"path": "x.txt", "items": []}"#, "text needs `text`, not `items`"),
        (r#"{"path": "x.csv", "value": 1}"#, "only JSON and YAML can be written from `value`"),
        (r#"{"path": "x.json", "text": "1"}"#, "only text can be written from `text`"),
        (r#"{"path": "x.txt", "text": 1}"#, "`text` is of kind number, not text"),
        (r#"{"path": "x.json", "items": {}}"#, "`items` is of kind object, not a list"),
        (r#"{"path": "x.json"}"#, "exactly one of `items`, `value` and `text` must be given"),
        (
            r#"{"path": "x.json", "value": 1, "items": []}"#,
            "exactly one of `items`, `value` and `text` must be given",
        ),
    ] {
        assert_eq!(Folder::new().write(config).unwrap_err().to_string(), message, "{config}");
    }
}
