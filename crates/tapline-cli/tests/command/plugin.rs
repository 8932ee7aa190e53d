use serde_json::Value;

use crate::support::{Said, Workplace};

fn json(said: &Said) -> Value {
    assert_eq!(said.code, 0, "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

#[test]
fn the_list_holds_what_is_built_in_and_what_is_in_the_folder() {
    let workplace = Workplace::triage();
    let said = workplace.tapline("plugin list");
    for line in ["io ", "transform ", "redact ", "1.0.0", "plugins/redact"] {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
    let list = json(&workplace.tapline("plugin list --json"));
    let redact = list.as_array().unwrap().iter().find(|plugin| plugin["id"] == "redact").unwrap();
    assert_eq!((&redact["version"], &redact["runtime"]), (&"1.0.0".into(), &"wasm".into()));
    assert_eq!(redact["from"], "plugins/redact");
}

#[test]
fn a_broken_plugin_is_shown_as_broken_and_disturbs_nothing() {
    let workplace = Workplace::triage();
    workplace.write("plugins/broken/plugin.toml", "[plugin]\nid = 'Broken'\n");
    let said = workplace.tapline("plugin list");
    assert_eq!(said.code, 0);
    let row = said.out.lines().find(|line| line.contains("plugins/broken")).unwrap();
    assert!(
        row.contains("broken") && row.contains("plugin.toml:2:6: `Broken` is not a valid plugin id"),
        "{row}"
    );
    assert!(said.out.lines().any(|line| line.trim().starts_with("redact")), "{}", said.out);
    let list = json(&workplace.tapline("plugin list --json"));
    assert!(list.as_array().unwrap().iter().any(|plugin| plugin["broken"].is_string()), "{list}");
    assert_eq!(workplace.tapline("run pipeline.yaml").code, 0);
}

#[test]
fn info_shows_version_runtime_capabilities_hooks_grants_and_origin() {
    let workplace = Workplace::triage();
    for which in ["redact", "plugins/redact"] {
        let info = json(&workplace.start(["plugin", "info", which, "--json"]));
        assert_eq!(info["version"], "1.0.0");
        assert_eq!(info["capabilities"][0], "redaction");
        assert_eq!(info["hooks"][0]["point"], "node.execute");
        assert_eq!(info["grants"]["context"]["read"][0], "input.with.prompt");
        assert_eq!(info["from"], "plugins/redact");
    }
    let said = workplace.tapline("plugin info redact");
    assert!(said.out.contains("redaction") && said.out.contains("node.execute"), "{}", said.out);
}

#[test]
fn nothing_of_a_plugin_is_executed_for_it() {
    let workplace = Workplace::triage();
    workplace.write("plugins/redact/plugin.wasm", "no component at all");
    assert_eq!(workplace.tapline("plugin list").code, 0);
    assert_eq!(workplace.tapline("plugin info redact").code, 0);
}

#[test]
fn a_plugin_that_is_not_there_is_named_with_what_to_do() {
    let said = Workplace::new().tapline("plugin info nobody");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("there is no plugin `nobody`"), "{}", said.err);
}

#[test]
fn explain_shows_the_hooks_of_a_point_in_order_and_why() {
    let workplace = Workplace::triage();
    workplace.write("plugins/redact/plugin.wasm", "no component at all: nothing is run");
    let said = workplace.tapline("explain node.execute");
    assert_eq!(said.code, 0, "{}", said.err);
    let documented = std::fs::read_to_string(crate::support::repository().join("docs/command.md")).unwrap();
    let documented = documented.split("```text\nnode.execute").nth(1).unwrap().split("```").next().unwrap();
    let shown = said.out.strip_prefix("node.execute").unwrap();
    assert_eq!(crate::support::lines(shown), crate::support::lines(documented));
    let json = json(&workplace.tapline("explain node.execute --json"));
    assert_eq!(json["hooks"][1]["plugin"], "redact");
    assert_eq!(json["hooks"][1]["why"], "priority 40 comes after 5");
}

#[test]
fn explain_names_the_points_there_are() {
    let said = Workplace::triage().tapline("explain node.excute");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("there is no hook point `node.excute`; there are "), "{}", said.err);
    for point in ["node.execute", "provider.request", "plugin.changed"] {
        assert!(said.err.contains(point), "{}", said.err);
    }
}

#[test]
fn a_run_explains_how_the_hooks_fared() {
    let said = Workplace::triage().tapline("run pipeline.yaml --explain node.execute");
    let row = said.err.lines().find(|line| line.contains("redact/redact")).unwrap();
    assert_eq!(row.split_whitespace().nth(5), Some("333"), "{row}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the reader of the command goes away before its end")]
fn whoever_reads_no_further_than_the_first_line_breaks_nothing() {
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("tapline"));
    command
        .args(["plugin", "list"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}
