use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::{BuildError, process};

/// Where the tools of a project lie.
pub(crate) const SCRATCH: &str = ".tapline/build";

/// A path that does not depend on where the command is run.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, BuildError> {
    std::path::absolute(path).map_err(|source| BuildError::File { path: path.to_owned(), source })
}

/// The first of these files in the folder or one above it.
pub(crate) fn upwards(folder: &Path, files: &[&str]) -> Option<PathBuf> {
    let mut found = folder.ancestors().flat_map(|above| files.iter().map(move |file| above.join(file)));
    found.find(|file| file.is_file())
}

/// Runs a tool to its end, with nothing to read.
pub(crate) fn run(command: &mut Command) -> Result<Output, BuildError> {
    command
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|source| BuildError::Run { command: process::line(command), source })
}

/// What a tool prints on standard output; where it fails, what it says is what is wrong with the source.
pub(crate) fn printed(command: &mut Command) -> Result<Vec<u8>, BuildError> {
    let output = run(command)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let what =
        if said.is_empty() { format!("`{}`: {}", process::line(command), output.status) } else { said };
    Err(BuildError::Declaration { what })
}
