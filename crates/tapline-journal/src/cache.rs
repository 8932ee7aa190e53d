//! What is said to the database about what nodes have cached.

use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension as _, params};
use tapline_core::Value;
use tapline_pipeline::Digest;

use crate::column::{Json, Moment};

/// What is kept under a key and still fresh.
pub(crate) fn get(connection: &Connection, key: &Digest, now: SystemTime) -> rusqlite::Result<Option<Value>> {
    let mut select = connection.prepare_cached("SELECT value FROM cache WHERE key = ? AND until > ?")?;
    let found = select.query_row(params![key, Moment(now)], |row| row.get(0)).optional()?;
    Ok(found.map(|Json(value)| value))
}

/// Keeps a value, and removes two that are stale: so they get fewer, and nobody waits for it.
pub(crate) fn put(
    connection: &Connection,
    key: &Digest,
    value: &str,
    until: SystemTime,
    now: SystemTime,
) -> rusqlite::Result<()> {
    let mut delete = connection.prepare_cached(
        "DELETE FROM cache WHERE key IN (SELECT key FROM cache WHERE until <= ? ORDER BY until LIMIT 2)",
    )?;
    delete.execute([Moment(now)])?;
    let mut insert =
        connection.prepare_cached("INSERT OR REPLACE INTO cache (key, until, value) VALUES (?, ?, ?)")?;
    insert.execute(params![key, Moment(until), value])?;
    Ok(())
}
