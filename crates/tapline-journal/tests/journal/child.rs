//! Another process: this test program, started once more with something to do.

use std::io::{BufRead as _, BufReader, Write as _, stdin, stdout};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use futures_util::future::join_all;
use tapline_journal::SqliteJournal;
use tapline_pipeline::{Journal as _, JournalError};

use crate::support::{begun, step};

/// What to do, the folder, and what else it takes.
const TASK: &str = "TAPLINE_JOURNAL_TASK";

/// A process that is killed when it is dropped.
pub(crate) struct Other {
    pub(crate) process: Child,
    said: BufReader<ChildStdout>,
}

impl Other {
    #[expect(clippy::disallowed_methods, reason = "what is killed has to be another process")]
    pub(crate) fn start(task: &str, folder: &Path, detail: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child::does_what_it_is_asked", "--nocapture"])
            .env(TASK, format!("{task}\n{}\n{detail}", folder.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap());
        Self { process, said }
    }

    /// The rest of the next line that begins so; `None` when no such line comes.
    pub(crate) fn hears(&mut self, beginning: &str) -> Option<String> {
        loop {
            let mut line = String::new();
            self.said.read_line(&mut line).unwrap();
            // A line without an end was cut off.
            let line = line.strip_suffix('\n')?;
            if let Some(rest) = line.strip_prefix(beginning) {
                return Some(rest.to_owned());
            }
        }
    }

    pub(crate) fn tell(&mut self) {
        writeln!(self.process.stdin.as_mut().unwrap()).unwrap();
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Says a line at once, whatever the test runner does with what tests print.
fn say(line: &str) {
    let mut stdout = stdout().lock();
    stdout.write_all(format!("{line}\n").as_bytes()).unwrap();
    stdout.flush().unwrap();
}

fn hear() {
    stdin().read_line(&mut String::new()).unwrap();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test that starts it says what to do")]
fn does_what_it_is_asked() {
    let Ok(task) = std::env::var(TASK) else { return };
    let words: Vec<&str> = task.split('\n').collect();
    let journal = SqliteJournal::open(Path::new(words[1])).unwrap();
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        match words[0] {
            "write" => write(&journal, words[2]).await,
            "resume" => resume(&journal, words[2]).await,
            other => panic!("nobody knows how to {other}"),
        }
    });
}

/// Writes steps without end, eight at a time, and says each that was acknowledged.
async fn write(journal: &SqliteJournal, detail: &str) {
    let (round, id) = detail.split_once(' ').unwrap();
    let run = if id.is_empty() { begun(journal).await } else { journal.resume(id).await.unwrap().1 };
    say(&format!("run {}", run.id()));
    let writers = (0..8).map(async |writer| {
        for number in 0.. {
            let path = format!("{round}/answer{writer}[{number}]");
            run.step(step(&path)).await.unwrap();
            say(&format!("kept {path}"));
        }
    });
    join_all(writers).await;
}

/// Resumes a run when it is told to, says what came of it, and ends when it is told again.
async fn resume(journal: &SqliteJournal, id: &str) {
    say("ready");
    hear();
    let resumed = journal.resume(id).await;
    say(match &resumed {
        Ok(_) => "told won",
        Err(JournalError::Taken { .. }) => "told taken",
        Err(error) => panic!("{error}"),
    });
    hear();
}
