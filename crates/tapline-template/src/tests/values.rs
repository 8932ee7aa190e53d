use std::sync::Arc;

use tapline_core::{Object, Value};

use super::{check, check_expression, error, json, rows, scope};
use crate::{Expression, Template};

#[test]
fn a_lone_expression_keeps_its_type() {
    check("{{ item.id }}", "7");
    check("  {{ item.id }}\n", "7");
    check("{{ item.ok }}", "true");
    check("{{ ratio }}", "0.5");
    check("{{ item.note }}", "null");
    check("{{ item.tags }}", r#"["a","b"]"#);
    check("{{ item.id }}{# a comment #}", "7");
    check("{{ [item.id, {'a': ratio}] }}", r#"[7,{"a":0.5}]"#);
}

#[test]
fn anything_else_is_text() {
    check("{{ item.id }}!", r#""7!""#);
    check("{{ item.id }}{{ item.id }}", r#""77""#);
    check("plain", r#""plain""#);
    check("a { brace }\n", r#""a { brace }\n""#);
    check("{% for t in item.tags %}{{ t }},{% endfor %}\n", r#""a,b,\n""#);
}

#[test]
fn a_value_in_a_text_is_written_as_json() {
    check("{{ item.ok }} {{ item.note }} {{ item.tags }} {{ ratio }}", r#""true null [\"a\",\"b\"] 0.5""#);
    check("{{ '' ~ item.ok ~ item.note ~ item.deep }}", r#""truenull{\"x\":{\"y\":1}}""#);
    check("{{ item.ok | string }}", r#""true""#);
    check("<{{ 'a' if item.note }}>", r#""<>""#);
}

#[test]
fn a_text_is_not_escaped() {
    let scope = scope(r#"{"html": "<b>&'\"</b>"}"#);
    let rendered = Template::parse("x{{ html }}{{ html | tojson }}").unwrap().render(&scope).unwrap();
    assert_eq!(rendered, Value::from(r#"x<b>&'"</b>"<b>&'\"</b>""#));
}

#[test]
fn what_comes_in_leaves_as_the_same_allocation() {
    let scope = rows();
    for source in ["{{ load }}", "{{ load.items }}", "{{ load['items'] }}", "{{ load.items[1] }}"] {
        let path =
            source.trim_matches(['{', '}', ' ']).replace("['", ".").replace("']", "").replace("[1]", ".1");
        let rendered = Template::parse(source).unwrap().render(&scope).unwrap();
        let given = Value::from(scope.clone()).at(&path).unwrap().clone();
        match (&rendered, &given) {
            (Value::Array(one), Value::Array(other)) => assert!(Arc::ptr_eq(one, other), "{source}"),
            (Value::Object(one), Value::Object(other)) => assert!(Arc::ptr_eq(one, other), "{source}"),
            _ => panic!("{source} is {rendered}"),
        }
    }
}

#[test]
fn the_elements_of_a_new_list_are_shared() {
    let scope = rows();
    let sliced = Template::parse("{{ load.items[1:] }}").unwrap().render(&scope).unwrap();
    let (Value::Object(one), Value::Object(other)) =
        (&sliced.as_array().unwrap()[0], &scope["load"].at("items.1").unwrap())
    else {
        panic!("rows are objects")
    };
    assert!(Arc::ptr_eq(one, other));
    let (Value::String(one), Value::String(other)) =
        (Expression::parse("long").unwrap().evaluate(&long_text()).unwrap(), long_text()["long"].clone())
    else {
        panic!("texts are strings")
    };
    assert_eq!(one, other);
}

fn long_text() -> Object {
    scope(&format!(r#"{{"long": "{}"}}"#, "long ".repeat(100)))
}

#[test]
fn a_missing_field_is_null_at_any_depth() {
    check("{{ item.missing }}", "null");
    check("{{ item.missing.deeper.still }}", "null");
    check("{{ item.note.deeper }}", "null");
    check("{{ item['missing']['deeper'] }}", "null");
    check("{{ item.tags[9] }}", "null");
    check("{{ item.tags[-1] }}", r#""b""#);
    check("{{ none.x }}", "null");
    check_expression("item.missing == none and item.a.b == none and item.a.b is none", "true");
    check_expression("item.missing is defined", "false");
    check_expression("item.missing | default('x')", r#""x""#);
    check_expression("item.note | default('x')", r#""x""#);
    check_expression("load.items | map(attribute='no.such') | list", "[null,null,null]");
    check_expression("'missing' in item or not 'id' in item", "false");
}

#[test]
fn integers_stay_exact_and_floats_stay_floats() {
    check("{{ big }}", "9007199254740993");
    check("{{ big + 1 }}", "9007199254740994");
    check("{{ huge }}", "18446744073709551615");
    check("{{ huge - 1 }}", "18446744073709551614");
    check("{{ huge }} and {{ huge * 2 }}", r#""18446744073709551615 and 36893488147419103230""#);
    check("{{ 1 + 1 }}", "2");
    check("{{ 1 + 1.0 }}", "2.0");
    check("{{ 4 / 2 }}", "2.0");
    check("{{ 7 // 2 }}", "3");
    check_expression("1 == 1.0 and big != 9007199254740992", "true");
    assert_eq!(error("huge * 2").to_string(), "the integer 36893488147419103230 does not fit 64 bits");
    assert_eq!(error("1e300 * 1e300").to_string(), "the result is not a finite number");
}

#[test]
fn truth_is_that_of_python() {
    for (expression, expected) in [
        ("item.note", false),
        ("0", false),
        ("''", false),
        ("[]", false),
        ("{}", false),
        ("item.missing.x", false),
        ("item", true),
        ("'false'", true),
        ("item.tags | length == 2", true),
    ] {
        assert_eq!(
            Expression::parse(expression).unwrap().is_true(&rows()).unwrap(),
            expected,
            "{expression}"
        );
    }
}

#[test]
fn values_of_different_types_compare_without_an_error() {
    check_expression("none < false and 1 < 'a' and 'a' < [] and [] < {}", "true");
    check_expression("item.note > 5 or item.name < 5", "false");
}

#[test]
fn json_can_be_written_on_one_line_or_several() {
    check_expression("item.deep | tojson", r#""{\"x\":{\"y\":1}}""#);
    check_expression("[1] | tojson(indent=2)", r#""[\n  1\n]""#);
    check_expression("[1] | tojson(1)", r#""[\n 1\n]""#);
}

#[test]
fn statements_work_on_rows() {
    check(
        "{% for row in load.items if row.n > 1 %}{{ loop.index }}:{{ row.n }} {% endfor %}",
        r#""1:2 2:3 ""#,
    );
    check("{% set total = load.count * 2 %}{% if total == 6 %}six{% else %}?{% endif %}", r#""six""#);
    check("{% for key, value in item.deep | items %}{{ key }}={{ value }}{% endfor %}", r#""x={\"y\":1}""#);
    check("{% with a = 1 %}{{ a }}{% endwith %}{% filter upper %}b{% endfilter %}", r#""1B""#);
    check("{% set x %}in{{ ratio }}{% endset %}{{ x }}", r#""in0.5""#);
}

#[test]
fn rows_that_were_parsed_apart_are_equal() {
    let mut scope = rows();
    scope.insert("again".into(), json(r#"{"y": 1}"#));
    let equal = Expression::parse("item.deep.x == again and again in [item.deep.x]").unwrap();
    assert!(equal.is_true(&scope).unwrap());
}
