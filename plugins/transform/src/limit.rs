//! `limit`: a run of rows out of the middle.

use serde::Deserialize;
use tapline_pdk::{Object, Value};

use crate::{OpError, rows};

/// The JSON Schema of the configuration.
pub const SCHEMA: &str = include_str!("../schemas/limit.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    max: usize,
    #[serde(default)]
    skip: usize,
}

/// Makes `{ items, count }` of at most `max` rows after the first `skip`.
///
/// # Errors
/// When the configuration does not fit its schema.
pub fn run(config: &Value, _scope: &Object) -> Result<Value, OpError> {
    let (rows, config) = rows::with_rows::<Config>(config)?;
    Ok(rows::list(rows.as_slice().iter().skip(config.skip).take(config.max).cloned().collect()))
}
