use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::interpreter::Interpreter;

/// The file of a package that names what it needs, one package a line.
pub const REQUIREMENTS: &str = "requirements.txt";
/// Where the environment of a package lies in its folder.
const ENVIRONMENT: &str = ".venv";

/// Why the environment of a package was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// The requirements cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line of the requirements could make the machine of whoever installs it run code of the author's.
    #[error(
        "{REQUIREMENTS}:{line}: `{text}` is no name of a package with its versions; options, addresses and paths are refused"
    )]
    Requirement {
        /// Which line, from 1.
        line: usize,
        /// What it says.
        text: String,
    },
    /// A program cannot be started.
    #[error("`{program}` cannot be started: {source}")]
    NotStarted {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// A program was unhappy.
    #[error("{what}: {said}")]
    Failed {
        /// What it was to do.
        what: &'static str,
        /// The end of what it has said.
        said: String,
    },
}

/// Makes the environment of the package in a folder, with what its requirements name. Only packages that come ready made
/// are installed, so that nothing of them is run. Where there are no requirements, there is nothing to do.
///
/// # Errors
/// When the requirements say more than names, or something cannot be installed. What was made until then lies in the
/// folder.
pub fn make(folder: &Path, interpreter: &Interpreter) -> Result<(), EnvironmentError> {
    let file = folder.join(REQUIREMENTS);
    if !file.exists() {
        return Ok(());
    }
    let text = fs::read_to_string(&file).map_err(|source| EnvironmentError::Unreadable { file, source })?;
    check(&text)?;
    let environment = folder.join(ENVIRONMENT);
    let mut venv = python(&interpreter.program);
    run(venv.args(["-m", "venv"]).arg(&environment), "the environment cannot be made")?;
    let mut pip = python(&environment.join("bin/python3"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
    pip.args(["--only-binary", ":all:", "--requirement", REQUIREMENTS]).current_dir(folder);
    run(&mut pip, "its packages cannot be installed")
}

/// Whether each line is a name with versions and nothing else: an option could undo what pip was told, and an address or a
/// path would lead to code that is run to find out what it is.
fn check(text: &str) -> Result<(), EnvironmentError> {
    for (number, line) in text.lines().enumerate() {
        let said = line.split('#').next().unwrap_or_default().trim();
        let begins = said.chars().next().is_none_or(|first| first.is_ascii_alphanumeric());
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.,<>=!~*+[]()'\"; ".contains(c);
        let is_file = [".whl", ".zip", ".tar.gz", ".tgz"].iter().any(|end| said.ends_with(end));
        // An option may follow on a name, too.
        let has_option = said.split_whitespace().any(|word| word.starts_with('-'));
        if !begins || is_file || has_option || !said.chars().all(is_plain) {
            return Err(EnvironmentError::Requirement { line: number + 1, text: line.to_owned() });
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this is where environments are made")]
fn python(program: &Path) -> Command {
    let mut command = Command::new(program);
    // What whoever installs it has set up for other programs is not to be found by this one.
    command.env_remove("PYTHONPATH").env_remove("PYTHONHOME").arg("-I").stdin(Stdio::null());
    command
}

/// So much is told of what a program has said, in lines.
const TOLD: usize = 12;

fn run(command: &mut Command, what: &'static str) -> Result<(), EnvironmentError> {
    let output = command.output().map_err(|source| EnvironmentError::NotStarted {
        program: command.get_program().to_string_lossy().into_owned(),
        source,
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    let lines: Vec<_> = said.lines().collect();
    let said = lines[lines.len().saturating_sub(TOLD)..].join("\n");
    Err(EnvironmentError::Failed { what, said })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_names_with_versions_and_nothing_else() {
        check("# ours\nmsgpack>=1.0\nlangchain-core ~= 1.0, != 1.0.3 # theirs\n\nuvicorn[standard]; python_version < '3.13'")
            .unwrap();
        for line in [
            "--index-url x",
            "-e .",
            "./here",
            "a/b",
            "x @ file:///x",
            "git+https://host/x",
            "x.whl",
            "x --no-binary x",
            "x\\",
        ] {
            let error = check(&format!("msgpack\n{line}")).unwrap_err().to_string();
            assert!(error.starts_with("requirements.txt:2: "), "{line}: {error}");
        }
    }
}
