//! The format of pipeline files as a JSON Schema, for editors; a test compares its keys with those that the readers
//! beside it know.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use tapline_core::Value;
use tapline_template::RESERVED;

use super::{InputType, draft, inputs, nodes};
use crate::catalog::KnownPlugin;

mod settings;
mod steps;

/// What an editor is to make of a type of nodes that no known plugin handles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherTypes {
    /// Another plugin may handle it: it is right, and so are its settings.
    Accepted,
    /// All plugins are known: it is a mistake.
    Refused,
}

/// The format of pipeline files as a JSON Schema, draft 2020-12.
///
/// The settings of a node follow the schema of the plugin that handles its type, the first of them where there are
/// several. It accepts each file that [`check`](crate::check) accepts with these plugins, and more: what names mean,
/// expressions and versions are beyond it.
#[must_use]
pub fn file_schema<'a>(plugins: impl IntoIterator<Item = &'a KnownPlugin>, others: OtherTypes) -> Value {
    let mut types = BTreeMap::new();
    for plugin in plugins {
        for node_type in plugin.node_types() {
            types.entry(Arc::clone(node_type)).or_insert_with(|| plugin.node_schema(node_type).cloned());
        }
    }
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tapline pipeline",
        "description": "Nodes, what they are told, and what comes out.",
    });
    add(&mut schema, object(properties(), &["name", "nodes"]));
    schema["$defs"] = definitions(&types, others);
    schema.into()
}

/// The types of nodes, each with the schema of its settings, if its plugin has one.
type Types = BTreeMap<Arc<str>, Option<Value>>;

fn properties() -> Json {
    json!({
        "name": { "type": "string", "pattern": "\\S", "description": "The pipeline's name." },
        "plugins": {
            "type": ["object", "null"], "additionalProperties": defined("plugin"),
            "description": "What the pipeline says of plugins, by their ids.",
        },
        "inputs": {
            "type": ["object", "null"], "additionalProperties": defined("input"),
            "description": "What a run may be given, by name.",
        },
        "limits": defined("limits"),
        "durability": {
            "enum": words(&draft::DURABILITIES), "default": "node",
            "description": "When what a run has done is safe: before those that wait for a node begin, when the run ends, or never.",
        },
        "nodes": {
            "type": "object", "minProperties": 1, "propertyNames": defined("name"),
            "additionalProperties": defined("node"),
            "description": "The nodes by their ids.",
        },
        "outputs": { "type": ["object", "null"], "description": "What the run yields, by name." },
    })
}

fn definitions(types: &Types, others: OtherTypes) -> Json {
    let mut definitions = json!({
        "plugin": plugin(),
        "input": input(),
        "limits": limits(),
        "name": {
            "type": "string", "pattern": "^[a-z][a-z0-9_]*$",
            "not": { "enum": nodes::TAKEN.iter().chain(RESERVED).collect::<Vec<_>>() },
        },
        "duration": {
            "type": "string", "pattern": "^\\s*[0-9][0-9A-Za-zµ.\\s]*$",
            "description": "A time, as in `500ms`, `10m` or `1h 30m`.",
        },
        "count": {
            "description": "A whole number from 1 on.",
            "anyOf": [
                { "type": "integer", "minimum": 1 },
                { "type": "string", "pattern": "^[0-9]*_[0-9_]*$" },
            ],
        },
        "condition": { "type": ["string", "boolean", "number"] },
        "template": {
            "type": "string", "pattern": "\\{[{%#]",
            "description": "A template: its value is known when the pipeline runs.",
        },
    });
    add(&mut definitions, steps::definitions(types.keys(), others));
    add(&mut definitions, settings::definitions(types));
    definitions
}

fn plugin() -> Json {
    let plugin = object(
        json!({
            "path": { "type": "string", "description": "The plugin's folder, from the folder of the file." },
            "version": { "type": "string", "description": "The versions that will do, as in `^1.2`." },
            "config": { "description": "What the plugin is given when it starts." },
            "enabled": { "type": "boolean", "default": true, "description": "`false` leaves it out." },
            "optional": {
                "type": "boolean", "default": false,
                "description": "`true` lets the pipeline run when the plugin is missing or refused.",
            },
            "grants": {
                "type": "object",
                "description": "Takes away from what the plugin would be granted; `{}` leaves it nothing.",
            },
            "rate_limit": steps::rate_limit("How often it may be asked as a provider, whoever asks."),
        }),
        &[],
    );
    or_nothing(plugin)
}

fn input() -> Json {
    let mut properties = json!({
        "type": { "enum": words(&InputType::NAMES), "description": "The values that it may have." },
        "default": { "description": "Its value when a run gives none." },
        "description": { "type": "string", "description": "What it is, for people." },
        "required": {
            "type": ["boolean", "array"],
            "description": "Whether a run must give it; a list is JSON Schema's: the keys that an object must have.",
        },
    });
    for key in inputs::SCHEMA_KEYS {
        properties[key] = json!({ "description": "What its value must follow, as in JSON Schema." });
    }
    object(properties, &["type"])
}

fn limits() -> Json {
    let limits = object(
        json!({
            "wall": described(&defined("duration"), "The time that a run may take."),
            "parallel": described(&defined("count"), "How many nodes may be under way at once."),
            "steps": described(
                &defined("count"),
                "How many steps may be done: nodes, items and turns of loops alike.",
            ),
            "depth": described(&defined("count"), "How deep pipelines may be nested."),
            "tokens": described(&defined("count"), "How many tokens of models may be used up."),
            "cost": {
                "type": "number", "exclusiveMinimum": 0,
                "description": "What providers may charge, in their currency.",
            },
        }),
        &[],
    );
    described(&or_nothing(limits), "What bounds a run.")
}

/// An object with these keys and no others.
fn object(properties: Json, required: &[&str]) -> Json {
    let mut object = json!({ "type": "object" });
    object["properties"] = properties;
    object["additionalProperties"] = false.into();
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

/// A key with nothing behind it is as good as none.
fn or_nothing(mut object: Json) -> Json {
    object["type"] = json!(["object", "null"]);
    object
}

fn defined(name: &str) -> Json {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn described(schema: &Json, description: &str) -> Json {
    let mut schema = schema.clone();
    schema["description"] = description.into();
    schema
}

fn words<T>(choices: &[(&str, T)]) -> Json {
    choices.iter().map(|(word, _)| *word).collect()
}

fn add(to: &mut Json, more: Json) {
    if let (Json::Object(all), Json::Object(more)) = (to, more) {
        all.extend(more);
    }
}

#[cfg(test)]
mod tests;
