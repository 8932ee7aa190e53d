use std::cmp::Ordering;

use super::{check_error, check_items, json};
use crate::{compare, sort};

#[test]
fn values_of_all_types_are_ordered_as_in_jq() {
    let ascending = [
        "null",
        "false",
        "true",
        "-1e300",
        "-9223372036854775808",
        "-1.5",
        "-1",
        "0",
        "0.5",
        "1",
        "9007199254740992",
        "9007199254740993",
        "18446744073709551615",
        "1e300",
        "\"\"",
        "\"B\"",
        "\"a\"",
        "\"ab\"",
        "\"\u{e9}\"",
        "\"\u{1f600}\"",
        "[]",
        "[null]",
        "[1]",
        "[1,0]",
        "[2]",
        "{}",
        "{\"a\":2}",
        "{\"a\":1,\"b\":0}",
        "{\"b\":0,\"a\":2}",
        "{\"b\":1}",
    ];
    for (one, left) in ascending.iter().enumerate() {
        for (other, right) in ascending.iter().enumerate() {
            assert_eq!(compare(&json(left), &json(right)), one.cmp(&other), "{left} and {right}");
        }
    }
    for (one, other) in [("1", "1.0"), ("0", "-0.0"), ("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1.0}")] {
        assert_eq!(compare(&json(one), &json(other)), Ordering::Equal, "{one} and {other}");
    }
}

#[test]
fn rows_are_sorted_by_a_field() {
    check_items(
        sort::run,
        r#"{"items": [{"n": 3}, {"n": "x"}, {}, {"n": 1}, null], "by": "n"}"#,
        r#"[{}, null, {"n": 1}, {"n": 3}, {"n": "x"}]"#,
    );
    check_items(sort::run, r#"{"items": [3, 1, 2], "by": {"expr": "0 - item"}}"#, "[3, 2, 1]");
}

#[test]
fn equal_rows_keep_their_order_in_both_directions() {
    let items = r#"[{"k": 1, "id": "a"}, {"k": 2, "id": "b"}, {"k": 1, "id": "c"}, {"k": 2, "id": "d"}]"#;
    for (options, expected) in [
        (r#""by": "k""#, "a c b d"),
        (r#""by": "k", "descending": true"#, "b d a c"),
        (r#""by": [{"field": "k", "descending": true}, {"field": "id", "descending": true}]"#, "d b c a"),
        (r#""by": ["k", {"expr": "item.id", "descending": true}]"#, "c a d b"),
        (r#""by": [{"field": "k", "descending": true}, "id"], "descending": true"#, "c a d b"),
        (r#""by": []"#, "a b c d"),
    ] {
        let sorted =
            sort::run(&json(&format!(r#"{{"items": {items}, {options}}}"#)), &super::scope()).unwrap();
        let ids = sorted.get("items").unwrap().as_array().unwrap().iter();
        let ids: Vec<_> = ids.map(|row| row.get("id").unwrap().as_str().unwrap()).collect();
        assert_eq!(ids.join(" "), expected, "{options}");
    }
}

#[test]
fn a_key_that_does_not_fit_is_refused() {
    check_error(sort::run, r#"{"items": [1], "by": "a"}"#, "row 0: the number 1 has no field `a`");
    check_error(
        sort::run,
        r#"{"items": [], "by": {"field": "a", "up": true}}"#,
        "`by` must be a field name, a key, or a list of them",
    );
    check_error(
        sort::run,
        r#"{"items": [], "by": {"expr": "1 +"}}"#,
        "`by.expr`: unexpected end of input, expected expression",
    );
}
