use tapline_pdk::Value;

use crate::lines::{Lines, OnError};
use crate::location::Location;
use crate::{IoError, json, text};

/// One JSON value for each line that is not blank.
pub(crate) fn read(location: Location<'_>, bytes: &[u8], on_error: OnError) -> Result<Value, IoError> {
    let mut lines = Lines::new(location, on_error);
    for (line, bytes) in (1..).zip(text::without_mark(bytes).split(|byte| *byte == b'\n')) {
        if !bytes.trim_ascii().is_empty() {
            lines.add(line, json::parse_line(bytes))?;
        }
    }
    Ok(lines.into_output())
}

/// One line of compact JSON for each row.
pub(crate) fn write(items: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for item in items {
        bytes.extend_from_slice(item.to_json().as_bytes());
        bytes.push(b'\n');
    }
    bytes
}
