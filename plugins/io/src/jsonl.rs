use tapline_pdk::Value;

use crate::lines::{Broken, Lines, OnError};
use crate::source::{LONGEST, Line, Part, Source};
use crate::{IoError, json};

/// One JSON value for each line that is not blank.
pub(crate) fn read(mut source: Source<'_>, part: Part, on_error: OnError) -> Result<Value, IoError> {
    let end = source.begin(part)?;
    let (mut lines, mut bytes) = (Lines::new(source.location, on_error), Vec::new());
    while source.at().offset < end {
        let number = source.at().line;
        bytes.clear();
        match source.line(&mut bytes)? {
            Line::End => break,
            Line::TooLong => lines.add(number, Err(too_long()))?,
            Line::Read if bytes.trim_ascii().is_empty() => {}
            Line::Read => lines.add(number, json::parse_line(&bytes))?,
        }
    }
    lines.into_output(source.rest())
}

fn too_long() -> Broken {
    let message = format!("the line has more than {LONGEST} bytes: keep what is large in a file of its own");
    Broken { column: LONGEST + 1, message }
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
