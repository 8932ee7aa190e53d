use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tapline::Value;

use crate::Figure;

/// A program that measures another plugin system: a figure is asked for by a line, and answered by a line of JSON, so
/// that figures of ours can be measured in between.
#[derive(Debug)]
pub struct Peer {
    process: Child,
    asked: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// The folder that xtask keeps the peers in.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "xtask says where the peers are")]
pub fn peers() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers");
    std::env::var("TAPLINE_PEERS").map_or_else(|_| beside(), PathBuf::from)
}

impl Peer {
    /// Starts the program, or has an interpreter run a script, if it is there.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the peers are programs of their own")]
    pub fn start(program: &Path, script: Option<&Path>) -> Option<Self> {
        let mut command = Command::new(program);
        let mut process = command.args(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let (asked, answers) = (process.stdin.take()?, BufReader::new(process.stdout.take()?));
        Some(Self { process, asked, answers })
    }

    /// Has it measure a figure.
    ///
    /// # Errors
    /// Why it has no such figure, in its own words.
    ///
    /// # Panics
    /// When it breaks.
    #[expect(clippy::unwrap_used, reason = "a peer that breaks ends the benchmark")]
    pub fn measure(&mut self, name: &str) -> Result<Figure, String> {
        writeln!(self.asked, "{name}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        let answer = Value::from_json(&answer).unwrap();
        if let Some(why) = answer.get("why").and_then(Value::as_str) {
            return Err(why.to_owned());
        }
        let number = |key| answer.get(key).and_then(Value::as_f64).unwrap();
        Ok(Figure { value: number("value"), spread: number("spread") })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
