use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;
use tapline_pipeline::JournalError;

/// Where a journal lies.
#[derive(Debug, Clone)]
pub(crate) struct Folder(Arc<Path>);

impl Folder {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.into())
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("runs.db")
    }

    fn locks(&self) -> PathBuf {
        self.0.join("runs")
    }

    pub(crate) fn lock(&self, id: &str) -> PathBuf {
        self.locks().join(format!("{id}.lock"))
    }

    pub(crate) fn turns(&self) -> PathBuf {
        self.locks().join("turns.lock")
    }

    /// Makes the folder and an empty database, where there are none, so that a power cut does not lose them.
    pub(crate) fn make(&self) -> Result<(), JournalError> {
        let made = make_folder(&self.locks()).and_then(|()| {
            // Whoever closes a database that is open elsewhere in this process takes its locks along; one that is
            // there is not opened.
            match private().create_new(true).open(self.database()) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
                made => made.and_then(|_| sync(&self.0)),
            }
        });
        made.map_err(|error| self.io(&error))
    }

    /// Removes the file of a run that nobody can take up any more.
    pub(crate) fn forget(&self, id: &str) {
        // It may be gone, and where it stays it is in nobody's way.
        let _ = fs::remove_file(self.lock(id));
    }

    pub(crate) fn unusable(&self, message: impl fmt::Display) -> JournalError {
        let file = self.database().display().to_string();
        JournalError::Unusable { file: file.into(), message: message.to_string().into() }
    }

    pub(crate) fn io(&self, error: &io::Error) -> JournalError {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => full(error),
            _ => self.unusable(error),
        }
    }

    pub(crate) fn sqlite(&self, error: &rusqlite::Error) -> JournalError {
        let code = error.sqlite_error().map(|error| (error.code, error.extended_code));
        match code {
            // The second is said of the index that processes share in memory, where the file system cannot hold it.
            Some((ErrorCode::DiskFull, _) | (_, SQLITE_IOERR_SHMSIZE)) => full(error),
            _ => self.unusable(error),
        }
    }
}

fn full(message: impl fmt::Display) -> JournalError {
    JournalError::Full { message: message.to_string().into() }
}

/// Opens a file that only this user can read, and makes it where there is none.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    private().create(true).truncate(false).open(path)
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    options
}

fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(parent)?;
    match create_private(path) {
        // Another process was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made.and_then(|()| sync(parent)),
    }
}

#[cfg(unix)]
fn create_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create_private(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)
}

/// Waits until the disk has the names in a folder.
#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere folders cannot be opened, and file systems keep their names by themselves.
#[cfg(not(unix))]
const fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}
