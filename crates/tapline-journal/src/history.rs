use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, Params, Row};
use tapline_core::Object;
use tapline_pipeline::{JournalError, StepRecord};

use crate::claim::Claim;
use crate::column::{JsonObject, Moment, Span};
use crate::folder::Folder;
use crate::{runs, schema, steps};

/// So many runs are removed in one transaction.
const REMOVED_AT_ONCE: usize = 32;

/// The runs that a folder keeps, those of other processes included. All of it blocks.
#[derive(Debug)]
pub struct History {
    folder: Folder,
    connection: Connection,
}

/// A run in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSummary {
    /// Its name in the journal.
    pub id: Arc<str>,
    /// The pipeline's name.
    pub pipeline: Arc<str>,
    /// The file.
    pub file: Arc<str>,
    /// Where it is.
    pub status: RunStatus,
    /// When it began, to the microsecond.
    pub began: SystemTime,
    /// How long it was under way, all goes together; one that has not ended, until its last step was over.
    pub took: Duration,
    /// How many steps have an output.
    pub steps_done: usize,
}

/// All that is kept of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunDetails {
    /// What a list says of it.
    pub summary: RunSummary,
    /// What it was given.
    pub inputs: Object,
    /// What it yielded, if it is done.
    pub outputs: Option<Object>,
    /// Why it failed, if it did.
    pub error: Option<Arc<str>>,
    /// The last record of each step, in the order in which they were kept.
    pub steps: Vec<StepRecord>,
}

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// A process has it under way.
    Running,
    /// It has outputs.
    Done,
    /// It has an error; it can be resumed.
    Failed,
    /// Somebody ended it; it can be resumed.
    Interrupted,
    /// Its process ended before the run did; it can be resumed.
    Killed,
}

impl History {
    /// Opens the history of a folder; where there is none, nothing is made, and the history is empty.
    ///
    /// # Errors
    /// As those of [`SqliteJournal::open`](crate::SqliteJournal::open).
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        let folder = Folder::new(folder);
        let connection = if folder.database().exists() {
            folder.make()?;
            schema::open(&folder)?
        } else {
            schema::in_memory().map_err(|error| folder.sqlite(&error))?
        };
        Ok(Self { folder, connection })
    }

    /// The runs that began last, the newest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn list(&self, limit: usize) -> Result<Vec<RunSummary>, JournalError> {
        self.summaries("ORDER BY number DESC LIMIT ?", [column_of(limit)])
    }

    /// All about the one run whose name begins so.
    ///
    /// # Errors
    /// When there is none or several, or it cannot be read.
    pub fn show(&self, id: &str) -> Result<RunDetails, JournalError> {
        let id = runs::named(&self.connection, id).map_err(|error| self.folder.sqlite(&error))??;
        let summary = self.summaries("WHERE id = ?", [&*id])?.pop();
        // It may be removed at any moment.
        let summary = summary.ok_or(JournalError::Unknown { id })?;
        self.details(summary).map_err(|error| self.folder.sqlite(&error))
    }

    /// Removes all runs but those that began last and those under way, and says how many it were.
    ///
    /// # Errors
    /// When one cannot be removed; those before it are gone.
    pub fn keep_newest(&self, count: usize) -> Result<usize, JournalError> {
        let old =
            self.all("SELECT id FROM runs ORDER BY number DESC LIMIT -1 OFFSET ?", [column_of(count)], id);
        self.remove(&old?)
    }

    /// Removes all runs that began before a time and are not under way, and says how many it were.
    ///
    /// # Errors
    /// When one cannot be removed; those before it are gone.
    pub fn keep_since(&self, time: SystemTime) -> Result<usize, JournalError> {
        let old = self.all("SELECT id FROM runs WHERE began < ? ORDER BY number", [Moment(time)], id);
        self.remove(&old?)
    }

    fn summaries(&self, which: &str, params: impl Params + Clone) -> Result<Vec<RunSummary>, JournalError> {
        let sql = format!("{SUMMARIES} {which}");
        let mut summaries = self.all(&sql, params.clone(), summary)?;
        let mut left = Vec::new();
        for run in summaries.iter().filter(|run| run.status == RunStatus::Running) {
            if !Claim::is_held(&self.folder, &run.id)? {
                left.push(run.id.clone());
            }
        }
        if left.is_empty() {
            return Ok(summaries);
        }
        // What has come to its end since it was seen running was not killed.
        summaries = self.all(&sql, params, summary)?;
        for run in summaries.iter_mut().filter(|run| left.contains(&run.id)) {
            if run.status == RunStatus::Running {
                run.status = RunStatus::Killed;
            }
        }
        Ok(summaries)
    }

    fn details(&self, summary: RunSummary) -> rusqlite::Result<RunDetails> {
        let mut select =
            self.connection.prepare_cached("SELECT number, inputs, outputs, error FROM runs WHERE id = ?")?;
        let (number, inputs, outputs, error) = select.query_row([&*summary.id], |row| {
            let outputs: Option<JsonObject> = row.get("outputs")?;
            Ok((row.get("number")?, row.get("inputs")?, outputs, row.get("error")?))
        })?;
        let (JsonObject(inputs), outputs) = (inputs, outputs.map(|JsonObject(outputs)| outputs));
        Ok(RunDetails { summary, inputs, outputs, error, steps: steps::of_run(&self.connection, number)? })
    }

    fn remove(&self, runs: &[Arc<str>]) -> Result<usize, JournalError> {
        let mut removed = 0;
        // A few at once, so that the disk is not waited for each time, and others can write in between.
        for some in runs.chunks(REMOVED_AT_ONCE) {
            let mut claimed = Vec::new();
            for id in some {
                claimed.extend(Claim::take(&self.folder, id)?.map(|claim| (id, claim)));
            }
            let deleted = self.delete(claimed.iter().map(|(id, _)| &***id));
            removed += deleted.map_err(|error| self.folder.sqlite(&error))?;
            claimed.iter().for_each(|(id, _)| self.folder.forget(id));
        }
        if removed > 0 {
            self.shrink().map_err(|error| self.folder.sqlite(&error))?;
        }
        Ok(removed)
    }

    fn delete<'a>(&self, runs: impl Iterator<Item = &'a str>) -> rusqlite::Result<usize> {
        let transaction = self.connection.unchecked_transaction()?;
        let mut deleted = 0;
        for id in runs {
            deleted += transaction.prepare_cached("DELETE FROM runs WHERE id = ?")?.execute([id])?;
        }
        transaction.commit()?;
        Ok(deleted)
    }

    /// Gives the disk its room back.
    fn shrink(&self) -> rusqlite::Result<()> {
        let mut vacuum = self.connection.prepare("PRAGMA incremental_vacuum")?;
        let mut pages = vacuum.query(())?;
        while pages.next()?.is_some() {}
        self.connection.execute_batch("PRAGMA wal_checkpoint")
    }

    fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, JournalError> {
        let rows = self
            .connection
            .prepare_cached(sql)
            .and_then(|mut select| select.query_map(params, read)?.collect::<Result<Vec<_>, _>>());
        rows.map_err(|error| self.folder.sqlite(&error))
    }
}

/// What a list says of runs; which ones follows.
const SUMMARIES: &str = "SELECT id, pipeline, file, state, began, took, \
     (SELECT count(*) FROM steps WHERE steps.run = runs.number AND steps.state = 'done') AS steps_done \
     FROM runs JOIN spans USING (number)";

fn summary(row: &Row<'_>) -> rusqlite::Result<RunSummary> {
    let (Moment(began), Span(took)) = (row.get("began")?, row.get("took")?);
    Ok(RunSummary {
        id: row.get("id")?,
        pipeline: row.get("pipeline")?,
        file: row.get("file")?,
        status: row.get("state")?,
        began,
        took,
        steps_done: usize::try_from(row.get::<_, i64>("steps_done")?).unwrap_or_default(),
    })
}

fn id(row: &Row<'_>) -> rusqlite::Result<Arc<str>> {
    row.get("id")
}

fn column_of(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// As it is kept: whether a run was killed is not.
impl FromSql for RunStatus {
    fn column_result(column: ValueRef<'_>) -> FromSqlResult<Self> {
        match column.as_str()? {
            "running" => Ok(Self::Running),
            "done" => Ok(Self::Done),
            "failed" => Ok(Self::Failed),
            "interrupted" => Ok(Self::Interrupted),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Killed => "killed",
        })
    }
}
