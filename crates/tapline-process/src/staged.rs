use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tapline_core::Package;
use tempfile::TempDir;

/// The files of a process as they were read with its manifest, in a folder of its own: what changes in the package later
/// changes nothing here.
#[derive(Debug)]
pub(crate) struct Staged(TempDir);

impl Staged {
    pub(crate) fn of(package: &Package) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("tapline-").tempdir()?;
        for (name, content) in &package.files {
            let file = folder.path().join(name);
            if let Some(parent) = file.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(&file, content)?;
        }
        Ok(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Makes a file one that can be started.
    #[cfg(unix)]
    pub(crate) fn program(&self, name: &str) -> io::Result<PathBuf> {
        use std::os::unix::fs::PermissionsExt as _;
        let file = self.path().join(name);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o700))?;
        Ok(file)
    }
}
