//! Keeps the runs of pipelines in a folder, so that they outlive the process, `kill -9` and a power cut.
//!
//! [`SqliteJournal`] is the [`Journal`](tapline_pipeline::Journal) that an engine is given; [`History`] looks at what
//! is kept, and removes what is old. Several processes share one folder. In it are
//!
//! - `runs.db`, a SQLite database: the runs, their steps, and what nodes have cached;
//! - `runs/ID.lock`, a file for each run that is not done. Whoever has the run under way holds a lock of the operating
//!   system on it, which ends with the process, however that ends.
//!
//! # What a power cut can lose
//!
//! Nothing that was acknowledged. The database has a write-ahead log (WAL): a transaction is appended to it, and
//! with `synchronous = FULL` the disk has it before the transaction is over. What was under way is there whole or not
//! at all. (`NORMAL`, which others choose for speed, does not wait for the disk and loses what it has acknowledged.)
//! It holds as far as the disk keeps what it says that it has, and not on file systems of a network, where neither the
//! log nor locks can be relied on.
//!
//! # Group commit
//!
//! What takes the time is waiting for the disk. So one thread of a journal does all its writing: it takes the steps
//! that wait, up to 128, writes them in one transaction, and then answers all. A step that is alone is written at once;
//! many at the same time share one wait.
//!
//! ```
//! use std::time::SystemTime;
//! use tapline_journal::{History, RunStatus, SqliteJournal};
//! use tapline_pipeline::{Journal as _, RunEnding, RunJournal as _, RunRecord};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path().join(".tapline");
//! let journal = SqliteJournal::open(&folder)?;
//! let run = RunRecord {
//!     pipeline: "triage".into(),
//!     file: "pipeline.yaml".into(),
//!     text: "name: triage\n".into(),
//!     inputs: Default::default(),
//!     began: SystemTime::now(),
//! };
//! let run = journal.begin(run).await?;
//! run.end(RunEnding::Interrupted).await?;
//!
//! let (kept, run) = journal.resume(&run.id()[..3]).await?;
//! assert_eq!(&*kept.run.pipeline, "triage");
//! run.end(RunEnding::Done(Default::default())).await?;
//! assert_eq!(History::open(&folder)?.list(10)?[0].status, RunStatus::Done);
//! # Ok(())
//! # }
//! ```

mod journal;
mod run;
mod history;
mod writer;
mod claim;
mod id;
mod folder;
mod schema;
mod column;
mod runs;
mod steps;
mod cache;

pub use history::{History, RunDetails, RunStatus, RunSummary};
pub use journal::SqliteJournal;
