use super::{check, check_error, check_items};
use crate::reduce;

const ORDERS: &str = r#"[{"who": "b", "sum": 2}, {"who": "a", "sum": 1}, {"who": "b", "sum": null}, {"sum": 5.5},
                         {"who": null, "sum": 1}, {"who": "b", "sum": 4}]"#;

fn with(options: &str) -> String {
    format!(r#"{{"items": {ORDERS}, {options}}}"#)
}

#[test]
fn groups_come_in_the_order_of_first_appearance() {
    check(
        reduce::run,
        &with(r#""group_by": "who", "count": true"#),
        r#"{"items": [{"who": "b", "count": 3}, {"who": "a", "count": 1}, {"who": null, "count": 2}], "count": 3}"#,
    );
    check_items(reduce::run, &with(r#""group_by": "who""#), r#"[{"who": "b"}, {"who": "a"}, {"who": null}]"#);
    check_items(reduce::run, r#"{"items": [], "group_by": "a", "count": true}"#, "[]");
}

#[test]
fn a_missing_key_is_null_and_equal_numbers_are_one_key() {
    check_items(
        reduce::run,
        r#"{"items": [{"k": 1}, {"k": 1.0}, {"k": true}, {"k": "1"}, {"k": 0}, {"k": -0.0}, {}, null, {"k": null}],
            "group_by": "k", "count": true}"#,
        r#"[{"k": 1, "count": 2}, {"k": true, "count": 1}, {"k": "1", "count": 1}, {"k": 0, "count": 2},
            {"k": null, "count": 3}]"#,
    );
    check_items(
        reduce::run,
        r#"{"items": [{"k": {"a": 1, "b": [2]}}, {"k": {"b": [2.0], "a": 1}}, {"k": [1]}, {"k": []}],
            "group_by": "k", "count": true}"#,
        r#"[{"k": {"a": 1, "b": [2]}, "count": 2}, {"k": [1], "count": 1}, {"k": [], "count": 1}]"#,
    );
    check_items(
        reduce::run,
        r#"{"items": [{"k": 9007199254740993}, {"k": 9007199254740992}, {"k": 9007199254740992.0}],
            "group_by": "k", "count": true}"#,
        r#"[{"k": 9007199254740993, "count": 1}, {"k": 9007199254740992, "count": 2}]"#,
    );
}

#[test]
fn several_keys_make_one_group_each_combination() {
    let items = r#"[{"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 1, "b": 1}, {"b": 1}]"#;
    check_items(
        reduce::run,
        &format!(r#"{{"items": {items}, "group_by": ["a", "b"], "count": true}}"#),
        r#"[{"a": 1, "b": 1, "count": 2}, {"a": 1, "b": 2, "count": 1}, {"a": null, "b": 1, "count": 1}]"#,
    );
    check_items(
        reduce::run,
        &format!(
            r#"{{"items": {items}, "group_by": {{"total": "(item.a | default(0)) + item.b"}}, "count": true}}"#
        ),
        r#"[{"total": 2, "count": 2}, {"total": 3, "count": 1}, {"total": 1, "count": 1}]"#,
    );
}

#[test]
fn aggregates_are_computed_over_each_group() {
    check_items(
        reduce::run,
        &with(
            r#""group_by": "who", "aggregates": {"total": {"sum": "item.sum"}, "least": {"min": "item.sum"},
               "most": {"max": "item.sum"}, "average": {"mean": "item.sum"}, "one": {"first": "item.sum"},
               "end": {"last": "item.sum"}, "all": {"collect": "item.sum"}}"#,
        ),
        r#"[{"who": "b", "total": 6, "least": 2, "most": 4, "average": 3.0, "one": 2, "end": 4, "all": [2, null, 4]},
            {"who": "a", "total": 1, "least": 1, "most": 1, "average": 1.0, "one": 1, "end": 1, "all": [1]},
            {"who": null, "total": 6.5, "least": 1, "most": 5.5, "average": 3.25, "one": 5.5, "end": 1, "all": [5.5, 1]}]"#,
    );
}

#[test]
fn aggregates_without_a_group_are_over_all_rows() {
    check(
        reduce::run,
        &with(r#""count": true, "aggregates": {"total": {"sum": "item.sum"}}"#),
        r#"{"value": {"count": 6, "total": 13.5}}"#,
    );
    check(
        reduce::run,
        r#"{"items": [], "count": true, "aggregates": {"total": {"sum": "item"}, "all": {"collect": "item"}}}"#,
        r#"{"value": {"count": 0, "total": null, "all": []}}"#,
    );
}

#[test]
fn a_sum_of_integers_is_exact() {
    let sum = |items: &str, expected: &str| {
        check(
            reduce::run,
            &format!(r#"{{"items": {items}, "aggregates": {{"s": {{"sum": "item"}}}}}}"#),
            &format!(r#"{{"value": {{"s": {expected}}}}}"#),
        );
    };
    sum("[9007199254740993, 2]", "9007199254740995");
    sum("[9223372036854775807, 1]", "9223372036854775808");
    sum("[18446744073709551615, -1]", "18446744073709551614");
    sum("[1, 0.5]", "1.5");
    sum("[0.5, 0.5]", "1.0");
    check_error(
        reduce::run,
        r#"{"items": [18446744073709551615, 1], "aggregates": {"s": {"sum": "item"}}}"#,
        "`s`: the sum does not fit 64 bits",
    );
    check_error(
        reduce::run,
        r#"{"items": [1e308, 1e308], "aggregates": {"s": {"sum": "item"}}}"#,
        "`s`: the sum is not finite",
    );
}

#[test]
fn what_cannot_be_added_is_an_error_of_its_row() {
    check_error(
        reduce::run,
        r#"{"items": [{"v": 1}, {"v": "2"}], "aggregates": {"s": {"sum": "item.v"}}}"#,
        r#"row 1: `s`: the string "2" is not a number"#,
    );
    check_error(
        reduce::run,
        r#"{"items": [true], "aggregates": {"s": {"mean": "item"}}}"#,
        "row 0: `s`: the boolean true is not a number",
    );
    check_error(reduce::run, r#"{"items": [1], "group_by": "a"}"#, "row 0: the number 1 has no field `a`");
}

#[test]
fn a_fold_hands_its_value_from_row_to_row() {
    check(reduce::run, r#"{"items": [1, 2, 3], "initial": 10, "expr": "acc + item"}"#, r#"{"value": 16}"#);
    check(reduce::run, r#"{"items": [1, 2], "initial": [], "expr": "[item] + acc"}"#, r#"{"value": [2, 1]}"#);
    check(
        reduce::run,
        r#"{"items": [3, 9, 4], "expr": "item if acc is none or item > acc else acc"}"#,
        r#"{"value": 9}"#,
    );
    check(reduce::run, r#"{"items": [], "initial": {"a": 1}, "expr": "acc"}"#, r#"{"value": {"a": 1}}"#);
    check_error(
        reduce::run,
        r#"{"items": [1, "x"], "initial": 0, "expr": "acc - item"}"#,
        "row 1: tried to use - operator on unsupported types number and string",
    );
}

#[test]
fn ways_to_reduce_that_exclude_each_other_are_refused() {
    check_error(
        reduce::run,
        r#"{"items": []}"#,
        "nothing to compute: give `group_by`, `count`, `aggregates` or `expr`",
    );
    check_error(
        reduce::run,
        r#"{"items": [], "expr": "acc", "group_by": "a"}"#,
        "`expr` folds all rows, so it cannot stand beside `group_by`, `count` or `aggregates`",
    );
    check_error(reduce::run, r#"{"items": [], "initial": 1, "count": true}"#, "`initial` needs `expr`");
    check_error(
        reduce::run,
        r#"{"items": [], "group_by": "count", "count": true}"#,
        "two results would be named `count`",
    );
    check_error(
        reduce::run,
        r#"{"items": [], "group_by": "a", "aggregates": {"a": {"sum": "item"}}}"#,
        "two results would be named `a`",
    );
    check_error(
        reduce::run,
        r#"{"items": [], "group_by": 1}"#,
        "`group_by` must be a field name, a list of them, or an object of names and expressions",
    );
}
