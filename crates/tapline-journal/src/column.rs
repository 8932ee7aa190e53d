//! How our words stand in columns.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use tapline_core::{Object, Value};

/// As deep as JSON text is read again.
const DEEPEST: usize = 127;

/// A value that could be written but not read again.
#[derive(Debug, thiserror::Error)]
#[error("a value is nested more than {DEEPEST} levels deep")]
pub(crate) struct TooDeep;

/// A value as JSON.
pub(crate) fn json(value: &Value) -> Result<String, TooDeep> {
    if fits(value, DEEPEST) { Ok(value.to_json()) } else { Err(TooDeep) }
}

fn fits(value: &Value, levels: usize) -> bool {
    let below = |inner| levels > 0 && fits(inner, levels - 1);
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(below),
        Value::Object(object) => levels > 0 && object.values().all(below),
        _ => true,
    }
}

/// A value that was written as JSON.
pub(crate) struct Json(pub(crate) Value);

impl FromSql for Json {
    fn column_result(column: ValueRef<'_>) -> FromSqlResult<Self> {
        Value::from_json(column.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

/// An object that was written as JSON.
pub(crate) struct JsonObject(pub(crate) Object);

impl FromSql for JsonObject {
    fn column_result(column: ValueRef<'_>) -> FromSqlResult<Self> {
        let Json(value) = Json::column_result(column)?;
        value.to().map(Self).map_err(FromSqlError::other)
    }
}

/// A time, in microseconds since 1970.
pub(crate) struct Moment(pub(crate) SystemTime);

impl ToSql for Moment {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let since = match self.0.duration_since(UNIX_EPOCH) {
            Ok(since) => micros(since),
            Err(before) => -micros(before.duration()),
        };
        Ok(since.into())
    }
}

impl FromSql for Moment {
    fn column_result(column: ValueRef<'_>) -> FromSqlResult<Self> {
        let since = column.as_i64()?;
        let span = Duration::from_micros(since.unsigned_abs());
        let moment = if since < 0 { UNIX_EPOCH.checked_sub(span) } else { UNIX_EPOCH.checked_add(span) };
        moment.map(Self).ok_or(FromSqlError::OutOfRange(since))
    }
}

/// A span, in microseconds.
pub(crate) struct Span(pub(crate) Duration);

impl ToSql for Span {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(micros(self.0).into())
    }
}

impl FromSql for Span {
    fn column_result(column: ValueRef<'_>) -> FromSqlResult<Self> {
        let span = column.as_i64()?;
        u64::try_from(span)
            .map(|span| Self(Duration::from_micros(span)))
            .map_err(|_| FromSqlError::OutOfRange(span))
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}
