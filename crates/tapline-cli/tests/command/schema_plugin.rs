//! The plugin `schema`, as users meet it.

use crate::support::Workplace;

const PIPELINE: &str = r"name: rules
plugins:
  schema:
    config:
      pipeline: { required: [name] }
      types: { read: { with: { properties: { path: { pattern: '\.jsonl$' } } } } }
      nodes: { open: { output: { properties: { count: { minimum: 1 } } } } }
inputs: { file: { type: string, default: rows.jsonl } }
nodes:
  load: { type: read, with: { path: '{{ inputs.file }}' } }
  open:
    type: filter
    with: { items: '{{ load.items }}', where: 'item.n > 0' }
    validate: { validator: schema, with: { properties: { items: { items: { required: [n] } } } } }
outputs: { count: '{{ open.count }}' }
";

fn workplace() -> Workplace {
    let workplace = Workplace::with(PIPELINE);
    workplace.write("rows.jsonl", "{\"n\": 1}\n{\"n\": 2}\n");
    workplace
}

#[track_caller]
fn check(workplace: &Workplace, code: i32, told: &[&str]) {
    let said = workplace.tapline("run pipeline.yaml");
    assert_eq!(said.code, code, "{}", said.err);
    for part in told {
        assert!(said.err.contains(part), "{part}\n{}", said.err);
    }
}

#[test]
fn what_follows_its_schemas_runs() {
    check(&workplace(), 0, &[]);
}

#[test]
fn what_is_wrong_with_a_file_stands_at_its_line_and_nothing_begins() {
    let workplace = workplace();
    workplace.edit("pipeline.yaml", "required: [name]", "required: [limits]");
    workplace.edit("pipeline.yaml", "{ open: {", "{ gone: { with: true }, open: {");
    workplace.edit("pipeline.yaml", "path: '{{ inputs.file }}'", "path: rows.csv");
    workplace.edit("pipeline.yaml", "required: [n]", "required: n");
    check(
        &workplace,
        2,
        &[
            "\"limits\" is a required property\n --> pipeline.yaml:1:1",
            "there is no node `gone`\n --> pipeline.yaml:7:22",
            "\"rows.csv\" does not match \"\\.jsonl$\"\n  --> pipeline.yaml:10:37",
            "\"n\" is not of type \"array\"\n  --> pipeline.yaml:14:86",
            "plugin `schema` says so: rule `pattern`",
            "4 errors",
        ],
    );
}

#[test]
fn settings_are_held_against_their_schema_once_they_are_known() {
    let workplace = workplace();
    workplace.edit("pipeline.yaml", "default: rows.jsonl", "default: rows.csv");
    let told = "the settings do not follow their schema: \"rows.csv\" does not match \"\\.jsonl$\" at `/path` (`pattern`)";
    check(&workplace, 1, &["node `load` failed", told]);
}

#[test]
fn an_output_is_held_against_the_schema_for_it() {
    let workplace = workplace();
    workplace.edit("pipeline.yaml", "minimum: 1", "minimum: 3");
    let told =
        "the output does not follow its schema: 2 is less than the minimum of 3 at `/count` (`minimum`)";
    check(&workplace, 1, &["node `open` failed", told]);
}

#[test]
fn an_output_is_held_against_the_schema_that_its_node_names() {
    let workplace = workplace();
    workplace.edit("pipeline.yaml", "required: [n]", "required: [m]");
    let told =
        "node `open` failed: validator `schema`: \"m\" is a required property at `/items/0` (`required`); ";
    check(&workplace, 1, &["error[invalid-output]", told]);
}

#[test]
fn a_schema_of_the_configuration_that_leads_out_is_refused_when_the_plugin_starts() {
    let workplace = workplace();
    workplace.edit("pipeline.yaml", "minimum: 1", "$ref: 'https://example.com/schema'");
    let told = "plugin `schema` did not start: `https://example.com/schema` leads out of the schema, and nothing is \
                fetched at `/config/nodes/open/output/properties/count/$ref`";
    check(&workplace, 2, &[told]);
}
