use serde::Deserialize;
use tapline_pdk::Value;

use crate::IoError;
use crate::location::Location;

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

    pub(crate) fn into_output(self) -> Value {
        list(self.items.into(), self.skipped)
    }
}

/// `{ items, count, skipped }`.
pub(crate) fn list(items: Value, skipped: Vec<Value>) -> Value {
    let count = Value::from(items.as_array().map_or(0, <[Value]>::len));
    [("items", items), ("count", count), ("skipped", skipped.into())].into_iter().collect()
}
