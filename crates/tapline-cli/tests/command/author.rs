//! Plugins that the command writes, builds, tests and puts into a pipeline.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use tapline_build::rust::Toolchain;

use crate::support::{Said, Workplace};

pub(crate) const FAMILIES: [&str; 5] = ["provider", "handler", "validator", "extension", "integration"];

/// Whether plugins in Rust can be built here; a test that cannot says so.
fn has_toolchain() -> bool {
    let present = Toolchain::present().is_some();
    if !present {
        println!("skipped: there is no toolchain for WebAssembly");
    }
    present
}

fn succeeded(said: &Said) -> &Said {
    assert_eq!(said.code, 0, "{}", said.err);
    said
}

/// Writes a plugin, builds it, runs its cases, and runs the pipeline that was written beside it.
pub(crate) fn from_nothing_to_a_pipeline(
    workplace: &Workplace,
    language: &str,
    name: &str,
    family: &str,
    prepare: impl Fn(&Path),
) {
    let new = format!("plugin new {name} --type {family} --lang {language} --capability {family}ing");
    succeeded(&workplace.tapline(&new));
    prepare(&workplace.path(name));
    succeeded(&workplace.tapline(&format!("plugin build {name}")));
    let tested = workplace.tapline(&format!("plugin test {name} --no-build"));
    assert!(succeeded(&tested).err.ends_with("0 failed\n"), "{}", tested.err);
    let run = workplace.tapline(&format!("run {name}/pipeline.yaml"));
    assert!(!succeeded(&run).out.is_empty(), "{name} yields nothing");
    let known = workplace.tapline(&format!("plugin info {name} --json"));
    assert!(succeeded(&known).out.contains(&format!("{family}ing")), "{}", known.out);
}

#[test]
fn every_family_in_rust_builds_passes_its_cases_and_runs_in_a_pipeline() {
    if !has_toolchain() {
        return;
    }
    let workplace = Workplace::building("families");
    for family in FAMILIES {
        from_nothing_to_a_pipeline(&workplace, "rust", &format!("rust-{family}"), family, |_| ());
    }
}

#[test]
fn an_id_that_means_something_elsewhere_is_a_name_like_any_other() {
    if !has_toolchain() {
        return;
    }
    let workplace = Workplace::building("names");
    for name in ["true", "null", "self", "settings"] {
        succeeded(&workplace.tapline(&format!("plugin new {name}")));
        succeeded(&workplace.tapline(&format!("plugin test {name}")));
        succeeded(&workplace.tapline(&format!("run {name}/pipeline.yaml")));
    }
}

#[test]
fn a_handler_in_python_and_one_in_javascript_build_pass_their_cases_and_run_in_a_pipeline() {
    let Some(workplace) = Workplace::with_foreign_tools("handlers") else { return };
    for language in ["python", "javascript"] {
        from_nothing_to_a_pipeline(&workplace, language, &format!("{language}-handler"), "handler", |_| ());
    }
}

#[test]
#[ignore = "compiles Python several times over"]
fn every_family_in_every_other_language_builds_passes_its_cases_and_runs_in_a_pipeline() {
    let Some(workplace) = Workplace::with_foreign_tools("families") else { return };
    for language in ["python", "javascript"] {
        for family in FAMILIES {
            from_nothing_to_a_pipeline(&workplace, language, &format!("{language}-{family}"), family, |_| ());
        }
    }
}

#[test]
fn a_new_plugin_has_no_placeholder_left_and_its_readme_names_its_files() {
    let workplace = Workplace::new();
    let languages = [("rust", "src/lib.rs"), ("python", "plugin.py"), ("javascript", "plugin.js")];
    for ((language, source), family) in
        languages.into_iter().flat_map(|one| FAMILIES.map(|family| (one, family)))
    {
        let name = format!("{language}-{family}");
        succeeded(&workplace.tapline(&format!("plugin new {name} --type {family} --lang {language}")));
        for entry in walkdir::WalkDir::new(workplace.path(&name)) {
            let entry = entry.unwrap();
            if entry.file_type().is_file() {
                let text = std::fs::read_to_string(entry.path()).unwrap();
                assert!(!text.contains("<<"), "{}", entry.path().display());
            }
        }
        let readme = workplace.read(&format!("{name}/README.md"));
        for file in [source, "pipeline.yaml"] {
            assert!(readme.contains(&format!("| `{file}` |")), "{readme}");
        }
    }
}

#[test]
fn what_is_there_is_not_overwritten_and_an_id_that_is_none_is_refused() {
    let workplace = Workplace::new();
    workplace.write("mine/notes.txt", "mine");

    let there = workplace.tapline("plugin new mine");
    let wrong = workplace.tapline("plugin new Mine");
    let odd = workplace.start(["plugin", "new", "yours", "--capability", "a\"b"]);

    assert_eq!((there.code, wrong.code, odd.code), (2, 2, 2));
    assert!(there.err.contains("mine is there already, and nothing was written"), "{}", there.err);
    assert!(wrong.err.contains("`Mine` is not a valid plugin id"), "{}", wrong.err);
    assert!(!workplace.path("mine/Cargo.toml").exists() && !workplace.path("Mine").exists());
}

#[test]
fn a_folder_without_a_source_says_what_is_missing() {
    let workplace = Workplace::new();
    let said = workplace.tapline("plugin build .");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("there is no source of a plugin"), "{}", said.err);
}

#[test]
fn a_plugin_without_cases_says_where_they_go() {
    let workplace = Workplace::triage();
    let said = workplace.tapline("plugin test plugins/redact");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("cases/NAME.yaml"), "{}", said.err);
}

#[test]
fn cases_that_fail_are_shown_and_end_the_command_with_1() {
    let workplace = Workplace::triage();
    let case = "cases:\n  - name: it greets\n    node: { type: redact }\n    expect: { output: hello }\n";
    workplace.write("plugins/redact/cases/a.yaml", case);

    let said = workplace.tapline("plugin test plugins/redact");
    let json = workplace.tapline("plugin test plugins/redact --json");

    assert_eq!((said.code, json.code), (1, 1));
    assert!(said.err.contains("FAILED  it greets\n  --> plugins/redact/cases/a.yaml:2:11"), "{}", said.err);
    assert!(said.err.contains("0 passed, 1 failed"), "{}", said.err);
    let results: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(results[0]["passed"], false);
}

#[test]
fn a_filter_that_no_case_has_is_refused() {
    let workplace = Workplace::triage();
    workplace.write("plugins/redact/cases/a.yaml", "cases:\n  - name: it starts\n    start: true\n");

    let one = workplace.tapline("plugin test plugins/redact --filter starts");
    let none = workplace.tapline("plugin test plugins/redact --filter strats");

    assert_eq!((one.code, none.code), (0, 2), "{}", one.err);
    assert!(none.err.contains("no case has `strats` in its name"), "{}", none.err);
}

#[test]
fn a_mistake_in_the_source_is_shown_at_its_place_and_the_package_stays() {
    if !has_toolchain() {
        return;
    }
    let workplace = Workplace::building("mistake");
    succeeded(&workplace.tapline("plugin new b-broken"));
    workplace.write("b-broken/plugin.wasm", "what was there");
    workplace.edit("b-broken/src/lib.rs", "#[init]", "#[hook(point = \"a\", kind = \"arround\")]");

    let said = workplace.tapline("plugin build b-broken");

    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("src/lib.rs:"), "{}", said.err);
    assert!(said.err.contains("arround"), "{}", said.err);
    assert_eq!(workplace.read("b-broken/plugin.wasm"), "what was there");
}

#[test]
fn a_schema_that_is_none_is_told_by_the_build_and_not_left_to_whoever_uses_the_plugin() {
    let Some(workplace) = Workplace::with_foreign_tools("schema") else { return };
    succeeded(&workplace.tapline("plugin new d-schema --lang javascript"));
    workplace.edit("d-schema/plugin.js", r#"type: "string""#, r#"type: "strnig""#);

    let said = workplace.tapline("plugin build d-schema");

    assert_eq!(said.code, 1, "{}", said.err);
    let expected = "the schema of `node/d-schema` is broken at `/properties/text/type`";
    assert!(said.err.contains(expected), "{}", said.err);
    assert!(!workplace.path("d-schema/plugin.wasm").exists());
}

/// A command that goes on, and what it says line by line.
struct Going {
    child: Child,
    said: BufReader<std::process::ChildStderr>,
}

impl Going {
    /// Reads on until a line holds this.
    fn until(&mut self, part: &str) {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(
                self.said.read_line(&mut line).unwrap(),
                0,
                "it ended before it said `{part}`:\n{all}"
            );
            all.push_str(&line);
            if line.contains(part) {
                return;
            }
        }
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn dev_swaps_in_what_was_changed_and_goes_on_with_the_version_before_when_that_does_not_build() {
    if !has_toolchain() {
        return;
    }
    let workplace = Workplace::building("dev");
    succeeded(&workplace.tapline("plugin new c-dev"));
    let mut dev = workplace.going();
    let mut child =
        dev.args(["plugin", "dev", "c-dev"]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    let mut dev = Going { child, said };
    dev.until("built c-dev 0.1.0");
    dev.until("waiting for a change");

    workplace.edit("c-dev/src/lib.rs", "split_whitespace()", "split('a')");
    dev.until("swapped in: c-dev 0.1.0");
    dev.until("waiting for a change");

    workplace.edit("c-dev/src/lib.rs", "split('a')", "split('a'");
    dev.until("src/lib.rs:");
    dev.until("the version before goes on; waiting for a change");

    workplace.edit("c-dev/src/lib.rs", "split('a'", "split('b')");
    dev.until("swapped in: c-dev 0.1.0");
    dev.until("waiting for a change");

    // A pipeline that uses other plugins begins anew with them.
    let node = "nodes:\n  few:\n    type: filter\n    with: { items: [1, 2], where: item is even }\n";
    workplace.edit("c-dev/pipeline.yaml", "nodes:\n", node);
    dev.until("few done");
}
