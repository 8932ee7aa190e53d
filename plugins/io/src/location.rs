use std::io;
use std::path::{Component, Path};

use crate::IoError;

/// A path that stays, as far as its text tells, within the folder it is relative to.
///
/// Symbolic links are left to the folder's handle, which refuses those that lead out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Location<'a>(&'a str);

impl<'a> Location<'a> {
    pub(crate) fn new(path: &'a str) -> Result<Self, IoError> {
        let names =
            Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        match (names, Path::new(path).file_name()) {
            (false, _) => Err(IoError::Outside { path: path.to_owned() }),
            (true, None) => Err(IoError::config(format_args!("`path` is `{path}`, which names no file"))),
            (true, Some(_)) => Ok(Self(path)),
        }
    }

    pub(crate) const fn as_str(self) -> &'a str {
        self.0
    }

    pub(crate) fn as_path(self) -> &'a Path {
        Path::new(self.0)
    }

    /// Says what the system answered to an attempt on this path.
    pub(crate) fn refused(self, action: &'static str) -> impl FnOnce(io::Error) -> IoError {
        let path = self.0.to_owned();
        move |source| {
            // The folder's handle makes this error itself; the system's own refusals carry a number.
            if source.kind() == io::ErrorKind::PermissionDenied && source.raw_os_error().is_none() {
                return IoError::Outside { path };
            }
            IoError::File { action, path, source }
        }
    }

    pub(crate) fn content(self, line: u64, column: u64, message: impl Into<String>) -> IoError {
        IoError::Content { path: self.0.to_owned(), line, column, message: message.into() }
    }
}
