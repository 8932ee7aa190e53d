//! `unique`: one row of those that have the same key.

use indexmap::IndexMap;
use indexmap::map::Entry;
use serde::Deserialize;
use tapline_pdk::{Object, Value};

use crate::formula::{self, RowScope};
use crate::key::Key;
use crate::{Names, OpError, rows};

/// The JSON Schema of the configuration.
pub const SCHEMA: &str = include_str!("../schemas/unique.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    by: Option<Names>,
    expr: Option<String>,
    #[serde(default)]
    keep: Keep,
}

/// Which of the rows with the same key stays.
#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Keep {
    #[default]
    First,
    Last,
    /// Neither: what stays has no other of its key.
    None,
}

/// A key's row that stays, as long as one does.
type Kept = Option<usize>;

/// Makes `{ items, count }` of the rows, themselves and in their order, of which each key has one: the first, the last,
/// or only those that are alone with their key.
///
/// # Errors
/// When the configuration does not fit its schema, when a row has no fields, or when the expression cannot be evaluated
/// for a row.
pub fn run(config: &Value, scope: &Object) -> Result<Value, OpError> {
    let (rows, config) = rows::with_rows::<Config>(config)?;
    if config.by.is_some() && config.expr.is_some() {
        return Err(both_keys());
    }
    let expression = config.expr.as_deref().map(|text| formula::parse("expr", text)).transpose()?;
    let mut scope = RowScope::new(scope);
    let mut kept: IndexMap<Key, Kept> = IndexMap::new();
    for (row, item) in rows.iter() {
        let key = match (&expression, &config.by) {
            (Some(expression), _) => expression.evaluate(scope.at(item)).map_err(OpError::row(row))?,
            (None, Some(names)) => rows::key(item, names.as_slice()).map_err(OpError::row(row))?,
            (None, None) => item.clone(),
        };
        match kept.entry(Key(key)) {
            Entry::Vacant(place) => {
                place.insert(Some(row));
            }
            Entry::Occupied(mut place) => match config.keep {
                Keep::First => {}
                Keep::Last => *place.get_mut() = Some(row),
                Keep::None => *place.get_mut() = None,
            },
        }
    }
    let mut kept: Vec<usize> = kept.into_values().flatten().collect();
    kept.sort_unstable();
    Ok(rows::list(kept.into_iter().map(|row| rows.as_slice()[row].clone()).collect()))
}

pub(crate) fn both_keys() -> OpError {
    OpError::config("`by` and `expr` cannot both be given")
}
