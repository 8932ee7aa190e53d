use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use semver::Version;

/// A Python that can run plugins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// The program itself, and no script or link that leads to it.
    pub program: PathBuf,
    /// Its version.
    pub version: Version,
}

/// Why there is no Python that can run plugins.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InterpreterError {
    /// It cannot be started.
    #[error("`{program}` cannot be started: {source}; on Debian: apt-get install python3 python3-venv")]
    NotStarted {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// It is something else.
    #[error("`{program}` does not answer as a Python does")]
    Other {
        /// The program.
        program: String,
    },
    /// It is too old.
    #[error("`{program}` is Python {version}, and plugins need {OLDEST} or later")]
    Old {
        /// The program.
        program: String,
        /// Its version.
        version: Version,
    },
}

/// The oldest version with which the SDK works.
pub(crate) const OLDEST: Version = Version::new(3, 11, 0);
const USUAL: &str = "python3";
/// What tells the program and its version, a line each.
const TELL: &str = "import sys; print(sys.executable); print('%d.%d.%d' % sys.version_info[:3])";

impl Interpreter {
    /// The interpreter of this name or path, or `python3` of the path; it is started to tell its version.
    ///
    /// # Errors
    /// When it cannot be started, is no Python, or is too old.
    pub fn find(named: Option<&str>) -> Result<Self, InterpreterError> {
        let program = named.unwrap_or(USUAL).to_owned();
        let said = match tell(&program) {
            Ok(said) => said,
            Err(source) => return Err(InterpreterError::NotStarted { program, source }),
        };
        let mut lines = said.lines();
        let told = lines.next().zip(lines.next().and_then(|version| version.parse::<Version>().ok()));
        match told {
            None => Err(InterpreterError::Other { program }),
            Some((_, version)) if version < OLDEST => Err(InterpreterError::Old { program, version }),
            Some((own, version)) => Ok(Self { program: Path::new(own).to_owned(), version }),
        }
    }
}

/// What the program prints; it is not let look at the user's packages, which takes its time.
#[expect(clippy::disallowed_methods, reason = "this is where Python is looked at")]
fn tell(program: &str) -> io::Result<String> {
    let output = Command::new(program).args(["-I", "-S", "-c", TELL]).stdin(Stdio::null()).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
