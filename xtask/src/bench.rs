use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;

use crate::peers;
use crate::process;
use crate::workspace::Workspace;

const PACKAGE: &str = "tapline-benches";
/// The benchmark that measures Extism beside us.
const BESIDE_EXTISM: &str = "sandbox";
/// The benchmark that measures polars beside us.
const BESIDE_POLARS: &str = "transform";
/// The benchmark that measures other engines of pipelines beside us.
const BESIDE_ENGINES: &str = "engine";
/// The benchmark that measures gRPC and MCP beside us.
const BESIDE_GRPC: &str = "process";
/// The benchmark that measures FastAPI with LangGraph beside us.
const BESIDE_FASTAPI: &str = "serve";
/// The benchmark that measures LiteLLM beside us.
const BESIDE_LITELLM: &str = "provider";

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
    let runs = |bench: &str| options.name.as_deref().is_none_or(|name| name == bench);
    if runs(BESIDE_ENGINES) {
        peers::install_engines(workspace);
    }
    if runs(BESIDE_LITELLM) {
        peers::install_litellm(workspace);
    }
    if runs(BESIDE_FASTAPI) {
        peers::install_serving(workspace);
    }
    if runs(BESIDE_GRPC) {
        peers::install_processes(workspace);
    }
    if runs(BESIDE_POLARS)
        && let Err(error) = peers::install_polars(workspace)
    {
        println!("{error:#}; polars is not compared with");
    }
    if runs(BESIDE_EXTISM)
        && let Err(error) = peers::build_extism(workspace)
    {
        println!("{error:#}; Extism is not compared with");
    }
    let mut bench = process::cargo();
    bench.args(["bench", "--package", PACKAGE]);
    match &options.name {
        Some(name) => bench.args(["--bench", name]),
        None => bench.arg("--benches"),
    };
    bench.env(crate::test::PEERS, peers::folder(workspace));
    bench.arg("--").args(&options.arguments);
    process::run(&mut bench).map(process::exit_code)
}
