//! `select`: new rows of some fields of the old.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::Deserialize;
use tapline_pdk::{Object, Value};

use crate::formula::{Formulas, RowScope};
use crate::{OpError, rows};

/// The JSON Schema of the configuration.
pub const SCHEMA: &str = include_str!("../schemas/select.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    fields: Fields,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "`fields` must be a list of names, or an object of names and expressions")]
enum Fields {
    Names(Vec<Arc<str>>),
    Expressions(IndexMap<Arc<str>, String>),
}

/// Makes `{ items, count }` of objects that have exactly `fields`; one that a row lacks is null.
///
/// # Errors
/// When the configuration does not fit its schema, when fields are selected by name from a row that is neither an
/// object nor null, or when an expression cannot be evaluated for a row.
pub fn run(config: &Value, scope: &Object) -> Result<Value, OpError> {
    let (rows, config) = rows::with_rows::<Config>(config)?;
    let selected: Result<Vec<Value>, OpError> = match &config.fields {
        Fields::Names(names) => {
            rows.iter().map(|(row, item)| pick(names, item).map_err(OpError::row(row))).collect()
        }
        Fields::Expressions(texts) => {
            let formulas = Formulas::parse("fields", texts)?;
            let mut scope = RowScope::new(scope);
            let build = |(row, item)| {
                let fields = formulas.evaluate(scope.at(item)).collect::<Result<Object, _>>();
                fields.map(Value::from).map_err(OpError::row(row))
            };
            rows.iter().map(build).collect()
        }
    };
    selected.map(rows::list)
}

fn pick(names: &[Arc<str>], item: &Value) -> Result<Value, String> {
    let field = |name: &Arc<str>| Ok((Arc::clone(name), rows::field(item, name)?));
    names.iter().map(field).collect::<Result<Object, _>>().map(Value::from)
}
