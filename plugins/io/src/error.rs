use std::fmt;
use std::io;

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IoError {
    /// The configuration has not the shape that the schema describes.
    #[error("{message}")]
    Config {
        /// What is wrong with which field.
        message: String,
    },
    /// The path leads out of the folder, or is not relative to it.
    #[error("`{path}` leads out of the folder")]
    Outside {
        /// The path as it was given.
        path: String,
    },
    /// The system refuses to open, read or write the file.
    #[error("cannot {action} `{path}`")]
    File {
        /// What was tried.
        action: &'static str,
        /// The path as it was given.
        path: String,
        /// Why the system refuses.
        source: io::Error,
    },
    /// The path names a folder, a pipe or something else that is no file.
    #[error("`{path}` is {kind}, not a file")]
    NoFile {
        /// The path as it was given.
        path: String,
        /// What it is instead.
        kind: &'static str,
    },
    /// The file is larger than what is read as one value.
    #[error(
        "`{path}` has {size} bytes, but what is read as one value has at most {limit}: JSONL and CSV are read page by page"
    )]
    TooLarge {
        /// The path as it was given.
        path: String,
        /// How many bytes the file has.
        size: u64,
        /// How many it may have.
        limit: u64,
    },
    /// The content does not follow the format.
    #[error("{path}:{line}:{column}: {message}")]
    Content {
        /// The path as it was given.
        path: String,
        /// The line, counted from 1.
        line: u64,
        /// The column, counted from 1: in fields for CSV, in characters for YAML, and in bytes for all else.
        column: u64,
        /// What is wrong there.
        message: String,
    },
}

impl IoError {
    /// Whether trying again later may help, for the fault lies with the system and not with the configuration or the
    /// content.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        use io::ErrorKind::{Interrupted, ResourceBusy, TimedOut, WouldBlock};
        matches!(self, Self::File { source, .. }
            if matches!(source.kind(), Interrupted | ResourceBusy | TimedOut | WouldBlock))
    }

    pub(crate) fn config(message: impl fmt::Display) -> Self {
        Self::Config { message: message.to_string() }
    }
}
