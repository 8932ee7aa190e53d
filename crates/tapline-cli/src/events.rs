use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::Value;
use tapline::pipeline::RunEvent;

use crate::output::{Output, redacted_json};

/// Writes the events of a run as lines of JSON, each with `at_ms`, the time since the run began.
pub(crate) struct Events {
    begun: Instant,
    /// Nothing for standard output.
    file: Option<Mutex<BufWriter<File>>>,
}

impl Events {
    /// Writes to a file, which is made anew; `-` is standard output.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let begun = Instant::now();
        if path == Path::new("-") {
            return Ok(Self { begun, file: None });
        }
        let file = File::create(path).with_context(|| format!("the events {}", path.display()))?;
        Ok(Self { begun, file: Some(Mutex::new(BufWriter::new(file))) })
    }

    pub(crate) fn write(&self, event: &RunEvent<'_>) {
        if let Some(line) = line(self.begun, event) {
            self.write_line(&line);
        }
    }

    /// Writes an event as somebody else has told it.
    pub(crate) fn write_line(&self, line: &Value) {
        let Some(file) = &self.file else { return Output::Standard.line(line) };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever follows the file sees each event when it happens.
        let written = writeln!(file, "{line}").and_then(|()| file.flush());
        if let Err(error) = written {
            tracing::warn!(%error, "an event could not be written");
        }
    }
}

/// An event as JSON, with the time since the run began.
pub(crate) fn line(begun: Instant, event: &RunEvent<'_>) -> Option<Value> {
    // Events are texts and numbers, so they are JSON.
    let Ok(Value::Object(event)) = serde_json::to_value(event) else { return None };
    let at = (begun.elapsed().as_micros() as f64) / 1e3;
    let first = event.get("event").cloned().map(|kind| ("event".to_owned(), kind));
    let line = first.into_iter().chain([("at_ms".to_owned(), at.into())]).chain(event).collect();
    Some(redacted_json(Value::Object(line)))
}
