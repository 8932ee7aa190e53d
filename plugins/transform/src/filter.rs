//! `filter`: the rows for which a condition is true.

use serde::Deserialize;
use tapline_pdk::{Object, Value};

use crate::formula::{self, RowScope};
use crate::{OpError, rows};

/// The JSON Schema of the configuration.
pub const SCHEMA: &str = include_str!("../schemas/filter.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    r#where: String,
}

/// Makes `{ items, count }` of the rows, themselves, for which `where` is true.
///
/// # Errors
/// When the configuration does not fit its schema, or the condition cannot be evaluated for a row.
pub fn run(config: &Value, scope: &Object) -> Result<Value, OpError> {
    let (rows, config) = rows::with_rows::<Config>(config)?;
    let condition = formula::parse("where", &config.r#where)?;
    let mut scope = RowScope::new(scope);
    let mut kept = Vec::new();
    for (row, item) in rows.iter() {
        if condition.is_true(scope.at(item)).map_err(OpError::row(row))? {
            kept.push(item.clone());
        }
    }
    Ok(rows::list(kept))
}
