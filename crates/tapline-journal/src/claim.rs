use std::fs::{File, TryLockError};
use std::io;

use tapline_pipeline::JournalError;

use crate::folder::{Folder, private_file};

/// That a run is under way here: a lock of the operating system, which ends with the process, however that ends.
#[derive(Debug)]
pub(crate) struct Claim {
    _locked: Locked,
}

impl Claim {
    /// Takes a run; `None` when somebody has it, this process included.
    pub(crate) fn take(folder: &Folder, id: &str) -> Result<Option<Self>, JournalError> {
        let _turn = Turn::wait(folder)?;
        let file = private_file(&folder.lock(id)).map_err(|error| folder.io(&error))?;
        Ok(lock(folder, file)?.map(|locked| Self { _locked: locked }))
    }

    /// Whether somebody has a run.
    pub(crate) fn is_held(folder: &Folder, id: &str) -> Result<bool, JournalError> {
        let _turn = Turn::wait(folder)?;
        match File::open(folder.lock(id)) {
            Ok(file) => Ok(lock(folder, file)?.is_none()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(folder.io(&error)),
        }
    }

    /// Does something while the run is held: a closure that calls this keeps the claim.
    pub(crate) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        work()
    }
}

/// The lock of a file, if nobody has it.
fn lock(folder: &Folder, file: File) -> Result<Option<Locked>, JournalError> {
    match file.try_lock() {
        Ok(()) => Ok(Some(Locked(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(folder.io(&error)),
    }
}

#[derive(Debug)]
struct Locked(File);

impl Drop for Locked {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that is being started has a copy of it until its program begins.
        let _ = self.0.unlock();
    }
}

/// A turn among all processes that share a folder, for as long as it takes to open a file and lock it.
///
/// Whoever only looks whether a run is held has to try the lock; without turns, somebody who claims the run at that
/// moment would be told that it is taken.
#[derive(Debug)]
pub(crate) struct Turn {
    _locked: Locked,
}

impl Turn {
    pub(crate) fn wait(folder: &Folder) -> Result<Self, JournalError> {
        let file = private_file(&folder.turns()).map_err(|error| folder.io(&error))?;
        file.lock().map_err(|error| folder.io(&error))?;
        Ok(Self { _locked: Locked(file) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_free_at_once_though_a_process_that_is_being_started_has_a_copy_of_the_file() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        folder.make().unwrap();
        let claim = Claim::take(&folder, "k3vk3vk3").unwrap().unwrap();
        let _copy = claim._locked.0.try_clone().unwrap();
        assert!(Claim::is_held(&folder, "k3vk3vk3").unwrap());
        drop(claim);
        assert!(!Claim::is_held(&folder, "k3vk3vk3").unwrap());
        assert!(Claim::take(&folder, "k3vk3vk3").unwrap().is_some());
    }
}
