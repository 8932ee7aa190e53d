//! What the tests of checks share: a catalog, and one call from text to what a person reads.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::diagnostics;
use tapline_core::{Manifest, Value};
use tapline_pipeline::{Catalog, Checked, Draft, KnownPlugin, Origin, Source, Standing, check};

pub(crate) fn check_text(text: &[u8], catalog: &Catalog) -> (Source, Checked) {
    let source = Source::new("pipeline.yaml", text);
    let checked = check(&Draft::read(&source), catalog);
    (source, checked)
}

/// What a person reads of a file.
pub(crate) fn rendered(text: &[u8], catalog: &Catalog) -> String {
    let (source, checked) = check_text(text, catalog);
    assert_eq!(checked.definition.is_none(), checked.diagnostics.iter().any(|it| it.is_error()));
    let shown = diagnostics::for_people(&checked.diagnostics, &[&source], diagnostics::Colour::Off);
    shown.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

pub(crate) fn plugin(id: &str, more: &str, origin: Origin, schemas: &[(&str, &str)]) -> KnownPlugin {
    let provides: Vec<_> =
        schemas.iter().map(|(key, _)| format!(r#"{{ "point": "node", "key": "{key}" }}"#)).collect();
    let manifest = format!(
        r#"{{ "plugin": {{ "id": "{id}", "version": "1.2.0", "host": "^1", "runtime": "native" {more} }},
             "provides": [{}] }}"#,
        provides.join(", ")
    );
    let manifest: Manifest = Value::from_json(&manifest).unwrap().to().unwrap();
    let schemas = schemas
        .iter()
        .filter(|(_, schema)| !schema.is_empty())
        .map(|(key, schema)| (("node".into(), (*key).into()), Value::from_json(schema).unwrap()));
    let schemas: BTreeMap<_, _> = schemas.collect();
    let standing = if origin == Origin::BuiltIn { Standing::Available } else { Standing::Named };
    KnownPlugin { manifest: Arc::new(manifest), origin, standing, schemas, refused: Vec::new() }
}

const READ: &str = r#"{
    "type": "object", "required": ["path"], "additionalProperties": false,
    "properties": {
        "path": { "type": "string" },
        "format": { "enum": ["text", "json", "jsonl", "csv"] },
        "limit": { "type": "integer", "minimum": 1 },
        "columns": { "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] }
    }
}"#;

const FILTER: &str = r##"{
    "type": "object", "required": ["items", "where"], "additionalProperties": false,
    "properties": { "items": { "type": "array" }, "where": { "$ref": "#/$defs/condition" } },
    "$defs": { "condition": { "type": "string", "x-tapline": "expression" } }
}"##;

const SORT: &str = r#"{
    "type": "object", "required": ["items"], "additionalProperties": false,
    "properties": {
        "items": { "type": "array" },
        "by": { "type": "array", "items": {
            "type": "object", "required": ["key"], "additionalProperties": false,
            "properties": {
                "key": { "type": "string", "x-tapline": "expression", "x-tapline-variables": ["item", "index"] },
                "order": { "enum": ["up", "down"] }
            } } },
        "text": { "type": "string", "x-tapline": "template", "x-tapline-variables": ["item"] }
    }
}"#;

const PICK: &str = r#"{
    "type": "object", "additionalProperties": false,
    "properties": {
        "items": { "type": "array" },
        "value": { "type": "object" },
        "by": { "oneOf": [
            { "type": "string" },
            { "type": "object", "required": ["field", "order"], "additionalProperties": false, "properties": {
                "field": { "type": "string" }, "order": { "enum": ["up", "down"] }
            } },
            { "type": "object", "required": ["expr"], "additionalProperties": false, "properties": {
                "expr": { "type": "string", "x-tapline": "expression", "x-tapline-variables": ["row"] }
            } }
        ] }
    },
    "oneOf": [{ "required": ["items"] }, { "required": ["value"] }]
}"#;

/// Built in: `io` (`read`), `transform` (`filter`, `sort`, `pick`, `echo`); in folders: `redact`, `clock` (`tick`).
pub(crate) fn catalog() -> Catalog {
    let folder = |name: &str| Origin::Folder(PathBuf::from(format!("plugins/{name}")));
    let plugins = vec![
        plugin("io", "", Origin::BuiltIn, &[("read", READ)]),
        plugin(
            "transform",
            "",
            Origin::BuiltIn,
            &[("filter", FILTER), ("sort", SORT), ("pick", PICK), ("echo", "")],
        ),
        plugin("redact", "", folder("redact"), &[]),
        plugin("clock", "", folder("clock"), &[("tick", "{}")]),
    ];
    Catalog { plugins, problems: BTreeMap::new() }
}
