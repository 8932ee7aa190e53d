//! What the operator says in `tapline.toml` holds, and a mistake in it begins nothing.

use crate::support::Workplace;

const ECHO: &str = "\
name: echo
inputs: { text: { type: string, required: true } }
nodes:
  tell: { type: transform, with: { value: { said: \"{{ inputs.text }}\" }, set: { again: 'item.said' } } }
outputs: { told: \"{{ tell.value }}\" }
";

#[track_caller]
fn refused(settings: &str, expected: &str) {
    let workplace = Workplace::triage();
    workplace.write("tapline.toml", settings);
    for words in ["check pipeline.yaml", "run pipeline.yaml", "lock pipeline.yaml", "explain node.execute"] {
        let said = workplace.tapline(words);
        assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (2, "", expected), "{words}");
    }
}

#[test]
fn the_mistakes_that_the_docs_show_are_shown_so() {
    let page = std::fs::read_to_string(crate::support::repository().join("docs/settings.md")).unwrap();
    let shown = page.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    refused(
        "[plugins]\nfolder = ['plugins']\n[policy]\ncall = ['provider/']\n[limits]\nmemory = '64MB'\n",
        shown,
    );
}

#[test]
fn a_mistake_ends_the_command_before_anything_begins() {
    refused(
        "[plugins]\nfolders = ['nowhere']\n",
        "error: tapline.toml:2:12: the folder `nowhere` cannot be listed: No such file or directory (os error 2)\n",
    );
    refused("[limits]\ncpu = '0s'\n", "error: tapline.toml:2:7: `0s` is too short\n");
    refused(
        "[",
        "error: tapline.toml:1:2: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`\n",
    );
    let said = {
        let workplace = Workplace::new();
        workplace.write("tapline.toml", "x = 1");
        workplace.tapline("plugin list")
    };
    assert_eq!(said.code, 2);
    assert!(said.err.starts_with("error: tapline.toml:1:1: unknown key `x`"), "{}", said.err);
}

#[test]
fn a_pipeline_that_names_a_blocked_plugin_is_refused_unless_it_can_do_without() {
    let workplace = Workplace::triage();
    workplace.write("tapline.toml", "[plugins]\nblocked = ['redact']\n");
    for verb in ["check", "run"] {
        let said = workplace.start([verb, "pipeline.yaml"]);
        assert_eq!(said.code, 2);
        assert!(
            said.err.starts_with("error[missing-plugin]: plugin `redact` is blocked by the operator\n"),
            "{}",
            said.err
        );
    }
    workplace.edit("pipeline.yaml", "path: plugins/redact,", "path: plugins/redact, optional: true,");
    let said = workplace.tapline("run pipeline.yaml --json");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(!said.out.contains("\"redact\""), "{}", said.out);
}

#[test]
fn the_policy_allows_what_the_default_refuses() {
    let workplace = Workplace::triage();
    workplace.edit(
        "plugins/redact/plugin.toml",
        "[requires.context]",
        "[requires]\ncall = ['provider/*']\n\n[requires.context]",
    );
    assert_eq!(workplace.tapline("check pipeline.yaml").code, 2);
    workplace.write("tapline.toml", "[policy]\ncall = ['provider/*']\n");
    for words in ["check pipeline.yaml", "run pipeline.yaml", "explain node.execute"] {
        let said = workplace.tapline(words);
        assert_eq!(said.code, 0, "{words}: {}", said.err);
    }
    let info = workplace.tapline("plugin info redact --json");
    assert!(info.out.contains("\"refused\":[]"), "{}", info.out);
}

#[test]
fn the_limits_hold_for_the_plugins_of_a_run() {
    let workplace = Workplace::triage();
    workplace.write("tapline.toml", "[limits]\nmemory = '64KiB'\n");
    let said = workplace.tapline("run pipeline.yaml");
    assert_ne!(said.code, 0);
    assert!(said.err.contains("redact"), "{}", said.err);
}

#[test]
fn packages_in_the_folders_are_there_for_whoever_needs_them() {
    let workplace = Workplace::triage();
    workplace.edit("pipeline.yaml", "path: plugins/redact, ", "");
    assert_eq!(workplace.tapline("check pipeline.yaml").code, 2);
    workplace.write("tapline.toml", "[plugins]\nfolders = ['plugins', 'more']\n");
    workplace.write("more/redact/plugin.toml", workplace.read("plugins/redact/plugin.toml"));
    workplace.edit("more/redact/plugin.toml", "version = \"1.0.0\"", "version = \"0.9.0\"");
    let said = workplace.tapline("run pipeline.yaml --json");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("\"id\":\"redact\",\"version\":\"1.0.0\""), "{}", said.out);
}

#[test]
fn a_package_that_nobody_needs_is_not_loaded_and_a_broken_one_is_a_warning() {
    let workplace = Workplace::triage();
    workplace.edit("pipeline.yaml", "  redact: {", "  # {");
    workplace.write("tapline.toml", "[plugins]\nfolders = ['plugins']\n");
    workplace.write("plugins/redact/plugin.wasm", "no component at all");
    workplace.write("plugins/broken/plugin.toml", "[plugin]\nid = 'Broken'\n");
    let warning = "warning: plugins/broken/plugin.toml:2:6: `Broken` is not a valid plugin id";
    for verb in ["check", "run"] {
        let said = workplace.start([verb, "pipeline.yaml"]);
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(said.err.starts_with(warning), "{}", said.err);
    }
}

#[test]
fn a_secret_that_is_missing_is_told_where_it_is_named() {
    let workplace = Workplace::with(ECHO);
    workplace.write("tapline.toml", "[secrets]\nkey = { env = 'TAPLINE_TEST_UNSET' }\n");
    assert_eq!(workplace.tapline("check pipeline.yaml").code, 0);
    let said = workplace.tapline("run pipeline.yaml -i text=x");
    let expected =
        "error: tapline.toml:2:7: secret `key`: the environment variable `TAPLINE_TEST_UNSET` is not set\n";
    assert_eq!((said.code, said.err.as_str()), (2, expected));
}

#[test]
fn no_value_of_a_secret_is_in_anything_that_a_run_says() {
    let workplace = Workplace::with(ECHO);
    workplace.write("tapline.toml", "[secrets]\nkey = { env = 'KEY' }\npin = { env = 'PIN' }\n");
    let run = |words: &str| {
        let mut command = workplace.command();
        command.env("KEY", "hunter2 \"x\"").env("PIN", "4711").args(words.split(' '));
        let output = command.args(["-i", "text=is hunter2 \"x\" and 4711"]).output().unwrap();
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap())
    };
    for words in ["run pipeline.yaml -vv", "run pipeline.yaml --json"] {
        let [out, err] = run(words);
        assert!(out.contains("is «secret:key» and «secret:pin»"), "{words}: {out} {err}");
        assert!(!format!("{out}{err}").contains("hunter2"), "{words}: {out} {err}");
    }
    let json: serde_json::Value = serde_json::from_str(&run("run pipeline.yaml --json")[0]).unwrap();
    assert_eq!(json["outputs"]["told"]["again"], "is «secret:key» and «secret:pin»");
    let [_, err] = run("run pipeline.yaml -i hunter2=1");
    assert!(err.contains("the pipeline has no input"), "{err}");
    let [_, err] = run("run 4711.yaml");
    assert!(err.starts_with("error: 4711.yaml"), "without a pipeline there are no settings: {err}");
}

#[test]
fn no_value_of_a_secret_is_in_an_error_of_a_node() {
    let workplace = Workplace::with(
        "name: x\nnodes:\n  load: { type: read, with: { path: \"{{ inputs.text }}\" } }\ninputs: { text: { type: string, required: true } }\n",
    );
    workplace.write("tapline.toml", "[secrets]\nkey = { env = 'KEY' }\n");
    let mut command = workplace.command();
    let output =
        command.env("KEY", "hunter2").args(["run", "pipeline.yaml", "-i", "text=hunter2.csv"]).output();
    let err = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(err.contains("«secret:key».csv") && !err.contains("hunter2"), "{err}");
}
