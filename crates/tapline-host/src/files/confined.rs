use std::io::{self, Read as _, Write as _};
use std::path::Path;

use cap_fs_ext::OpenOptionsSyncExt as _;
use cap_std::fs::{Dir, File, Metadata, OpenOptions};
use cap_tempfile::TempFile;
use tapline_core::{EntryKind, Failure, FileError, Folder, FolderEntry};

use super::quota::{Quota, cost, measured};

/// A folder without a way out: no `..`, no absolute path and no link leads anywhere else, whenever it is put there.
pub(super) struct Confined {
    dir: Dir,
    folder: Folder,
    /// How much may be held; `None` where it is not counted.
    quota: Option<Quota>,
}

/// So many bytes are read or written at once.
const LARGEST: u64 = 16 << 20;
/// So many entries of a folder are listed.
const LONGEST: usize = 10_000;

impl Confined {
    pub(super) const fn new(dir: Dir, folder: Folder, quota: Option<Quota>) -> Self {
        Self { dir, folder, quota }
    }

    pub(super) fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let file = self.open(path, OpenOptions::new().read(true))?;
        let mut bytes = Vec::new();
        // A file that others write may grow meanwhile.
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(self.failed("read", path))?;
        self.check_length(path, bytes.len())?;
        Ok(bytes)
    }

    pub(super) fn list(&self, path: &str) -> Result<Vec<FolderEntry>, FileError> {
        let failed = || self.failed("list", path);
        let mut entries = Vec::new();
        for (place, entry) in self.dir.read_dir(or_itself(path)).map_err(failed())?.enumerate() {
            if place == LONGEST {
                let message = format!("`{}` has more than {LONGEST} entries", self.shown(path));
                return Err(failure("too-large", message));
            }
            let entry = entry.map_err(failed())?;
            let (Ok(name), Ok(metadata)) = (entry.file_name().into_string(), entry.metadata()) else {
                continue;
            };
            if metadata.is_file() {
                entries.push(FolderEntry { name, kind: EntryKind::File, size: metadata.len() });
            } else if metadata.is_dir() {
                entries.push(FolderEntry { name, kind: EntryKind::Folder, size: 0 });
            }
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    /// A reader sees the old file or the new one. What was a link is replaced by the file itself.
    pub(super) fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), FileError> {
        self.check_length(path, bytes.len())?;
        let (folder, name) = self.split(path)?;
        let before = self.present(path)?;
        if before.as_ref().is_some_and(|before| !before.is_file() && !before.is_symlink()) {
            return Err(self.not_a_file(path));
        }
        let growth = cost(bytes.len() as u64) + self.cost_of_missing(folder)?;
        self.reserve(growth, before.map_or(0, |before| cost(before.len())))?;
        let written = self.put(folder, name, bytes);
        self.settle(written.map_err(self.failed("write", path)))
    }

    pub(super) fn append(&mut self, path: &str, bytes: &[u8]) -> Result<(), FileError> {
        self.check_length(path, bytes.len())?;
        let (folder, _) = self.split(path)?;
        let before = match self.dir.metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            found => Some(found.map_err(self.failed("append to", path))?.len()),
        };
        let after = before.unwrap_or(0).saturating_add(bytes.len() as u64);
        let growth = cost(after) + self.cost_of_missing(folder)?;
        self.reserve(growth, before.map_or(0, cost))?;
        let appended = self.add(folder, path, bytes);
        self.settle(appended)
    }

    pub(super) fn remove(&mut self, path: &str) -> Result<(), FileError> {
        self.split(path)?;
        let failed = || self.failed("remove", path);
        let found = self.dir.symlink_metadata(path).map_err(failed())?;
        let removed = if found.is_dir() {
            self.dir.remove_dir(path).map_err(failed())
        } else if found.is_file() || found.is_symlink() {
            self.dir.remove_file(path).map_err(failed())
        } else {
            Err(self.not_a_file(path))
        };
        if let (Some(quota), Ok(())) = (&mut self.quota, &removed) {
            quota.release(if found.is_dir() { cost(0) } else { cost(found.len()) });
        }
        removed
    }

    fn put(&self, folder: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.make(folder)?;
        let folder = self.dir.open_dir(or_itself(folder))?;
        let mut whole = TempFile::new(&folder)?;
        whole.write_all(bytes)?;
        // The content has reached the disk before the name points to it.
        whole.as_file().sync_all()?;
        whole.replace(name)
    }

    fn add(&self, folder: &str, path: &str, bytes: &[u8]) -> Result<(), FileError> {
        let failed = || self.failed("append to", path);
        self.make(folder).map_err(failed())?;
        let mut file = self.open(path, OpenOptions::new().append(true).create(true))?;
        let length = file.metadata().map_err(failed())?.len();
        file.write_all(bytes).map_err(|error| {
            // The first error is the one to report.
            let _ = file.set_len(length);
            failed()(error)
        })
    }

    /// Opens a regular file: whatever else stands there is looked at before, and would not block if it came there now.
    fn open(&self, path: &str, options: &mut OpenOptions) -> Result<File, FileError> {
        let is_file = |metadata: &Metadata| metadata.is_file();
        match self.dir.metadata(or_itself(path)) {
            Ok(found) if !is_file(&found) => return Err(self.not_a_file(path)),
            _ => {}
        }
        let file = self.dir.open_with(path, options.nonblock(true)).map_err(self.failed("open", path))?;
        let found = file.metadata().map_err(self.failed("open", path))?;
        if is_file(&found) { Ok(file) } else { Err(self.not_a_file(path)) }
    }

    /// Opening comes first, for it tells a link that leads out from a folder that is not there.
    fn make(&self, folder: &str) -> io::Result<()> {
        match self.dir.open_dir(or_itself(folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.dir.create_dir_all(folder),
            opened => opened.map(drop),
        }
    }

    /// What stands at a path, if anything does; a link is looked at itself.
    fn present(&self, path: &str) -> Result<Option<Metadata>, FileError> {
        match self.dir.symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            found => found.map(Some).map_err(self.failed("open", path)),
        }
    }

    /// What the folders cost that are not there yet.
    fn cost_of_missing(&self, folder: &str) -> Result<u64, FileError> {
        let mut missing = 0;
        let ancestors = Path::new(folder).ancestors().filter(|folder| *folder != Path::new(""));
        for ancestor in ancestors {
            match self.dir.metadata(ancestor) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => missing += cost(0),
                found => return found.map(|_| missing).map_err(self.failed("open", folder)),
            }
        }
        Ok(missing)
    }

    fn reserve(&mut self, growth: u64, release: u64) -> Result<(), FileError> {
        let Some(quota) = &mut self.quota else { return Ok(()) };
        let measured = || measured(&self.dir).map_err(failed_at("look at", self.folder.to_string()));
        quota.reserve(growth, release, measured)
    }

    /// After anything that may have been done in part, what is held is counted anew.
    fn settle(&mut self, done: Result<(), FileError>) -> Result<(), FileError> {
        if let (Some(quota), Err(_)) = (&mut self.quota, &done) {
            quota.forget();
        }
        done
    }

    /// The folder of a path, and the last name.
    fn split<'p>(&self, path: &'p str) -> Result<(&'p str, &'p str), FileError> {
        match path.rsplit_once('/') {
            Some(parts) => Ok(parts),
            None if path.is_empty() => Err(self.not_a_file(path)),
            None => Ok(("", path)),
        }
    }

    fn check_length(&self, path: &str, length: usize) -> Result<(), FileError> {
        if length as u64 <= LARGEST {
            return Ok(());
        }
        let message =
            format!("`{}` has more than the {LARGEST} bytes that can be taken at once", self.shown(path));
        Err(failure("too-large", message))
    }

    fn not_a_file(&self, path: &str) -> FileError {
        failure("not-a-file", format!("`{}` is no file", self.shown(path)))
    }

    fn failed(&self, action: &'static str, path: &str) -> impl FnOnce(io::Error) -> FileError + use<> {
        failed_at(action, self.shown(path))
    }

    fn shown(&self, path: &str) -> String {
        format!("{}/{path}", self.folder)
    }
}

/// A path from the folder; the folder itself has a name, too.
const fn or_itself(path: &str) -> &str {
    if path.is_empty() { "." } else { path }
}

pub(super) fn failure(code: &'static str, message: String) -> FileError {
    FileError::Failed(Failure::new(code, message))
}

/// Says what the system answered to an attempt.
fn failed_at(action: &'static str, path: String) -> impl FnOnce(io::Error) -> FileError {
    move |error| {
        use io::ErrorKind::{
            DirectoryNotEmpty, FileTooLarge, IsADirectory, NotADirectory, NotFound, PermissionDenied,
            QuotaExceeded, StorageFull,
        };
        let code = match error.kind() {
            // The folder's handle makes this error itself; the system's own refusals carry a number.
            PermissionDenied if error.raw_os_error().is_none() => return FileError::Outside,
            NotFound => "no-such-file",
            IsADirectory | NotADirectory => "not-a-file",
            DirectoryNotEmpty => "not-empty",
            StorageFull | QuotaExceeded | FileTooLarge => "no-space",
            _ => "io",
        };
        failure(code, format!("cannot {action} `{path}`: {error}"))
    }
}
