//! `transform`: rows with some fields set, renamed and dropped.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::Deserialize;
use tapline_pdk::{Object, Value};

use crate::formula::{Formulas, RowScope};
use crate::rows::described;
use crate::{OpError, rows};

/// The JSON Schema of the configuration.
pub const SCHEMA: &str = include_str!("../schemas/transform.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    set: IndexMap<Arc<str>, String>,
    #[serde(default)]
    rename: IndexMap<Arc<str>, Arc<str>>,
    #[serde(default)]
    drop: BTreeSet<Arc<str>>,
}

/// What is done to each row.
struct Change {
    set: Formulas,
    rename: IndexMap<Arc<str>, Arc<str>>,
    drop: BTreeSet<Arc<str>>,
}

/// Changes the fields of each row of `items` and makes `{ items, count }` of them, or changes those of the one object
/// `value` and makes `{ value }` of it.
///
/// First `set` computes fields, each from the row as it came; then `rename` gives fields new names, and `drop` removes
/// some.
/// A field that is renamed or dropped need not be there.
///
/// # Errors
/// When the configuration does not fit its schema, when a row is not an object, or when an expression cannot be
/// evaluated for a row.
pub fn run(config: &Value, scope: &Object) -> Result<Value, OpError> {
    let mut scope = RowScope::new(scope);
    let (value, rest) = rows::take(config, "value")?;
    match value {
        Some(_) if rest.get("items").is_some() => {
            Err(OpError::config("`items` and `value` cannot both be given"))
        }
        Some(value) => {
            let change = Change::parse(rest.to().map_err(OpError::config)?)?;
            let changed = change.apply(&value, &mut scope);
            changed.map(rows::single).map_err(|message| OpError::Value { message })
        }
        None => {
            let (rows, config) = rows::with_rows(&rest)?;
            let change = Change::parse(config)?;
            let changed =
                rows.iter().map(|(row, item)| change.apply(item, &mut scope).map_err(OpError::row(row)));
            changed.collect::<Result<_, _>>().map(rows::list)
        }
    }
}

impl Change {
    fn parse(config: Config) -> Result<Self, OpError> {
        let set = Formulas::parse("set", &config.set)?;
        Ok(Self { set, rename: config.rename, drop: config.drop })
    }

    fn apply(&self, item: &Value, scope: &mut RowScope) -> Result<Value, String> {
        let Some(fields) = item.as_object() else {
            return Err(format!("{} has no fields to change", described(item)));
        };
        let mut fields = fields.clone();
        for computed in self.set.evaluate(scope.at(item)) {
            let (name, value) = computed?;
            fields.insert(name, value);
        }
        if !self.rename.is_empty() {
            fields = self.renamed(fields);
        }
        if !self.drop.is_empty() {
            fields.retain(|name, _| !self.drop.contains(name));
        }
        Ok(fields.into())
    }

    /// A field keeps its place when it is renamed; where two end with the same name, the later one wins.
    fn renamed(&self, fields: Object) -> Object {
        let rename = |(name, value)| (self.rename.get(&name).cloned().unwrap_or(name), value);
        fields.into_iter().map(rename).collect()
    }
}
