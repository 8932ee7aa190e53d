use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::OnceLock;

use serde_json::Value;
use tapline::host::Secrets;
use tracing_subscriber::fmt::MakeWriter;

/// Where the command says something; nothing passes with the value of a secret in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// Standard output, for what was asked for.
    Standard,
    /// Standard error, for everything else.
    Error,
}

/// What is kept secret from here on; the log begins before the settings are read.
static SECRETS: OnceLock<Secrets> = OnceLock::new();

/// Keeps secrets out of everything that is said from now on, panics of plugins included.
pub(crate) fn keep(secrets: Secrets) {
    if !secrets.is_empty() && SECRETS.set(secrets).is_ok() {
        std::panic::set_hook(Box::new(|panic| Output::Error.line(panic)));
    }
}

/// A text without the values of secrets.
pub(crate) fn redacted(text: &str) -> Cow<'_, str> {
    SECRETS.get().map_or(Cow::Borrowed(text), |secrets| secrets.redact(text))
}

/// JSON without the values of secrets: text by text, so that what is left is JSON.
pub(crate) fn redacted_json(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(redacted(&text).into_owned()),
        Value::Array(items) => items.into_iter().map(redacted_json).collect(),
        Value::Object(entries) => {
            let entries = entries.into_iter();
            entries.map(|(key, value)| (redacted(&key).into_owned(), redacted_json(value))).collect()
        }
        other => match redacted(&other.to_string()) {
            Cow::Owned(text) => Value::String(text),
            Cow::Borrowed(_) => other,
        },
    }
}

impl Output {
    /// Says a text and ends the line.
    pub(crate) fn line(self, text: impl Display) {
        self.text(format!("{text}\n"));
    }

    /// Says a text as it is.
    pub(crate) fn text(self, text: impl Display) {
        let text = text.to_string();
        let text = redacted(&text).into_owned();
        let written = match self {
            Self::Standard => io::stdout().write_all(text.as_bytes()),
            Self::Error => io::stderr().write_all(text.as_bytes()),
        };
        match written {
            Err(error) if self == Self::Standard && error.kind() != io::ErrorKind::BrokenPipe => {
                Self::Error.line(format_args!("error: standard output cannot be written: {error}"));
            }
            // Whoever reads no further, as `head` does, has got what they wanted.
            _ => {}
        }
    }
}

/// Takes each line of the log whole, as it is handed over: a value is not cut in two.
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text(String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Output {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        *self
    }
}
