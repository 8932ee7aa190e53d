use std::sync::Arc;

use super::CallContext;
use crate::audit::Act;
use crate::call_error::CallError;
use crate::failure::Failure;
use crate::file::{FileChange, FileError, FilePath, Files, FolderEntry};
use crate::grants::{Denied, FolderMode};

/// So much of a path that is refused is told, in characters.
const TOLD: usize = 200;

impl CallContext {
    /// Reads a file whole.
    ///
    /// # Errors
    /// When the folder is not granted, or the path leads out of it; with `no-such-file`, `not-a-file`, `too-large`,
    /// `no-such-folder` or `io`.
    pub async fn read_file(&self, path: &str) -> Result<Vec<u8>, CallError> {
        let (parsed, files) = self.file("read", path, FolderMode::Read)?;
        let read = files.read(parsed).await;
        read.map_err(|error| self.file_error("read", path, error))
    }

    /// What is in a folder, sorted by name.
    ///
    /// # Errors
    /// As [`read_file`](Self::read_file).
    pub async fn list_folder(&self, path: &str) -> Result<Vec<FolderEntry>, CallError> {
        let (parsed, files) = self.file("list", path, FolderMode::Read)?;
        let listed = files.list(parsed).await;
        listed.map_err(|error| self.file_error("list", path, error))
    }

    /// Writes, appends to or removes a file. Dropping the future leaves it changed whole, or not at all.
    ///
    /// # Errors
    /// As [`read_file`](Self::read_file), and with `no-space` when the plugin would hold more than it may.
    pub async fn change_file(&self, path: &str, change: FileChange) -> Result<(), CallError> {
        let action = match change {
            FileChange::Write(_) => "write",
            FileChange::Append(_) => "append to",
            FileChange::Remove => "remove",
        };
        let (parsed, files) = self.file(action, path, FolderMode::ReadWrite)?;
        let changed = files.change(parsed, change).await;
        changed.map_err(|error| self.file_error(action, path, error))
    }

    /// The path, if the plugin may use it so.
    fn file(
        &self,
        action: &'static str,
        path: &str,
        mode: FolderMode,
    ) -> Result<(FilePath, Arc<dyn Files>), CallError> {
        let parsed: FilePath = path.parse().map_err(|error| self.file_denied(action, path, error))?;
        let allowed = self.grants.check_folder(parsed.folder, mode);
        allowed.map_err(|reason| self.denied(action, path, reason))?;
        self.services.audit(&Act::granted(&self.plugin, action, &parsed.to_string()));
        let files = self.services.files().ok_or_else(|| {
            Failure::new("no-such-folder", format!("there is no folder `{}` here", parsed.folder))
        })?;
        Ok((parsed, files))
    }

    fn file_denied(&self, action: &'static str, path: &str, error: crate::file::FilePathError) -> CallError {
        let told: String = path.chars().take(TOLD).collect();
        self.denied(action, &told, error.0).into()
    }

    fn file_error(&self, action: &'static str, path: &str, error: FileError) -> CallError {
        let denied = |reason| -> Denied { self.denied(action, path, reason) };
        match error {
            FileError::Outside => denied("it leads out of the folder").into(),
            FileError::Failed(failure) => failure.into(),
        }
    }
}
