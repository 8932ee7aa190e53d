use std::fs;
use std::path::{Path, PathBuf};

use tapline_core::Manifest;
use tapline_host::{Loader, Lock, ManifestError};

use crate::change::Change;
use crate::error::{InstallError, RemoveError};
use crate::parcel::Parcel;
use crate::record::Record;
use crate::staging::Exclusive;

/// A folder whose folders are packages; where `tapline plugin install` puts them.
#[derive(Debug, Clone)]
pub struct PluginsFolder {
    path: PathBuf,
}

/// Adds to the folder of a package what it needs on this machine, such as an environment for its language.
pub type Furnish<'a> = dyn Fn(&Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> + 'a;

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

    /// Puts a package into its place with a [`Record`] of it, whole or not at all, whenever the process ends, and says where
    /// it is; there already, when somebody else has put it there. It waits for others that change the folder, and then looks
    /// whether that changes what was [agreed to](Change).
    ///
    /// # Errors
    /// When there is something else in its place, when it would change something else by now, or it cannot be written.
    pub fn put(&self, parcel: &Parcel, agreed: &Change, lock: &Lock) -> Result<PathBuf, InstallError> {
        self.put_furnished(parcel, agreed, lock, &|_| Ok(()))
    }

    /// As [`put`](Self::put), and has something added to the package's folder before it takes its place. What is added does
    /// not count as part of the package.
    ///
    /// # Errors
    /// As [`put`](Self::put), and when that fails.
    pub fn put_furnished(
        &self,
        parcel: &Parcel,
        agreed: &Change,
        lock: &Lock,
        furnish: &Furnish<'_>,
    ) -> Result<PathBuf, InstallError> {
        let place = self.place(parcel);
        let unwritable = |source| InstallError::Unwritable { file: place.clone(), source };
        let record = Record::of(parcel).text().map_err(unwritable)?;
        let files = parcel.files().iter().map(|(name, content)| (&**name, &**content));
        let files = files.chain([(Record::FILE, record.as_bytes())]);
        let folder = Exclusive::of(&self.path).map_err(unwritable)?;
        let now = Change::of(parcel, &self.installed()?.0, lock)?;
        if let Some(there) = now.there {
            return Ok(there);
        }
        if now != *agreed {
            return Err(InstallError::Meanwhile(self.path.clone()));
        }
        if place.symlink_metadata().is_ok() {
            return Err(InstallError::Occupied(place));
        }
        let staged = folder.write(&parcel.name(), files).map_err(unwritable)?;
        furnish(staged.path()).map_err(InstallError::Unfurnished)?;
        folder.place(staged).map_err(unwritable)?;
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

#[cfg(test)]
mod tests {
    use tapline_core::Package;

    use super::*;

    fn parcel(folder: &Path, version: &str, requires: &str) -> Parcel {
        let manifest = format!(
            "[plugin]\nid = 'x'\nversion = '{version}'\nhost = '^1'\nruntime = 'wasm'\n[requires]\n{requires}\n"
        );
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(Loader::MANIFEST), manifest).unwrap();
        fs::write(folder.join("plugin.wasm"), "").unwrap();
        Parcel::of_folder(folder, &|_: &Package| Ok(())).unwrap()
    }

    #[test]
    fn what_was_agreed_to_is_looked_at_again_when_it_is_written() {
        let root = tempfile::tempdir().unwrap();
        let plugins = PluginsFolder::new(root.path().join("plugins"));
        let first = parcel(&root.path().join("one"), "1.0.0", "");
        let second = parcel(&root.path().join("two"), "1.1.0", "random = true");
        let lock = Lock::default();
        // Both look before either writes.
        let agreed = Change::of(&second, &[], &lock).unwrap();
        assert!(!agreed.needs_consent());

        plugins.put(&first, &Change::default(), &lock).unwrap();

        let refused = plugins.put(&second, &agreed, &lock).unwrap_err();
        assert!(matches!(refused, InstallError::Meanwhile(_)), "{refused}");
        assert!(!plugins.place(&second).exists());
    }

    #[test]
    fn the_same_package_put_twice_at_once_is_there_for_both() {
        let root = tempfile::tempdir().unwrap();
        let plugins = PluginsFolder::new(root.path().join("plugins"));
        let parcel = parcel(&root.path().join("one"), "1.0.0", "");
        let (agreed, lock) = (Change::default(), Lock::default());

        let [one, other] = [(), ()].map(|()| plugins.put(&parcel, &agreed, &lock).unwrap());

        assert_eq!(one, other);
    }
}
