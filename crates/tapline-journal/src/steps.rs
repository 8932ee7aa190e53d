//! What is said to the database about steps.

use std::sync::Arc;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, Row, params};
use tapline_pipeline::{StepRecord, StepState};

use crate::column::{Json, Moment, Span};

/// Keeps a step, in place of an earlier record of the same path.
pub(crate) fn put(
    connection: &Connection,
    run: i64,
    step: &StepRecord,
    output: &str,
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO steps (run, path, kind, state, began, took, input, error, output) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let StepRecord { path, kind, state, input, output: _, error, began, took } = step;
    let state = state.to_string();
    insert.execute(params![run, path, kind, state, Moment(*began), Span(*took), input, error, output])?;
    Ok(())
}

/// The steps of a run, in the order in which they were kept.
pub(crate) fn of_run(connection: &Connection, run: i64) -> rusqlite::Result<Vec<StepRecord>> {
    let mut select = connection.prepare_cached(
        "SELECT path, kind, state, began, took, input, error, output FROM steps WHERE run = ? ORDER BY number",
    )?;
    select.query_map([run], step)?.collect()
}

fn step(row: &Row<'_>) -> rusqlite::Result<StepRecord> {
    let State(state) = row.get("state")?;
    let (Moment(began), Span(took)) = (row.get("began")?, row.get("took")?);
    let Json(output) = row.get("output")?;
    let (path, kind): (Arc<str>, Arc<str>) = (row.get("path")?, row.get("kind")?);
    Ok(StepRecord {
        path,
        kind,
        state,
        input: row.get("input")?,
        output,
        error: row.get("error")?,
        began,
        took,
    })
}

struct State(StepState);

impl FromSql for State {
    fn column_result(column: ValueRef<'_>) -> FromSqlResult<Self> {
        match column.as_str()? {
            "done" => Ok(Self(StepState::Done)),
            "skipped" => Ok(Self(StepState::Skipped)),
            "failed" => Ok(Self(StepState::Failed)),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}
