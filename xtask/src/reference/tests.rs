use cargo_metadata::camino::Utf8Path;
use serde_json::json;

use super::*;
use crate::reference::schema::Schemas;

fn root() -> &'static Utf8Path {
    Utf8Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The tables of the contract that say which interfaces there are: of imports, then of exports.
fn overviews() -> [String; 2] {
    let page = contract::page(&root().join(contract::SOURCE)).unwrap();
    let part =
        |heading: &str| page.text.split(heading).nth(1).unwrap().split("\n## ").next().unwrap().to_owned();
    [part("## What a plugin may import\n"), part("## What a plugin may export\n")]
}

fn rows(table: &str) -> impl Iterator<Item = &str> {
    table.lines().filter(|line| line.starts_with("| [`"))
}

#[test]
fn every_import_says_what_grants_it_and_every_export_when_it_is_needed() {
    let [imports, exports] = overviews();
    assert_eq!((rows(&imports).count(), rows(&exports).count()), (12, 10));
    for import in rows(&imports) {
        assert!(import.contains("granted") || import.contains("Granted"), "{import}");
    }
    for export in rows(&exports) {
        assert!(export.contains("Exported"), "{export}");
    }
}

#[test]
fn a_function_of_the_contract_stands_as_it_is_written_with_its_docs() {
    let page = contract::page(&root().join(contract::SOURCE)).unwrap();
    let expected = "### `get-many`\n\n```wit\n\
        get-many: func(paths: list<string>) -> result<list<option<json>>, failure>\n```\n\nThe values at several paths";
    assert!(page.text.contains(expected), "{}", page.text);
}

#[test]
fn every_key_of_a_manifest_has_its_words() {
    let schema = manifest::schema();
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        for (key, value) in definition["properties"].as_object().into_iter().flatten() {
            assert!(value["description"].is_string(), "{name}.{key}");
        }
    }
    let page = manifest::page(&schema);
    for expected in
        ["| `priority` | whole number from 0 to 100 | `50` |", "## `[[hook]]`", "### `requires.http`"]
    {
        assert!(page.text.contains(expected), "{expected}");
    }
    assert!(!page.text.contains("[`"), "a link of rustdoc leads nowhere");
}

/// What editors say of a manifest.
fn checked(text: &str) -> Result<(), String> {
    let validator = jsonschema::validator_for(&manifest::schema()).unwrap();
    let manifest: serde_json::Value = toml::from_str(text).unwrap();
    validator.validate(&manifest).map_err(|error| error.to_string())
}

#[test]
fn every_manifest_of_this_repository_follows_the_schema() {
    let mut count = 0;
    for entry in ignore::WalkBuilder::new(root()).require_git(false).build() {
        let path = entry.unwrap().into_path();
        if path.ends_with("plugin.toml") {
            assert_eq!(checked(&fs::read_to_string(&path).unwrap()), Ok(()), "{}", path.display());
            count += 1;
        }
    }
    assert!(count > 3);
}

#[test]
fn a_manifest_that_the_host_refuses_for_its_form_is_marked_by_editors_too() {
    let about = "id = 'a'\nversion = '1.0.0'\nhost = '^1'\nruntime = 'wasm'\n";
    assert_eq!(checked(&format!("[plugin]\n{about}")), Ok(()));
    let mistakes = [
        "colour = 1",
        "instances = 'many'",
        "depends_on = [{ id = 'A' }]",
        "[[hook]]\nname = 'a'\npoint = 'b'\nkind = 'before'\npriority = 101",
        "[requires]\nhttp = [{ hosts = [], methods = ['GET'], paths = ['/*'] }]",
        "[limits]\nmemory = '64MB'",
    ];
    for mistake in mistakes {
        let text = format!("[plugin]\n{about}{mistake}");
        assert!(checked(&text).is_err(), "{mistake}");
        assert!(toml::from_str::<tapline_core::Manifest>(&text).is_err(), "{mistake}");
    }
}

#[test]
fn what_may_be_left_out_is_not_null_for_editors() {
    let page = manifest::for_editors(&manifest::schema()).unwrap();
    assert!(!page.text.contains("\"null\""), "{}", page.text);
    let schema: serde_json::Value = serde_json::from_str(&page.text).unwrap();
    assert_eq!(schema["$comment"], NOTE);
    assert_eq!(schema["$defs"]["LimitsAsked"]["properties"]["cpu"]["type"], "string");
    assert_eq!(schema["$defs"]["LimitsAsked"]["properties"]["memory"]["$ref"], "#/$defs/Bytes");
}

#[test]
fn a_schema_is_told_key_by_key_with_what_is_inside() {
    let schema = json!({
        "properties": {
            "path": { "type": "string", "description": "Where | what." },
            "mode": { "enum": ["a", "b"], "default": "a" },
            "by": { "oneOf": [{ "type": "string", "description": "One." }, { "properties": { "deep": {} } }] },
            "more": { "type": "object", "additionalProperties": { "properties": { "x": { "type": "boolean" } } } }
        },
        "required": ["path"],
        "oneOf": [{ "required": ["mode"] }, { "required": ["by"] }]
    });
    let expected = "| key | is | unless said | says |\n|---|---|---|---|\n\
        | `path` | text | *required* | Where \\| what. |\n\
        | `mode` | `\"a\"` or `\"b\"` | `\"a\"` |  |\n\
        | `by` | text or table |  | text: One. |\n\
        | `more` | table of table |  |  |\n\
        \nOne of `mode`, `by` is given.\n\
        \n### `node.by`\n\n| key | is | unless said | says |\n|---|---|---|---|\n| `deep` | any value |  |  |\n\
        \n### `node.more.NAME`\n\n| key | is | unless said | says |\n|---|---|---|---|\n\
        | `x` | `true` or `false` | `false` |  |\n";
    assert_eq!(Schemas::of(&schema).object("###", "node", &schema), expected);
}

#[test]
fn a_page_that_is_missing_stale_or_of_nothing_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let pages = ["a.md", "b.md", "c.md"].map(|name| Page::new(name, "Title", "the source", "text"));
    fs::write(folder.join("a.md"), &pages[0].text).unwrap();
    fs::write(folder.join("b.md"), "other").unwrap();
    fs::write(folder.join("d.md"), "").unwrap();
    let expected = [
        "  docs/reference/b.md is not what the code says",
        "  docs/reference/c.md is missing",
        "  docs/reference/d.md is made of nothing",
    ];
    assert_eq!(wrong(folder, &pages).unwrap(), expected);
    assert!(pages[0].text.starts_with("# Title\n\n*Made by `cargo xtask reference` from the source"));
}
