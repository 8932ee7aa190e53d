//! The guests that are written in other languages than Rust: built where their tools are, and never committed, because
//! their components are large.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};
use tapline_build::{BuildError, Language, Project, Sdk, javascript, python};

use crate::guests::hash_of;
use crate::process;
use crate::workspace::Workspace;

/// What says of which sources a package was built.
const HASH: &str = "source.sha256";
/// What the tests leave beside a package once it is compiled.
const COMPILED: &str = "compiled";
/// What looks at the types of Python.
const MYPY: &str = "mypy>=1.18";
/// What the SDK for Python needs in a process.
const MSGPACK: &str = "msgpack>=1.1";

/// The folder that holds the tools, copies of the sources, the packages, and what tests compile of them.
pub(crate) fn folder(workspace: &Workspace) -> Utf8PathBuf {
    workspace.target().join("foreign")
}

/// Builds those whose sources have changed, and names those for which the tools are missing.
pub(crate) fn build(workspace: &Workspace) -> Result<Vec<String>> {
    let mut skipped = Vec::new();
    for source in sources(workspace)? {
        let name = source.file_name().unwrap_or_default();
        match build_one(workspace, &source, name) {
            Err(error) if is_missing(&error) => skipped.push(name.to_owned()),
            done => done.with_context(|| format!("guest {name}"))?,
        }
    }
    Ok(skipped)
}

/// The tools that are not there, by name.
pub(crate) fn missing(workspace: &Workspace) -> Vec<&'static str> {
    let folder = folder(workspace);
    let tools = [
        ("componentize-py", has_python(&folder)),
        ("mypy", mypy(&folder).is_file()),
        ("componentize-qjs", has_javascript(&folder)),
    ];
    tools.iter().filter(|(_, is_there)| !is_there).map(|(tool, _)| *tool).collect()
}

/// Installs what the plugin `langchain` needs, half a GiB, if it is missing, and says why it cannot be had.
pub(crate) fn install_langchain(workspace: &Workspace) {
    let environment = folder(workspace).join("langchain/.venv");
    if environment.join("ready").is_file() {
        return;
    }
    if let Err(error) = make_langchain(workspace, &environment) {
        println!("{error:#}; the tests with langchain skip themselves");
    }
}

fn make_langchain(workspace: &Workspace, environment: &Utf8Path) -> Result<()> {
    let _ = fs::remove_dir_all(environment);
    process::run_well(process::command("python3").args(["-m", "venv", environment.as_str()]))?;
    let requirements = workspace.root().join("plugins/langchain/requirements.txt");
    let mut pip = process::command(environment.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    let installed = process::run_well(pip.arg(requirements.as_str()));
    if installed.is_err() {
        // Half of it would fail the tests instead of having them skip themselves.
        let _ = fs::remove_dir_all(environment);
    }
    installed?;
    fs::write(environment.join("ready"), "").with_context(|| environment.to_string())
}

/// Installs those that are missing with the package managers of their languages.
pub(crate) fn install(workspace: &Workspace) -> Result<()> {
    let folder = folder(workspace);
    fs::create_dir_all(&folder).with_context(|| folder.to_string())?;
    if !has_python(&folder) || !mypy(&folder).is_file() {
        let environment = folder.join(".venv");
        process::run_well(process::command("python3").args(["-m", "venv", environment.as_str()]))?;
        let mut pip = process::command(environment.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        process::run_well(pip.args([python::COMPONENTIZE, MSGPACK, MYPY]))?;
    }
    if !has_javascript(&folder) {
        let mut npm = process::command("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--prefix", folder.as_str()]);
        process::run_well(npm.args(javascript::PACKAGES))?;
    }
    Ok(())
}

/// The tests of the SDKs in their own languages, where those are there.
pub(crate) fn tests(workspace: &Workspace) -> Vec<Command> {
    let sdk = workspace.root().join("sdk");
    let mut tests = Vec::new();
    if process::find_program("python3").is_some() {
        let mut python = process::command("python3");
        python.args(["-m", "unittest", "discover", "tests"]).current_dir(sdk.join("python"));
        python.env("PYTHONPATH", "src").env("PYTHONDONTWRITEBYTECODE", "1");
        tests.push(python);
    }
    tests.extend(types(workspace));
    if process::find_program("node").is_some() {
        let mut node = process::command("node");
        node.args(["--test", "tests/plugin.test.js"]).current_dir(sdk.join("javascript"));
        tests.push(node);
    }
    tests
}

/// What looks at the types of the SDK for Python, and at those of the plugin that is written with it where what it needs
/// is there; nothing without mypy.
fn types(workspace: &Workspace) -> Vec<Command> {
    let folder = folder(workspace);
    if !mypy(&folder).is_file() {
        return Vec::new();
    }
    let sdk = workspace.root().join("sdk/python");
    let mypy = |of: &Utf8Path| {
        let mut mypy = process::command(mypy(&folder));
        mypy.args(["--strict", "--cache-dir", folder.join("mypy").as_str()]).current_dir(of);
        mypy
    };
    let mut types = vec![mypy(&sdk)];
    let environment = folder.join("langchain/.venv");
    if environment.join("ready").is_file() {
        let mut langchain = mypy(&workspace.root().join("plugins/langchain"));
        langchain.args([
            "--python-executable",
            environment.join("bin/python").as_str(),
            "plugin.py",
            "bridge",
        ]);
        langchain.env("MYPYPATH", sdk.join("src"));
        types.push(langchain);
    }
    types
}

/// The folders of the guests that another language than Rust is found in.
fn sources(workspace: &Workspace) -> Result<Vec<Utf8PathBuf>> {
    let guests = workspace.root().join("tests/guests");
    let mut sources = Vec::new();
    for entry in guests.read_dir_utf8().with_context(|| guests.to_string())? {
        let project = Project::open(entry?.path().as_std_path());
        sources.extend(project.ok().filter(|project| project.language() != Language::Rust));
    }
    let mut folders = Vec::new();
    for project in sources {
        folders.push(Utf8PathBuf::try_from(project.folder().to_owned())?);
    }
    folders.sort();
    Ok(folders)
}

fn build_one(workspace: &Workspace, source: &Utf8Path, name: &str) -> Result<()> {
    let root = workspace.root();
    let folders =
        [source.to_owned(), root.join("sdk"), root.join("wit"), root.join("crates/tapline-build/src")];
    let hash = hash_of(workspace, &folders)?;
    let package = folder(workspace).join("packages").join(name);
    if fs::read_to_string(package.join(HASH)).is_ok_and(|built| built == hash) {
        return Ok(());
    }
    // A copy, because the tools are found in the folders above it.
    let copy = folder(workspace).join("sources").join(name);
    let _ = fs::remove_dir_all(&copy);
    fs::create_dir_all(&copy).with_context(|| copy.to_string())?;
    for entry in source.read_dir_utf8()? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), copy.join(entry.file_name()))?;
        }
    }
    let sdk = Sdk::unpack(folder(workspace).join("sdk").as_std_path())?;
    let built = Project::open(copy.as_std_path())?.build(&sdk)?;
    println!("guest {name}: {} bytes", built.size());
    built.write(package.as_std_path())?;
    let _ = fs::remove_file(package.join(COMPILED));
    fs::write(package.join(HASH), hash).with_context(|| package.to_string())
}

fn is_missing(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(BuildError::Missing { .. }))
}

fn has_python(folder: &Utf8Path) -> bool {
    let environment = folder.join(".venv");
    let libraries = environment.join("lib").read_dir_utf8().into_iter().flatten().flatten();
    let mut libraries = libraries.map(|library| library.path().join("site-packages/msgpack"));
    environment.join("bin/componentize-py").is_file() && libraries.any(|msgpack| msgpack.is_dir())
}

fn mypy(folder: &Utf8Path) -> Utf8PathBuf {
    folder.join(".venv/bin/mypy")
}

fn has_javascript(folder: &Utf8Path) -> bool {
    ["componentize-qjs", "esbuild"]
        .iter()
        .all(|package| folder.join("node_modules").join(package).join("package.json").is_file())
}
