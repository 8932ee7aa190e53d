//! Plugins in JavaScript and TypeScript: bundled by esbuild, and made into components by componentize-qjs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::tool::{SCRATCH, absolute, printed, upwards};
use crate::world::{WORLD, World};
use crate::{Artifact, BuildError, Built, Sdk, declared, process};

/// The packages of npm that build, in the versions that it is built with.
pub const PACKAGES: [&str; 2] = ["componentize-qjs@0.4.5", "esbuild@0.28.2"];

const HELP: &str = "npm install --save-dev componentize-qjs@0.4.5 esbuild@0.28.2";
const NO_NODE: &str = "Node 20 or newer, as node\non Debian: apt-get install nodejs npm";

/// Builds the plugin whose source is `entry` in a folder, with all that it imports.
///
/// # Errors
///
/// As [`Project::build`](crate::Project::build).
pub fn build(folder: &Path, entry: &str, sdk: &Sdk) -> Result<Built, BuildError> {
    let folder = absolute(folder)?;
    if folder.to_str().is_none() {
        return Err(BuildError::NotAProject { folder, expected: "the name of a folder is not UTF-8" });
    }
    let scratch = folder.join(SCRATCH);
    let node = Node::find(&folder, sdk)?;
    fs::create_dir_all(&scratch).map_err(|source| BuildError::File { path: scratch.clone(), source })?;
    let options = json!({ "folder": folder, "entry": entry, "scratch": scratch });
    let described = printed(&mut node.command("describe", &options))?;
    let manifest = declared::manifest(&described, &folder)?;
    let world = World::of(&manifest);
    let contract = world.write(sdk, &scratch)?;
    let mut options = options;
    for (key, value) in [
        ("contract", json!(contract)),
        ("world", json!(WORLD)),
        ("imports", json!(world.imports)),
        ("exports", json!(world.exports)),
    ] {
        options[key] = value;
    }
    printed(&mut node.command("make", &options))?;
    let component = scratch.join("plugin.wasm");
    let bytes = fs::read(&component).map_err(|source| BuildError::File { path: component, source })?;
    Ok(Built { manifest: declared::text(&manifest)?, artifact: Artifact::Component(bytes) })
}

/// Node, and the script of the SDK that it runs.
struct Node {
    program: PathBuf,
    script: PathBuf,
}

impl Node {
    fn find(folder: &Path, sdk: &Sdk) -> Result<Self, BuildError> {
        let missing = BuildError::Missing { tool: "Node", help: NO_NODE };
        let program = process::find_program("node").ok_or(missing)?;
        for tool in ["componentize-qjs", "esbuild"] {
            let installed = upwards(folder, &[&format!("node_modules/{tool}/package.json")]);
            installed.ok_or(BuildError::Missing { tool, help: HELP })?;
        }
        Ok(Self { program, script: absolute(&sdk.javascript())?.join("build/build.mjs") })
    }

    fn command(&self, action: &str, options: &serde_json::Value) -> Command {
        let mut command = process::command(&self.program);
        command.arg(&self.script).arg(action).arg(options.to_string());
        command
    }
}
