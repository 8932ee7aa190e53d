//! What reaches beyond the call: files, the time and random numbers.

use std::time::{Duration, SystemTime};

pub use tapline_core::{EntryKind, FolderEntry};

use super::Context;
use crate::Result;

impl Context {
    /// All bytes of a file, under `requires.fs`: `scratch:/notes.txt` is in the plugin's own folder, `data:/in.csv` in that
    /// of the pipeline.
    ///
    /// # Errors
    /// With the code `denied` without a grant, or when the path leads out of the folder; `no-such-file`; `not-a-file`;
    /// `too-large` for more than 16 MiB; `no-such-folder` where the host has none; `io`.
    pub async fn read_file(&self, path: &str) -> Result<Vec<u8>> {
        self.0.read_file(path).await
    }

    /// Writes a file whole or not at all, and makes the folders on its way.
    ///
    /// # Errors
    /// As [`read_file`](Self::read_file), and with `no-space` when the plugin would hold more than it may.
    pub async fn write_file(&self, path: &str, bytes: impl Into<Vec<u8>>) -> Result<()> {
        self.0.write_file(path, bytes.into()).await
    }

    /// Adds to the end of a file, and makes it where there is none.
    ///
    /// # Errors
    /// As [`write_file`](Self::write_file).
    pub async fn append_file(&self, path: &str, bytes: impl Into<Vec<u8>>) -> Result<()> {
        self.0.append_file(path, bytes.into()).await
    }

    /// The files and folders in a folder, sorted by name.
    ///
    /// # Errors
    /// As [`read_file`](Self::read_file), and with `too-large` for more than 10,000.
    pub async fn list_folder(&self, path: &str) -> Result<Vec<FolderEntry>> {
        self.0.list_folder(path).await
    }

    /// Removes a file or an empty folder.
    ///
    /// # Errors
    /// As [`read_file`](Self::read_file), and with `not-empty` for a folder that is not.
    pub async fn remove_file(&self, path: &str) -> Result<()> {
        self.0.remove_file(path).await
    }

    /// The time, under `requires.clock`; a coarse one is rounded down to 10 milliseconds. It never goes back.
    ///
    /// # Errors
    /// With the code `denied` without a grant.
    pub fn now(&self) -> Result<SystemTime> {
        Ok(SystemTime::UNIX_EPOCH + self.0.now()?)
    }

    /// The time since the plugin was loaded, under `requires.clock`.
    ///
    /// # Errors
    /// As [`now`](Self::now).
    pub fn elapsed(&self) -> Result<Duration> {
        self.0.elapsed()
    }

    /// So many random bytes of the operating system, good for keys, under `requires.random`.
    ///
    /// # Errors
    /// With the code `denied` without a grant, and `too-large` for more than 64 KiB.
    pub fn random(&self, count: usize) -> Result<Vec<u8>> {
        self.0.random(count)
    }
}
