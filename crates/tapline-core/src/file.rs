use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::failure::Failure;
use crate::grants::Folder;
use crate::plugin::BoxFuture;

/// A path within a folder that plugins may be granted: `scratch:/notes/today.txt`.
///
/// Its text leads nowhere else; symbolic links are left to whoever opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePath {
    /// The folder.
    pub folder: Folder,
    /// The path from there, with `/` between the names; empty for the folder itself.
    pub inside: Arc<str>,
}

/// Why a text is no path that a plugin can be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FilePathError(pub &'static str);

/// A name longer than this is none on any common file system, in bytes.
const LONGEST_NAME: usize = 255;
/// A path longer than this is none that can be opened, in bytes.
const LONGEST_PATH: usize = 4095;

/// What is in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderEntry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// The length of a file, in bytes; 0 for a folder.
    pub size: u64,
}

/// What an entry of a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// What is done to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileChange {
    /// It becomes this, whole or not at all; the folders on its way are made.
    Write(Vec<u8>),
    /// This is added at its end; it is made where there is none, as are the folders on its way.
    Append(Vec<u8>),
    /// It is removed, or a folder that is empty.
    Remove,
}

/// The files of one plugin. Whether it may is decided before; what follows from the path, links included, is decided
/// here. Nothing but regular files and folders is opened, and nothing blocks.
pub trait Files: Send + Sync {
    /// All bytes of a file.
    fn read(&self, path: FilePath) -> BoxFuture<'static, Result<Vec<u8>, FileError>>;

    /// What is in a folder, sorted by name. What is neither file nor folder is left out, as is a name that is no text.
    fn list(&self, path: FilePath) -> BoxFuture<'static, Result<Vec<FolderEntry>, FileError>>;

    /// Changes a file. One whose future is dropped before its end has been done whole, or not at all.
    fn change(&self, path: FilePath, change: FileChange) -> BoxFuture<'static, Result<(), FileError>>;
}

/// Why nothing was done with a file.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FileError {
    /// A link on the way leads out of the folder.
    #[error("it leads out of the folder")]
    Outside,
    /// `no-such-file`, `not-a-file`, `too-large`, `no-space`, `no-such-folder`, or `io`.
    #[error(transparent)]
    Failed(Failure),
}

impl FromStr for FilePath {
    type Err = FilePathError;

    fn from_str(text: &str) -> Result<Self, FilePathError> {
        let folder = Folder::ALL.into_iter().find(|folder| text.starts_with(folder.name()));
        let folder = folder.ok_or(FilePathError("a path begins with `scratch:/` or `data:/`"))?;
        let inside = &text[folder.name().len()..];
        let inside = inside.strip_prefix('/').unwrap_or(inside);
        if inside.len() > LONGEST_PATH || inside.split('/').any(|name| name.len() > LONGEST_NAME) {
            return Err(FilePathError("the path is longer than any that can be opened"));
        }
        let is_name = |name: &str| !matches!(name, "" | "." | "..") && !name.contains(['\0', '\\']);
        if !inside.is_empty() && !inside.split('/').all(is_name) {
            return Err(FilePathError("a path goes through names alone, from its folder downwards"));
        }
        Ok(Self { folder, inside: inside.into() })
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.folder, self.inside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a28_a_path_is_names_below_a_folder_and_nothing_else() {
        for (text, inside) in [
            ("scratch:/a/b.txt", "a/b.txt"),
            ("scratch:a", "a"),
            ("data:/", ""),
            ("data:", ""),
            ("data:/..a", "..a"),
        ] {
            assert_eq!(&*text.parse::<FilePath>().unwrap().inside, inside, "{text}");
        }
        let (long_name, long_path) =
            (format!("scratch:/{}", "a".repeat(256)), format!("scratch:/{}", "a/".repeat(2048) + "a"));
        for text in [
            "",
            "a",
            "/etc/passwd",
            "home:/a",
            "scratch",
            "scratch://etc/passwd",
            "scratch:/a/../..",
            "scratch:/..",
            "scratch:/./a",
            "scratch:/a//b",
            "scratch:/a/",
            "scratch:/a\0b",
            "scratch:/..\\a",
            &long_name,
            &long_path,
        ] {
            assert!(text.parse::<FilePath>().is_err(), "{text}");
        }
    }
}
