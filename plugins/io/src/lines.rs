use serde::Deserialize;
use tapline_pdk::Value;

use crate::IoError;
use crate::location::Location;
use crate::source::Cursor;

/// What happens to a line that does not follow the format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnError {
    /// The whole file is refused.
    #[default]
    Fail,
    /// The line is left out and reported; the rest is kept.
    Skip,
}

/// The rows of a file and the lines that were left out.
pub(crate) struct Lines<'a> {
    location: Location<'a>,
    on_error: OnError,
    items: Vec<Value>,
    skipped: Vec<Value>,
}

/// What is wrong in a line.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    pub(crate) column: u64,
    pub(crate) message: String,
}

impl<'a> Lines<'a> {
    pub(crate) const fn new(location: Location<'a>, on_error: OnError) -> Self {
        Self { location, on_error, items: Vec::new(), skipped: Vec::new() }
    }

    /// Takes what came of a line.
    pub(crate) fn add(&mut self, line: u64, row: Result<Value, Broken>) -> Result<(), IoError> {
        match (row, self.on_error) {
            (Ok(item), _) => self.items.push(item),
            (Err(broken), OnError::Fail) => {
                return Err(self.location.content(line, broken.column, broken.message));
            }
            (Err(broken), OnError::Skip) => {
                let entries = [("line", Value::from(line)), ("message", broken.message.into())];
                self.skipped.push(entries.into_iter().collect());
            }
        }
        Ok(())
    }

    /// `{ items, count, skipped }`, and `next` while there is more.
    pub(crate) fn into_output(self, rest: Option<Cursor>) -> Result<Value, IoError> {
        let mut output = list(self.items.into(), self.skipped);
        if let Some(cursor) = rest {
            let next = Value::from_serialize(&cursor).map_err(IoError::config)?;
            output.set_at("next", next).map_err(IoError::config)?;
        }
        Ok(output)
    }
}

/// `{ items, count, skipped }`.
pub(crate) fn list(items: Value, skipped: Vec<Value>) -> Value {
    let count = Value::from(items.as_array().map_or(0, <[Value]>::len));
    [("items", items), ("count", count), ("skipped", skipped.into())].into_iter().collect()
}
