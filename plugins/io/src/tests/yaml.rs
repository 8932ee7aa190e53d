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
    check_error("x.yaml", "a:\n\tb: 1\n", "", "");
    check_error("x.yaml", "a: [1, 2\n", "", "");
    check_error("x.yaml", "a: *b\n", "", "");
    check_error("x.yaml", "a: .inf\n", "", "");
    check_error("x.yaml", "a: &a [*a]\n", "", "");
    check_error("x.yaml", "? [1]\n: 2\n", "", "");
    check_error("x.yaml", b"a: 1\nb: \xff\n", "", "x.yaml:2:4: not UTF-8");
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for depth in 1..12 {
        let aliases = vec![format!("*a{}", depth - 1); 10].join(", ");
        bomb += &format!("a{depth}: &a{depth} [{aliases}]\n");
    }
    check_error("x.yaml", bomb, "", "");
}

#[test]
fn nesting_without_end_is_refused() {
    check_error("x.yaml", "[".repeat(100_000), "", "");
    let blocks: String = (0..200).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    check_error("x.yaml", blocks, "", "");
    let deep = format!("{}{}", "[".repeat(120), "]".repeat(120));
    assert!(Folder::with("x.yaml", deep).read(r#"{"path": "x.yaml"}"#).is_ok());
}

#[test]
fn a_long_list_is_no_bomb() {
    let folder = Folder::with("x.yaml", "- {a: 1, b: two}\n".repeat(100_000));
    let output = folder.read(r#"{"path": "x.yaml"}"#).unwrap();
    assert_eq!(output.get("count"), Some(&json("100000")));
}
#[test]
fn zz() {
    let bomb = {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for depth in 1..12 {
            let aliases = vec![format!("*a{}", depth - 1); 10].join(", ");
            bomb += &format!("a{depth}: &a{depth} [{aliases}]\n");
        }
        bomb
    };
    let blocks: String = (0..200).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    for c in [
        "a:\n\tb: 1\n",
        "a: [1, 2\n",
        "a: *b\n",
        "a: .inf\n",
        "a: &a [*a]\n",
        "? [1]\n: 2\n",
        "1: 2\n~: 3\n",
        "a: !foo 1\n",
        &bomb,
        &"[".repeat(100_000),
        &blocks,
        "a: b: c",
        "a: |\n x\ny",
        "- 1\n---\n- 2\n",
        "a: 1\n...\n",
        "--- null\n",
        "'a: 1",
    ] {
        let f = Folder::with("x.yaml", c);
        println!(
            "{:?} => {}",
            &c[..c.len().min(20)],
            f.read(r#"{"path": "x.yaml"}"#).map_or_else(|e| e.to_string(), |v| v.to_json())
        );
    }
    let f = Folder::new();
    f.write(
        r#"{"path": "x.yaml", "value": {"a": [1, {"b": "yes", "c": []}], "d": "1", "e": "two\nlines\n"}}"#,
    )
    .unwrap();
    println!("{}", f.content("x.yaml"));
    panic!();
}
