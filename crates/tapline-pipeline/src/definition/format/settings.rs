//! The schemas of plugins, within the schema of a file.

use serde_json::{Map, Value as Json, json};

use super::{Types, defined};

/// For each type that has a schema the schema, and that `with` follows it.
///
/// A schema that is none, or needs what is not in it, is left out: it is the plugin's mistake, and `check` tells of it.
pub(super) fn definitions(types: &Types) -> Json {
    let mut definitions = Map::new();
    let mut rules = Vec::new();
    for (node_type, schema) in types {
        let Some(schema) = schema else { continue };
        let name = format!("with:{node_type}");
        let place = format!("#/$defs/{}", escaped(&name));
        let schema = Json::from(schema);
        let id = schema.get("$id").and_then(Json::as_str).unwrap_or("#").trim_end_matches('#');
        let moved = Moved { place: &place, id }.schema(&schema, Templates::Accepted);
        let alone = json!({ "$ref": place, "$defs": { &*name: moved, "template": {} } });
        let Ok(validator) = jsonschema::options().offline().build(&alone) else { continue };
        // Without settings, it is given an empty object.
        let then = if validator.is_valid(&json!({})) {
            json!({ "properties": { "with": { "anyOf": [{ "$ref": place }, { "type": "null" }] } } })
        } else {
            json!({ "properties": { "with": { "$ref": place } }, "required": ["with"] })
        };
        let is_meant = json!({ "properties": { "type": { "const": node_type } }, "required": ["type"] });
        rules.push(json!({ "if": is_meant, "then": then }));
        definitions.insert(name, moved);
    }
    let rules = if rules.is_empty() { json!({}) } else { json!({ "allOf": rules }) };
    definitions.insert("settings".to_owned(), rules);
    definitions.into()
}

/// A schema that stands at another place than it was written for, and in which a template is right for every value.
struct Moved<'m> {
    place: &'m str,
    /// How its references may begin when they name it.
    id: &'m str,
}

/// Whether a template is right for the values that a part of a schema is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Templates {
    Accepted,
    Refused,
}

impl Moved<'_> {
    fn schema(&self, schema: &Json, templates: Templates) -> Json {
        let Json::Object(keywords) = schema else { return schema.clone() };
        let mut moved = Map::new();
        for (keyword, inner) in keywords {
            let each = |change: &dyn Fn(&Json) -> Json| match inner {
                Json::Object(named) => named.iter().map(|(name, one)| (name.clone(), change(one))).collect(),
                Json::Array(listed) => listed.iter().map(change).collect(),
                other => other.clone(),
            };
            let changed = match &**keyword {
                // Its place is another now, and a condition may depend on what a template will yield.
                "$schema" | "$id" | "if" | "then" | "else" => continue,
                "$ref" | "$dynamicRef" => self.reference(inner),
                "properties" | "patternProperties" | "prefixItems" => each(&|one| self.value(one, templates)),
                "items" | "contains" | "additionalProperties" => self.value(inner, templates),
                "$defs" | "definitions" | "dependentSchemas" | "allOf" | "anyOf" | "oneOf" => {
                    each(&|one| self.schema(one, templates))
                }
                "not" | "propertyNames" => self.schema(inner, Templates::Refused),
                _ => inner.clone(),
            };
            moved.insert(keyword.clone(), changed);
        }
        if templates == Templates::Accepted {
            loosen(&mut moved);
        }
        moved.into()
    }

    fn value(&self, schema: &Json, templates: Templates) -> Json {
        let moved = self.schema(schema, templates);
        if templates == Templates::Refused || is_expression(schema) || is_any_text(schema) {
            return moved;
        }
        json!({ "anyOf": [defined("template"), moved] })
    }

    fn reference(&self, reference: &Json) -> Json {
        let Some(text) = reference.as_str() else { return reference.clone() };
        let within = text.strip_prefix(self.id).unwrap_or(text);
        match within.strip_prefix('#').unwrap_or(within) {
            "" => self.place.into(),
            pointer if pointer.starts_with('/') => format!("{}{pointer}", self.place).into(),
            _ => within.into(),
        }
    }
}

/// A template may fit several alternatives, of which `oneOf` would allow one.
fn loosen(schema: &mut Map<String, Json>) {
    const SURE: [&str; 5] = ["required", "type", "title", "description", "not"];
    let is_sure =
        |one: &Json| one.as_object().is_some_and(|one| one.keys().all(|key| SURE.contains(&&**key)));
    let is_loose = |all: &Json| all.as_array().is_some_and(|all| !all.iter().all(is_sure));
    if schema.contains_key("anyOf") || !schema.get("oneOf").is_some_and(is_loose) {
        return;
    }
    if let Some(alternatives) = schema.shift_remove("oneOf") {
        schema.insert("anyOf".to_owned(), alternatives);
    }
}

/// A bare expression, in which `{{` is a mistake.
fn is_expression(schema: &Json) -> bool {
    schema.get("x-tapline").is_some_and(|mark| mark == "expression")
}

/// Whether any text is right, and so any template.
fn is_any_text(schema: &Json) -> bool {
    const ABOUT: [&str; 5] = ["title", "description", "default", "examples", "deprecated"];
    let is_free = |(keyword, value): (&String, &Json)| match &**keyword {
        "type" => value == "string" || value.as_array().is_some_and(|types| types.contains(&"string".into())),
        keyword => ABOUT.contains(&keyword) || keyword.starts_with("x-"),
    };
    schema.as_object().is_none_or(|schema| schema.iter().all(is_free))
}

/// A name as a token of a pointer within an address.
fn escaped(name: &str) -> String {
    let mut escaped = String::new();
    for byte in name.bytes() {
        match byte {
            b'~' => escaped.push_str("~0"),
            b'/' => escaped.push_str("~1"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b':' => escaped.push(byte.into()),
            other => escaped.push_str(&format!("%{other:02X}")),
        }
    }
    escaped
}
