use std::fs;
use std::path::{Path, PathBuf};

use tapline_core::Manifest;
use tapline_host::{Loader, ManifestError};

use crate::error::{InstallError, RemoveError};
use crate::parcel::Parcel;
use crate::record::Record;
use crate::staging::Exclusive;

/// A folder whose folders are packages; where `tapline plugin install` puts them.
#[derive(Debug, Clone)]
pub struct PluginsFolder {
    path: PathBuf,
}

/// A package in such a folder.
#[derive(Debug, Clone)]
pub struct Installed {
    /// Where it lies.
    pub folder: PathBuf,
    /// What its author declares.
    pub manifest: Manifest,
}

impl PluginsFolder {
    /// A folder, which need not be there yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The packages in it, by folder, and what is wrong with those that cannot be read. A folder that is not there is
    /// empty.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn installed(&self) -> Result<(Vec<Installed>, Vec<ManifestError>), ManifestError> {
        let (mut installed, mut broken) = (Vec::new(), Vec::new());
        for folder in self.folders()? {
            match Loader::manifest(&folder) {
                Ok(manifest) => installed.push(Installed { folder, manifest }),
                Err(error) => broken.push(error),
            }
        }
        Ok((installed, broken))
    }

    fn folders(&self) -> Result<Vec<PathBuf>, ManifestError> {
        if self.path.exists() { Loader::discover(&self.path) } else { Ok(Vec::new()) }
    }

    /// The folders in it that are packages or once were installed, also those that cannot be read any more.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn recorded(&self) -> Result<Vec<PathBuf>, ManifestError> {
        let unreadable = |source| ManifestError::Unreadable { file: self.path.clone(), source };
        if !self.path.exists() {
            return Ok(Vec::new());
        }
        let mut folders = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(unreadable)? {
            let folder = entry.map_err(unreadable)?.path();
            if folder.join(Record::FILE).exists() || folder.join(Loader::MANIFEST).exists() {
                folders.push(folder);
            }
        }
        folders.sort();
        Ok(folders)
    }

    /// Where a package is put.
    #[must_use]
    pub fn place(&self, parcel: &Parcel) -> PathBuf {
        self.path.join(parcel.name())
    }

    /// Puts a package into its place with a [`Record`] of it, whole or not at all, whenever the process ends. It waits for
    /// others that change the folder.
    ///
    /// # Errors
    /// When there is something in its place, or it cannot be written.
    pub fn put(&self, parcel: &Parcel) -> Result<PathBuf, InstallError> {
        let place = self.place(parcel);
        let unwritable = |source| InstallError::Unwritable { file: place.clone(), source };
        let record = Record::of(parcel).text().map_err(unwritable)?;
        let files = parcel.files().iter().map(|(name, content)| (&**name, &**content));
        let files = files.chain([(Record::FILE, record.as_bytes())]);
        let folder = Exclusive::of(&self.path).map_err(unwritable)?;
        if place.symlink_metadata().is_ok() {
            return Err(InstallError::Occupied(place));
        }
        folder.put(&parcel.name(), files).map_err(unwritable)?;
        Ok(place)
    }

    /// Removes a package that was [put](Self::put) here, whole or not at all.
    ///
    /// # Errors
    /// When nobody has put it here, or it cannot be moved away.
    pub fn remove(&self, installed: &Installed) -> Result<(), RemoveError> {
        let failed = |source| RemoveError::Failed { folder: installed.folder.clone(), source };
        let is_folder = installed.folder.symlink_metadata().map_err(failed)?.is_dir();
        let name = installed.folder.file_name().and_then(|name| name.to_str());
        let is_installed = is_folder && installed.folder.join(Record::FILE).exists();
        let (true, Some(name)) = (is_installed, name) else {
            return Err(RemoveError::NotInstalled(installed.folder.clone()));
        };
        Exclusive::of(&self.path).and_then(|folder| folder.remove(name)).map_err(failed)
    }
}
