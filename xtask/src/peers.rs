//! Other people's plugin systems, which tests and benchmarks compare ours with.

use std::fs;

use anyhow::{Context, Result};
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};

use crate::process;
use crate::workspace::Workspace;

/// A package of another ecosystem, of one version, so that every machine compares with the same.
struct Peer {
    name: &'static str,
    version: &'static str,
}

const TAPABLE: Peer = Peer { name: "tapable", version: "2.3.4" };
const PLUGGY: Peer = Peer { name: "pluggy", version: "1.7.0" };
const POLARS: Peer = Peer { name: "polars", version: "2.1.0" };
/// The virtual environment of polars.
const DATA_FRAMES: &str = "dataframes";
/// Engines of pipelines, with the folder of each one's virtual environment: they need other versions of the same packages.
const ENGINES: [(&str, Peer); 3] = [
    ("neograph", Peer { name: "neograph-engine", version: "0.16.0" }),
    ("langgraph", Peer { name: "langgraph", version: "1.2.24" }),
    ("haystack", Peer { name: "haystack-ai", version: "3.4.1" }),
];

/// The virtual environment of LiteLLM, whose proxy is a model server.
const LITELLM: (&str, [Peer; 1]) = ("litellm", [Peer { name: "litellm[proxy]", version: "1.108.7" }]);
/// The virtual environment of llama.cpp's server, and of what makes a model for it; the server is compiled here.
const LLAMA: (&str, [Peer; 3]) = (
    "llama",
    [
        Peer { name: "llama-cpp-python[server]", version: "0.3.36" },
        Peer { name: "gguf", version: "0.19.0" },
        Peer { name: "numpy", version: "2.4.6" },
    ],
);

/// The virtual environment of what serves runs over http.
const SERVING: (&str, [Peer; 4]) = (
    "serving",
    [
        Peer { name: "langgraph", version: "1.2.24" },
        Peer { name: "langgraph-checkpoint-sqlite", version: "3.1.2" },
        Peer { name: "fastapi", version: "0.165.0" },
        Peer { name: "uvicorn[standard]", version: "0.54.0" },
    ],
);

/// The virtual environment of what calls into processes are compared with.
const PROCESSES: (&str, [Peer; 2]) =
    ("process", [Peer { name: "grpcio", version: "1.85.3" }, Peer { name: "mcp", version: "2.3.0" }]);
/// The folder of servers of the Model Context Protocol that npm has.
const MCP_NODE: (&str, [Peer; 3]) = (
    "mcp",
    [
        Peer { name: "@modelcontextprotocol/server-everything", version: "2026.8.31" },
        Peer { name: "@modelcontextprotocol/server-filesystem", version: "2026.8.31" },
        Peer { name: "@modelcontextprotocol/server-memory", version: "2026.8.31" },
    ],
);
/// The virtual environment of those that are in Python.
const MCP_PYTHON: (&str, [Peer; 2]) = (
    "mcp-python",
    [
        Peer { name: "mcp-server-time", version: "2026.10.19" },
        Peer { name: "mcp-server-git", version: "2026.10.19" },
    ],
);

/// The virtual environment of what asks our server whatever its description allows, and what it does not.
const SCHEMATHESIS: (&str, [Peer; 1]) = ("schemathesis", [Peer { name: "schemathesis", version: "4.32.5" }]);

/// The folder that holds them: `node_modules`, and virtual environments.
pub(crate) fn folder(workspace: &Workspace) -> Utf8PathBuf {
    workspace.target().join("peers")
}

/// The peers that are not there, by name.
pub(crate) fn missing(workspace: &Workspace) -> Vec<&'static str> {
    let folder = folder(workspace);
    let there =
        [(&TAPABLE, has_tapable(&folder)), (&PLUGGY, has_pluggy(&folder)), (&POLARS, has_polars(&folder))];
    there.iter().filter(|(_, is_there)| !is_there).map(|(peer, _)| peer.name).collect()
}

/// Installs those that are missing with the package managers of their languages.
pub(crate) fn install(workspace: &Workspace) -> Result<()> {
    let folder = folder(workspace);
    fs::create_dir_all(&folder).with_context(|| folder.to_string())?;
    if !has_tapable(&folder) {
        install_node(&[TAPABLE], &folder)?;
    }
    if !has_pluggy(&folder) {
        install_python(&PLUGGY, &folder.join("python"))?;
    }
    install_polars(workspace)
}

/// Installs polars, if it is missing.
pub(crate) fn install_polars(workspace: &Workspace) -> Result<()> {
    let folder = folder(workspace);
    if has_polars(&folder) { Ok(()) } else { install_python(&POLARS, &folder.join(DATA_FRAMES)) }
}

/// Installs the engines of pipelines that are missing, some hundred MiB, and says why one cannot be had.
pub(crate) fn install_engines(workspace: &Workspace) {
    for (environment, engine) in &ENGINES {
        let environment = folder(workspace).join(environment);
        if !has_python(engine, &environment)
            && let Err(error) = install_python(engine, &environment)
        {
            println!("{error:#}; {} is not compared with", engine.name);
        }
    }
}

/// Installs the model servers that are missing, most of a GiB, and says why one cannot be had; that of llama.cpp takes
/// minutes to compile.
pub(crate) fn install_model_servers(workspace: &Workspace) {
    install_litellm(workspace);
    let (environment, packages) = &LLAMA;
    install_environment(workspace, environment, packages);
}

/// Installs LiteLLM, if it is missing, and says why it cannot be had.
pub(crate) fn install_litellm(workspace: &Workspace) {
    let (environment, packages) = &LITELLM;
    install_environment(workspace, environment, packages);
}

/// Installs what calls into processes are compared with, if it is missing, and says why it cannot be had.
pub(crate) fn install_processes(workspace: &Workspace) {
    let (environment, packages) = &PROCESSES;
    install_environment(workspace, environment, packages);
}

/// Installs what serves runs over http as ours does, if it is missing, and says why it cannot be had.
pub(crate) fn install_serving(workspace: &Workspace) {
    let (environment, packages) = &SERVING;
    install_environment(workspace, environment, packages);
}

/// Installs schemathesis, if it is missing, and says why it cannot be had.
pub(crate) fn install_schemathesis(workspace: &Workspace) {
    let (environment, packages) = &SCHEMATHESIS;
    install_environment(workspace, environment, packages);
}

/// Schemathesis, if it is not there.
pub(crate) fn missing_schemathesis(workspace: &Workspace) -> Vec<&'static str> {
    let (environment, packages) = &SCHEMATHESIS;
    let environment = folder(workspace).join(environment);
    packages.iter().filter(|package| !has_python(package, &environment)).map(|package| package.name).collect()
}

/// The model servers that are not there, by name.
pub(crate) fn missing_model_servers(workspace: &Workspace) -> Vec<&'static str> {
    let folder = folder(workspace);
    let servers: [(_, &[Peer]); 2] = [(LITELLM.0, &LITELLM.1), (LLAMA.0, &LLAMA.1)];
    let missing = servers.iter().filter(|(environment, packages)| {
        !packages.iter().all(|package| has_python(package, &folder.join(environment)))
    });
    missing.map(|(environment, _)| *environment).collect()
}

/// Installs the MCP servers that are missing, and says why one cannot be had.
pub(crate) fn install_mcp_servers(workspace: &Workspace) {
    let (place, packages) = &MCP_NODE;
    let place = folder(workspace).join(place);
    if !packages.iter().all(|package| has_node(package, &place))
        && let Err(error) = install_node(packages, &place)
    {
        println!("{error:#}; nothing is tried with MCP servers in JavaScript");
    }
    let (environment, packages) = &MCP_PYTHON;
    install_environment(workspace, environment, packages);
}

/// The MCP servers that are not there, by name.
pub(crate) fn missing_mcp_servers(workspace: &Workspace) -> Vec<&'static str> {
    let folder = folder(workspace);
    let (node, python) = (folder.join(MCP_NODE.0), folder.join(MCP_PYTHON.0));
    let in_node = MCP_NODE.1.iter().filter(|package| !has_node(package, &node));
    let in_python = MCP_PYTHON.1.iter().filter(|package| !has_python(package, &python));
    in_node.chain(in_python).map(|package| package.name).collect()
}

fn install_environment(workspace: &Workspace, environment: &str, packages: &[Peer]) {
    let environment = folder(workspace).join(environment);
    for package in packages.iter().filter(|package| !has_python(package, &environment)) {
        if let Err(error) = install_python(package, &environment) {
            println!("{error:#}; nothing is tried with {}", package.name);
            return;
        }
    }
}

/// The workspace of the program that measures Extism.
pub(crate) fn extism_source(workspace: &Workspace) -> Utf8PathBuf {
    workspace.root().join("benches/peers/extism")
}

/// Builds the program that measures Extism, which takes minutes the first time.
pub(crate) fn build_extism(workspace: &Workspace) -> Result<()> {
    let mut cargo = process::cargo();
    cargo.args(["build", "--release", "--locked"]);
    cargo.args(["--manifest-path", extism_source(workspace).join("Cargo.toml").as_str()]);
    process::run_well(cargo.args(["--target-dir", folder(workspace).join("extism").as_str()]))
}

fn has_tapable(folder: &Utf8Path) -> bool {
    has_node(&TAPABLE, folder)
}

/// Whether `node_modules` in a folder has a package in its version.
fn has_node(peer: &Peer, folder: &Utf8Path) -> bool {
    let about = fs::read_to_string(folder.join("node_modules").join(peer.name).join("package.json"));
    about.is_ok_and(|about| about.contains(&format!("\"version\": \"{}\"", peer.version)))
}

fn install_node(packages: &[Peer], folder: &Utf8Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.to_string())?;
    let mut npm = process::command("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--prefix", folder.as_str()]);
    process::run_well(npm.args(packages.iter().map(|one| format!("{}@{}", one.name, one.version))))
}

fn has_pluggy(folder: &Utf8Path) -> bool {
    has_python(&PLUGGY, &folder.join("python"))
}

fn has_polars(folder: &Utf8Path) -> bool {
    has_python(&POLARS, &folder.join(DATA_FRAMES))
}

/// Whether a virtual environment has a package in its version; nothing of it is imported, which can take seconds.
fn has_python(peer: &Peer, environment: &Utf8Path) -> bool {
    // What a package is installed with stands in brackets after its name.
    let name = peer.name.split('[').next().unwrap_or_default();
    let version = format!("import importlib.metadata; print(importlib.metadata.version('{name}'))");
    let mut python = process::command(environment.join("bin/python"));
    process::answer(python.args(["-c", &version])).is_some_and(|found| found.trim() == peer.version)
}

fn install_python(peer: &Peer, environment: &Utf8Path) -> Result<()> {
    process::run_well(process::command("python3").args(["-m", "venv", environment.as_str()]))?;
    let mut pip = process::command(environment.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    process::run_well(pip.arg(format!("{}=={}", peer.name, peer.version)))
}
