use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::BuildError;

// What stands in `rust/`, `python/`, `javascript/` and `wit/`, by path.
include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// What authors write against, in the version of this crate.
///
/// It lies in a folder that all projects of a user share, so that it is compiled once for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sdk {
    folder: PathBuf,
}

/// Where a project finds it; what builds and editors read there is not to be committed.
const PLACE: &str = ".tapline/sdk";

impl Sdk {
    /// Puts it into a folder of caches, unless it is there. It can be deleted at any time.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn unpack(cache: &Path) -> Result<Self, BuildError> {
        let cache = std::path::absolute(cache).map_err(|source| failed(cache, source))?;
        let folder = cache.join(DIGEST);
        // Whoever cleans caches may have left a part of it.
        if FILES.iter().all(|(path, _)| folder.join(path).is_file()) {
            return Ok(Self { folder });
        }
        if folder.is_dir() {
            fs::remove_dir_all(&folder).map_err(|source| failed(&folder, source))?;
        }
        fs::create_dir_all(&cache).map_err(|source| failed(&cache, source))?;
        // Beside it first: one that is there is whole.
        let begun = tempfile::tempdir_in(&cache).map_err(|source| failed(&cache, source))?;
        for (path, text) in FILES {
            write(&begun.path().join(path), text)?;
        }
        match fs::rename(begun.path(), &folder) {
            // Another build was faster.
            Err(_) if folder.is_dir() => Ok(Self { folder }),
            Err(source) => Err(failed(&folder, source)),
            Ok(()) => {
                drop(begun.keep());
                Ok(Self { folder })
            }
        }
    }

    /// Shows it to a project, for editors and for whoever reads it.
    ///
    /// # Errors
    ///
    /// When the project's folder cannot be written to.
    pub fn show_to(&self, project: &Path) -> Result<(), BuildError> {
        let place = project.join(PLACE);
        if fs::read_link(&place).is_ok_and(|shown| shown == self.folder) {
            return Ok(());
        }
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
        }
        let _ = fs::remove_file(&place);
        link(&self.folder, &place).map_err(|source| failed(&place, source))
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of the crate `tapline-pdk`.
    pub fn rust(&self) -> PathBuf {
        self.folder.join("crates/tapline-pdk")
    }

    /// The folder in which Python finds the package `tapline`.
    pub fn python(&self) -> PathBuf {
        self.folder.join("sdk/python/src")
    }

    /// The folder of the package `tapline` of JavaScript.
    pub fn javascript(&self) -> PathBuf {
        self.folder.join("sdk/javascript")
    }

    /// The folder of the contract.
    pub fn contract(&self) -> PathBuf {
        self.folder.join("wit/v1")
    }
}

#[cfg(unix)]
fn link(folder: &Path, place: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(folder, place)
}

#[cfg(windows)]
fn link(folder: &Path, place: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_dir(folder, place)
}

fn failed(path: &Path, source: io::Error) -> BuildError {
    BuildError::File { path: path.to_owned(), source }
}

fn write(path: &Path, text: &str) -> Result<(), BuildError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
    }
    fs::write(path, text).map_err(|source| failed(path, source))
}

#[cfg(test)]
mod tests;
