use std::path::Path;

use serde::Deserialize;

use crate::IoError;
use crate::location::Location;

/// How a file's content is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Text,
    Json,
    Jsonl,
    Csv,
    Yaml,
}

impl Format {
    /// The format that was asked for, or else the one that the file's extension stands for.
    pub(crate) fn of(asked: Option<Self>, location: Location<'_>) -> Result<Self, IoError> {
        asked.or_else(|| Self::by_extension(location.as_path())).ok_or_else(|| {
            let path = location.as_str();
            IoError::config(format_args!("the extension of `{path}` stands for no format: give `format`"))
        })
    }

    fn by_extension(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" | "text" | "md" | "log" => Some(Self::Text),
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }
}
