use std::sync::Arc;

use tapline_pdk::Value;

use super::{check, check_error, check_items, json, scope};
use crate::{OpError, filter, limit, map, select, template, transform};

#[test]
fn map_yields_the_value_of_the_expression_for_each_row() {
    check(
        map::run,
        r#"{"items": [{"a": 1}, {}, null], "expr": "item.a"}"#,
        r#"{"items": [1, null, null], "count": 3}"#,
    );
    check_items(
        map::run,
        r#"{"items": [1, 2], "expr": "{'x': item * inputs.least}"}"#,
        r#"[{"x": 2}, {"x": 4}]"#,
    );
    check_items(map::run, r#"{"items": [], "expr": "item.a"}"#, "[]");
}

#[test]
fn filter_keeps_the_rows_for_which_the_condition_is_true() {
    check_items(
        filter::run,
        r#"{"items": [{"n": 1}, {"n": 2}, {"n": null}, {}, {"n": 3}], "where": "item.n >= inputs.least"}"#,
        r#"[{"n": 2}, {"n": 3}]"#,
    );
    check_items(
        filter::run,
        r#"{"items": [0, 1, "", "x", null, [], [0]], "where": "item"}"#,
        r#"[1, "x", [0]]"#,
    );
    check_items(
        filter::run,
        r#"{"items": [{"a": null}, {}, {"a": 0}], "where": "item.a == none"}"#,
        r#"[{"a": null}, {}]"#,
    );
}

#[test]
fn transform_sets_then_renames_then_drops() {
    check_items(
        transform::run,
        r#"{"items": [{"a": 1, "b": 2, "c": 3}, {"c": 4}],
            "set": {"d": "item.c + 1", "c": "item.a"}, "rename": {"a": "x", "none": "y"}, "drop": ["b", "gone"]}"#,
        r#"[{"x": 1, "c": 1, "d": 4}, {"c": null, "d": 5}]"#,
    );
}

#[test]
fn transform_computes_each_field_from_the_row_as_it_came() {
    check_items(
        transform::run,
        r#"{"items": [{"a": 1, "b": 2}], "set": {"a": "item.b", "b": "item.a"}}"#,
        r#"[{"a": 2, "b": 1}]"#,
    );
    check_items(
        transform::run,
        r#"{"items": [{"a": 1, "b": 2}], "rename": {"a": "b", "b": "a"}}"#,
        r#"[{"b": 1, "a": 2}]"#,
    );
}

#[test]
fn transform_changes_a_single_value() {
    check(
        transform::run,
        r#"{"value": {"a": 1}, "set": {"b": "item.a + 1"}}"#,
        r#"{"value": {"a": 1, "b": 2}}"#,
    );
    check_error(transform::run, r#"{"value": 1, "drop": ["a"]}"#, "the number 1 has no fields to change");
    check_error(transform::run, r#"{"value": {}, "items": []}"#, "`items` and `value` cannot both be given");
    check_error(transform::run, r#"{"drop": []}"#, "missing field `items`");
}

#[test]
fn select_makes_rows_of_exactly_the_named_fields() {
    check_items(
        select::run,
        r#"{"items": [{"a": 1, "b": 2}, {"b": 3}, null], "fields": ["b", "a"]}"#,
        r#"[{"b": 2, "a": 1}, {"b": 3, "a": null}, {"b": null, "a": null}]"#,
    );
    check_items(
        select::run,
        r#"{"items": [{"a": 1, "b": 2}], "fields": {"sum": "item.a + item.b"}}"#,
        r#"[{"sum": 3}]"#,
    );
}

#[test]
fn template_makes_a_text_of_each_row_or_one_text() {
    check_items(
        template::run,
        r#"{"items": [{"a": "x", "b": [1]}, {"a": null}], "text": "{{ item.a }}{% if item.b %}: {{ item.b }}{% endif %}"}"#,
        r#"["x: [1]", "null"]"#,
    );
    check_items(template::run, r#"{"items": [1], "text": "{{ item }}"}"#, r#"["1"]"#);
    check_items(
        template::run,
        r#"{"items": [{"a": 1}], "text": "{{ item.a + inputs.least }}", "as": "t"}"#,
        r#"[{"a": 1, "t": "3"}]"#,
    );
    check(template::run, r#"{"text": "{{ inputs.least }} of them"}"#, r#"{"text": "2 of them"}"#);
    check_error(template::run, r#"{"text": "", "as": "t"}"#, "`as` needs `items`");
    check_error(
        template::run,
        r#"{"items": [1], "text": "", "as": "t"}"#,
        "row 0: the number 1 has no fields to set",
    );
    check_error(template::run, r#"{"items": [1, {}], "text": "{{ nope }}"}"#, "row 0: `nope` is undefined");
    check_error(template::run, r#"{"text": "{{"}"#, "`text`: unexpected end of input, expected expression");
}

#[test]
fn limit_takes_a_run_of_rows() {
    check_items(limit::run, r#"{"items": [1, 2, 3, 4], "max": 2}"#, "[1, 2]");
    check_items(limit::run, r#"{"items": [1, 2, 3, 4], "max": 2, "skip": 3}"#, "[4]");
    check_items(limit::run, r#"{"items": [1, 2], "max": 0, "skip": 9}"#, "[]");
}

#[test]
fn rows_that_are_not_changed_are_shared() {
    let items = json(r#"[{"a": 1}, {"a": 2}]"#);
    for (run, options) in [
        (filter::run as super::Run, r#"{"where": "true"}"#),
        (limit::run, r#"{"max": 5}"#),
        (map::run, r#"{"expr": "item"}"#),
        (crate::sort::run, r#"{"by": "a"}"#),
    ] {
        let mut config = json(options);
        config.set_at("items", items.clone()).unwrap();
        let output = run(&config, &scope()).unwrap();
        for (row, given) in
            output.get("items").unwrap().as_array().unwrap().iter().zip(items.as_array().unwrap())
        {
            let (Value::Object(row), Value::Object(given)) = (row, given) else { panic!("rows are objects") };
            assert!(Arc::ptr_eq(row, given), "{options}");
        }
    }
}

#[test]
fn an_error_names_the_row_and_what_is_wrong_with_it() {
    check_error(
        map::run,
        r#"{"items": [{"a": 1}, {"a": "x"}], "expr": "item.a - 1"}"#,
        "row 1: tried to use - operator on unsupported types string and number",
    );
    check_error(map::run, r#"{"items": [1], "expr": "item.a"}"#, "row 0: a number has no field `a`");
    check_error(filter::run, r#"{"items": [{}], "where": "nope"}"#, "row 0: `nope` is undefined");
    check_error(
        transform::run,
        r#"{"items": [{}, "x"], "drop": ["a"]}"#,
        r#"row 1: the string "x" has no fields to change"#,
    );
    check_error(
        transform::run,
        r#"{"items": [{}], "set": {"a": "nope.b"}}"#,
        "row 0: `a`: `nope` is undefined",
    );
    check_error(select::run, r#"{"items": [[1]], "fields": ["a"]}"#, "row 0: a list has no field `a`");
}

#[test]
fn an_expression_that_cannot_be_parsed_is_named_by_its_path_and_place() {
    let error = transform::run(&json(r#"{"items": [], "set": {"a": "1 +"}}"#), &scope()).unwrap_err();
    assert_eq!(error.to_string(), "`set.a`: unexpected end of input, expected expression");
    assert_eq!(error.position().unwrap().column, 3);
    assert!(matches!(error, OpError::Expression { field, .. } if field == "set.a"));
}

#[test]
fn a_configuration_that_does_not_fit_is_refused() {
    check_error(map::run, "[]", "the configuration is a list, not an object");
    check_error(map::run, r#"{"expr": "1"}"#, "missing field `items`");
    check_error(map::run, r#"{"items": {"items": []}, "expr": "1"}"#, "`items` is an object, not a list");
    check_error(map::run, r#"{"items": null, "expr": "1"}"#, "`items` is null, not a list");
    check_error(map::run, r#"{"items": []}"#, "missing field `expr`");
    check_error(
        map::run,
        r#"{"items": [], "expr": "1", "extra": 1}"#,
        "unknown field `extra`, expected `expr`",
    );
    check_error(
        select::run,
        r#"{"items": [], "fields": "a"}"#,
        "`fields` must be a list of names, or an object of names and expressions",
    );
}
