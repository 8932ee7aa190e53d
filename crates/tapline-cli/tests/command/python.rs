//! Plugins in Python that are processes of their own: written, built, installed, and in a pipeline.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tapline::Value;
use tapline::core::Runtime;
use tapline::process::{ProcessRuntime, Walls};
use tapline_test_kit::Rig;

use crate::author::{FAMILIES, from_nothing_to_a_pipeline};
use crate::support::{Said, Workplace, foreign, lines, repository};

/// A folder in which processes of Python can be run: behind walls, and with this environment of `cargo xtask setup`.
fn with(environment: &str) -> Option<(Workplace, PathBuf)> {
    let environment = foreign().join(environment).join(".venv");
    let workplace = Workplace::new();
    if !environment.join("bin/python3").exists() {
        println!("skipped: {} is not there; `cargo xtask setup --install` makes it", environment.display());
        return None;
    }
    if !workplace.tapline("plugin doctor --json").out.contains("\"stand\":true") {
        println!("skipped: not all walls stand here; `tapline plugin doctor` tells which");
        return None;
    }
    Some((workplace, environment.canonicalize().unwrap()))
}

/// Whether there is a Python that makes environments.
#[expect(clippy::disallowed_methods, reason = "what a test needs of the machine")]
fn has_venv() -> bool {
    let output = std::process::Command::new("python3").args(["-c", "import venv, ensurepip"]).output();
    let has = output.is_ok_and(|output| output.status.success());
    if !has {
        println!("skipped: there is no Python that makes environments");
    }
    has
}

#[cfg(unix)]
fn link(environment: &Path, package: &Path) {
    fs::create_dir_all(package).unwrap();
    std::os::unix::fs::symlink(environment, package.join(".venv")).unwrap();
}

#[cfg(unix)]
#[test]
fn every_family_in_python_as_a_process_builds_passes_its_cases_and_runs_in_a_pipeline() {
    let Some((workplace, environment)) = with("") else { return };
    for family in FAMILIES {
        let name = format!("python-{family}");
        from_nothing_to_a_pipeline(&workplace, "python --runtime process", &name, family, |package| {
            link(&environment, package);
        });
        assert!(workplace.read(&format!("{name}/plugin.toml")).contains("runtime = \"process\""));
        assert!(!workplace.path(&format!("{name}/plugin.wasm")).exists());
    }
}

#[test]
fn a_process_is_for_python_alone() {
    let said = Workplace::new().tapline("plugin new x --lang rust --runtime process");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("`--runtime process` is for plugins in Python"), "{}", said.err);
}

/// A package of a process that was built, with these requirements.
fn package(requirements: &str) -> Workplace {
    let workplace = Workplace::new();
    let manifest = "[plugin]\nid = 'x'\nversion = '1.0.0'\nhost = '^1'\nruntime = 'process'\n\
        [process]\ncommand = ['python3', 'x.py']\nfiles = ['x.py', 'requirements.txt']\n\
        [[provides]]\npoint = 'node'\nkey = 'x'\n";
    workplace.write("x/plugin.toml", manifest);
    workplace.write("x/x.py", "");
    workplace.write("x/requirements.txt", requirements);
    workplace
}

/// Installs it, with an index of packages that is not there.
fn installed(workplace: &Workplace) -> Said {
    let output =
        workplace.command().args(["plugin", "install", "x"]).env("PIP_NO_INDEX", "1").output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn an_installed_package_has_an_environment_of_its_own_which_is_no_difference_to_what_was_installed() {
    if !has_venv() {
        return;
    }
    let workplace = package("# nothing\n");
    let said = installed(&workplace);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(workplace.path("plugins/x-1.0.0/.venv/bin/python3").exists());
    let verified = workplace.tapline("plugin verify");
    assert_eq!(verified.code, 0, "{}", verified.out);
}

#[test]
fn a_package_whose_environment_cannot_be_made_is_not_there_at_all() {
    if !has_venv() {
        return;
    }
    for (requirements, expected) in [
        ("--index-url file:///x\n", "requirements.txt:1: `--index-url file:///x` is no name of a package"),
        ("nothing-of-this-name-is-anywhere\n", "its packages cannot be installed"),
    ] {
        let workplace = package(requirements);
        let said = installed(&workplace);
        assert_eq!(said.code, 1, "{}", said.err);
        assert!(said.err.contains(expected), "{}", said.err);
        assert!(!workplace.path("plugins/x-1.0.0").exists());
        assert!(workplace.tapline("plugin verify").out.contains("no differences"));
    }
}

#[test]
fn a_python_that_is_none_is_refused_before_anything_is_made() {
    let workplace = package("");
    let said = workplace.tapline("plugin install x --python true");
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("`true` does not answer as a Python does"), "{}", said.err);
    assert!(!workplace.path("plugins/x-1.0.0").exists());
}

#[test]
fn a_package_whose_environment_was_not_made_says_what_makes_it() {
    let workplace = package("");
    workplace.write("tapline.toml", "[policy]\nwalls = \"optional\"\n");
    workplace.write("pipeline.yaml", "name: p\nplugins: { x: { path: x } }\nnodes: { a: { type: x } }\n");
    let said = workplace.tapline("run pipeline.yaml");
    assert_eq!(said.code, 2, "{}", said.err);
    let expected = "its environment was not made; run `tapline plugin install ./x`";
    assert!(said.err.contains(expected), "{}", said.err);
}

/// The example beside the plugin, built and with its environment.
#[cfg(unix)]
fn rag() -> Option<Workplace> {
    let (workplace, environment) = with("langchain")?;
    for (from, to) in [("examples/rag", ""), ("plugins/langchain", "plugins/langchain")] {
        let from = repository().join(from);
        let is_source = |entry: &walkdir::DirEntry| {
            let name = entry.file_name().to_str().unwrap();
            entry.depth() == 0 || !(name.starts_with('.') || ["plugins", "tapline"].contains(&name))
        };
        for entry in walkdir::WalkDir::new(&from).into_iter().filter_entry(is_source) {
            let entry = entry.unwrap();
            if entry.file_type().is_file() {
                let below = entry.path().strip_prefix(&from).unwrap();
                workplace.write(Path::new(to).join(below).to_str().unwrap(), fs::read(entry.path()).unwrap());
            }
        }
    }
    link(&environment, &workplace.path("plugins/langchain"));
    let said = workplace.tapline("plugin build plugins/langchain");
    assert_eq!(said.code, 0, "{}", said.err);
    Some(workplace)
}

#[cfg(unix)]
#[test]
fn the_example_rag_answers_with_the_sources_of_its_answer() {
    let Some(workplace) = rag() else { return };
    let said = workplace.tapline("run pipeline.yaml --json");
    assert_eq!(said.code, 0, "{}", said.err);
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let outputs = &report["outputs"];
    let found = serde_json::json!([{ "source": "documents/refunds.md", "part": 2 }, { "source": "documents/sharing.md", "part": 1 }]);
    assert_eq!(outputs["sources"], found);
    let answer = outputs["answer"].as_str().unwrap();
    assert!(answer.contains("[1] documents/refunds.md\nA yearly plan that is cancelled"), "{answer}");

    let readme = workplace.read("README.md");
    let shown = readme.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(lines(&workplace.tapline("run pipeline.yaml").out), lines(shown));
}

#[cfg(unix)]
#[test]
fn what_langchain_promises_holds() {
    let Some(workplace) = rag() else { return };
    let said = workplace.tapline("plugin test plugins/langchain --no-build");
    assert!(said.err.ends_with(" passed, 0 failed\n"), "{}", said.err);
}

#[cfg(unix)]
#[test]
fn what_a_runnable_streams_is_read_along_piece_by_piece() {
    let Some(workplace) = rag() else { return };
    let model = "{ import: \"langchain_core.language_models.fake_chat_models:FakeListChatModel\", args: { responses: [abc] } }";
    let parser = "{ import: \"langchain_core.output_parsers:StrOutputParser\" }";
    let pipeline = format!(
        "name: s\nnodes: {{ a: {{ type: langchain, with: {{ run: [{model}, {parser}], input: x }} }} }}\n"
    );
    workplace.write("streamed.yaml", pipeline);
    let said = workplace.tapline("run streamed.yaml --events events.jsonl");
    assert_eq!(said.code, 0, "{}", said.err);
    let events = workplace.read("events.jsonl");
    let events = events.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let pieces: Vec<_> =
        events.filter(|event| event["event"] == "token").map(|event| event["piece"].clone()).collect();
    assert_eq!(pieces, ["a", "b", "c"]);
}

#[cfg(unix)]
#[test]
fn what_langchain_tells_of_its_work_becomes_events_that_say_what_they_are_part_of() {
    let Some(workplace) = rag() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let events = runtime.block_on(async {
        let processes: Arc<dyn Runtime> = Arc::new(ProcessRuntime::new(Walls::none()));
        let rig = Rig::setup().runtime(processes).load(workplace.path("plugins/langchain")).await.unwrap();
        let part = r#"{ "import": "langchain_core.runnables:RunnablePassthrough" }"#;
        let with = Value::from_json(&format!(r#"{{ "run": [{part}, {part}], "input": 1 }}"#)).unwrap();
        rig.node("langchain", with).await.unwrap();
        rig.seen().wait(|seen| seen.events().len() == 6).await;
        rig.seen().events()
    });
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            let text =
                |key: &str| event.payload.get(key).and_then(Value::as_str).unwrap_or("none").to_owned();
            (event.topic.as_str().to_owned(), text("name"), text("run"), text("parent"))
        })
        .collect();
    let (whole, parts) = (&told[0], &told[1..5]);
    assert_eq!((&*whole.0, &*whole.1, &*whole.3), ("langchain.started", "RunnableSequence", "none"));
    assert!(parts.iter().all(|part| part.1 == "RunnablePassthrough" && part.3 == whole.2), "{told:?}");
    assert_eq!((&*told[5].0, &told[5].2), ("langchain.ended", &whole.2));
}

#[cfg(unix)]
#[test]
fn what_langchain_may_not_do_is_refused_before_the_run() {
    let Some(workplace) = rag() else { return };
    workplace.edit("tapline.toml", "call = [\"provider/*\"]\n", "");
    let said = workplace.tapline("run pipeline.yaml");
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("provider/*"), "{}", said.err);
}
