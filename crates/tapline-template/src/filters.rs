//! What the language has beyond, or other than, the engine.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};

use crate::text;

/// `base.name`: null for what is missing, and below null.
pub(crate) fn field(base: &Value, name: &str) -> Result<Value, Error> {
    match base.kind() {
        ValueKind::Undefined => Err(ErrorKind::UndefinedError.into()),
        ValueKind::None => Ok(Value::from(())),
        ValueKind::Map | ValueKind::Plain => base.get_attr(name).map(null_if_missing),
        kind => Err(no_such(&format!("field `{name}`"), kind)),
    }
}

/// `base[key]`: null for what is missing, and below null.
pub(crate) fn element(base: &Value, key: &Value) -> Result<Value, Error> {
    match (base.kind(), key.kind()) {
        (ValueKind::Undefined, _) | (_, ValueKind::Undefined) => Err(ErrorKind::UndefinedError.into()),
        (ValueKind::None, _) => Ok(Value::from(())),
        (ValueKind::Map | ValueKind::Plain, _)
        | (ValueKind::Seq | ValueKind::Iterable | ValueKind::String, ValueKind::Number) => {
            base.get_item(key).map(null_if_missing)
        }
        (kind, ValueKind::String) => Err(no_such(&format!("field `{key}`"), kind)),
        (kind, key) => Err(no_such(&format!("element with {} as its index", article(key)), kind)),
    }
}

/// `left ~ right`: both as text.
pub(crate) fn concat(state: &State<'_, '_>, left: &Value, right: &Value) -> Result<String, Error> {
    let mut joined = text::write(state, left)?;
    joined.push_str(&text::write(state, right)?);
    Ok(joined)
}

/// `value | default(other)`: `other` for what is null or missing, and with `true` for all that is false.
pub(crate) fn default(value: &Value, other: Option<Value>, falsy: Option<bool>) -> Value {
    if is_missing(value) || (falsy == Some(true) && !value.is_true()) {
        return other.unwrap_or_else(|| Value::from(""));
    }
    value.clone()
}

/// `value | tojson`, and `value | tojson(indent=2)` over several lines.
#[expect(clippy::needless_pass_by_value, reason = "the engine hands the options over by value")]
pub(crate) fn to_json(
    state: &State<'_, '_>,
    value: &Value,
    indent: Option<usize>,
    options: Kwargs,
) -> Result<String, Error> {
    let indent = indent.map_or_else(|| options.get::<Option<usize>>("indent"), |indent| Ok(Some(indent)))?;
    options.assert_all_used()?;
    if value.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    match indent {
        None => text::json(state, value),
        Some(indent) => text::indented_json(state, value, indent),
    }
}

/// Null and missing are the same thing in this language.
pub(crate) fn is_missing(value: &Value) -> bool {
    value.is_undefined() || value.is_none()
}

fn null_if_missing(value: Value) -> Value {
    if value.is_undefined() { Value::from(()) } else { value }
}

fn no_such(what: &str, kind: ValueKind) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("{} has no {what}", article(kind)))
}

fn article(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Undefined => "an undefined value",
        ValueKind::None => "null",
        ValueKind::Bool => "a boolean",
        ValueKind::Number => "a number",
        ValueKind::String => "a string",
        ValueKind::Seq | ValueKind::Iterable => "a list",
        ValueKind::Map => "an object",
        _ => "a value of this kind",
    }
}
