//! What a node handler is asked.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use tapline_core::Value;
use tapline_roles::NodeRequest;

fn value(json: &str) -> Value {
    Value::from_json(json).unwrap()
}

#[test]
fn what_a_node_is_given_is_shared_with_it_and_not_copied() {
    let request = value(r#"{"with":{"items":[1,2]},"scope":{"inputs":{}}}"#);
    let shared = NodeRequest::shared(&request).unwrap();
    let (Some(Value::Object(given)), Value::Object(with)) = (request.get("with"), &shared.with) else {
        panic!("objects")
    };
    assert!(Arc::ptr_eq(given, with));
    assert_eq!(shared.scope.get("inputs"), Some(&value("{}")));
}

#[test]
fn a_request_without_a_scope_has_an_empty_one() {
    assert!(NodeRequest::shared(&value(r#"{"with":{}}"#)).unwrap().scope.is_empty());
}

#[test]
fn what_has_another_shape_is_left_to_whoever_can_tell_what_is_wrong_with_it() {
    for other in ["null", "{}", r#"{"with":{},"scope":[]}"#] {
        assert!(NodeRequest::shared(&value(other)).is_none(), "{other}");
    }
}
