//! What is wrong with a source in Python or JavaScript is told in the author's words, with the author's lines.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use tapline_build::{BuildError, Project, Sdk, process};
use tempfile::TempDir;

/// The error with which a project of this source is not built.
fn refusal(beside: &Path, file: &str, source: &str) -> BuildError {
    let folder = TempDir::new_in(beside).unwrap();
    let project = folder.path().join("project");
    fs::create_dir(&project).unwrap();
    fs::write(project.join(file), source).unwrap();
    let sdk = Sdk::unpack(&folder.path().join("sdk")).unwrap();
    Project::open(project).unwrap().build(&sdk).unwrap_err()
}

/// Where the tools for JavaScript are, if they are.
#[expect(clippy::disallowed_methods, reason = "the test runner says where they are")]
fn with_npm() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/foreign");
    let folder = std::env::var("TAPLINE_FOREIGN").map_or_else(|_| beside(), PathBuf::from);
    let is_there = folder.join("node_modules/esbuild").is_dir() && process::find_program("node").is_some();
    if !is_there {
        eprintln!("skipped: esbuild is not installed; `cargo xtask setup --install` does it");
    }
    is_there.then_some(folder)
}

fn mistake(beside: &Path, file: &str, source: &str) -> String {
    match refusal(beside, file, source) {
        BuildError::Declaration { what } => what,
        other => panic!("{other}"),
    }
}

fn in_python(source: &str) -> String {
    mistake(&std::env::temp_dir(), "plugin.py", source)
}

fn has_python() -> bool {
    let is_there = process::find_program("python3").is_some();
    if !is_there {
        eprintln!("skipped: there is no python3");
    }
    is_there
}

#[test]
fn a_mistake_in_python_names_its_file_and_line() {
    if !has_python() {
        return;
    }
    let head = "from tapline import *\n\n@plugin(id='a', version='1.0.0')\nclass A:\n";
    let priority = "    @hook('p', kind='around', priority=101)\n    def b(self, context): pass\n";
    let expected = "plugin.py:5: `priority`: 101 is not a priority: a whole number from 0 (outermost) to 100";
    assert_eq!(in_python(&format!("{head}{priority}")), expected);
    let expected = "plugin.py:3: `id`: ";
    assert!(in_python(&format!("{}    pass\n", head.replace("'a'", "'A B'"))).starts_with(expected));
    let syntax = in_python("from tapline import *\ndef f(:\n");
    assert!(syntax.starts_with("  File \"plugin.py\", line 2\n    def f(:\n"), "{syntax}");
    let exception = in_python("def f():\n    return 1 / 0\n\nf()\n");
    assert!(exception.contains("File \"plugin.py\", line 2, in f"), "{exception}");
    assert!(exception.ends_with("ZeroDivisionError: division by zero"), "{exception}");
    assert!(!exception.contains("importlib") && !exception.contains("/tapline/"), "{exception}");
}

#[test]
fn a_mistake_in_javascript_names_its_file_and_line() {
    let Some(folder) = with_npm() else { return };
    let wrong = |source: &str| mistake(&folder, "plugin.js", source);
    let head = "import { plugin } from \"tapline\";\n\nexport default plugin({ id: \"a\", version: \"1.0.0\"";
    let hook = "hooks: { b: { point: \"p\", kind: \"around\", priority: 101, run() {} } }";
    let expected = "plugin.js:3: `priority`: 101 is not a priority: a whole number from 0 (outermost) to 100";
    assert!(
        wrong(&format!("{head}, {hook} }});\n")).ends_with(&expected["plugin.js:3: `priority`: ".len()..])
    );
    let unknown = wrong(&format!("{head}, hook: {{}} }});\n"));
    assert!(unknown.starts_with("plugin.js:3: unknown key `hook` of a plugin"), "{unknown}");
    let syntax = wrong("import { plugin } from \"tapline\";\nfunction f( {\n");
    assert!(syntax.contains("plugin.js:3:0") || syntax.contains("plugin.js:2:"), "{syntax}");
    let exception = wrong("function f() {\n  null.x;\n}\n\nf();\n");
    assert!(exception.starts_with("TypeError: ") && exception.contains("at f (plugin.js:2)"), "{exception}");
    assert!(wrong("export default 3;\n").starts_with("plugin.js:1: a plugin is what is exported"));
}

#[test]
fn a_tool_that_is_missing_is_named_with_the_way_to_get_it() {
    if process::find_program("node").is_none() {
        return;
    }
    let error = refusal(&std::env::temp_dir(), "plugin.js", "export default 3;\n");
    assert_eq!(error.to_string(), "there is no componentize-qjs");
    assert_eq!(error.help(), Some("npm install --save-dev componentize-qjs@0.4.5 esbuild@0.28.2"));
}
