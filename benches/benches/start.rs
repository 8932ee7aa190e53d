//! From process start to process end of the command, as it was last built by
//! `cargo build --release -p tapline-cli`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use divan::Bencher;

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
