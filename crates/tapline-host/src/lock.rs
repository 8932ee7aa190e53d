use std::io;
use std::path::{Path, PathBuf};

use semver::Version;
use tapline_core::{Grants, Manifest, PluginId, Requires};

use crate::digest::Digest;
use crate::file::{read_file, write_file};
use crate::mistake::{Mistake, decoded};

mod drift;
mod form;

pub use drift::{Drift, rights};

/// The plugins of an application as they were when somebody last agreed to them: the content of `tapline.lock`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    plugins: Vec<LockedPlugin>,
}

/// What a lock tells of one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPlugin {
    /// Its name.
    pub id: PluginId,
    /// Its version.
    pub version: Version,
    /// Where it comes from.
    pub from: LockedFrom,
    /// What it may do.
    pub grants: Grants,
    /// What its manifest asks for; `None` for one that is linked in, and in a lock that is older.
    pub asked: Option<Requires>,
}

/// Where a locked plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockedFrom {
    /// It is linked in, and changes with the application alone.
    BuiltIn,
    /// A package in a folder.
    Folder {
        /// The folder, from the folder of the lock, with `/` on every system.
        path: String,
        /// The digest of the package's files.
        digest: Digest,
    },
}

/// A file larger than this is no lock.
const LARGEST: u64 = 16 << 20;

/// Why a lock was not read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The file cannot be read.
    #[error("cannot read {}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file says what it may not say.
    #[error(transparent)]
    Invalid(#[from] Mistake),
    /// The file cannot be written, and is as it was before.
    #[error("cannot write {}", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Lock {
    /// The name of the file.
    pub const FILE: &str = "tapline.lock";

    /// A lock of plugins, in the order in which they are started.
    #[must_use]
    pub const fn new(plugins: Vec<LockedPlugin>) -> Self {
        Self { plugins }
    }

    /// The plugins, in the order in which they are started.
    #[must_use]
    pub fn plugins(&self) -> &[LockedPlugin] {
        &self.plugins
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, something is wrong in it, or a newer version has written it.
    pub fn read(file: &Path) -> Result<Self, LockError> {
        let bytes =
            read_file(file, LARGEST).map_err(|source| LockError::Unreadable { file: file.into(), source })?;
        let text = decoded(file, bytes)?;
        Ok(Self::parse(file, &text)?)
    }

    /// Reads a lock that is at hand as text; `file` is named in the mistake, and not looked at.
    ///
    /// # Errors
    /// The first thing that is wrong in it.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Mistake> {
        form::read(file, text)
    }

    /// The text that [`write`](Self::write) writes.
    ///
    /// # Errors
    /// When a plugin has something that TOML cannot hold; nothing that can be parsed has.
    pub fn text(&self) -> io::Result<String> {
        form::write(self)
    }

    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), LockError> {
        let unwritable = |source| LockError::Unwritable { file: file.into(), source };
        let text = self.text().map_err(unwritable)?;
        write_file(file, text.as_bytes()).map_err(unwritable)
    }

    /// What a package asks for beyond what it asked for when the lock was written, in words that follow on "may". Nothing
    /// for one that the lock does not hold, or of which it does not tell.
    #[must_use]
    pub fn asked_beyond(&self, manifest: &Manifest) -> Vec<String> {
        let locked = self.plugins.iter().find(|locked| locked.id == *manifest.id());
        let asked = locked.and_then(|locked| locked.asked.as_ref());
        asked.map_or_else(Vec::new, |asked| rights(&manifest.requires.beyond(asked)))
    }

    /// Everything in which `now` differs from this lock.
    #[must_use]
    pub fn drift(&self, now: &Self) -> Vec<Drift> {
        drift::between(&self.plugins, &now.plugins)
    }
}

#[cfg(test)]
mod tests;
