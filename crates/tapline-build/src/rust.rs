//! Plugins in Rust.

mod component;
mod toolchain;

use std::env;
use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cargo_metadata::camino::Utf8PathBuf;
use cargo_metadata::{CrateType, Message};

pub use toolchain::{DEBIAN_PACKAGES, TARGET, Toolchain, UnknownToolchain};

use crate::process;
use crate::{BuildError, Built, Sdk};

/// The crate against which a plugin in Rust is written.
const PDK: &str = "tapline-pdk";

/// Builds the crate in a folder against the SDK, with the first toolchain found.
///
/// # Errors
///
/// As [`Project::build`](crate::Project::build).
pub fn build(folder: &Path, sdk: &Sdk) -> Result<Built, BuildError> {
    let toolchain = Toolchain::find()?;
    let mut cargo = toolchain.cargo(["rustc", "--release", "--lib", "--crate-type", "cdylib"]);
    cargo.args(["--message-format", "json-render-diagnostics"]).current_dir(folder);
    if takes_the_pdk_from_the_registry(folder)? {
        let patch = format!("patch.crates-io.{PDK}.path={:?}", sdk.rust());
        cargo.args(["--config", &patch]);
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags_without_paths(&machine_paths(sdk, toolchain)));
    let module = built_module(&mut cargo)?;
    Built::from_core_module(&fs::read(&module).map_err(|source| BuildError::File { path: module, source })?)
}

/// Rustc's flags with which a component does not tell in which folders it was built: `folders` are pairs of a folder and
/// what stands in its place.
pub fn flags_without_paths<P: AsRef<str>>(folders: &[(P, &str)]) -> String {
    let flags = folders.iter().map(|(real, shown)| format!("--remap-path-prefix={}={shown}", real.as_ref()));
    flags.collect::<Vec<_>>().join("\u{1f}")
}

/// Folders of this machine that compilers write into panic messages, and what stands in for each.
///
/// The project's own is not among them: cargo names its files as they lie in it, and flags that differ from project to
/// project would have each compile all that they share.
fn machine_paths(sdk: &Sdk, toolchain: Toolchain) -> Vec<(String, &'static str)> {
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo = cargo.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let std = toolchain.std_sources().map(PathBuf::from);
    let folders = [(cargo, "/dependencies"), (Some(sdk.folder().to_owned()), "/tapline"), (std, "/rust")];
    let known = folders.into_iter().filter_map(|(folder, shown)| Some((folder?, shown)));
    known.map(|(folder, shown)| (folder.to_string_lossy().into_owned(), shown)).collect()
}

/// The file that cargo says it made last.
fn built_module(cargo: &mut Command) -> Result<PathBuf, BuildError> {
    let command = process::line(cargo);
    let failed = |source| BuildError::Run { command: command.clone(), source };
    let mut child = cargo.stdout(Stdio::piped()).spawn().map_err(failed)?;
    let mut module = None;
    let output = child.stdout.take().map(BufReader::new);
    for message in output.into_iter().flat_map(Message::parse_stream) {
        if let Message::CompilerArtifact(artifact) = message.map_err(failed)?
            && artifact.target.crate_types.contains(&CrateType::CDyLib)
        {
            module = artifact.filenames.into_iter().find(|file| file.extension() == Some("wasm")).or(module);
        }
    }
    let status = child.wait().map_err(failed)?;
    if !status.success() {
        return Err(BuildError::Source { tool: "cargo", status });
    }
    module
        .map(Utf8PathBuf::into_std_path_buf)
        .ok_or_else(|| BuildError::not_a_plugin("cargo made no WebAssembly module: the crate is no library"))
}

/// Whether the crate names the PDK by its version alone, so that ours can take its place.
fn takes_the_pdk_from_the_registry(folder: &Path) -> Result<bool, BuildError> {
    let file = folder.join("Cargo.toml");
    let text = fs::read_to_string(&file).map_err(|source| BuildError::File { path: file.clone(), source })?;
    // What is wrong with the file, cargo says better.
    let manifest: toml::Table = text.parse().unwrap_or_default();
    let pdk = manifest.get("dependencies").and_then(|dependencies| dependencies.get(PDK));
    Ok(match pdk {
        Some(toml::Value::String(_)) => true,
        Some(toml::Value::Table(table)) => {
            !["path", "git", "workspace"].iter().any(|other| table.contains_key(*other))
        }
        _ => false,
    })
}
