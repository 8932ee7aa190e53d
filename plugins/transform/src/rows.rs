use std::sync::Arc;

use serde::de::DeserializeOwned;
use tapline_pdk::{Object, Value};

use crate::OpError;

/// The rows of an operation, shared with whoever produced them.
pub(crate) struct Rows(Arc<Vec<Value>>);

impl Rows {
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (usize, &Value)> {
        self.0.iter().enumerate()
    }

    pub(crate) fn as_slice(&self) -> &[Value] {
        &self.0
    }
}

/// Splits a configuration into its rows and the rest, which alone is small enough to be read through serde.
pub(crate) fn with_rows<C: DeserializeOwned>(config: &Value) -> Result<(Rows, C), OpError> {
    let (rows, rest) = take(config, "items")?;
    let config = rest.to().map_err(OpError::config)?;
    Ok((Rows(of("items", rows)?), config))
}

/// The rows that a field of a configuration holds.
pub(crate) fn of(field: &str, rows: Option<Value>) -> Result<Arc<Vec<Value>>, OpError> {
    match rows {
        Some(Value::Array(items)) => Ok(items),
        Some(other) => Err(OpError::config(format_args!("`{field}` is {}, not a list", described(&other)))),
        None => Err(OpError::config(format_args!("missing field `{field}`"))),
    }
}

/// Takes one field out of a configuration without copying what the others share.
pub(crate) fn take(config: &Value, field: &str) -> Result<(Option<Value>, Value), OpError> {
    let Some(fields) = config.as_object() else {
        return Err(OpError::config(format_args!(
            "the configuration is {}, not an object",
            described(config)
        )));
    };
    let mut rest: Object = fields.clone();
    let taken = rest.shift_remove(field);
    Ok((taken, rest.into()))
}

/// The output of an operation that makes a list.
pub(crate) fn list(items: Vec<Value>) -> Value {
    let count = Value::from(items.len());
    [("items", Value::from(items)), ("count", count)].into_iter().collect()
}

/// The output of an operation that makes one value.
pub(crate) fn single(value: Value) -> Value {
    [("value", value)].into_iter().collect()
}

/// The field of a row; null when the row lacks it or is null.
pub(crate) fn field(item: &Value, name: &str) -> Result<Value, String> {
    match item {
        Value::Object(fields) => Ok(fields.get(name).cloned().unwrap_or_default()),
        Value::Null => Ok(Value::Null),
        other => Err(format!("{} has no field `{name}`", described(other))),
    }
}

/// What some fields of a row hold: the value of one, or a list of several.
pub(crate) fn key(item: &Value, names: &[Arc<str>]) -> Result<Value, String> {
    match names {
        [name] => field(item, name),
        names => names.iter().map(|name| field(item, name)).collect(),
    }
}

/// A value as an error names it: its kind, and the value itself when it is short.
pub(crate) fn described(value: &Value) -> String {
    const SHORT: usize = 40;
    match value {
        Value::Null => "null".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let text = value.to_json();
            if text.len() <= SHORT {
                format!("the {} {text}", value.kind())
            } else {
                format!("a {}", value.kind())
            }
        }
    }
}
