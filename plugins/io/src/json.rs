use tapline_pdk::Value;

use crate::IoError;
use crate::lines::{Broken, list};
use crate::location::Location;
use crate::text;

/// `{ items, count, skipped }` of an array, `{ value }` of anything else.
pub(crate) fn read(location: Location<'_>, bytes: &[u8]) -> Result<Value, IoError> {
    let text = text::decode(location, bytes)?;
    let value = serde_json::from_str::<Value>(text).map_err(|error| {
        location.content(error.line() as u64, error.column().max(1) as u64, message(&error))
    })?;
    Ok(match value {
        Value::Array(_) => list(value, Vec::new()),
        other => [("value", other)].into_iter().collect(),
    })
}

/// One JSON value on a line of its own.
pub(crate) fn parse_line(line: &[u8]) -> Result<Value, Broken> {
    let text = std::str::from_utf8(line).map_err(|error| Broken {
        column: error.valid_up_to() as u64 + 1,
        message: "not UTF-8".to_owned(),
    })?;
    serde_json::from_str(text)
        .map_err(|error| Broken { column: error.column().max(1) as u64, message: message(&error) })
}

/// JSON over several lines, with a newline at its end.
pub(crate) fn write(value: &Value) -> Result<Vec<u8>, IoError> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(IoError::config)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// What is wrong, without the place, which is reported apart.
fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message).to_owned()
}
