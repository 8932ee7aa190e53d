//! Runs and steps for tests that are not about them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tapline_core::Value;
use tapline_journal::SqliteJournal;
use tapline_pipeline::{Journal as _, JournalError, KeptRun, RunJournal, RunRecord, StepRecord, StepState};
use tempfile::TempDir;

/// A folder for a journal, which is not there yet.
pub(crate) struct Place {
    _root: TempDir,
    pub(crate) folder: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("pipelines/.tapline");
        Self { _root: root, folder }
    }

    pub(crate) fn journal(&self) -> SqliteJournal {
        SqliteJournal::open(&self.folder).unwrap()
    }
}

/// A time that the journal keeps to the last digit.
pub(crate) fn time() -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(1_800_000_000_123_456)
}

pub(crate) fn record() -> RunRecord {
    RunRecord {
        pipeline: "triage".into(),
        file: "pipeline.yaml".into(),
        text: "name: triage\n".into(),
        inputs: [("tickets".into(), Value::from("tickets.jsonl"))].into_iter().collect(),
        began: time(),
    }
}

/// A step whose output is its path.
pub(crate) fn step(path: &str) -> StepRecord {
    StepRecord {
        path: path.into(),
        kind: "chat".into(),
        state: StepState::Done,
        input: [7; 32],
        output: path.into(),
        error: None,
        began: time(),
        took: Duration::from_micros(1_500),
    }
}

pub(crate) async fn begun(journal: &SqliteJournal) -> Arc<dyn RunJournal> {
    journal.begin(record()).await.unwrap()
}

pub(crate) async fn refusal(journal: &SqliteJournal, id: &str) -> JournalError {
    journal.resume(id).await.err().unwrap_or_else(|| panic!("`{id}` is resumed"))
}

/// The paths of the steps that are kept of a run, each of which has its output.
#[track_caller]
pub(crate) fn paths(kept: &KeptRun) -> Vec<&str> {
    assert!(kept.steps.iter().all(|step| step.output.as_str() == Some(&*step.path)));
    kept.steps.iter().map(|step| &*step.path).collect()
}

/// Asks the database whether it is whole.
#[track_caller]
pub(crate) fn assert_intact(folder: &Path) {
    let connection = rusqlite::Connection::open(folder.join("runs.db")).unwrap();
    let ask = |sql| connection.query_row(sql, (), |row| row.get::<_, String>(0));
    assert_eq!(ask("PRAGMA integrity_check").unwrap(), "ok");
    assert_eq!(ask("PRAGMA foreign_key_check"), Err(rusqlite::Error::QueryReturnedNoRows));
}
