use tapline_pdk::Value;

use super::{check_error, check_items, json, scope};
use crate::join;

const PEOPLE: &str = r#"[{"id": 1, "name": "Ann"}, {"id": 2, "name": "Bob"}, {"id": null, "name": "Nobody"}, {"id": 2, "name": "Bill"}]"#;
const ORDERS: &str =
    r#"[{"id": 2, "name": "pen"}, {"id": 3, "name": "cup"}, {"id": 2.0, "name": "hat"}, {"name": "gift"}]"#;

#[track_caller]
fn check(how: &str, expected: &str) {
    let config = format!(r#"{{"left": {PEOPLE}, "right": {ORDERS}, "on": "id", "how": "{how}"}}"#);
    check_items(join::run, &config, expected);
}

#[test]
fn an_inner_join_has_each_pair_in_the_order_of_the_left() {
    check(
        "inner",
        r#"[{"id": 2, "name": "Bob", "name_right": "pen"}, {"id": 2, "name": "Bob", "name_right": "hat"},
            {"id": 2, "name": "Bill", "name_right": "pen"}, {"id": 2, "name": "Bill", "name_right": "hat"}]"#,
    );
}

#[test]
fn a_row_without_a_partner_has_null_in_the_fields_of_the_other_side() {
    check(
        "left",
        r#"[{"id": 1, "name": "Ann", "name_right": null},
            {"id": 2, "name": "Bob", "name_right": "pen"}, {"id": 2, "name": "Bob", "name_right": "hat"},
            {"id": null, "name": "Nobody", "name_right": null},
            {"id": 2, "name": "Bill", "name_right": "pen"}, {"id": 2, "name": "Bill", "name_right": "hat"}]"#,
    );
    check(
        "right",
        r#"[{"id": 2, "name": "Bob", "name_right": "pen"}, {"id": 2, "name": "Bill", "name_right": "pen"},
            {"id": 3, "name": null, "name_right": "cup"},
            {"id": 2, "name": "Bob", "name_right": "hat"}, {"id": 2, "name": "Bill", "name_right": "hat"},
            {"id": null, "name": null, "name_right": "gift"}]"#,
    );
    check(
        "outer",
        r#"[{"id": 1, "name": "Ann", "name_right": null},
            {"id": 2, "name": "Bob", "name_right": "pen"}, {"id": 2, "name": "Bob", "name_right": "hat"},
            {"id": null, "name": "Nobody", "name_right": null},
            {"id": 2, "name": "Bill", "name_right": "pen"}, {"id": 2, "name": "Bill", "name_right": "hat"},
            {"id": 3, "name": null, "name_right": "cup"}, {"id": null, "name": null, "name_right": "gift"}]"#,
    );
}

#[test]
fn an_anti_join_has_the_rows_without_a_partner_as_they_are() {
    check("anti", r#"[{"id": 1, "name": "Ann"}, {"id": null, "name": "Nobody"}]"#);
}

#[test]
fn a_key_may_have_several_fields_and_other_names_on_the_right() {
    check_items(
        join::run,
        r#"{"left": [{"a": 1, "b": 2, "x": 1}, {"a": 1, "b": null, "x": 2}],
            "right": [{"c": 1, "d": 2, "b": 9}, {"c": 1, "d": null, "b": 8}],
            "left_on": ["a", "b"], "right_on": ["c", "d"], "suffix": "_2"}"#,
        r#"[{"a": 1, "b": 2, "x": 1, "b_2": 9}]"#,
    );
}

#[test]
fn a_join_with_nothing_is_empty_or_one_sided() {
    check_items(join::run, r#"{"left": [], "right": [], "on": "id", "how": "outer"}"#, "[]");
    check_items(
        join::run,
        r#"{"left": [], "right": [{"id": 1, "v": 2}], "on": "id", "how": "outer"}"#,
        r#"[{"id": 1, "v": 2}]"#,
    );
}

#[test]
fn a_join_that_cannot_be_is_refused() {
    check_error(join::run, r#"{"right": [], "on": "id"}"#, "missing field `left`");
    check_error(join::run, r#"{"left": [], "right": 1, "on": "id"}"#, "`right` is the number 1, not a list");
    check_error(
        join::run,
        r#"{"left": [], "right": []}"#,
        "give either `on`, or both `left_on` and `right_on`",
    );
    check_error(
        join::run,
        r#"{"left": [], "right": [], "left_on": ["a", "b"], "right_on": "a"}"#,
        "`left_on` names 2 fields and `right_on` 1",
    );
    check_error(join::run, r#"{"left": [], "right": [], "on": []}"#, "a key has at least one field");
    check_error(
        join::run,
        r#"{"left": [{"id": 1}], "right": [{"id": 1}, "x"], "on": "id"}"#,
        r#"`right`, row 1: the string "x" has no fields to join"#,
    );
    check_error(
        join::run,
        r#"{"left": [{"id": 1, "v": 1, "v_right": 1}], "right": [{"id": 1, "v": 1}], "on": "id"}"#,
        "two fields would be named `v_right`: choose another `suffix`",
    );
}

#[test]
fn a_join_of_many_rows_takes_time_in_proportion() {
    let rows = |field: &str| -> Value {
        let row = |id: i64| -> Value { [("id", id.into()), (field, id.into())].into_iter().collect() };
        (0..20_000).map(row).collect()
    };
    let mut config = json(r#"{"on": "id", "how": "outer"}"#);
    config.set_at("left", rows("a")).unwrap();
    config.set_at("right", rows("b")).unwrap();
    let joined = join::run(&config, &scope()).unwrap();
    assert_eq!(joined.get("count"), Some(&20_000_i64.into()));
    assert_eq!(joined.at("items.19999").unwrap().to_json(), r#"{"id":19999,"a":19999,"b":19999}"#);
}
