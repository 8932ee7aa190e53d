use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;

use crate::process;
use crate::workspace::Workspace;

const PACKAGE: &str = "tapline-benches";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The one benchmark to run.
    name: Option<String>,
    /// What the benchmark itself is told.
    #[arg(last = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    ensure!(workspace.has_member(PACKAGE), "there is no package {PACKAGE} in this workspace");
    let mut bench = process::cargo();
    bench.args(["bench", "--package", PACKAGE]);
    match &options.name {
        Some(name) => bench.args(["--bench", name]),
        None => bench.arg("--benches"),
    };
    bench.env(crate::test::PEERS, crate::peers::folder(workspace));
    bench.arg("--").args(&options.arguments);
    process::run(&mut bench).map(process::exit_code)
}
