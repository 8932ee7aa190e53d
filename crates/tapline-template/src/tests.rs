mod bounds;
mod errors;
mod references;
mod shortcuts;
mod values;

use tapline_core::{Object, Value};

use crate::{Expression, Template, TemplateError};

fn json(text: &str) -> Value {
    Value::from_json(text).unwrap()
}

fn scope(text: &str) -> Object {
    json(text).as_object().unwrap().clone()
}

fn rows() -> Object {
    scope(
        r#"{"item": {"id": 7, "name": "Ada", "tags": ["a", "b"], "note": null, "deep": {"x": {"y": 1}}, "ok": true},
            "load": {"items": [{"n": 1}, {"n": 2}, {"n": 3}], "count": 3}, "ratio": 0.5, "big": 9007199254740993,
            "huge": 18446744073709551615}"#,
    )
}

#[track_caller]
fn check(template: &str, expected: &str) {
    assert_eq!(Template::parse(template).unwrap().render(&rows()).unwrap(), json(expected), "{template}");
}

#[track_caller]
fn check_expression(expression: &str, expected: &str) {
    let value = Expression::parse(expression).unwrap().evaluate(&rows()).unwrap();
    assert_eq!(value, json(expected), "{expression}");
}

#[track_caller]
fn error(expression: &str) -> TemplateError {
    Expression::parse(expression).and_then(|expression| expression.evaluate(&rows())).unwrap_err()
}
