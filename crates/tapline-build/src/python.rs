//! Plugins in Python: made into components by componentize-py.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::project::write_if_changed;
use crate::tool::{SCRATCH, absolute, printed, upwards};
use crate::world::{WORLD, World};
use crate::{Artifact, BuildError, Built, Sdk, declared, process, process_package};

/// The version of componentize-py that is built with.
pub const COMPONENTIZE: &str = "componentize-py==0.25.1";

const HELP: &str = "python3 -m venv .venv && .venv/bin/pip install componentize-py==0.25.1";
const NO_PYTHON: &str = "Python 3.11 or newer, as python3\non Debian: apt-get install python3 python3-venv";
/// The module that is the component's, beside the author's `plugin`.
const MODULE: &str = "tapline_component";
/// The package of the SDK, which lies beside the author's modules where a plugin is a process.
pub(crate) const SDK: &str = "tapline";

/// The programs of a project: those of its virtual environment, in its folder or one above, or those of the path.
struct Programs<'f> {
    folder: &'f Path,
}

impl Programs<'_> {
    fn own(&self, name: &str) -> Option<PathBuf> {
        upwards(self.folder, &[&format!(".venv/bin/{name}"), &format!(".venv/Scripts/{name}.exe")])
    }

    fn python(&self) -> Result<PathBuf, BuildError> {
        let found = self.own("python").or_else(|| process::find_program("python3"));
        found.ok_or(BuildError::Missing { tool: "Python", help: NO_PYTHON })
    }

    fn componentize(&self) -> Result<PathBuf, BuildError> {
        let found = self.own("componentize-py").or_else(|| process::find_program("componentize-py"));
        found.ok_or(BuildError::Missing { tool: "componentize-py", help: HELP })
    }

    /// The virtual environment, whose packages go into the component.
    fn environment(&self) -> Option<PathBuf> {
        Some(self.own("python")?.parent()?.parent()?.to_owned())
    }
}

/// Builds the plugin whose source is `plugin.py` in a folder, with what lies beside it.
///
/// # Errors
///
/// As [`Project::build`](crate::Project::build).
pub fn build(folder: &Path, sdk: &Sdk) -> Result<Built, BuildError> {
    let folder = absolute(folder)?;
    let scratch = folder.join(SCRATCH);
    let programs = Programs { folder: &folder };
    let library = absolute(&sdk.python())?;
    let described = describe(&programs.python()?, &library, &folder)?;
    let manifest = declared::manifest(&described, &folder)?;
    if manifest.process.is_some() {
        return process_package::build(manifest, &folder, &library);
    }
    let componentize = programs.componentize()?;
    let world = World::of(&manifest);
    let contract = world.write(sdk, &scratch)?;
    let application = scratch.join("python");
    write_if_changed(&application.join(MODULE).with_extension("py"), module(&world).as_bytes())?;
    let component = scratch.join("plugin.wasm");
    let mut componentize = process::command(componentize);
    componentize.arg("-q").arg("-d").arg(contract).args(["-w", WORLD, "componentize", "--stub-wasi"]);
    for path in [&application, &library, &folder] {
        componentize.arg("-p").arg(path);
    }
    // Unless it is said, the packages of whoever builds would be taken along.
    componentize.env("VIRTUAL_ENV", programs.environment().unwrap_or_default());
    componentize.env("RUST_BACKTRACE", "0");
    printed(componentize.arg("-o").arg(&component).arg(MODULE).current_dir(&scratch)).map_err(readable)?;
    let bytes = fs::read(&component).map_err(|source| BuildError::File { path: component, source })?;
    Ok(Built { manifest: declared::text(&manifest)?, artifact: Artifact::Component(bytes) })
}

/// What componentize-py says of an error in the author's module, without its own part in it.
fn readable(error: BuildError) -> BuildError {
    let BuildError::Declaration { what } = error else { return error };
    let traceback = what.rsplit_once("AssertionError: ").map_or(what.as_str(), |(_, rest)| rest);
    let own = traceback.split_once("\n\nCaused by:").map_or(traceback, |(own, _)| own);
    // So the folder of the source is called while the module is run.
    BuildError::Declaration { what: own.trim_end().replace("\"/2/", "\"") }
}

/// What the SDK prints of the author's module, which is run for it.
fn describe(python: &Path, library: &Path, folder: &Path) -> Result<Vec<u8>, BuildError> {
    let mut python: Command = process::command(python);
    python.args(["-m", "tapline.manifest"]).arg(folder);
    python.env("PYTHONPATH", library).env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1");
    printed(&mut python)
}

/// The source of the component's module: what is imported is what the world has.
fn module(world: &World) -> String {
    let mut text =
        "from tapline import sandbox\nimport plugin\nfrom componentize_py_types import Err\n".to_owned();
    let imports = || world.imports.iter().chain(&["types"]);
    let names: Vec<_> = imports().map(|name| format!("{name} as _{name}")).collect();
    let pairs: Vec<_> = imports().map(|name| format!("{name:?}: _{name}")).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "from wit_world.imports import {}", names.join(", "));
    let _ = writeln!(
        text,
        "_exports = sandbox.exports(sandbox.Component(plugin, {{{}}}, Err))",
        pairs.join(", ")
    );
    for name in &world.exports {
        let class = name[..1].to_uppercase() + &name[1..];
        let _ = writeln!(text, "{class} = _exports[{class:?}]");
    }
    text.push_str("sandbox.confine.seal()\n");
    text
}
