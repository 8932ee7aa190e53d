use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::secrets::SecretError;
use crate::mistake::{Mistake, Place};

/// A secret as the settings name it: by the place where its value is.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    pub(super) name: String,
    pub(super) origin: Origin,
    pub(super) place: Place,
}

/// Where the value of a secret is.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    Environment(String),
    File(PathBuf),
}

/// A file larger than this is no secret.
const LARGEST: u64 = 64 << 10;

impl Reference {
    /// The value, or why it cannot be used, at the place of the reference.
    pub(super) fn value(&self, variable: impl Fn(&str) -> Option<String>) -> Result<String, Mistake> {
        let value = match &self.origin {
            Origin::Environment(name) => {
                variable(name).ok_or_else(|| format!("the environment variable `{name}` is not set"))
            }
            Origin::File(file) => content(file).map_err(|error| format!("{}: {error}", file.display())),
        };
        let usable = value.and_then(|value| match SecretError::of(&value) {
            Some(error) => Err(error.to_string()),
            None => Ok(value),
        });
        usable.map_err(|reason| {
            let message = format!("secret `{}`: {reason}", self.name);
            Mistake { place: self.place.clone(), message }
        })
    }
}

/// The text of a file that belongs to its owner alone, without the end of its last line.
fn content(file: &Path) -> io::Result<String> {
    let opened = File::open(file)?;
    check_access(&opened.metadata()?)?;
    let mut text = String::new();
    opened.take(LARGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(io::Error::other(format!("larger than {LARGEST} bytes")));
    }
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(text)
}

#[cfg(unix)]
fn check_access(metadata: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let message = format!("others may use the file (mode {mode:03o}); `chmod 600` keeps it to its owner");
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}

#[cfg(not(unix))]
fn check_access(_: &fs::Metadata) -> io::Result<()> {
    Ok(())
}
