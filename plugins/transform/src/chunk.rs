//! `chunk`: the rows in lists of the same length.

use serde::Deserialize;
use tapline_pdk::{Object, Value};

use crate::{OpError, rows};

/// The JSON Schema of the configuration.
pub const SCHEMA: &str = include_str!("../schemas/chunk.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    size: usize,
}

/// Makes `{ items, count }` of lists of `size` rows each, of which the last may be shorter.
///
/// # Errors
/// When the configuration does not fit its schema, or `size` is 0.
pub fn run(config: &Value, _scope: &Object) -> Result<Value, OpError> {
    let (rows, config) = rows::with_rows::<Config>(config)?;
    if config.size == 0 {
        return Err(OpError::config("`size` is 0, and a chunk has at least one row"));
    }
    Ok(rows::list(rows.as_slice().chunks(config.size).map(|rows| rows.iter().cloned().collect()).collect()))
}
