use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
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

impl Peer {
    /// Starts the program, if it is there.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the peers are programs of their own")]
    pub fn start(program: &Path) -> Option<Self> {
        let mut command = Command::new(program);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let (asked, answers) = (process.stdin.take()?, BufReader::new(process.stdout.take()?));
        Some(Self { process, asked, answers })
    }

    /// Has it measure a figure.
    ///
    /// # Panics
    /// When it has no such figure.
    #[expect(clippy::unwrap_used, reason = "a peer that breaks ends the benchmark")]
    pub fn measure(&mut self, name: &str) -> Figure {
        writeln!(self.asked, "{name}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        let answer = Value::from_json(&answer).unwrap();
        let number = |key| answer.as_object().and_then(|answer| answer.get(key)).and_then(Value::as_f64);
        Figure { value: number("value").unwrap(), spread: number("spread").unwrap() }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
