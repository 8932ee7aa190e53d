//! What the schema of the format says of files, beside what the check says.

use serde_json::Value as Json;
use tapline_core::Value;
use tapline_pipeline::{Catalog, Draft, Origin, OtherTypes, Source, check, file_schema};

use crate::support::{catalog, plugin};

/// Whether the check and the schema accept a file.
fn accepted(text: &str, catalog: &Catalog, others: OtherTypes) -> [bool; 2] {
    let source = Source::new("pipeline.yaml", text.as_bytes());
    let draft = Draft::read(&source);
    let is_valid = check(&draft, catalog).definition.is_some();
    let written = Json::from(&draft.document().value("").unwrap_or(Value::Null));
    [is_valid, validator(catalog, others).is_valid(&written)]
}

fn validator(catalog: &Catalog, others: OtherTypes) -> jsonschema::Validator {
    let schema = Json::from(&file_schema(&catalog.plugins, others));
    jsonschema::options().offline().build(&schema).unwrap()
}

#[track_caller]
fn both_accept(text: &str) {
    assert_eq!(accepted(text, &catalog(), OtherTypes::Refused), [true, true], "{text}");
}

#[track_caller]
fn both_refuse(nodes: &str) {
    let text = format!("name: x\nnodes:\n  {nodes}\n");
    assert_eq!(accepted(&text, &catalog(), OtherTypes::Refused), [false, false], "{text}");
}

const WHOLE: &str = r#"
name: whole
plugins:
  io:
  redact: { path: plugins/redact, version: "^1", config: { a: 1 }, enabled: true, optional: true, grants: {} }
inputs:
  file: { type: string, default: a.jsonl, description: Where., minLength: 1 }
  most: { type: integer, required: false }
  how: { type: object, required: [a], properties: { a: { type: string } } }
limits: { wall: 1h 30m, parallel: 8, steps: 10_000, depth: 3, tokens: 50_000, cost: 0.5 }
durability: exit
nodes:
  load: { type: read, with: { path: "{{ inputs.file }}", limit: "{{ inputs.most }}", format: "{{ inputs.file }}" } }
  open:
    type: filter
    needs: [load]
    when: true
    with: { items: "{{ load.items }}", where: item.open }
  each:
    type: echo
    map: { over: "{{ open.items }}", as: ticket, parallel: 4 }
    with: { prompt: "{{ ticket }}" }
    retry: { max: 3, backoff: constant, delay: 1s, max_delay: 1m }
    timeout: { run: 30s, idle: 500ms }
    cache: { ttl: 1d }
    rate_limit: { calls: 10, per: 1s }
    output_schema: { type: object }
    budget: { tokens: 1000, cost: 1 }
    on_error: { dead_letter: failed.jsonl }
  again:
    type: echo
    while: { when: "iteration < 3", start: 0, max: 5 }
    retry: 2
    timeout: 10s
    on_error: { fallback: { value: "{{ error }}" } }
  one: { value: { a: "{{ again }}" }, on_error: skip }
  cases: { switch: [{ when: "one.a == 1", value: 1 }, { type: echo }] }
  both: { all: { left: { type: echo }, right: { value: 2 } } }
  quick: { first: [{ type: echo, timeout: 1s }, { fallback: [{ type: echo }, { value: null }] }] }
  sorted: { type: sort, with: { items: [1, 2], by: [{ key: index, order: up }] } }
outputs: { report: "{{ sorted }}" }
"#;

#[test]
fn a_file_with_every_key_is_accepted_by_both() {
    both_accept(WHOLE);
    both_accept(
        "name: x\nnodes: { a: { type: echo, needs: , while: , cache: , rate_limit: , validate: , budget: } }\n",
    );
    both_accept("name: x\nplugins:\ninputs:\nlimits:\noutputs:\nnodes: { a: { type: echo, with: } }\n");
}

#[test]
fn what_is_wrong_without_knowing_names_is_refused_by_both() {
    for nodes in [
        "a: {}",
        "a: { type: reed }",
        "a: { type: echo, value: 1 }",
        "a: { value: 1, with: {} }",
        "A: { type: echo }",
        "item: { type: echo }",
        "range: { type: echo }",
        "a: { type: echo, wen: true }",
        "a: { type: echo, retry: 0 }",
        "a: { type: echo, retry: { backoff: constant } }",
        "a: { type: echo, timeout: 10 }",
        "a: { type: echo, timeout: soon }",
        "a: { type: echo, cache: 1d }",
        "a: { type: echo, rate_limit: { calls: 1 } }",
        "a: { type: echo, on_error: ignore }",
        "a: { type: echo, on_error: {} }",
        "a: { type: echo, map: { as: x } }",
        "a: { type: echo, map: { over: [], as: Row } }",
        "a: { type: echo, while: { when: last } }",
        "a: { type: echo, needs: load }",
        "a: { switch: [] }",
        "a: { all: { B: { value: 1 } } }",
        "a: { first: [{ type: echo, needs: [] }] }",
        "a: { type: read }",
        "a: { type: read, with: { path: x, limit: 0 } }",
        "a: { type: read, with: { path: x, format: xml } }",
        "a: { type: read, with: { path: x, colour: red } }",
        "a: { fallback: [{ type: read, with: { path: 1 } }] }",
        "a: { value: 1, on_error: { fallback: { type: read, with: { path: 1 } } } }",
    ] {
        both_refuse(nodes);
    }
    both_refuse("a: { value: 1 }\ndurability: always");
    both_refuse("a: { value: 1 }\nlimits: { wall: 10 }");
    both_refuse("a: { value: 1 }\ninputs: { b: { default: 1 } }");
    both_refuse("a: { value: 1 }\nplugins: { io: { paht: x } }");
    both_refuse("a: { value: 1 }\nplugins: { io: { rate_limit: 10 } }");
    both_refuse("a: { value: 1 }\nplugins: { io: { rate_limit: { calls: 10 } } }");
}

#[test]
fn a_template_stands_for_any_value_but_not_for_an_expression() {
    let pick = |by: &str| {
        format!(
            "name: x\nnodes:\n  n: {{ value: 1 }}\n  a: {{ type: pick, with: {{ items: [], by: {by} }} }}\n"
        )
    };
    both_accept(&pick("\"{{ n }}\""));
    both_accept(&pick("{ field: \"{{ n }}\", order: \"{{ n }}\" }"));
    both_accept(&pick("{ expr: row.x }"));
    both_refuse("a: { type: pick, with: { items: [], by: { field: x, order: sideways } } }");
    both_refuse("a: { type: pick, with: { items: [], value: {} } }");
    both_refuse("a: { type: sort, with: { items: \"{{ 1 }}\", by: 1 } }");
}

#[test]
fn types_of_other_plugins_are_accepted_where_not_all_are_known() {
    let text = "name: x\nnodes: { a: { type: unheard_of, with: { b: 1 } } }\n";
    assert!(accepted(text, &catalog(), OtherTypes::Accepted)[1]);
    assert!(!accepted(text, &catalog(), OtherTypes::Refused)[1]);
}

#[test]
fn references_of_a_plugins_schema_stay_right_wherever_they_lead() {
    let schema = r##"{
        "$id": "https://tree.example/schema", "type": "object", "additionalProperties": false,
        "properties": {
            "root": { "$ref": "#" }, "leaf": { "$ref": "#/$defs/a~1b" },
            "own": { "$ref": "https://tree.example/schema#/properties/leaf" }
        },
        "$defs": { "a/b": { "type": "integer" } }
    }"##;
    let tree = plugin("tree", "", Origin::BuiltIn, &[("odd/key %", schema)]);
    let catalog = Catalog { plugins: vec![tree], ..Catalog::default() };
    let file = |with: &str| format!("name: x\nnodes: {{ a: {{ type: odd/key %, with: {with} }} }}\n");
    for (with, is_right) in [
        ("{ root: { root: { leaf: 1 } } }", true),
        ("{ root: { leaf: \"{{ a }}\" } }", true),
        ("{ own: 1 }", true),
        ("{ root: { root: { leaf: x } } }", false),
        ("{ own: x }", false),
    ] {
        assert_eq!(accepted(&file(with), &catalog, OtherTypes::Refused)[1], is_right, "{with}");
    }
}

#[test]
fn a_schema_that_is_broken_leaves_its_type_without_one() {
    let broken = [("torn", r##"{ "$ref": "#/nowhere" }"##), ("false", r#"{ "type": 7 }"#)];
    let catalog =
        Catalog { plugins: vec![plugin("broken", "", Origin::BuiltIn, &broken)], ..Catalog::default() };
    let text = "name: x\nnodes: { a: { type: torn, with: { b: 1 } }, b: { type: 'false' } }\n";
    assert!(accepted(text, &catalog, OtherTypes::Refused)[1]);
}
