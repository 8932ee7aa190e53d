use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};
use cargo_metadata::Package;
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

use crate::workspace::{Workspace, folder};

/// A digest, in hexadecimal, of everything in this repository that the guest is built from.
///
/// That is the sources of its crate, of the members that it depends on, and the contract in `wit/`.
/// Crates from outside are not in it: a new version of one of them makes no component stale.
pub(crate) fn source_hash(workspace: &Workspace, guest: &Package) -> Result<String> {
    let root = workspace.root();
    let mut files = files_below(&root.join("wit"))?;
    for package in workspace.built_from(guest) {
        files.extend(sources(folder(package))?);
    }
    digest(root, &files)
}

/// A digest, in hexadecimal, of the sources of one crate.
pub(super) fn folder_hash(workspace: &Workspace, package: &Utf8Path) -> Result<String> {
    digest(workspace.root(), &sources(package)?)
}

/// A digest, in hexadecimal, of all that lies in some folders.
pub(crate) fn hash_of(workspace: &Workspace, folders: &[Utf8PathBuf]) -> Result<String> {
    let mut files = BTreeSet::new();
    for folder in folders {
        files.extend(files_below(folder)?);
    }
    digest(workspace.root(), &files)
}

/// The files of a crate that its build reads.
fn sources(package: &Utf8Path) -> Result<BTreeSet<Utf8PathBuf>> {
    let mut files = files_below(&package.join("src"))?;
    let beside = ["Cargo.toml", "build.rs"].map(|name| package.join(name));
    files.extend(beside.into_iter().filter(|path| path.is_file()));
    Ok(files)
}

/// The files in a folder and all its folders, or none if there is no such folder; hidden ones are left to editors.
fn files_below(folder: &Utf8Path) -> Result<BTreeSet<Utf8PathBuf>> {
    let mut files = BTreeSet::new();
    if !folder.is_dir() {
        return Ok(files);
    }
    for entry in folder.read_dir_utf8().with_context(|| folder.to_string())? {
        let entry = entry?;
        if entry.file_name().starts_with('.') || entry.file_name() == "__pycache__" {
            continue;
        }
        if entry.path().is_dir() {
            files.extend(files_below(entry.path())?);
        } else {
            files.insert(entry.into_path());
        }
    }
    Ok(files)
}

/// Hashes names, lengths and contents, with the line ends of Unix and relative to the root, so that every checkout of
/// the same sources agrees.
fn digest(root: &Utf8Path, files: &BTreeSet<Utf8PathBuf>) -> Result<String> {
    let mut hasher = Sha256::new();
    for path in files {
        let name = path.strip_prefix(root).unwrap_or(path).as_str().replace('\\', "/");
        let content = with_unix_line_ends(&fs::read(path).with_context(|| path.to_string())?);
        for part in [name.as_bytes(), &content] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn with_unix_line_ends(content: &[u8]) -> Vec<u8> {
    let mut rest = content.iter().copied().peekable();
    let mut normal = Vec::with_capacity(content.len());
    while let Some(byte) = rest.next() {
        if byte != b'\r' || rest.peek() != Some(&b'\n') {
            normal.push(byte);
        }
    }
    normal
}

#[cfg(test)]
mod tests;
