//! A plugin that has changed is told, and with `--locked` it is refused.

use crate::support::Workplace;

fn locked() -> Workplace {
    let workplace = Workplace::triage();
    let said = workplace.tapline("lock pipeline.yaml");
    assert_eq!(said.code, 0, "{}", said.err);
    workplace
}

#[track_caller]
fn refused(workplace: &Workplace, expected: &str) {
    for verb in ["check", "run"] {
        let said = workplace.start([verb, "pipeline.yaml", "--locked"]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{verb}: {}", said.err);
        assert!(said.err.contains(expected), "{verb}: {}", said.err);
    }
}

#[test]
fn a_lock_is_written_with_what_has_changed_and_then_nothing_has() {
    let workplace = Workplace::triage();
    let said = workplace.tapline("lock pipeline.yaml");
    assert_eq!(said.code, 0);
    let redact = "plugin `redact` 1.0.0, from plugins/redact, was added and may read `input.with.prompt`, write `input.with.prompt`\n";
    assert!(said.err.contains(redact), "{}", said.err);
    assert!(said.err.ends_with("wrote tapline.lock: 6 plugins\n"), "{}", said.err);
    let said = workplace.tapline("lock pipeline.yaml");
    assert_eq!(said.err, "wrote tapline.lock: 6 plugins, and nothing has changed\n");
    assert_eq!(workplace.tapline("check pipeline.yaml --locked").code, 0);
    let said = workplace.tapline("run pipeline.yaml --locked");
    assert!(said.code == 0 && !said.err.contains("warning"), "{}", said.err);
}

#[test]
fn another_component_is_refused_and_without_the_flag_told_in_one_line() {
    let workplace = locked();
    let mut component = std::fs::read(workplace.path("plugins/redact/plugin.wasm")).unwrap();
    // A custom section of no content: the component is another one, and does the same.
    component.extend([0, 2, 1, b'x']);
    workplace.write("plugins/redact/plugin.wasm", component);
    refused(
        &workplace,
        "error: the plugins are not those of tapline.lock\n  the files of plugin `redact` have changed: sha256:",
    );
    refused(&workplace, "\n`tapline lock pipeline.yaml` accepts them\n");
    let said = workplace.tapline("run pipeline.yaml");
    assert_eq!(said.code, 0, "{}", said.err);
    let warning = "warning: the plugins are not those of tapline.lock; `--locked` tells the differences, and `tapline lock pipeline.yaml` accepts them\n";
    assert!(said.err.starts_with(warning), "{}", said.err);
    assert_eq!(workplace.tapline("lock pipeline.yaml").code, 0);
    assert_eq!(workplace.tapline("run pipeline.yaml --locked").code, 0);
}

#[test]
fn other_grants_are_refused() {
    let workplace = locked();
    workplace.edit("pipeline.yaml", "path: plugins/redact,", "path: plugins/redact, grants: {},");
    refused(
        &workplace,
        "plugin `redact` may no longer read `input.with.prompt`, write `input.with.prompt`\n",
    );
}

#[test]
fn without_a_lock_nothing_is_locked() {
    let workplace = Workplace::triage();
    refused(&workplace, "error: there is no tapline.lock; `tapline lock pipeline.yaml` writes one\n");
}

#[test]
fn a_lock_that_was_edited_by_hand_is_refused_with_its_place() {
    let workplace = locked();
    workplace.edit("tapline.lock", "version = 1\n", "version = 1\ncolour = 1\n");
    refused(&workplace, "error: tapline.lock:3:1: unknown field `colour`, expected `version` or `plugin`\n");
    let said = workplace.tapline("run pipeline.yaml");
    assert!(said.code == 0 && said.err.starts_with("warning: tapline.lock:3:1: "), "{}", said.err);
    workplace.write("tapline.lock", "version = 2\n");
    refused(
        &workplace,
        "error: tapline.lock:1:11: it was written by a newer tapline; this one reads version 1\n",
    );
    assert_eq!(workplace.tapline("lock pipeline.yaml").code, 0);
}

#[test]
fn a_pipeline_with_mistakes_is_not_locked() {
    let workplace = Workplace::with("name: x\nnodes: { a: { type: reed } }\n");
    let said = workplace.tapline("lock pipeline.yaml");
    assert!(said.code == 2 && said.err.contains("error[unknown-node-type]"), "{}", said.err);
    assert!(!workplace.path("tapline.lock").exists());
}
