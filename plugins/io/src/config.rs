use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use tapline_pdk::{Object, Value};

use crate::IoError;

/// What stands between the fields of a CSV file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delimiter(pub(crate) u8);

impl Default for Delimiter {
    fn default() -> Self {
        Self(b',')
    }
}

impl<'de> Deserialize<'de> for Delimiter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => Ok(Self(*byte)),
            _ => Err(serde::de::Error::custom("`delimiter` must be one ASCII character other than a quote")),
        }
    }
}

/// Reads a configuration whose values are small.
pub(crate) fn parse<C: DeserializeOwned>(config: &Value) -> Result<C, IoError> {
    config.to().map_err(IoError::config)
}

/// Takes fields out of a configuration, so that what may be large is shared and only the rest is read through serde.
pub(crate) fn take<const N: usize>(
    config: &Value,
    fields: [&str; N],
) -> Result<([Option<Value>; N], Value), IoError> {
    let object = config.as_object().ok_or_else(|| IoError::config("the configuration is not an object"))?;
    let mut rest: Object = object.clone();
    let taken = fields.map(|field| rest.shift_remove(field));
    Ok((taken, rest.into()))
}
