use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use tapline_core::Value;

use super::error::StepFailure;

/// Files of JSON lines for what failed, in the folder of the pipeline and nowhere else.
#[derive(Debug, Default)]
pub(super) struct DeadLetters {
    folder: Option<PathBuf>,
    /// Held while a line is written, so that no two are mixed.
    turn: Mutex<()>,
}

impl DeadLetters {
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, turn: Mutex::default() }
    }

    /// Adds a line: where and why it failed, and what was asked.
    pub(super) fn add(
        &self,
        file: &Path,
        failure: &StepFailure,
        error: &str,
        input: &Value,
    ) -> io::Result<()> {
        let Some(folder) = &self.folder else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "the run was given no folder for files"));
        };
        let letter = Value::from_iter([
            ("node", Value::String(failure.node.clone())),
            ("path", Value::String(failure.path.clone())),
            ("error", error.into()),
            ("input", input.get("with").unwrap_or(input).clone()),
        ]);
        let line = letter.to_json() + "\n";
        let _turn = self.turn.lock();
        let folder = Dir::open_ambient_dir(folder, ambient_authority())?;
        let mut file = folder.open_with(file, OpenOptions::new().append(true).create(true))?;
        // One write, so that a crash leaves no half of it behind another's line.
        file.write_all(line.as_bytes())
    }
}
