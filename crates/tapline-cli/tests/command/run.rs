use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use crate::support::Workplace;

const NUMBERS: &str = "\
name: numbers
inputs:
  from: { type: integer, default: 1 }
  who: { type: string, required: true }
nodes:
  shout:
    type: transform
    with: { value: { n: \"{{ inputs.from }}\", who: \"{{ inputs.who }}\" }, set: { next: 'item.n + 1' } }
outputs:
  answer: \"{{ shout.value }}\"
";

#[test]
fn inputs_are_given_on_the_command_line_text_as_it_is_and_the_rest_as_json() {
    let said = Workplace::with(NUMBERS).tapline("run pipeline.yaml -i from=41 --input who=7 --json");
    assert_eq!(said.code, 0, "{}", said.err);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["outputs"]["answer"], serde_json::json!({ "n": 41, "who": "7", "next": 42 }));
}

#[test]
fn inputs_that_are_wrong_are_refused_and_nothing_begins() {
    let workplace = Workplace::with(NUMBERS);
    for (words, expected) in [
        ("run pipeline.yaml", "error: the input `who` is missing: give it with `-i who=VALUE`"),
        ("run pipeline.yaml -i whi=x", "error: the pipeline has no input `whi`: did you mean `who`?"),
        ("run pipeline.yaml -i who=x -i from=soon", "error: the input `from`"),
    ] {
        let said = workplace.tapline(words);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{words}");
        assert!(said.err.starts_with(expected), "{words}: {}", said.err);
    }
    let said = workplace.tapline("run pipeline.yaml -i who");
    assert!(said.code == 2 && said.err.contains("NAME=VALUE"), "{}", said.err);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let said = Workplace::new().tapline("run nowhere.yaml");
    assert_eq!(said.code, 2);
    assert!(said.err.starts_with("error: nowhere.yaml\n  because: "), "{}", said.err);
}

const COPY: &str = "\
name: copy
nodes:
  load: { type: read, with: { path: data.jsonl } }
  save: { type: write, with: { path: copy.jsonl, items: \"{{ load.items }}\" } }
";

#[test]
fn a_broken_line_of_data_is_named_and_no_partial_file_is_left() {
    let workplace = Workplace::with(COPY);
    workplace.write("data.jsonl", "{\"a\": 1}\n{\"a\": \n{\"a\": 3}\n");
    let said = workplace.tapline("run pipeline.yaml");
    assert_eq!(said.code, 1);
    assert!(
        said.err.contains("error[node-failed]: node `load` failed\n --> pipeline.yaml:3:3\n"),
        "{}",
        said.err
    );
    assert!(said.err.contains("\n  because: data.jsonl:2:"), "{}", said.err);
    assert!(!workplace.path("copy.jsonl").exists());
}

#[test]
fn a_pipeline_may_choose_to_skip_broken_lines_and_is_told_which() {
    let skipping = COPY.replace("path: data.jsonl", "path: data.jsonl, on_error: skip");
    let workplace =
        Workplace::with(&format!("{skipping}outputs: {{ skipped: \"{{{{ load.skipped }}}}\" }}\n"));
    workplace.write("data.jsonl", "{\"a\": 1}\n{\"a\": \n{\"a\": 3}\n");
    let said = workplace.tapline("run pipeline.yaml --json");
    assert_eq!(said.code, 0, "{}", said.err);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["outputs"]["skipped"][0]["line"], 2);
    assert_eq!(workplace.read("copy.jsonl").lines().count(), 2);
}

#[test]
fn progress_is_a_plain_line_for_each_node_where_no_terminal_is() {
    let workplace = Workplace::with(COPY);
    workplace.write("data.jsonl", "{\"a\": 1}\n");
    let said = workplace.tapline("run pipeline.yaml");
    assert!(said.err.starts_with("load done in "), "{}", said.err);
    assert!(!said.err.contains('\u{1b}'), "{}", said.err);
}

#[test]
fn nodes_that_do_not_wait_for_each_other_run_at_once() {
    let mut file = "name: wide\nnodes:\n".to_owned();
    for node in 0..4 {
        writeln!(file, "  n{node}: {{ type: limit, with: {{ items: [1, 2, 3], max: {node} }} }}").unwrap();
    }
    file += "outputs: { counts: [\"{{ n0.count }}\", \"{{ n3.count }}\"] }\n";
    let said = Workplace::with(&file).tapline("run pipeline.yaml");
    assert_eq!((said.code, said.out.trim()), (0, "counts: [0,3]"), "{}", said.err);
}

#[cfg(unix)]
#[test]
#[expect(clippy::disallowed_methods, reason = "a process that is interrupted")]
fn ctrl_c_ends_a_run_cleanly_with_code_130() {
    let workplace = Workplace::with(
        "name: long\nnodes:\n  load: { type: read, with: { path: data.jsonl } }\n  ask:\n    type: chat\n    map: { over: \"{{ load.items }}\" }\n    with: { prompt: \"{{ item }}\" }\n  save: { type: write, with: { path: out.json, value: \"{{ ask.items }}\" } }\n",
    );
    workplace.write("data.jsonl", "\"hello\"\n".repeat(1_000_000));
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("tapline"))
        .args(["run", "pipeline.yaml"])
        .current_dir(workplace.path(""))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    err.read_line(&mut line).unwrap();
    assert!(line.starts_with("load done"), "{line}");
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    let mut rest = String::new();
    err.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    assert!(rest.contains("interrupted: "), "{rest}");
    assert!(!workplace.path("out.json").exists());
}

#[test]
fn plugins_are_compiled_apart_and_once() {
    let workplace = Workplace::triage();
    let caches = workplace.path("caches");
    let run = || {
        let mut command = workplace.command();
        command.env("XDG_CACHE_HOME", &caches).args(["run", "pipeline.yaml"]).output().unwrap()
    };
    assert!(run().status.success());
    let kept = || {
        let folder = std::fs::read_dir(caches.join("tapline/components")).unwrap();
        folder.map(|file| file.unwrap().file_name()).collect::<Vec<_>>()
    };
    let first = kept();
    assert_eq!(first.len(), 1);
    assert!(run().status.success());
    assert_eq!(kept(), first);
}

#[cfg(unix)]
#[test]
fn a_folder_of_compiled_plugins_in_which_others_can_write_is_not_used_and_the_run_goes_on() {
    use std::os::unix::fs::PermissionsExt as _;
    let workplace = Workplace::triage();
    let folder = workplace.path("caches/tapline/components");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    let mut command = workplace.command();
    command.env("XDG_CACHE_HOME", workplace.path("caches")).args(["run", "pipeline.yaml"]);
    let output = command.output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{err}");
    assert!(err.contains("warning: plugins are compiled anew each time"), "{err}");
    assert!(err.contains("chmod 700"), "{err}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}
