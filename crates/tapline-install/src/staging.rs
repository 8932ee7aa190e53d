//! Folders that appear and disappear whole.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Beside the packages, on the same file system, and without a manifest: no package that is half there is ever found.
const STAGING: &str = ".tapline-staging";

/// A folder of plugins that nobody else changes as long as this is there.
#[derive(Debug)]
pub(crate) struct Exclusive {
    folder: PathBuf,
    /// The folder itself, which is locked until this is closed, however the process ends.
    _lock: File,
}

/// A folder that is whole, and removed again unless it takes its place.
#[derive(Debug)]
pub(crate) struct Written {
    stage: TempDir,
    path: PathBuf,
    name: String,
}

impl Written {
    /// Where it lies for now.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Exclusive {
    /// Waits for whoever changes the folder, makes it where there is none, and removes what others have left behind.
    pub(crate) fn of(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let lock = File::open(folder)?;
        lock.lock()?;
        let exclusive = Self { folder: folder.to_owned(), _lock: lock };
        match fs::remove_dir_all(exclusive.staging()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(exclusive),
        }
    }

    fn staging(&self) -> PathBuf {
        self.folder.join(STAGING)
    }

    /// A folder for what is not there yet, or any more; it is removed with what is in it.
    fn stage(&self) -> io::Result<TempDir> {
        fs::create_dir_all(self.staging())?;
        tempfile::tempdir_in(self.staging())
    }

    /// Writes a folder with files, which is not in its place yet.
    pub(crate) fn write<'a>(
        &self,
        name: &str,
        files: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> io::Result<Written> {
        let stage = self.stage()?;
        let path = stage.path().join(name);
        write(&path, files)?;
        Ok(Written { stage, path, name: name.to_owned() })
    }

    /// Puts what was written into its place, whole or not at all.
    pub(crate) fn place(&self, written: Written) -> io::Result<()> {
        fs::rename(&written.path, self.folder.join(&written.name))?;
        sync(&self.folder)?;
        self.close(written.stage)
    }

    /// Removes a folder, whole or not at all: it is moved away first.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        let stage = self.stage()?;
        fs::rename(self.folder.join(name), stage.path().join(name))?;
        sync(&self.folder)?;
        self.close(stage)
    }

    /// What is left over does no harm, and the next one removes it.
    fn close(&self, stage: TempDir) -> io::Result<()> {
        drop(stage);
        let _ = fs::remove_dir(self.staging());
        Ok(())
    }
}

/// Writes files below a folder, and waits until they are on the disk.
fn write<'a>(folder: &Path, files: impl Iterator<Item = (&'a str, &'a [u8])>) -> io::Result<()> {
    let mut folders = BTreeSet::from([folder.to_owned()]);
    fs::create_dir(folder)?;
    for (name, content) in files {
        let path = folder.join(name);
        let parents = path.ancestors().skip(1).take_while(|parent| *parent != folder);
        folders.extend(parents.map(Path::to_owned));
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        let mut file = File::create_new(&path)?;
        file.write_all(content)?;
        file.sync_all()?;
    }
    folders.iter().try_for_each(|folder| sync(folder))
}

/// Waits until the entries of a folder are on the disk.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(content: &str) -> impl Iterator<Item = (&str, &[u8])> {
        [("plugin.toml", content.as_bytes()), ("a/b/c", content.as_bytes())].into_iter()
    }

    fn entries(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_appears_and_disappears_whole_and_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("made/plugins");
        put(&Exclusive::of(&folder).unwrap(), "x-1.0.0", "one").unwrap();
        assert_eq!(entries(&folder), ["x-1.0.0"]);
        assert_eq!(fs::read_to_string(folder.join("x-1.0.0/a/b/c")).unwrap(), "one");
        put(&Exclusive::of(&folder).unwrap(), "x-1.0.0", "two").unwrap_err();
        assert_eq!(fs::read_to_string(folder.join("x-1.0.0/a/b/c")).unwrap(), "one");
        Exclusive::of(&folder).unwrap().remove("x-1.0.0").unwrap();
        assert_eq!(entries(&folder), [""; 0]);
    }

    fn put(exclusive: &Exclusive, name: &str, content: &'static str) -> io::Result<()> {
        exclusive.place(exclusive.write(name, files(content))?)
    }

    #[test]
    fn what_a_crash_leaves_behind_is_no_package_and_is_removed_by_the_next() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path();
        let crashed = Exclusive::of(folder).unwrap();
        let stage = crashed.stage().unwrap().keep();
        write(&stage.join("x-1.0.0"), files("half")).unwrap();
        drop(crashed);
        assert_eq!(tapline_host::Loader::discover(folder).unwrap(), [""; 0].map(PathBuf::from));
        put(&Exclusive::of(folder).unwrap(), "y-1.0.0", "whole").unwrap();
        assert_eq!(entries(folder), ["y-1.0.0"]);
    }

    #[test]
    fn two_do_not_change_a_folder_at_once() {
        let root = tempfile::tempdir().unwrap();
        let first = Exclusive::of(root.path()).unwrap();
        let other = File::open(root.path()).unwrap();
        assert!(matches!(other.try_lock(), Err(fs::TryLockError::WouldBlock)));
        drop(first);
        other.try_lock().unwrap();
    }
}
