use tapline_pdk::Value;

use super::json;
use crate::{
    chunk, explode, filter, flatten, join, jq, limit, map, reduce, select, sort, template, transform, unique,
};

const SCHEMAS: [(&str, &str); 14] = [
    ("transform", transform::SCHEMA),
    ("map", map::SCHEMA),
    ("filter", filter::SCHEMA),
    ("reduce", reduce::SCHEMA),
    ("select", select::SCHEMA),
    ("sort", sort::SCHEMA),
    ("limit", limit::SCHEMA),
    ("join", join::SCHEMA),
    ("unique", unique::SCHEMA),
    ("flatten", flatten::SCHEMA),
    ("explode", explode::SCHEMA),
    ("chunk", chunk::SCHEMA),
    ("jq", jq::SCHEMA),
    ("template", template::SCHEMA),
];

#[test]
fn every_schema_is_json_that_names_its_operation() {
    for (operation, schema) in SCHEMAS {
        let schema = json(schema);
        assert_eq!(schema.get("title"), Some(&operation.into()));
        assert_eq!(schema.get("additionalProperties"), Some(&false.into()), "{operation}");
    }
}

#[test]
fn every_field_is_described_and_every_expression_marked() {
    for (operation, schema) in SCHEMAS {
        for (name, field) in json(schema).at("properties").unwrap().as_object().unwrap() {
            assert!(field.get("description").is_some_and(|text| !text.is_null()), "{operation}.{name}");
        }
        let expressions = count_expressions(&json(schema));
        let expected = [
            ("transform", 1),
            ("map", 1),
            ("filter", 1),
            ("reduce", 9),
            ("select", 1),
            ("sort", 2),
            ("limit", 0),
            ("join", 0),
            ("unique", 1),
            ("flatten", 0),
            ("explode", 0),
            ("chunk", 0),
            ("jq", 0),
            ("template", 0),
        ];
        assert!(
            expected.contains(&(operation, expressions)),
            "{operation} has {expressions} kinds of expression"
        );
    }
}

fn count_expressions(schema: &Value) -> usize {
    let here = usize::from(schema.get("x-tapline") == Some(&"expression".into()));
    let below = match schema {
        Value::Object(fields) => fields.values().map(count_expressions).sum(),
        Value::Array(items) => items.iter().map(count_expressions).sum(),
        _ => 0,
    };
    here + below
}
