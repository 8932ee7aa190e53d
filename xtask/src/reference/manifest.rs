use anyhow::Result;
use schemars::{Schema, schema_for};
use serde_json::{Value, json};
use tapline_core::Manifest;

use super::schema::{Schemas, paragraph};
use super::{NOTE, Page};

/// The JSON Schema of a manifest.
pub(super) fn schema() -> Value {
    let mut schema = schema_for!(Manifest).to_value();
    without_null(&mut schema);
    schema
}

pub(super) fn page(schema: &Value) -> Page {
    let schemas = Schemas::of(schema);
    let mut text = "What an author declares about a plugin in `plugin.toml`. \
        [Writing a plugin](../plugins.md) shows how it is made of the attributes of its source. \
        Editors can check it with the [JSON Schema](plugin.schema.json).\n"
        .to_owned();
    for (key, table) in schema["properties"].as_object().into_iter().flatten() {
        let (heading, object) = match table["type"].as_str() {
            Some("array") => (format!("[[{key}]]"), schemas.resolved(&table["items"])),
            _ => (format!("[{key}]"), schemas.resolved(table)),
        };
        text += &format!("\n## `{heading}`\n\n{}", paragraph(table));
        text += &schemas.object("###", key, object);
    }
    text += "\n## Texts that have a form\n\n";
    text += &schemas.texts("###");
    Page::new("manifest.md", "The manifest of a plugin", "`tapline_core::Manifest`", &text)
}

/// The schema as a file that editors read.
pub(super) fn for_editors(schema: &Value) -> Result<Page> {
    // A schema is written with what it is first, and a value as its keys happen to stand.
    let schema = Schema::try_from(schema.clone())?;
    let comment = format!("{{\n  \"$comment\": {},", json!(NOTE));
    let text = serde_json::to_string_pretty(&schema)?.replacen('{', &comment, 1) + "\n";
    Ok(Page { name: "plugin.schema.json", text })
}

/// Takes away `null`, which TOML cannot write: what may be absent is not required.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Object(keys) => {
            if let Some(Value::Array(types)) = keys.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    keys.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = keys.get_mut("anyOf") {
                choices.retain(|choice| choice["type"] != "null");
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    keys.remove("anyOf");
                    keys.extend(only);
                }
            }
            keys.values_mut().for_each(without_null);
        }
        _ => {}
    }
}
