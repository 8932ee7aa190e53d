//! Runs that outlive the process.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Said, Workplace};

/// Ten nodes in a row, forty items that take some time, and ten more nodes.
fn long() -> Workplace {
    let mut text = "name: long\nnodes:\n  a0: { type: transform, with: { value: { n: 0 }, set: { n: 'item.n + 1' } } }\n".to_owned();
    let step = |text: &mut String, id: &str, before: &str| {
        text.push_str(&format!(
            "  {id}: {{ type: transform, with: {{ value: {{ n: \"{{{{ {before} }}}}\" }}, set: {{ n: 'item.n + 1' }} }} }}\n"
        ));
    };
    for place in 1..10 {
        step(&mut text, &format!("a{place}"), &format!("a{}.value.n", place - 1));
    }
    text.push_str(
        "  all:
    type: transform
    map: { over: \"{{ range(40) | list }}\", as: row, parallel: 2 }
    rate_limit: { calls: 1, per: 3ms }
    with: { value: { n: \"{{ row + a9.value.n }}\" }, set: { n: 'item.n * 2' } }
",
    );
    step(&mut text, "b0", "all.items[-1].value.n");
    for place in 1..10 {
        step(&mut text, &format!("b{place}"), &format!("b{}.value.n", place - 1));
    }
    text.push_str("outputs: { n: \"{{ b9.value.n }}\", count: \"{{ all.count }}\" }\n");
    Workplace::with(&text)
}

/// Starts a run, kills it when it has told of so many events, and says which nodes had finished by then.
fn killed_after(workplace: &Workplace, words: &str, events: usize) -> Vec<String> {
    let mut command = workplace.going();
    command.args(words.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let seen: Vec<_> = lines.take(events).map(|line| line.unwrap()).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    finished(&seen).into_keys().collect()
}

/// The nodes that finished, and how many of their steps were known before.
fn finished<'l>(lines: impl IntoIterator<Item = &'l String>) -> BTreeMap<String, u64> {
    let events = lines.into_iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let finished = events.filter(|event| event["event"] == "node-finished");
    finished
        .map(|event| (event["node"].as_str().unwrap().to_owned(), event["reused"].as_u64().unwrap()))
        .collect()
}

/// The one run that is kept.
fn kept(workplace: &Workplace) -> Value {
    let said = workplace.tapline("runs list --json");
    let runs: Vec<Value> = serde_json::from_str(&said.out).unwrap();
    assert_eq!(runs.len(), 1, "{}", said.out);
    runs[0].clone()
}

fn rounds() -> usize {
    if std::env::var_os("TAPLINE_LONG").is_some() { 1000 } else { 20 }
}

#[test]
fn a_run_that_was_killed_goes_on_and_no_finished_node_is_lost_or_repeated() {
    for round in 0..rounds() {
        let workplace = long();
        let before = killed_after(&workplace, "run pipeline.yaml --events -", 3 + round * 7 % 80);
        let run = kept(&workplace);
        assert!(run["status"] == "killed" || run["status"] == "done", "{run}");
        if run["status"] == "done" {
            continue;
        }
        let id = run["run"].as_str().unwrap();
        let said = workplace.tapline(&format!("resume {} --events -", &id[..4]));
        assert_eq!(said.code, 0, "{}", said.err);
        let lines: Vec<_> =
            said.out.lines().filter(|line| line.starts_with('{')).map(str::to_owned).collect();
        let after = finished(&lines);
        let expected = before.iter().map(|node| (node.clone(), if node == "all" { 40 } else { 1 }));
        let repeated: Vec<_> = expected.filter(|(node, reused)| after[node] != *reused).collect();
        assert!(repeated.is_empty(), "{repeated:?} of {before:?} in round {round}: {lines:#?}");
        assert_eq!(after.len(), 21);
        assert_eq!(outputs(&workplace), serde_json::json!({ "n": 108, "count": 40 }));
    }
}

fn outputs(workplace: &Workplace) -> Value {
    let run = kept(workplace);
    assert_eq!(run["status"], "done");
    let said = workplace.tapline(&format!("runs show {} --json", run["run"].as_str().unwrap()));
    serde_json::from_str::<Value>(&said.out).unwrap()["outputs"].clone()
}

#[test]
fn of_two_who_resume_a_run_one_wins_and_the_other_is_told() {
    let workplace = long();
    killed_after(&workplace, "run pipeline.yaml --events -", 5);
    let id = kept(&workplace)["run"].as_str().unwrap().to_owned();
    let words = ["resume", &id, "--events", "-"];
    let start =
        || workplace.going().args(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (one, other) = (start(), start());
    let ended = [one, other].map(|child| child.wait_with_output().unwrap());
    let mut codes = ended.each_ref().map(|output| output.status.code());
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(2)], "{ended:#?}");
    let loser = ended.iter().find(|output| output.status.code() == Some(2)).unwrap();
    let told = String::from_utf8_lossy(&loser.stderr);
    let is_taken = told.contains(&format!("run `{id}` is under way in another process"));
    assert!(is_taken || told.contains(&format!("run `{id}` is done")), "{told}");
}

#[test]
fn a_failed_run_goes_on_when_its_file_is_mended() {
    let workplace = Workplace::with(
        "name: mended
nodes:
  first: { type: transform, with: { value: { n: 1 }, set: { n: 'item.n + 1' } } }
  second: { type: transform, with: { value: { n: \"{{ first.value.n }}\" }, set: { n: 'item.n.wrong' } } }
outputs: { n: \"{{ second.value.n }}\" }
",
    );
    let said = workplace.tapline("run pipeline.yaml");
    assert_eq!(said.code, 1);
    let id = kept(&workplace)["run"].as_str().unwrap().to_owned();
    assert!(
        said.err.contains(&format!("`tapline resume {id}` goes on with what is left of it")),
        "{}",
        said.err
    );
    workplace.edit("pipeline.yaml", "item.n.wrong", "item.n + 1");
    let said = workplace.tapline(&format!("resume {id} --json"));
    assert_eq!(said.code, 0, "{}", said.err);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&json["outputs"]["n"], &json["run"]), (&3.into(), &id.into()));
    assert!(said.err.contains("first done in") && said.err.contains("known before"), "{}", said.err);
}

#[test]
fn runs_are_listed_shown_and_compared() {
    let workplace = Workplace::with(
        "name: echo
inputs: { n: { type: integer } }
nodes: { a: { type: transform, with: { value: { n: \"{{ inputs.n }}\" }, set: { m: 'item.n * 2' } } } }
outputs: { a: \"{{ a.value }}\" }
",
    );
    for n in [1, 2] {
        assert_eq!(workplace.tapline(&format!("run pipeline.yaml -i n={n}")).code, 0);
    }
    let runs: Vec<Value> = serde_json::from_str(&workplace.tapline("runs list --json").out).unwrap();
    let id = |place: usize| runs[place]["run"].as_str().unwrap();
    let shown = workplace.tapline(&format!("runs show {}", id(0))).out;
    assert!(shown.contains("outputs: {\"a\":{\"n\":2,\"m\":4}}"), "{shown}");
    let said = workplace.tapline(&format!("runs diff {} {} --json", id(1), id(0)));
    let differences: Vec<Value> = serde_json::from_str(&said.out).unwrap();
    let what: Vec<_> = differences.iter().map(|it| (it["step"].as_str(), it["what"].as_str())).collect();
    assert_eq!(what, [(Some("a"), Some("asked")), (Some("a"), Some("output"))]);
    let same = workplace.tapline(&format!("runs diff {} {}", id(0), id(0)));
    assert!(same.out.contains("did the same"), "{}", same.out);
    assert_eq!(workplace.tapline("runs prune --keep 1").err, "removed 1 runs\n");
    assert_eq!(workplace.tapline("runs list").out.lines().count(), 2);
}

#[test]
fn what_cannot_be_resumed_says_why() {
    let workplace = Workplace::with("name: x\nnodes: { a: { value: 1 } }\n");
    let check = |said: &Said, expected: &str| {
        assert_eq!(said.code, 2, "{}", said.err);
        assert!(said.err.contains(expected), "{}", said.err);
    };
    check(&workplace.tapline("resume abc"), "there is no run `abc`");
    assert_eq!(workplace.tapline("run pipeline.yaml").code, 0);
    let id = kept(&workplace)["run"].as_str().unwrap().to_owned();
    check(&workplace.tapline(&format!("resume {id}")), &format!("run `{id}` is done"));
}

#[test]
fn a_run_that_is_not_to_be_kept_leaves_nothing() {
    let workplace = Workplace::with("name: x\ndurability: none\nnodes: { a: { value: 1 } }\n");
    assert_eq!(workplace.tapline("run pipeline.yaml").code, 0);
    assert!(!workplace.path(".tapline").exists());
}

#[test]
fn a_long_list_goes_through_map_and_filter_to_a_file_page_by_page() {
    let workplace = Workplace::with(
        "name: long
nodes:
  load: { type: read, with: { path: rows.jsonl } }
  some: { type: filter, with: { items: \"{{ load.items }}\", where: 'item.n % 2 == 0' } }
  short: { type: map, with: { items: \"{{ some.items }}\", expr: \"{'n': item.n}\" } }
  save: { type: write, with: { path: out.jsonl, items: \"{{ short.items }}\" } }
outputs: { load: \"{{ load.count }}\", save: \"{{ save }}\" }
",
    );
    let row = |n: usize| format!("{{\"n\":{n},\"text\":\"{}\"}}\n", "x".repeat(100));
    workplace.write("rows.jsonl", (0..30_000).map(row).collect::<String>());
    let said = workplace.tapline("run pipeline.yaml --json");
    assert_eq!(said.code, 0, "{}", said.err);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (&json["outputs"]["load"], &json["outputs"]["save"]["count"]),
        (&30_000.into(), &15_000.into())
    );
    let written = workplace.read("out.jsonl");
    assert_eq!((written.lines().count(), written.lines().last()), (15_000, Some("{\"n\":29998}")));
    assert!(!workplace.path(".tapline/lists").read_dir().is_ok_and(|mut left| left.next().is_some()));
}

/// A small disk in memory, which goes away with this.
#[cfg(target_os = "linux")]
struct Disk(std::path::PathBuf);

#[cfg(target_os = "linux")]
impl Disk {
    /// `None`, and it is said, where this user may not mount one.
    fn mounted(place: std::path::PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&place).unwrap();
        let disk = Self(place);
        if disk.does("mount", &["-t", "tmpfs", "-o", "size=400k", "tmpfs"]) {
            return Some(disk);
        }
        eprintln!("skipped: this user cannot mount disks here");
        None
    }

    #[expect(clippy::disallowed_methods, reason = "only programs of the system can mount disks")]
    fn does(&self, program: &str, arguments: &[&str]) -> bool {
        let ended = std::process::Command::new(program).args(arguments).arg(&self.0).output();
        ended.is_ok_and(|ended| ended.status.success())
    }
}

#[cfg(target_os = "linux")]
impl Drop for Disk {
    fn drop(&mut self) {
        self.does("umount", &["--lazy"]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a72_a_run_stops_at_a_full_disk_and_goes_on_when_there_is_room() {
    let workplace = Workplace::with(
        "name: full
nodes:
  first: { value: { n: 1 } }
  small: { type: transform, with: { value: { n: \"{{ first.n }}\" }, set: { n: 'item.n + 1' } } }
  large: { type: transform, with: { value: { n: \"{{ small.value.n }}\", text: \"{{ 'x' * 400000 }}\" }, set: { m: 'item.n' } } }
  last: { type: transform, with: { value: { n: \"{{ large.value.m }}\" }, set: { n: 'item.n + 1' } } }
outputs: { n: \"{{ last.value.n }}\" }
",
    );
    let Some(disk) = Disk::mounted(workplace.path(".tapline")) else { return };
    let said = workplace.tapline("run pipeline.yaml");
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("the run stops, because it cannot be kept"), "{}", said.err);
    assert!(said.err.contains("the disk is full"), "{}", said.err);
    assert!(disk.does("mount", &["-o", "remount,size=40m"]));
    let run = kept(&workplace);
    assert_ne!(run["status"], "done");
    let said = workplace.tapline(&format!("resume {} --json", run["run"].as_str().unwrap()));
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(serde_json::from_str::<Value>(&said.out).unwrap()["outputs"]["n"], 3);
    assert!(said.err.contains("small done") && said.err.contains("known before"), "{}", said.err);
}
