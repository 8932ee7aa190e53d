//! `sort`: the rows in the order of one or several keys.

use std::cmp::Ordering;
use std::sync::Arc;

use serde::Deserialize;
use tapline_pdk::{Object, Value};
use tapline_template::Expression;

use crate::formula::{self, RowScope};
use crate::order::compare;
use crate::{OpError, rows};

/// The JSON Schema of the configuration.
pub const SCHEMA: &str = include_str!("../schemas/sort.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    by: By,
    #[serde(default)]
    descending: bool,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "`by` must be a field name, a key, or a list of them")]
enum By {
    One(KeyConfig),
    Several(Vec<KeyConfig>),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a key is a field name, `{ field, descending }` or `{ expr, descending }`")]
enum KeyConfig {
    Name(Arc<str>),
    Field(FieldKey),
    Expression(ExpressionKey),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldKey {
    field: Arc<str>,
    #[serde(default)]
    descending: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpressionKey {
    expr: String,
    #[serde(default)]
    descending: bool,
}

struct SortKey {
    value: KeyValue,
    descending: bool,
}

enum KeyValue {
    Field(Arc<str>),
    Expression(Expression),
}

/// Makes `{ items, count }` of the rows in order; rows with equal keys keep the order in which they came, descending
/// too.
///
/// # Errors
/// When the configuration does not fit its schema, or a key cannot be evaluated for a row.
pub fn run(config: &Value, scope: &Object) -> Result<Value, OpError> {
    let (rows, config) = rows::with_rows::<Config>(config)?;
    let keys = parse_keys(config)?;
    let mut scope = RowScope::new(scope);
    // The keys of all rows one after the other, for a list of its own for each row would cost more than the sorting.
    let mut values: Vec<Value> = Vec::with_capacity(rows.as_slice().len() * keys.len());
    for (row, item) in rows.iter() {
        for key in &keys {
            values.push(key.of(item, &mut scope).map_err(OpError::row(row))?);
        }
    }
    let of = |row: usize| &values[row * keys.len()..][..keys.len()];
    let mut order: Vec<usize> = (0..rows.as_slice().len()).collect();
    order.sort_by(|one, other| in_order(&keys, of(*one), of(*other)));
    Ok(rows::list(order.into_iter().map(|row| rows.as_slice()[row].clone()).collect()))
}

impl SortKey {
    fn of(&self, item: &Value, scope: &mut RowScope) -> Result<Value, String> {
        match &self.value {
            KeyValue::Field(name) => rows::field(item, name),
            KeyValue::Expression(expression) => {
                expression.evaluate(scope.at(item)).map_err(|error| error.to_string())
            }
        }
    }
}

fn parse_keys(config: Config) -> Result<Vec<SortKey>, OpError> {
    let keys = match config.by {
        By::One(key) => vec![key],
        By::Several(keys) => keys,
    };
    let parse = |key| {
        let (value, descending) = match key {
            KeyConfig::Name(name) => (KeyValue::Field(name), false),
            KeyConfig::Field(key) => (KeyValue::Field(key.field), key.descending),
            KeyConfig::Expression(key) => {
                (KeyValue::Expression(formula::parse("by.expr", &key.expr)?), key.descending)
            }
        };
        Ok(SortKey { value, descending: descending != config.descending })
    };
    keys.into_iter().map(parse).collect()
}

fn in_order(keys: &[SortKey], one: &[Value], other: &[Value]) -> Ordering {
    let mut orders = keys.iter().zip(one.iter().zip(other)).map(|(key, (one, other))| {
        let order = compare(one, other);
        if key.descending { order.reverse() } else { order }
    });
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}
