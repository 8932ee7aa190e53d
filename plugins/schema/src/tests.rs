use tapline_pdk::Value;

use crate::config::Config;
use crate::document::used_schemas;
use crate::schema::Schema;

fn json(text: &str) -> Value {
    Value::from_json(text).unwrap()
}

#[track_caller]
fn check(schema: &str, value: &str, expected: &[(&str, &str)]) {
    let found = Schema::new(&json(schema)).unwrap().findings(&json(value));
    let found: Vec<_> = found.iter().map(|it| (&*it.path, it.rule.as_deref().unwrap())).collect();
    assert_eq!(found, expected, "{schema} {value}");
}

#[track_caller]
fn check_refused(schema: &str, path: &str, message: &str) {
    let refused = Schema::new(&json(schema)).unwrap_err();
    assert_eq!((&*refused.path, &*refused.message), (path, message), "{schema}");
}

#[test]
fn a_finding_has_path_message_and_rule() {
    let schema = json(r#"{"properties": {"a/b": {"items": {"enum": ["x", "y"]}}}}"#);
    let found = Schema::new(&schema).unwrap().findings(&json(r#"{"a/b": ["x", "z"]}"#));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, "/a~1b/1");
    assert_eq!(found[0].message, r#""z" is not one of "x" or "y""#);
    assert_eq!(found[0].rule.as_deref(), Some("enum"));
}

#[test]
fn all_findings_are_told_and_each_has_its_rule() {
    let schema = r#"{"type": "object", "required": ["a"], "additionalProperties": false,
                     "properties": {"a": {"type": "integer"}, "b": {"minLength": 2}}}"#;
    check(schema, r#"{"a": 1, "b": "bb"}"#, &[]);
    check(
        schema,
        r#"{"b": "b", "c": 1}"#,
        &[("/b", "minLength"), ("", "additionalProperties"), ("", "required")],
    );
    check(schema, "[]", &[("", "type")]);
}

#[test]
fn a_schema_may_be_true_or_false() {
    check("true", "1", &[]);
    check("false", "1", &[("", "falseSchema")]);
}

#[test]
fn references_within_the_schema_are_followed() {
    let schema = r##"{"$defs": {"id": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/id"}}}"##;
    check(schema, r#"{"a": 1}"#, &[("/a", "type")]);
    let named = r#"{"$defs": {"id": {"$id": "https://example.com/id", "type": "string"}},
                    "properties": {"a": {"$ref": "https://example.com/id"}}}"#;
    check(named, r#"{"a": 1}"#, &[("/a", "type")]);
}

#[test]
fn a_schema_that_refers_to_itself_ends_where_the_data_does() {
    let tree = r##"{"type": "object", "properties": {"next": {"$ref": "#"}}}"##;
    check(tree, r#"{"next": {"next": {"next": 1}}}"#, &[("/next/next/next", "type")]);
    let deep = format!("{}1{}", r#"{"next": "#.repeat(120), "}".repeat(120));
    check(tree, &deep, &[(&"/next".repeat(120), "type")]);
}

#[test]
fn a_schema_that_is_nothing_but_itself_ends() {
    for schema in [
        r##"{"$ref": "#"}"##,
        r##"{"allOf": [{"$ref": "#"}]}"##,
        r##"{"anyOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"not": {"$ref": "#"}}}}"##,
        r##"{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}"##,
        r##"{"if": {"$ref": "#"}, "then": {"$ref": "#"}, "else": {"oneOf": [{"$ref": "#"}]}}"##,
        r##"{"$dynamicAnchor": "x", "allOf": [{"$dynamicRef": "#x"}]}"##,
    ] {
        if let Ok(schema) = Schema::new(&json(schema)) {
            schema.findings(&json(r#"{"a": [1]}"#));
        }
    }
}

#[test]
fn nothing_is_fetched() {
    check_refused(
        r#"{"properties": {"a": {"$ref": "https://example.com/schema.json"}}}"#,
        "/properties/a/$ref",
        "`https://example.com/schema.json` leads out of the schema, and nothing is fetched",
    );
    check_refused(
        r#"{"items": {"$ref": "file:///etc/passwd"}}"#,
        "/items/$ref",
        "`file:///etc/passwd` leads out of the schema, and nothing is fetched",
    );
    check_refused(
        r#"{"$ref": "other.json#/a"}"#,
        "/$ref",
        "`other.json#/a` leads out of the schema, and nothing is fetched",
    );
    check_refused(
        r##"{"items": {"$ref": "#/$defs/a"}, "$defs": {}}"##,
        "/items/$ref",
        "`#/$defs/a` leads to nothing in the schema",
    );
}

#[test]
fn what_is_no_schema_is_refused_at_its_place() {
    check_refused(
        r#"{"properties": {"a": {"type": "strin"}}}"#,
        "/properties/a/type",
        r#""strin" is not what may stand here"#,
    );
    check_refused(r#"{"minimum": "1"}"#, "/minimum", r#""1" is not of type "number""#);
    check_refused(r#"{"pattern": "("}"#, "/pattern", r#""(" is not a "regex""#);
    check_refused("1", "", r#"1 is not of types "boolean", "object""#);
}

#[test]
fn formats_are_asserted_and_known() {
    check(r#"{"format": "date"}"#, r#""2026-02-30""#, &[("", "format")]);
    check(r#"{"format": "ipv4"}"#, r#""1.2.3.4""#, &[]);
    check_refused(r#"{"format": "colour"}"#, "/format", "Unknown format: 'colour'");
}

#[test]
fn another_draft_is_followed_when_the_schema_says_so() {
    let tuple = |draft: &str| format!(r#"{{"$schema": "{draft}", "items": [{{"type": "string"}}]}}"#);
    check(&tuple("http://json-schema.org/draft-07/schema#"), "[1]", &[("/0", "type")]);
    assert!(Schema::new(&json(&tuple("https://json-schema.org/draft/2020-12/schema"))).is_err());
}

#[test]
fn a_message_does_not_show_a_large_value() {
    let value = Value::from(vec![Value::from("x".repeat(1000)); 10]);
    let found = Schema::new(&json(r#"{"type": "string"}"#)).unwrap().findings(&value);
    assert_eq!(found[0].message, "value is not of type \"string\"");
}

#[test]
fn no_more_than_a_hundred_findings_are_told() {
    let value = Value::from(vec![Value::from(1_u64); 1000]);
    assert_eq!(Schema::new(&json(r#"{"items": {"type": "string"}}"#)).unwrap().findings(&value).len(), 100);
}

#[test]
fn what_a_template_may_become_is_not_judged_before_a_run() {
    let schema = json(
        r#"{"required": ["x"], "additionalProperties": false,
            "properties": {"n": {"type": "integer"}, "m": {"type": "integer"}, "x": {"oneOf": [{"type": "object", "properties": {"a": {"const": 1}}}]}}}"#,
    );
    let value = json(r#"{"n": "{{ inputs.n }}", "m": "one", "o": 1}"#);
    let found = Schema::new(&schema).unwrap().findings_before_a_run(&value);
    let found: Vec<_> = found.iter().map(|it| (&*it.path, it.rule.as_deref().unwrap())).collect();
    assert_eq!(found, [("/m", "type"), ("", "additionalProperties"), ("", "required")]);
    let unknown = json(r#"{"x": {"a": "{{ inputs.n }}"}}"#);
    assert!(Schema::new(&schema).unwrap().findings_before_a_run(&unknown).is_empty());
}

#[test]
fn schemas_in_a_file_are_found_wherever_a_step_may_stand() {
    let document = json(
        r#"{"nodes": {
            "a": {"type": "x", "validate": {"validator": "schema", "with": 1}},
            "b": {"switch": [{"when": "true", "type": "x", "validate": [{"validator": "polite", "with": 2}, {"validator": "schema", "with": 3}]}]},
            "c": {"value": {"validate": {"validator": "schema", "with": 4}}}}}"#,
    );
    let found = used_schemas(&document);
    let found: Vec<_> = found.iter().map(|(pointer, schema)| (&**pointer, schema.to_json())).collect();
    assert_eq!(
        found,
        [("/nodes/a/validate/with", "1".to_owned()), ("/nodes/b/switch/0/validate/1/with", "3".to_owned())]
    );
}

#[test]
fn a_configuration_is_refused_at_its_place() {
    let refused = |config: &str| json(config).to::<Config>().unwrap().compile().unwrap_err().path;
    assert_eq!(refused(r#"{"pipeline": {"type": 1}}"#), "/pipeline/type");
    assert_eq!(refused(r#"{"nodes": {"a": {"output": {"type": 1}}}}"#), "/nodes/a/output/type");
    assert_eq!(refused(r#"{"types": {"a": {"with": {"type": 1}}}}"#), "/types/a/with/type");
    assert_eq!(refused(r#"{"types": {"a": {}}}"#), "/types/a");
    assert!(json(r#"{"nodes": {"a": {"input": true}}}"#).to::<Config>().is_err());
}
