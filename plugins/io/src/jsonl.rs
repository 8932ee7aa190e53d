use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};

use cap_std::fs::Dir;
use serde::{Deserialize, Serialize};
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

/// A page has about so many bytes.
const PAGE: u64 = 1 << 20;

/// Where the next page begins.
#[derive(Default, Serialize, Deserialize)]
struct Cursor {
    /// The byte.
    offset: u64,
    /// The number of the line, from 1.
    line: u64,
}

/// The lines from a cursor on, as many as make a page, and where to go on if there are more.
pub(crate) fn page(
    root: &Dir,
    location: Location<'_>,
    cursor: &Value,
    on_error: OnError,
) -> Result<Value, IoError> {
    let begin = Cursor { offset: 0, line: 1 };
    let cursor: Option<Cursor> = cursor.to().map_err(IoError::config)?;
    let Cursor { mut offset, mut line } = cursor.unwrap_or(begin);
    let refused = || location.refused("read");
    let mut file = root.open(location.as_path()).map_err(refused())?;
    let size = file.metadata().map_err(refused())?.len();
    file.seek(SeekFrom::Start(offset)).map_err(refused())?;
    let mut reader = BufReader::new(file);
    let (mut lines, mut bytes, end) = (Lines::new(location, on_error), Vec::new(), offset + PAGE);
    while offset < end {
        bytes.clear();
        let read = reader.read_until(b'\n', &mut bytes).map_err(refused())?;
        if read == 0 {
            break;
        }
        let text = if offset == 0 { text::without_mark(&bytes) } else { &bytes };
        let text = text.trim_ascii();
        if !text.is_empty() {
            lines.add(line, json::parse_line(text))?;
        }
        offset += read as u64;
        line += 1;
    }
    let next = if offset < size { Value::from_serialize(&Cursor { offset, line }) } else { Ok(Value::Null) };
    let mut output = lines.into_output();
    output.set_at("next", next.map_err(IoError::config)?).map_err(IoError::config)?;
    Ok(output)
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
