use super::{Folder, check, check_error, json};

#[test]
fn one_document_is_a_value_and_a_list_is_rows() {
    check("x.yaml", "\u{feff}a: 1\r\nb:\r\n  - x\r\n", "", r#"{"value": {"a": 1, "b": ["x"]}}"#);
    check("x.yml", "- 1\n- a: ~\n", "", r#"{"items": [1, {"a": null}], "count": 2, "skipped": []}"#);
    check("x.yaml", "", "", r#"{"value": null}"#);
    check("x.yaml", "# nothing\n", "", r#"{"value": null}"#);
}

#[test]
fn several_documents_are_rows() {
    let expected = r#"{"items": [{"a": 1}, [2]], "count": 2, "skipped": []}"#;
    check("x.yaml", "---\na: 1\n---\n---\n- 2\n", "", expected);
    check_error(
        "x.yaml",
        "a: 1\n---\nb: 1\nb: 2\n",
        "",
        "x.yaml:4:1: duplicate mapping key `b` is not allowed here",
    );
}

#[test]
fn what_looks_like_something_else_stays_text() {
    let content = "[on, yes, 1_000, 007, '1', 12:30, 2026-01-02, 0x1f, -1, 1.0, 1e3, true]";
    let items = r#"["on", "yes", "1_000", "007", "1", "12:30", "2026-01-02", 31, -1, 1.0, 1000.0, true]"#;
    check("x.yaml", content, "", &format!(r#"{{"items": {items}, "count": 12, "skipped": []}}"#));
}

#[test]
fn mistakes_stand_at_their_line_and_column() {
    check_error(
        "x.yaml",
        "a: 1\nb: 2\na: 3\n",
        "",
        "x.yaml:3:1: duplicate mapping key `a` is not allowed here",
    );
    for (content, expected) in [
        ("a:\n\tb: 1\n", "2:2: tabs disallowed within this context (block indentation)"),
        ("a: [1, 2\n", "1:4: unclosed bracket '['"),
        ("a: 'b\n", "1:4: unclosed quote"),
        ("a: *b\n", "1:4: reference to unknown value"),
        ("a: &a [*a]\n", "1:8: Recursive reference not allowed here"),
        ("a: .inf\n", "1:4: value `.inf` is not a finite number"),
        ("? [1]\n: 2\n", "1:3: expected string scalar"),
        ("a: !foo 1\n", "1:9: unsupported tag `!foo`"),
    ] {
        check_error("x.yaml", content, "", &format!("x.yaml:{expected}"));
    }
    check_error("x.yaml", b"a: 1\nb: \xff\n", "", "x.yaml:2:4: not UTF-8");
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for depth in 1..12 {
        let aliases = vec![format!("*a{}", depth - 1); 10].join(", ");
        bomb += &format!("a{depth}: &a{depth} [{aliases}]\n");
    }
    check_error("x.yaml", bomb, "", "x.yaml:5:45: aliases, as in `*name`, repeat more than 100000 values");
}

#[test]
fn an_alias_that_is_used_often_is_no_bomb() {
    let folder = Folder::with("x.yaml", format!("- &a one\n{}", "- *a\n".repeat(10_000)));
    assert_eq!(folder.read(r#"{"path": "x.yaml"}"#).unwrap().get("count"), Some(&json("10001")));
}

#[test]
fn nesting_without_end_is_refused() {
    check_error("x.yaml", "[".repeat(100_000), "", "x.yaml:1:128: more than 127 levels");
    let blocks: String = (0..200).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    check_error("x.yaml", blocks, "", "x.yaml:128:128: more than 127 levels");
    let deep = format!("{}{}", "[".repeat(120), "]".repeat(120));
    assert!(Folder::with("x.yaml", deep).read(r#"{"path": "x.yaml"}"#).is_ok());
}

#[test]
fn a_long_list_is_no_bomb() {
    let folder = Folder::with("x.yaml", "- {a: 1, b: two}\n".repeat(100_000));
    let output = folder.read(r#"{"path": "x.yaml"}"#).unwrap();
    assert_eq!(output.get("count"), Some(&json("100000")));
}
