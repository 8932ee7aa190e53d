//! `flatten`: the elements of rows that are lists, in place of those lists.

use serde::Deserialize;
use tapline_pdk::{Object, Value};

use crate::{OpError, rows};

/// The JSON Schema of the configuration.
pub const SCHEMA: &str = include_str!("../schemas/flatten.json");

/// As deep as it goes; JSON is not read any deeper.
const DEEPEST: u8 = 128;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default = "one")]
    depth: u8,
}

const fn one() -> u8 {
    1
}

/// Makes `{ items, count }` of the rows, in which each list is replaced by its elements, and so on `depth` times; what
/// is not a list stays.
///
/// # Errors
/// When the configuration does not fit its schema.
pub fn run(config: &Value, _scope: &Object) -> Result<Value, OpError> {
    let (rows, config) = rows::with_rows::<Config>(config)?;
    if config.depth > DEEPEST {
        return Err(OpError::config(format_args!("`depth` is {}, and may be {DEEPEST}", config.depth)));
    }
    let mut flat = Vec::with_capacity(rows.as_slice().len());
    rows.iter().for_each(|(_, item)| add(&mut flat, item, config.depth));
    Ok(rows::list(flat))
}

fn add(flat: &mut Vec<Value>, item: &Value, depth: u8) {
    match item.as_array() {
        Some(elements) if depth > 0 => elements.iter().for_each(|element| add(flat, element, depth - 1)),
        _ => flat.push(item.clone()),
    }
}
