//! The example that the README begins with.

use crate::support::{Workplace, lines, repository};

const RUN: &str = "run pipeline.yaml";

fn label<'a>(out: &'a str, name: &str) -> Option<&'a str> {
    let row = out.lines().find_map(|line| line.trim().strip_prefix(name))?;
    Some(row.trim())
}

#[test]
fn the_example_prints_the_table_that_the_readme_shows() {
    let workplace = Workplace::triage();
    let said = workplace.tapline(RUN);
    assert_eq!(said.code, 0, "{}", said.err);
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let shown = readme.split("```text\nreport\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(lines(&said.out)[1..], lines(shown));
}

#[test]
fn the_example_writes_its_report_to_a_file() {
    let workplace = Workplace::triage();
    assert_eq!(workplace.tapline(RUN).code, 0);
    let report = workplace.read("report.csv");
    assert_eq!(report.lines().next(), Some("label,count"));
    assert_eq!(report.lines().count(), 9);
}

#[test]
fn without_the_redaction_and_no_other_edit_the_report_differs() {
    let workplace = Workplace::triage();
    let redacted = workplace.tapline(RUN);
    workplace.edit(
        "pipeline.yaml",
        "path: plugins/redact, enabled: true",
        "path: plugins/redact, enabled: false",
    );
    let exposed = workplace.tapline(RUN);
    assert_eq!((label(&redacted.out, "exposed"), label(&exposed.out, "exposed")), (None, Some("127")));
}

#[test]
fn a_redaction_that_is_granted_nothing_fails_the_run_and_leaves_no_report() {
    let workplace = Workplace::triage();
    workplace.edit("pipeline.yaml", "path: plugins/redact,", "path: plugins/redact, grants: {},");
    let said = workplace.tapline(RUN);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("plugin `redact` may not read `input.with.prompt`"), "{}", said.err);
    assert!(said.err.contains("--> pipeline.yaml:"), "{}", said.err);
    assert!(!workplace.path("report.csv").exists());
}

#[test]
fn the_summary_tells_the_time_of_each_node_and_of_each_plugin() {
    let said = Workplace::triage().tapline(RUN);
    for name in ["load", "open", "classify", "counts", "report", "save", "redact", "timer", "echo"] {
        assert!(said.err.lines().any(|line| line.starts_with(&format!(" {name} "))), "{name}: {}", said.err);
    }
}

#[test]
fn json_holds_outputs_nodes_and_plugins() {
    let said = Workplace::triage().tapline("run pipeline.yaml --json");
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["outputs"]["report"][0], serde_json::json!({ "label": "billing", "count": 62 }));
    assert_eq!(json["nodes"].as_array().unwrap().len(), 6);
    let redact = json["plugins"].as_array().unwrap().iter().find(|plugin| plugin["id"] == "redact").unwrap();
    assert_eq!((&redact["runtime"], &redact["errors"]), (&"wasm".into(), &0.into()));
    assert_eq!(json["reports"]["timer"]["classify"]["count"], 333);
    assert_eq!(json["error"], serde_json::Value::Null);
}
