use super::{Folder, check, check_error};

const SKIP: &str = r#", "on_error": "skip""#;

#[test]
fn jsonl_has_one_value_a_line() {
    let content = "{\"a\":1}\n\n  \r\n[2]\r\n\"three\"";
    check("x.jsonl", content, "", r#"{"items": [{"a": 1}, [2], "three"], "count": 3, "skipped": []}"#);
    check("x.jsonl", "", "", r#"{"items": [], "count": 0, "skipped": []}"#);
}

#[test]
fn a_broken_line_is_named_by_file_line_and_column() {
    let content = "{\"a\":1}\n\n{\"a\":}\n{\"a\":3}\n";
    check_error("x.jsonl", content, "", "x.jsonl:3:6: expected value");
    check_error("x.jsonl", "{\"a\":1} {}\n", "", "x.jsonl:1:9: trailing characters");
    check_error("x.jsonl", "1\n{\"a\":", "", "x.jsonl:2:5: EOF while parsing a value");
}

#[test]
fn a_skipped_line_is_reported_and_the_rest_is_kept() {
    let expected = r#"{"items": [{"a": 1}, {"a": 3}], "count": 2,
                       "skipped": [{"line": 2, "message": "expected value"}, {"line": 4, "message": "not UTF-8"}]}"#;
    check("x.jsonl", b"{\"a\":1}\n{\"a\":}\n{\"a\":3}\n\"\xff\"\n", SKIP, expected);
    let expected = r#"{"items": [{"a": "1", "b": "2"}], "count": 1,
                       "skipped": [{"line": 2, "message": "1 fields, but the header has 2"}]}"#;
    check("x.csv", "a,b\n1\n1,2\n", SKIP, expected);
}

#[test]
fn bytes_that_are_not_utf_8_are_named_by_line() {
    check_error("x.jsonl", b"1\n\"ab\xff\"\n", "", "x.jsonl:2:4: not UTF-8");
    check_error("x.json", b"[\n1, \"\xff\"]", "", "x.json:2:5: not UTF-8");
    check_error("x.txt", b"\xef\xbb\xbfone\ntwo\n\xfe", "", "x.txt:3:1: not UTF-8");
    check_error("x.csv", b"a,b\n1,2\n3,\xff\n", "", "x.csv:3:2: not UTF-8");
    check_error("x.csv", b"a,\xff\n1,2\n", "", "x.csv:1:2: not UTF-8");
}

#[test]
fn a_byte_order_mark_is_dropped() {
    check("x.jsonl", "\u{feff}1\n", "", r#"{"items": [1], "count": 1, "skipped": []}"#);
    check("x.json", "\u{feff}{}", "", r#"{"value": {}}"#);
    check("x.csv", "\u{feff}a\n1\n", "", r#"{"items": [{"a": "1"}], "count": 1, "skipped": []}"#);
    check("x.txt", "\u{feff}text\n", "", r#"{"text": "text\n"}"#);
}

#[test]
fn json_is_rows_when_it_is_an_array() {
    check(
        "x.json",
        "[1, 18446744073709551615]",
        "",
        r#"{"items": [1, 18446744073709551615], "count": 2, "skipped": []}"#,
    );
    check("x.json", "{\"a\": 1.0}", "", r#"{"value": {"a": 1.0}}"#);
    check_error("x.json", "{\n  \"a\": 1,\n}", "", "x.json:3:1: trailing comma");
}

#[test]
fn csv_follows_rfc_4180() {
    let content = "name,note\r\n\"Doe, Jane\",\"said \"\"hi\"\"\r\nand left\"\r\n\r\nMüller,\r\n";
    let expected = r#"{"items": [{"name": "Doe, Jane", "note": "said \"hi\"\r\nand left"},
                                 {"name": "Müller", "note": ""}], "count": 2, "skipped": []}"#;
    check("x.csv", content, "", expected);
    check(
        "x.csv",
        "a;b\n1;2\n",
        r#", "delimiter": ";""#,
        r#"{"items": [{"a": "1", "b": "2"}], "count": 1, "skipped": []}"#,
    );
    check("x.csv", "", "", r#"{"items": [], "count": 0, "skipped": []}"#);
}

#[test]
fn a_csv_record_of_another_length_is_named_by_its_line() {
    check_error("x.csv", "a,b\n\"x\ny\",2\n3,4,5\n", "", "x.csv:4:3: 3 fields, but the header has 2");
    check_error("x.csv", "a,a\n1,2\n", "", "x.csv:1:2: two columns are named `a`");
}

#[test]
fn csv_that_breaks_its_quotes_is_refused_at_its_place() {
    check_error("x.csv", "a,b\r\n1,\"2\r\n3,4\r\n", "", "x.csv:2:2: the quote that begins here does not end");
    check_error("x.csv", "\"a", "", "x.csv:1:1: the quote that begins here does not end");
    let behind = "text stands behind the quote that ends the field";
    check_error("x.csv", "a,b\n1,2\n\"1\"x,2\n", "", &format!("x.csv:3:1: {behind}"));
    let expected = format!(
        r#"{{"items": [{{"a": "1", "b": "5\" pipe"}}], "count": 1, "skipped": [{{"line": 3, "message": "{behind}"}}]}}"#
    );
    check("x.csv", "a,b\n1,5\" pipe\n1,\"2\"x\n", SKIP, &expected);
}

#[test]
fn lines_are_counted_whatever_ends_them() {
    for newline in ["\n", "\r\n"] {
        let content = ["a,b", "", "\"1", "\",2", "3"].join(newline);
        check_error("x.csv", content, "", "x.csv:5:2: 1 fields, but the header has 2");
        let content = ["1", "", "  {]"].join(newline);
        check_error("x.jsonl", content, "", "x.jsonl:3:4: key must be a string");
    }
    check_error("x.csv", "a\r1\r", "", "x.csv:1:1: the lines end with a carriage return alone");
}

#[test]
fn csv_fields_are_text_unless_inferred() {
    let content = "v\n1\n-2\n1.50\n1e3\ntrue\n007\n\" 1\"\n\"\"\n99999999999999999999\n1.\nNaN\n-0.5\n+1\n";
    let rows: Vec<_> = [
        "1",
        "-2",
        "1.5",
        "1000.0",
        "true",
        "\"007\"",
        "\" 1\"",
        "null",
        "\"99999999999999999999\"",
        "\"1.\"",
        "\"NaN\"",
        "-0.5",
        "\"+1\"",
    ]
    .iter()
    .map(|value| format!("{{\"v\": {value}}}"))
    .collect();
    let expected = format!(r#"{{"items": [{}], "count": 13, "skipped": []}}"#, rows.join(","));
    check("x.csv", content, r#", "infer": true"#, &expected);
    check("x.csv", "v\n1\n", "", r#"{"items": [{"v": "1"}], "count": 1, "skipped": []}"#);
}

#[test]
fn the_format_comes_from_the_extension_unless_given() {
    check("x.NDJSON", "1\n", "", r#"{"items": [1], "count": 1, "skipped": []}"#);
    check("x.dat", "1\n", r#", "format": "text""#, r#"{"text": "1\n"}"#);
    check_error("x.dat", "", "", "the extension of `x.dat` stands for no format: give `format`");
}

#[test]
fn json_that_nests_without_end_is_refused() {
    let folder = Folder::with("x.json", "[".repeat(100_000));
    assert!(
        folder.read(r#"{"path": "x.json"}"#).unwrap_err().to_string().contains("recursion limit exceeded")
    );
}

#[test]
fn a_configuration_that_does_not_fit_is_refused() {
    for config in [
        r#"{}"#,
        r#"{"path": "x.csv", "colour": 1}"#,
        r#"{"path": "x.csv", "delimiter": "ab"}"#,
        "[]",
        r#"{"path": "x.csv", "on_error": "ignore"}"#,
        r#"{"path": "x.csv", "format": "xml"}"#,
    ] {
        assert!(matches!(Folder::new().read(config), Err(crate::IoError::Config { .. })), "{config}");
    }
}
