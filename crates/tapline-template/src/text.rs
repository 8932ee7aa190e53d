//! How a value is written into a text.

use minijinja::{Error, ErrorKind, State, Value};
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::value::{Undefined, reclaim};

/// One unit of fuel pays for this many bytes of JSON.
const JSON_BYTES_PER_FUEL: usize = 4;
/// The widest indent of one level.
const INDENT: &[u8] = b"        ";

/// A string as it is, undefined as nothing, everything else as compact JSON.
pub(crate) fn write(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    if value.is_undefined() {
        return Ok(String::new());
    }
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    json(state, value)
}

/// Compact JSON.
pub(crate) fn json(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    if is_wide_integer(value) {
        return Ok(value.to_string());
    }
    charged(state, reclaim(value, Undefined::Null)?.to_json())
}

/// JSON over several lines.
pub(crate) fn indented_json(state: &State<'_, '_>, value: &Value, indent: usize) -> Result<String, Error> {
    let indent = INDENT.get(..indent).unwrap_or(INDENT);
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(indent));
    reclaim(value, Undefined::Null)?
        .serialize(&mut serializer)
        .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))?;
    charged(state, String::from_utf8_lossy(&bytes).into_owned())
}

fn charged(state: &State<'_, '_>, text: String) -> Result<String, Error> {
    state.consume_fuel((text.len() / JSON_BYTES_PER_FUEL) as u64)?;
    Ok(text)
}

/// The steps of a calculation may have more than 64 bits; written out they are exact.
fn is_wide_integer(value: &Value) -> bool {
    value.is_integer() && value.as_i64().is_none()
}
