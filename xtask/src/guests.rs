mod extism;
mod source_hash;

use std::fs;

use anyhow::{Context, Result, bail};
use cargo_metadata::Package;
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use tapline_build::rust::{TARGET, Toolchain, flags_without_paths};
use tapline_build::{BuildError, Built as Component};

use crate::process;
use crate::workspace::{Workspace, folder};

pub(crate) use source_hash::hash_of;
use source_hash::source_hash;

const MANIFEST: &str = "plugin.toml";
const ARTIFACT: &str = "plugin.wasm";
const HASH: &str = "source.sha256";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Build nothing, but fail if a committed component is older than its source.
    #[arg(long, conflicts_with_all = ["commit", "require", "toolchain"])]
    check: bool,
    /// Put what was built beside its source, to be committed.
    #[arg(long)]
    commit: bool,
    /// Fail if there is no toolchain for guests.
    #[arg(long)]
    require: bool,
    /// Build with this toolchain instead of the first that is found.
    #[arg(long)]
    toolchain: Option<Toolchain>,
}

/// What became of the guests.
#[derive(Debug)]
pub(crate) enum Built {
    /// Each has a package, named after its crate, in this folder.
    Into(Utf8PathBuf),
    /// For want of a toolchain none was built; the committed components stand in for these crates.
    Skipped(Vec<String>),
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if options.check {
        return check(workspace);
    }
    let toolchain = match options.toolchain {
        Some(toolchain) if toolchain.is_present() => Some(toolchain),
        Some(toolchain) => bail!("not found: {}", toolchain.name()),
        None => find_toolchain(workspace)?,
    };
    match build_with(workspace, toolchain)? {
        Built::Into(packages) if options.commit => {
            commit(workspace, &packages)?;
            toolchain.map_or(Ok(()), |toolchain| extism::commit(workspace, toolchain))
        }
        Built::Skipped(_) if options.commit || options.require => {
            bail!("there is no toolchain for guests")
        }
        Built::Into(_) | Built::Skipped(_) => Ok(()),
    }
}

/// Builds every guest with the first toolchain found, and says so when there is none.
pub(crate) fn build(workspace: &Workspace) -> Result<Built> {
    build_with(workspace, find_toolchain(workspace)?)
}

/// Fails naming each guest whose committed component is not the one of its source.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let guests = workspace.guests();
    let mut stale = Vec::new();
    for guest in &guests {
        if let Some(reason) = staleness(workspace, guest)? {
            stale.push(format!("  {}: {reason}", guest.name));
        }
    }
    if !extism::is_fresh(workspace)? {
        stale.push(format!("  {}: its source is newer than its module", extism::GUEST));
    }
    if !stale.is_empty() {
        bail!("stale components; run `cargo xtask guests --commit`\n{}", stale.join("\n"));
    }
    println!("guests: {} committed, none stale", guests.len());
    Ok(())
}

fn find_toolchain(workspace: &Workspace) -> Result<Option<Toolchain>> {
    if workspace.guests().is_empty() {
        return Ok(None);
    }
    match Toolchain::find() {
        Err(BuildError::Missing { .. }) => Ok(None),
        found => Ok(found.map(Some)?),
    }
}

fn build_with(workspace: &Workspace, toolchain: Option<Toolchain>) -> Result<Built> {
    let guests = workspace.guests();
    let names: Vec<String> = guests.iter().map(|guest| guest.name.to_string()).collect();
    let packages = workspace.guests_target().join("packages");
    let Some(toolchain) = toolchain.filter(|_| !guests.is_empty()) else {
        return Ok(skip(names, packages));
    };
    for guest in &guests {
        build_one(workspace, toolchain, guest, &packages).with_context(|| format!("guest {}", guest.name))?;
    }
    println!("guests: {} built ({}): {}", guests.len(), toolchain.name(), names.join(", "));
    Ok(Built::Into(packages))
}

fn skip(names: Vec<String>, packages: Utf8PathBuf) -> Built {
    if names.is_empty() {
        println!("guests: there are none");
        return Built::Into(packages);
    }
    println!("guests: {} skipped (no wasm toolchain): {}", names.len(), names.join(", "));
    println!("{}", Toolchain::missing().help().unwrap_or_default());
    Built::Skipped(names)
}

fn build_one(
    workspace: &Workspace,
    toolchain: Toolchain,
    guest: &Package,
    packages: &Utf8Path,
) -> Result<()> {
    let module = core_module(workspace, toolchain, workspace.root(), &guest.name)?;
    let component = Component::from_core_module(&module)?;
    refuse_machine_paths(component.component().unwrap_or_default(), &machine_paths(workspace, toolchain))?;
    Ok(component.write(packages.join(guest.name.as_str()).as_std_path())?)
}

/// What a crate of the workspace in a folder is compiled to.
fn core_module(
    workspace: &Workspace,
    toolchain: Toolchain,
    folder: &Utf8Path,
    name: &str,
) -> Result<Vec<u8>> {
    let target = workspace.guests_target();
    let mut cargo = toolchain.cargo(["rustc", "--locked", "--lib", "--crate-type", "cdylib"]);
    cargo.args(["--package", name, "--profile", "guest", "--target-dir", target.as_str()]);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags_without_paths(&machine_paths(workspace, toolchain)));
    process::run_well(cargo.current_dir(folder))?;
    read(&target.join(TARGET).join("guest").join(format!("{}.wasm", name.replace('-', "_"))))
}

/// Folders of this machine that compilers write into panic messages, and what stands in for each.
fn machine_paths(workspace: &Workspace, toolchain: Toolchain) -> Vec<(&str, &'static str)> {
    let outside =
        workspace.source_folders_outside().into_iter().map(|folder| (folder.as_str(), "/dependencies"));
    let std = toolchain.std_sources().map(|folder| (folder, "/rust"));
    std::iter::once((workspace.root().as_str(), "/tapline")).chain(outside).chain(std).collect()
}

/// A component is committed for everyone and says nothing about whose machine built it.
fn refuse_machine_paths(component: &[u8], paths: &[(&str, &str)]) -> Result<()> {
    for (real, _) in paths {
        if component.windows(real.len()).any(|window| window == real.as_bytes()) {
            bail!("the component names {real}, a folder of this machine");
        }
    }
    Ok(())
}

fn commit(workspace: &Workspace, packages: &Utf8Path) -> Result<()> {
    for guest in workspace.guests() {
        for file in [MANIFEST, ARTIFACT] {
            let built = read(&packages.join(guest.name.as_str()).join(file))?;
            write_if_changed(&folder(guest).join(file), &built)?;
        }
        let hash = format!("{}\n", source_hash(workspace, guest)?);
        write_if_changed(&folder(guest).join(HASH), hash.as_bytes())?;
    }
    Ok(())
}

fn staleness(workspace: &Workspace, guest: &Package) -> Result<Option<String>> {
    for file in [MANIFEST, ARTIFACT, HASH] {
        if !folder(guest).join(file).is_file() {
            return Ok(Some(format!("there is no {file}")));
        }
    }
    let committed = read(&folder(guest).join(HASH))?;
    let is_fresh = committed.trim_ascii() == source_hash(workspace, guest)?.as_bytes();
    Ok((!is_fresh).then(|| "its source is newer than its component".to_owned()))
}

fn read(path: &Utf8Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| path.to_string())
}

/// Leaves a file that is right already alone, and with it the time of its last change.
fn write_if_changed(path: &Utf8Path, content: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).with_context(|| folder.to_string())?;
    fs::write(path, content).with_context(|| path.to_string())
}

#[cfg(test)]
mod tests;
