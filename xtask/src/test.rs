use std::process::{Command, ExitCode};

use anyhow::Result;
use clap::Args;

use crate::foreign;
use crate::guests::{self, Built};
use crate::peers;
use crate::process;
use crate::setup;
use crate::workspace::Workspace;

/// Where tests look for freshly built guests; without it they use the committed ones.
const GUESTS: &str = "TAPLINE_GUESTS";
/// Where tests look for the plugin systems that they compare ours with; without it they skip the comparison.
pub(crate) const PEERS: &str = "TAPLINE_PEERS";
/// Where tests look for guests in other languages than Rust; without it they skip what they would try with them.
const FOREIGN: &str = "TAPLINE_FOREIGN";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Run the tests marked `#[ignore]`, too, and install the model servers, MCP servers, schemathesis and LangChain, which
    /// some of them need.
    #[arg(long)]
    all: bool,
    /// What the test runner is told; with it, the examples in the docs are left out.
    #[arg(last = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let built = guests::build(workspace)?;
    let unbuilt = foreign::build(workspace)?;
    if options.all {
        peers::install_model_servers(workspace);
        peers::install_mcp_servers(workspace);
        peers::install_schemathesis(workspace);
        foreign::install_langchain(workspace);
    }
    let mut outcome = ExitCode::SUCCESS;
    let of_sdks = if options.arguments.is_empty() { foreign::tests(workspace) } else { Vec::new() };
    for mut tests in of_sdks.into_iter().chain(commands(options)) {
        match &built {
            Built::Into(packages) => tests.env(GUESTS, packages),
            Built::Skipped(_) => tests.env_remove(GUESTS),
        };
        tests.env(PEERS, peers::folder(workspace)).env(FOREIGN, foreign::folder(workspace));
        let status = process::run(&mut tests)?;
        if !status.success() {
            outcome = process::exit_code(status);
        }
    }
    for line in skipped(workspace, &built, options) {
        println!("skipped: {line}");
    }
    if !unbuilt.is_empty() {
        println!(
            "skipped: tests with {} (`cargo xtask setup --install` gets their tools)",
            unbuilt.join(", ")
        );
    }
    Ok(outcome)
}

/// The examples in the docs come first, so that the output closes with the count of the tests proper.
fn commands(options: &Options) -> Vec<Command> {
    let mut commands = Vec::new();
    if options.arguments.is_empty() {
        let mut docs = process::cargo();
        docs.args(["test", "--doc", "--workspace"]);
        commands.push(docs);
        // Of its own, because its feature would put every other test under the control of the scheduler.
        let mut interleavings = process::cargo();
        interleavings.args([
            "test",
            "--package",
            "tapline-core",
            "--features",
            "shuttle",
            "--test",
            "interleavings",
        ]);
        commands.push(interleavings);
    }
    let has_nextest = process::find_program("cargo-nextest").is_some();
    commands.push(if has_nextest { nextest(options) } else { cargo_test(options) });
    commands
}

fn nextest(options: &Options) -> Command {
    let mut tests = process::cargo();
    tests.args(["nextest", "run", "--workspace"]);
    if options.all {
        tests.args(["--run-ignored", "all"]);
    }
    tests.args(&options.arguments);
    tests
}

fn cargo_test(options: &Options) -> Command {
    let mut tests = process::cargo();
    tests.args(["test", "--workspace", "--lib", "--bins", "--tests", "--examples", "--"]);
    if options.all {
        tests.arg("--include-ignored");
    }
    tests.args(&options.arguments);
    tests
}

fn skipped(workspace: &Workspace, built: &Built, options: &Options) -> Vec<String> {
    let mut lines = Vec::new();
    if let Built::Skipped(guests) = built {
        lines.push(format!("building {} guests (no wasm toolchain): {}", guests.len(), guests.join(", ")));
    }
    if !options.arguments.is_empty() {
        lines.push("the examples in the docs (arguments were given)".to_owned());
    }
    if options.arguments.is_empty() && foreign::missing(workspace).contains(&"mypy") {
        lines.push("the types of the SDK for Python (`cargo xtask setup --install` gets mypy)".to_owned());
    }
    if !options.all {
        lines.push("tests marked #[ignore] (--all runs them)".to_owned());
    } else {
        let kinds = [
            ("model servers", peers::missing_model_servers(workspace)),
            ("MCP servers", peers::missing_mcp_servers(workspace)),
            ("programs", peers::missing_schemathesis(workspace)),
        ];
        let missing = kinds.into_iter().filter(|(_, peers)| !peers.is_empty());
        lines.extend(missing.map(|(kind, peers)| {
            let peers = peers.join(", ");
            format!("tests with {kind} that are not there: {peers}")
        }));
    }
    let missing: Vec<_> = setup::missing_programs().into_iter().chain(peers::missing(workspace)).collect();
    if !missing.is_empty() {
        lines.push(format!("comparisons with programs that are not there: {}", missing.join(", ")));
    }
    lines
}
