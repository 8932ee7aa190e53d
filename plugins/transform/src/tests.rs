mod groups;
mod joins;
mod jq;
mod lists;
mod orders;
mod rows;
mod schemas;

use tapline_pdk::{Object, Value};

use crate::OpError;

/// What an operation does with a configuration and the variables beside `item`.
type Run = fn(&Value, &Object) -> Result<Value, OpError>;

fn json(text: &str) -> Value {
    Value::from_json(text).unwrap()
}

fn scope() -> Object {
    [("inputs".into(), json(r#"{"least": 2}"#))].into_iter().collect()
}

#[track_caller]
fn check(run: Run, config: &str, expected: &str) {
    assert_eq!(run(&json(config), &scope()).unwrap().to_json(), json(expected).to_json(), "{config}");
}

/// Checks the `items` of the output, and that `count` counts them.
#[track_caller]
fn check_items(run: Run, config: &str, expected: &str) {
    let (output, expected) = (run(&json(config), &scope()).unwrap(), json(expected));
    assert_eq!(output.get("items").unwrap().to_json(), expected.to_json(), "{config}");
    assert_eq!(output.get("count"), Some(&expected.as_array().unwrap().len().into()));
}

#[track_caller]
fn check_error(run: Run, config: &str, expected: &str) {
    assert_eq!(run(&json(config), &scope()).unwrap_err().to_string(), expected, "{config}");
}
