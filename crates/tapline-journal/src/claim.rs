use std::fs::{File, TryLockError};
use std::io;

use tapline_pipeline::JournalError;

use crate::folder::{Folder, private_file};

/// That a run is under way here: a lock of the operating system, which ends with the process, however that ends.
#[derive(Debug)]
pub(crate) struct Claim {
    _locked: File,
}

impl Claim {
    /// Takes a run; `None` when somebody has it, this process included.
    pub(crate) fn take(folder: &Folder, id: &str) -> Result<Option<Self>, JournalError> {
        let _turn = Turn::wait(folder)?;
        let file = private_file(&folder.lock(id)).map_err(|error| folder.io(&error))?;
        Ok(lock(folder, &file)?.then_some(Self { _locked: file }))
    }

    /// Whether somebody has a run.
    pub(crate) fn is_held(folder: &Folder, id: &str) -> Result<bool, JournalError> {
        let _turn = Turn::wait(folder)?;
        match File::open(folder.lock(id)) {
            Ok(file) => Ok(!lock(folder, &file)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(folder.io(&error)),
        }
    }

    /// Does something while the run is held: a closure that calls this keeps the claim.
    pub(crate) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        work()
    }
}

/// Whether the lock was had.
fn lock(folder: &Folder, file: &File) -> Result<bool, JournalError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(folder.io(&error)),
    }
}

/// A turn among all processes that share a folder, for as long as it takes to open a file and lock it.
///
/// Whoever only looks whether a run is held has to try the lock; without turns, somebody who claims the run at that
/// moment would be told that it is taken.
#[derive(Debug)]
pub(crate) struct Turn {
    _locked: File,
}

impl Turn {
    pub(crate) fn wait(folder: &Folder) -> Result<Self, JournalError> {
        let file = private_file(&folder.turns()).map_err(|error| folder.io(&error))?;
        file.lock().map_err(|error| folder.io(&error))?;
        Ok(Self { _locked: file })
    }
}
