use std::fs;
use std::path::{Path, PathBuf};

use crate::BuildError;

// What stands in `rust/`, `python/`, `javascript/` and `wit/`, by path.
include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// What authors write against, in the version of this crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sdk {
    folder: PathBuf,
}

/// Where it lies in a project; it is made by the build, and not to be committed.
const PLACE: &str = ".tapline/sdk";
/// Says which SDK it is, so that one of another version is replaced.
const STAMP: &str = "digest";

impl Sdk {
    /// Puts it into a project, unless it is there.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn unpack(project: &Path) -> Result<Self, BuildError> {
        let folder = project.join(PLACE);
        let stamp = folder.join(STAMP);
        if fs::read_to_string(&stamp).is_ok_and(|digest| digest == DIGEST) {
            return Ok(Self { folder });
        }
        if folder.is_dir() {
            fs::remove_dir_all(&folder)
                .map_err(|source| BuildError::File { path: folder.clone(), source })?;
        }
        for (path, text) in FILES {
            write(&folder.join(path), text)?;
        }
        // Last, so that one that is not whole has none.
        write(&stamp, DIGEST)?;
        Ok(Self { folder })
    }

    /// The folder of the crate `tapline-pdk`.
    pub fn rust(&self) -> PathBuf {
        self.folder.join("crates/tapline-pdk")
    }
}

fn write(path: &Path, text: &str) -> Result<(), BuildError> {
    let failed = |source| BuildError::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}

#[cfg(test)]
mod tests;
