use super::*;

fn value(json: &str) -> Value {
    Value::from_json(json).unwrap()
}

#[test]
fn json_keeps_the_order_of_keys_and_the_kind_of_numbers() {
    let text = r#"{"b":1,"a":1.0,"c":[null,true,"x",18446744073709551615]}"#;
    assert_eq!(value(text).to_json(), text);
}

#[test]
fn a_clone_shares_what_it_holds() {
    let original = value("[1,2,3]");
    let (Value::Array(left), Value::Array(right)) = (&original, &original.clone()) else { panic!("arrays") };
    assert!(Arc::ptr_eq(left, right));
}

#[test]
fn setting_a_path_leaves_other_holders_of_the_value_alone() {
    let before = value(r#"{"user":{"name":"ada","tags":["x"]}}"#);
    let mut after = before.clone();
    after.set_at("user.tags.0", "y".into()).unwrap();
    after.set_at("new.deep", 1i64.into()).unwrap();
    assert_eq!(before, value(r#"{"user":{"name":"ada","tags":["x"]}}"#));
    assert_eq!(after, value(r#"{"user":{"name":"ada","tags":["y"]},"new":{"deep":1}}"#));
}

#[test]
fn a_path_through_text_or_past_an_array_is_refused_by_name() {
    let mut subject = value(r#"{"name":"ada","tags":[]}"#);
    assert_eq!(
        subject.set_at("name.first", Value::Null).unwrap_err().to_string(),
        "`name.first` goes into a string at `first`"
    );
    assert_eq!(
        subject.set_at("tags.0", Value::Null).unwrap_err().to_string(),
        "`tags.0` goes past the end of an array at `0`"
    );
}

#[test]
fn a_float_that_json_cannot_write_becomes_null() {
    assert_eq!(Value::from(f64::NAN), Value::Null);
}
