//! `explode`: a row for each element of a list within a row.

use std::sync::Arc;

use serde::Deserialize;
use tapline_pdk::{Object, Value};

use crate::rows::described;
use crate::{OpError, rows};

/// The JSON Schema of the configuration.
pub const SCHEMA: &str = include_str!("../schemas/explode.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    field: Arc<str>,
    #[serde(default = "yes")]
    keep_empty: bool,
}

const fn yes() -> bool {
    true
}

/// Makes `{ items, count }` of each row as often as the list in its field has elements, with one of them in place of the
/// list each time. A row whose field is an empty list, null or missing stays once, with null; without `keep_empty` it
/// is left out.
///
/// # Errors
/// When the configuration does not fit its schema, when a row is not an object, or when the field holds anything else.
pub fn run(config: &Value, _scope: &Object) -> Result<Value, OpError> {
    let (rows, config) = rows::with_rows::<Config>(config)?;
    let mut exploded = Vec::with_capacity(rows.as_slice().len());
    for (row, item) in rows.iter() {
        explode(&mut exploded, item, &config).map_err(OpError::row(row))?;
    }
    Ok(rows::list(exploded))
}

fn explode(exploded: &mut Vec<Value>, item: &Value, config: &Config) -> Result<(), String> {
    let field = &config.field;
    let fields = item.as_object().ok_or_else(|| format!("{} has no field `{field}`", described(item)))?;
    let with = |element: &Value| {
        let mut fields = fields.clone();
        fields.insert(Arc::clone(field), element.clone());
        Value::from(fields)
    };
    match fields.get(field) {
        Some(Value::Array(elements)) if !elements.is_empty() => exploded.extend(elements.iter().map(with)),
        None | Some(Value::Null | Value::Array(_)) => {
            exploded.extend(config.keep_empty.then(|| with(&Value::Null)));
        }
        Some(other) => return Err(format!("`{field}` is {}, not a list", described(other))),
    }
    Ok(())
}
