use std::fmt::Write;
use std::time::Duration;

use expect_test::{Expect, expect};
use tapline_core::{Grants, Object, Value};
use tapline_pipeline::{CallDefinition, Definition, Draft, Setting, Source, Work};

use crate::support::{catalog, check_text};

const TRIAGE: &str = r#"
name: triage
plugins:
  redact: { path: plugins/redact, version: ^1, config: { mask: "*" }, grants: {} }
  clock: { path: plugins/clock, enabled: false, optional: true }
inputs:
  file: { type: string, default: tickets.jsonl, description: where the tickets are }
  limit: { type: integer }
  note: { type: string, required: false }
limits: { wall: 10m, parallel: 8 }
nodes:
  report: { type: echo, when: open.items, needs: [log], with: { all: ["{{ answer }}", 1, { n: "{{ inputs.limit }}" }] } }
  load: { type: read, with: { path: "{{ inputs.file }}", format: jsonl } }
  open: { type: filter, with: { items: "{{ load.items }}", where: "item.status in log.kinds and inputs.limit" } }
  log: { type: echo, with: { kinds: [a, b] } }
  answer:
    type: sort
    map: { over: "{{ open.items }}", as: ticket, parallel: 4 }
    with: { items: "{{ ticket.parts }}", by: [{ key: "[item.id, index, ticket.id]" }] }
outputs: { report: "{{ report.all }}", version: 1 }
"#;

fn definition(text: &str) -> Definition {
    let (_, checked) = check_text(text.as_bytes(), &catalog());
    assert_eq!(checked.diagnostics, []);
    checked.definition.unwrap()
}

#[track_caller]
fn check(value: impl std::fmt::Display, expected: &Expect) {
    expected.assert_eq(&value.to_string());
}

fn scope(json: &str) -> Object {
    Value::from_json(json).unwrap().as_object().unwrap().clone()
}

#[test]
fn references_make_the_edges() {
    let definition = definition(TRIAGE);
    let mut shown = String::new();
    for node in definition.nodes.values() {
        writeln!(
            shown,
            "{} ({}/{}): {:?}, scope {:?}",
            node.id,
            node.step.plugin().unwrap(),
            node.step.kind(),
            node.dependencies,
            call(&definition, &node.id).scope
        )
        .unwrap();
    }
    writeln!(shown, "{:?}", definition.graph().order()).unwrap();
    writeln!(shown, "{:?}", definition.graph().levels()).unwrap();
    check(
        shown,
        &expect![[r#"
        report (transform/echo): {"answer", "log", "open"}, scope {}
        load (io/read): {}, scope {}
        open (transform/filter): {"load", "log"}, scope {"inputs", "log"}
        log (transform/echo): {}, scope {}
        answer (transform/sort): {"open"}, scope {"ticket"}
        ["load", "log", "open", "answer", "report"]
        [["load", "log"], ["open"], ["answer"], ["report"]]
    "#]],
    );
}

#[test]
fn everything_in_the_file_is_in_the_definition() {
    let definition = definition(TRIAGE);
    let (redact, clock) = (&definition.plugins["redact"], &definition.plugins["clock"]);
    assert_eq!(redact.grants, Some(Grants::default()));
    assert_eq!(redact.config, Value::from_json(r#"{"mask": "*"}"#).unwrap());
    assert_eq!(redact.path.as_deref().unwrap().to_str(), Some("plugins/redact"));
    assert!(redact.enabled && !redact.optional && !clock.enabled && clock.optional && clock.grants.is_none());
    assert_eq!(
        (definition.limits.wall, definition.limits.parallel),
        (Some(Duration::from_secs(600)), Some(8))
    );
    let map = definition.nodes["answer"].step.map.as_ref().unwrap();
    assert_eq!((&*map.item, map.parallel), ("ticket", 4));
    assert_eq!(definition.nodes["log"].step.span.line, 15);
    assert_eq!(definition.outputs["version"].as_constant(), Some(&Value::from(1_u64)));
}

/// The call of a node that a plugin handles.
fn call<'d>(definition: &'d Definition, node: &str) -> &'d CallDefinition {
    let work = &definition.nodes[node].step.work;
    let call = if let Work::Call(call) = work { Some(call) } else { None };
    call.unwrap()
}

fn with<'d>(definition: &'d Definition, node: &str) -> &'d Setting {
    &call(definition, node).with
}

#[test]
fn settings_keep_types_and_share_what_they_pass_on() {
    let definition = definition(TRIAGE);
    let scope = scope(r#"{"answer": [[1, 2]], "inputs": {"limit": 3, "file": "a"}}"#);
    let rendered = with(&definition, "report").render(&scope).unwrap();
    check(&rendered, &expect![[r#"{"all":[[[1,2]],1,{"n":3}]}"#]]);
    let passed_on = rendered.at("all.0").unwrap().as_array().unwrap();
    assert!(std::ptr::eq(passed_on, scope["answer"].as_array().unwrap()));
    let constant = with(&definition, "log");
    assert!(std::ptr::eq(
        constant.render(&Object::new()).unwrap().as_object().unwrap(),
        constant.as_constant().unwrap().as_object().unwrap()
    ));
}

#[test]
fn expressions_of_the_plugin_stay_as_they_are() {
    let definition = definition(TRIAGE);
    let rendered = with(&definition, "open").render(&scope(r#"{"load": {"items": []}}"#)).unwrap();
    check(rendered, &expect![[r#"{"items":[],"where":"item.status in log.kinds and inputs.limit"}"#]]);
}

#[test]
fn a_template_that_the_plugin_renders_stays_as_it_is_and_finds_what_it_names() {
    let text = "name: x\nnodes:\n  n: { value: 1 }\n  s: { type: sort, with: { items: [], text: \"{{ item.a }} {{ n }}\" } }\n";
    let definition = definition(text);
    check(
        with(&definition, "s").as_constant().unwrap(),
        &expect![[r#"{"items":[],"text":"{{ item.a }} {{ n }}"}"#]],
    );
    assert_eq!(definition.nodes["s"].dependencies.iter().map(|id| &**id).collect::<Vec<_>>(), ["n"]);
}

#[test]
fn a_template_that_gives_no_value_says_where_it_stands() {
    let definition = definition(TRIAGE);
    let error = with(&definition, "load").render(&scope(r#"{"inputs": "text"}"#)).unwrap_err();
    check(error.diagnostic(), &expect!["pipeline.yaml:13:41: a string has no field `file`"]);
    check(&error, &expect!["pipeline.yaml:13:41 cannot be evaluated"]);
    check(std::error::Error::source(&error).unwrap(), &expect!["a string has no field `file`"]);
    let condition = definition.nodes["report"].step.when.as_ref().unwrap();
    check(
        condition.is_true(&Object::new()).unwrap_err().diagnostic(),
        &expect!["pipeline.yaml:12:31: `open` is undefined"],
    );
    assert!(condition.is_true(&scope(r#"{"open": {"items": [1]}}"#)).unwrap());
    assert_eq!(condition.source(), "open.items");
}

#[test]
fn inputs_have_defaults_and_types() {
    let definition = definition(TRIAGE);
    let values = |json: &str| match definition.input_values(&scope(json)) {
        Ok(values) => Value::from(values).to_json(),
        Err(errors) => errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    };
    check(values(r#"{"limit": 3}"#), &expect![[r#"{"file":"tickets.jsonl","limit":3,"note":null}"#]]);
    check(
        values(r#"{"limit": 3.0, "fil": 1}"#),
        &expect!["the pipeline has no input `fil`; the input `limit` must be an integer, not a number"],
    );
    check(values("{}"), &expect!["the input `limit` is missing"]);
    assert_eq!(definition.parse_input("limit", "7").unwrap(), Value::from(7_u64));
    assert_eq!(definition.parse_input("file", "7").unwrap(), Value::from("7"));
    check(
        definition.parse_input("limit", "many").unwrap_err(),
        &expect!["the input `limit` must be an integer: `many` is none"],
    );
    check(definition.parse_input("lmit", "7").unwrap_err(), &expect!["the pipeline has no input `lmit`"]);
}

#[test]
fn an_error_of_a_plugin_finds_its_place() {
    let definition = definition(TRIAGE);
    let place = |pointer: &str| {
        let place = definition.document().place(pointer)?;
        let text = &definition.document().source().text()[place.value.start..place.value.end];
        Some((place.key.map(|key| (key.line, key.column)), (place.value.line, place.value.column), text))
    };
    assert_eq!(place("/nodes/load/with/format"), Some((Some((13, 58)), (13, 66), "jsonl")));
    assert_eq!(place("/nodes/log/with/kinds/1"), Some((None, (15, 41), "b")));
    assert_eq!(place("/nodes/load/with/limit"), None);
}

#[test]
fn a_draft_tells_what_to_load_before_anything_is_known() {
    let draft = Draft::read(&Source::new("pipeline.yaml", TRIAGE.as_bytes()));
    assert_eq!(draft.plugins().keys().map(|name| &**name).collect::<Vec<_>>(), ["redact", "clock"]);
    assert_eq!(
        draft.node_types().map(|name| &**name).collect::<Vec<_>>(),
        ["echo", "read", "filter", "echo", "sort"]
    );
    assert_eq!((draft.diagnostics(), &**draft.name()), (&[][..], "triage"));
}
