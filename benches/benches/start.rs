//! From process start to process end of the command, as it was last built by
//! `cargo build --release -p tapline-cli`.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use divan::Bencher;
use tempfile::TempDir;

fn main() {
    divan::main();
    if command().is_none() {
        println!("skipped: `tapline` is not there; build it by `cargo build --release -p tapline-cli`");
    }
}

/// What it costs to start any process, and to wait for its end.
#[divan::bench]
fn nothing(bencher: Bencher<'_, '_>) {
    run(bencher, Path::new("true"), &[]);
}

#[divan::bench]
fn help(bencher: Bencher<'_, '_>) {
    tapline(bencher, &["--help"]);
}

#[divan::bench]
fn check(bencher: Bencher<'_, '_>) {
    tapline(bencher, &["check", "examples/triage/pipeline.yaml"]);
}

/// So many packages lie in a folder of the settings, and the pipeline has no use for any of them.
#[divan::bench(args = [0, 10, 100])]
fn check_beside_packages(bencher: Bencher<'_, '_>, packages: usize) {
    let project = project_with(packages);
    tapline(bencher, &["check", project.path().join("pipeline.yaml").to_str().unwrap()]);
}

/// A file that no memory knows, of 10,000 nodes in a row.
#[divan::bench(args = ["check", "plan"])]
fn of_10000_nodes(bencher: Bencher<'_, '_>, verb: &str) {
    let project = tempfile::tempdir().unwrap();
    let file = project.path().join("pipeline.yaml");
    fs::write(&file, chain(10_000)).unwrap();
    tapline(bencher, &[verb, file.to_str().unwrap()]);
}

fn chain(nodes: usize) -> String {
    let node = |place: usize| {
        let items =
            if place == 0 { "[1, 2]".to_owned() } else { format!("'{{{{ n{}.items }}}}'", place - 1) };
        format!("  n{place}: {{ type: limit, with: {{ items: {items}, max: 1 }} }}\n")
    };
    let nodes: String = (0..nodes).map(node).collect();
    format!("name: bench\nnodes:\n{nodes}")
}

fn project_with(packages: usize) -> TempDir {
    let project = tempfile::tempdir().unwrap();
    let pipeline = "name: bench\nnodes: { rows: { type: limit, with: { items: [1, 2], max: 1 } } }\n";
    fs::write(project.path().join("pipeline.yaml"), pipeline).unwrap();
    fs::write(project.path().join("tapline.toml"), "[plugins]\nfolders = ['plugins']\n").unwrap();
    let plugins = project.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/triage/plugins/redact");
    let manifest = fs::read_to_string(original.join("plugin.toml")).unwrap();
    for package in 0..packages {
        let folder = plugins.join(format!("p{package}"));
        fs::create_dir(&folder).unwrap();
        let manifest = manifest.replacen("id = \"redact\"", &format!("id = \"p{package}\""), 1);
        fs::write(folder.join("plugin.toml"), manifest).unwrap();
        fs::copy(original.join("plugin.wasm"), folder.join("plugin.wasm")).unwrap();
    }
    project
}

fn tapline(bencher: Bencher<'_, '_>, arguments: &[&str]) {
    if let Some(command) = command() {
        run(bencher, &command, arguments);
    }
}

/// The command lies two folders above the benchmark itself.
fn command() -> Option<PathBuf> {
    let benchmark = std::env::current_exe().ok()?;
    let command = benchmark.parent()?.parent()?.join(format!("tapline{}", std::env::consts::EXE_SUFFIX));
    command.is_file().then_some(command)
}

#[expect(clippy::disallowed_methods, reason = "a process is what is measured")]
fn run(bencher: Bencher<'_, '_>, program: &Path, arguments: &[&str]) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    bencher.bench_local(|| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&workspace).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status();
        assert!(status.as_ref().is_ok_and(|status| status.success()), "{}: {status:?}", program.display());
    });
}
