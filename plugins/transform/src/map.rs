//! `map`: each row becomes the value of an expression.

use serde::Deserialize;
use tapline_pdk::{Object, Value};

use crate::formula::{self, RowScope};
use crate::{OpError, rows};

/// The JSON Schema of the configuration.
pub const SCHEMA: &str = include_str!("../schemas/map.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    expr: String,
}

/// Makes `{ items, count }` of the values of `expr`, one for each row.
///
/// # Errors
/// When the configuration does not fit its schema, or the expression cannot be evaluated for a row.
pub fn run(config: &Value, scope: &Object) -> Result<Value, OpError> {
    let (rows, config) = rows::with_rows::<Config>(config)?;
    let expression = formula::parse("expr", &config.expr)?;
    let mut scope = RowScope::new(scope);
    let mapped =
        rows.iter().map(|(row, item)| expression.evaluate(scope.at(item)).map_err(OpError::row(row)));
    mapped.collect::<Result<_, _>>().map(rows::list)
}
