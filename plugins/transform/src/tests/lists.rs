use std::sync::Arc;

use tapline_pdk::Value;

use super::{check_error, check_items, json, scope};
use crate::{chunk, explode, flatten, unique};

const ROWS: &str = r#"[{"k": 1, "n": 1}, {"k": 2, "n": 2}, {"k": 1.0, "n": 3}, {"n": 4}, {"k": null, "n": 5}, {"k": 3, "n": 6}]"#;

fn rows(options: &str) -> String {
    format!(r#"{{"items": {ROWS}{options}}}"#)
}

#[test]
fn unique_keeps_the_first_the_last_or_none_of_those_with_the_same_key() {
    check_items(
        unique::run,
        &rows(r#", "by": "k""#),
        r#"[{"k": 1, "n": 1}, {"k": 2, "n": 2}, {"n": 4}, {"k": 3, "n": 6}]"#,
    );
    check_items(
        unique::run,
        &rows(r#", "by": ["k"], "keep": "last""#),
        r#"[{"k": 2, "n": 2}, {"k": 1.0, "n": 3}, {"k": null, "n": 5}, {"k": 3, "n": 6}]"#,
    );
    check_items(
        unique::run,
        &rows(r#", "by": "k", "keep": "none""#),
        r#"[{"k": 2, "n": 2}, {"k": 3, "n": 6}]"#,
    );
}

#[test]
fn unique_takes_several_fields_an_expression_or_the_whole_row() {
    check_items(
        unique::run,
        r#"{"items": [{"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 1, "b": 1}], "by": ["a", "b"]}"#,
        r#"[{"a": 1, "b": 1}, {"a": 1, "b": 2}]"#,
    );
    check_items(unique::run, r#"{"items": [1, 2, 3, 4], "expr": "item % inputs.least"}"#, "[1, 2]");
    check_items(
        unique::run,
        r#"{"items": [1, {"a": 1, "b": 2}, "1", 1.0, {"b": 2, "a": 1}, null]}"#,
        r#"[1, {"a": 1, "b": 2}, "1", null]"#,
    );
    check_error(
        unique::run,
        r#"{"items": [], "by": "a", "expr": "item"}"#,
        "`by` and `expr` cannot both be given",
    );
    check_error(unique::run, r#"{"items": [1], "by": "a"}"#, "row 0: the number 1 has no field `a`");
}

#[test]
fn flatten_replaces_lists_by_their_elements_as_deep_as_it_is_told() {
    let check = |depth: &str, expected: &str| {
        check_items(
            flatten::run,
            &format!(r#"{{"items": [1, [2, [3, [4]]], [], [null], {{"a": [5]}}]{depth}}}"#),
            expected,
        );
    };
    check("", r#"[1, 2, [3, [4]], null, {"a": [5]}]"#);
    check(r#", "depth": 0"#, r#"[1, [2, [3, [4]]], [], [null], {"a": [5]}]"#);
    check(r#", "depth": 2"#, r#"[1, 2, 3, [4], null, {"a": [5]}]"#);
    check(r#", "depth": 128"#, r#"[1, 2, 3, 4, null, {"a": [5]}]"#);
    check_error(flatten::run, r#"{"items": [], "depth": 200}"#, "`depth` is 200, and may be 128");
}

#[test]
fn explode_has_a_row_for_each_element() {
    let items =
        r#"[{"id": 1, "tags": ["a", null]}, {"id": 2, "tags": []}, {"id": 3, "tags": null}, {"id": 4}]"#;
    check_items(
        explode::run,
        &format!(r#"{{"items": {items}, "field": "tags"}}"#),
        r#"[{"id": 1, "tags": "a"}, {"id": 1, "tags": null}, {"id": 2, "tags": null}, {"id": 3, "tags": null},
            {"id": 4, "tags": null}]"#,
    );
    check_items(
        explode::run,
        &format!(r#"{{"items": {items}, "field": "tags", "keep_empty": false}}"#),
        r#"[{"id": 1, "tags": "a"}, {"id": 1, "tags": null}]"#,
    );
    check_error(
        explode::run,
        r#"{"items": [{"tags": []}, {"tags": "a,b"}], "field": "tags"}"#,
        r#"row 1: `tags` is the string "a,b", not a list"#,
    );
    check_error(
        explode::run,
        r#"{"items": [1], "field": "tags"}"#,
        "row 0: the number 1 has no field `tags`",
    );
}

#[test]
fn chunk_makes_lists_of_the_same_length() {
    check_items(chunk::run, r#"{"items": [1, 2, 3, 4, 5], "size": 2}"#, "[[1, 2], [3, 4], [5]]");
    check_items(chunk::run, r#"{"items": [], "size": 2}"#, "[]");
    check_error(chunk::run, r#"{"items": [], "size": 0}"#, "`size` is 0, and a chunk has at least one row");
}

#[test]
fn what_is_put_together_anew_shares_what_is_in_it() {
    let config = json(r#"{"items": [{"a": [{"b": 1}]}, {"a": [{"b": 2}]}], "size": 1, "depth": 1}"#);
    let row = config.at("items.0").unwrap();
    let shares = |one: &Value, other: &Value| match (one, other) {
        (Value::Object(one), Value::Object(other)) => Arc::ptr_eq(one, other),
        _ => false,
    };
    let mut alone = json(r#"{"size": 1}"#);
    alone.set_at("items", config.at("items").unwrap().clone()).unwrap();
    let chunks = chunk::run(&alone, &scope()).unwrap();
    assert!(shares(chunks.at("items.0.0").unwrap(), row));
    let mut nested = json("{}");
    nested.set_at("items", chunks.at("items").unwrap().clone()).unwrap();
    assert!(shares(flatten::run(&nested, &scope()).unwrap().at("items.0").unwrap(), row));
    let mut alone = json(r#"{"field": "a"}"#);
    alone.set_at("items", config.at("items").unwrap().clone()).unwrap();
    let exploded = explode::run(&alone, &scope()).unwrap();
    assert!(shares(exploded.at("items.0.a").unwrap(), row.at("a.0").unwrap()));
}
