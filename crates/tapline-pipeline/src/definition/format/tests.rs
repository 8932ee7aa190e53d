use std::collections::BTreeSet;

use super::*;
use crate::definition::{draft_step, plugins, rules};

/// The schema of the format alone.
fn format() -> Json {
    Json::from(&file_schema([], OtherTypes::Accepted))
}

#[track_caller]
fn has_the_keys(place: &str, keys: impl IntoIterator<Item = &'static str>) {
    let format = format();
    let schema = format.pointer(place).unwrap();
    assert_eq!(schema["additionalProperties"], false, "{place}");
    let properties = schema["properties"].as_object().unwrap();
    let written: BTreeSet<_> = properties.keys().map(|key| &**key).collect();
    assert_eq!(written, keys.into_iter().collect(), "{place}");
    for (key, property) in properties {
        let is_told = property.get("description").is_some() || *property == defined("limits");
        assert!(is_told, "{place}: {key} has no description");
    }
}

#[test]
fn the_schema_has_the_keys_that_the_readers_know() {
    has_the_keys("", draft::KEYS);
    has_the_keys("/$defs/plugin", plugins::KEYS);
    has_the_keys("/$defs/plugin/properties/rate_limit", rules::RATE_LIMIT_KEYS);
    has_the_keys("/$defs/input", inputs::KEYS.into_iter().chain(inputs::SCHEMA_KEYS));
    has_the_keys("/$defs/limits", draft::LIMIT_KEYS);
    has_the_keys("/$defs/step", draft_step::keys());
    has_the_keys("/$defs/node", draft_step::keys().chain(nodes::KEYS));
    let step = |rest: &str| format!("/$defs/step/properties/{rest}");
    has_the_keys(&step("map"), draft_step::MAP_KEYS);
    has_the_keys(&step("while"), draft_step::LOOP_KEYS);
    has_the_keys(&step("on_error/anyOf/1"), draft_step::ON_ERROR_KEYS);
    has_the_keys(&step("retry/anyOf/1"), rules::RETRY_KEYS);
    has_the_keys(&step("timeout/anyOf/1"), rules::TIMEOUT_KEYS);
    has_the_keys(&step("cache"), rules::CACHE_KEYS);
    has_the_keys(&step("rate_limit"), rules::RATE_LIMIT_KEYS);
    has_the_keys(&step("validate/anyOf/0"), rules::VALIDATE_KEYS);
    has_the_keys(&step("budget"), rules::BUDGET_KEYS);
}

#[test]
fn the_schema_is_one_by_the_rules_of_json_schema() {
    jsonschema::meta::validate(&format()).unwrap();
}
