mod check;
mod file;
mod play;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tapline::core::Runtime;
use tapline::host::read_file;

pub use check::Mismatch;

use file::{Case, CasesFile, Scene};

/// Tests of a plugin that are written in a file: in YAML, whatever the plugin is written in.
///
/// ```yaml
/// setup:
///   config: { suffix: "!" }
/// cases:
///   - name: it shouts
///     node: { type: shout, with: { text: hello } }
///     expect: { output: HELLO! }
/// ```
#[derive(Debug)]
pub struct Cases {
    file: PathBuf,
    setup: Scene,
    cases: Vec<Case>,
}

/// What came of one case.
#[derive(Debug)]
pub struct CaseResult {
    /// What it promises.
    pub name: String,
    /// Where it stands: file, line and column.
    pub place: String,
    /// What was not as expected; nothing when it has passed.
    pub mismatches: Vec<Mismatch>,
    /// What the plugin has logged.
    pub log: Vec<String>,
}

/// Why a file of cases is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CasesError {
    /// It cannot be read.
    #[error("{}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It says something that has no meaning.
    #[error("{place}: {message}")]
    Mistake {
        /// File, line and column.
        place: String,
        /// What is wrong there.
        message: String,
    },
}

/// A larger file is none of cases.
const LARGEST: u64 = 8 << 20;

impl Cases {
    /// Reads a file of cases.
    ///
    /// # Errors
    /// When it cannot be read, or has a mistake.
    pub fn read(file: impl Into<PathBuf>) -> Result<Self, CasesError> {
        let file = file.into();
        let failed = |source| CasesError::Read { file: file.clone(), source };
        let bytes = read_file(&file, LARGEST).map_err(failed)?;
        let text = String::from_utf8(bytes).map_err(|error| failed(io::Error::other(error)))?;
        let CasesFile { setup, cases } = CasesFile::parse(&text).map_err(|(line, column, message)| {
            CasesError::Mistake { place: place(&file, line, column), message }
        })?;
        Ok(Self { file, setup, cases })
    }

    /// The names of the cases, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.cases.iter().map(|case| case.name())
    }

    /// Runs a case with the package in a folder, in a host of its own; `None` when there are not so many.
    pub async fn run(&self, number: usize, folder: &Path, runtime: Arc<dyn Runtime>) -> Option<CaseResult> {
        let case = self.cases.get(number)?;
        let scene = self.setup.with(case.setup());
        let (mismatches, log) = play::play(&scene, case, folder, runtime).await;
        let (line, column) = case.place();
        let place = place(&self.file, line, column);
        Some(CaseResult { name: case.name().to_owned(), place, mismatches, log })
    }
}

impl CaseResult {
    /// Whether everything was as expected.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        self.mismatches.is_empty()
    }
}

impl fmt::Display for CaseResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = if self.has_passed() { "passed" } else { "FAILED" };
        writeln!(formatter, "{outcome}  {}", self.name)?;
        if self.has_passed() {
            return Ok(());
        }
        writeln!(formatter, "  --> {}", self.place)?;
        for mismatch in &self.mismatches {
            write!(formatter, "{mismatch}")?;
        }
        if !self.log.is_empty() {
            writeln!(formatter, "    the plugin's log:")?;
            // What follows on a line of the plugin's cannot be taken for a line of ours.
            self.log.iter().try_for_each(|line| {
                writeln!(formatter, "      {}", line.replace('\n', "\n             "))
            })?;
        }
        Ok(())
    }
}

fn place(file: &Path, line: u64, column: u64) -> String {
    format!("{}:{line}:{column}", file.display())
}
