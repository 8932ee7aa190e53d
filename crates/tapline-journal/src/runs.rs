//! What is said to the database about runs.

use std::sync::Arc;
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tapline_pipeline::{JournalError, KeptRun, RunEnding, RunRecord};

use crate::column::{JsonObject, Moment, TooDeep};
use crate::{column, id, steps};

/// So many runs are named when it is not clear which is meant.
const MOST_NAMED: u32 = 10;

/// Takes down that a run begins; its number, or `None` when there is one of that name.
pub(crate) fn insert(
    connection: &Connection,
    id: &str,
    run: &RunRecord,
    inputs: &str,
) -> rusqlite::Result<Option<i64>> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO runs (id, state, pipeline, file, began, taken_up, inputs, text) \
         VALUES (?1, 'running', ?2, ?3, ?4, ?4, ?5, ?6) ON CONFLICT (id) DO NOTHING RETURNING number",
    )?;
    let RunRecord { pipeline, file, text, inputs: _, began } = run;
    let row = params![id, pipeline, file, Moment(*began), inputs, text];
    insert.query_row(row, |row| row.get(0)).optional()
}

/// The one run whose name begins so.
pub(crate) fn named(
    connection: &Connection,
    typed: &str,
) -> rusqlite::Result<Result<Arc<str>, JournalError>> {
    let unknown = || Err(JournalError::Unknown { id: typed.into() });
    let Some(beginning) = id::read(typed) else { return Ok(unknown()) };
    // `~` comes after all letters of a name.
    let mut select = connection
        .prepare_cached("SELECT id FROM runs WHERE id >= ?1 AND id < ?1 || '~' ORDER BY id LIMIT ?2")?;
    let mut runs: Vec<String> =
        select.query_map(params![beginning, MOST_NAMED], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(match (runs.pop(), runs.is_empty()) {
        (None, _) => unknown(),
        (Some(only), true) => Ok(only.into()),
        (Some(last), false) => {
            runs.push(last);
            Err(JournalError::Ambiguous { id: typed.into(), runs })
        }
    })
}

/// Takes up a run that is not done: its number, and what is known of it.
pub(crate) fn take_up(
    connection: &Connection,
    id: &Arc<str>,
    now: SystemTime,
) -> rusqlite::Result<Result<(i64, KeptRun), JournalError>> {
    let mut update = connection.prepare_cached(
        "UPDATE runs SET state = 'running', error = NULL, ended = NULL, taken_up = ?2, \
         earlier = (SELECT took FROM spans WHERE spans.number = runs.number) \
         WHERE id = ?1 AND state <> 'done' RETURNING number, pipeline, file, began, inputs, text",
    )?;
    let taken_up = update.query_row(params![id, Moment(now)], |row| Ok((row.get("number")?, run(row)?)));
    let Some((number, run)) = taken_up.optional()? else { return Ok(Err(refusal(connection, id)?)) };
    Ok(Ok((number, KeptRun { run, steps: steps::of_run(connection, number)? })))
}

fn run(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    let Moment(began) = row.get("began")?;
    let JsonObject(inputs) = row.get("inputs")?;
    Ok(RunRecord {
        pipeline: row.get("pipeline")?,
        file: row.get("file")?,
        text: row.get("text")?,
        inputs,
        began,
    })
}

fn refusal(connection: &Connection, id: &Arc<str>) -> rusqlite::Result<JournalError> {
    let mut select = connection.prepare_cached("SELECT 1 FROM runs WHERE id = ?")?;
    let (is_there, id) = (select.exists([id])?, id.clone());
    Ok(if is_there { JournalError::Done { id } } else { JournalError::Unknown { id } })
}

/// How a run ended, as it is kept.
pub(crate) struct Ending {
    state: &'static str,
    outputs: Option<String>,
    error: Option<Arc<str>>,
}

impl Ending {
    pub(crate) fn of(ending: RunEnding) -> Result<Self, TooDeep> {
        Ok(match ending {
            RunEnding::Done(outputs) => {
                Self { state: "done", outputs: Some(column::json(&outputs.into())?), error: None }
            }
            RunEnding::Failed(error) => Self { state: "failed", outputs: None, error: Some(error) },
            RunEnding::Interrupted => Self { state: "interrupted", outputs: None, error: None },
        })
    }

    pub(crate) fn is_done(&self) -> bool {
        self.state == "done"
    }
}

pub(crate) fn end(
    connection: &Connection,
    run: i64,
    ending: &Ending,
    now: SystemTime,
) -> rusqlite::Result<()> {
    let mut update = connection.prepare_cached(
        "UPDATE runs SET state = ?2, outputs = ?3, error = ?4, ended = ?5 WHERE number = ?1",
    )?;
    let Ending { state, outputs, error } = ending;
    update.execute(params![run, state, outputs, error, Moment(now)])?;
    Ok(())
}
