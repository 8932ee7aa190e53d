//! `read`: a file becomes rows, a value or a text.

use cap_std::fs::Dir;
use serde::Deserialize;
use tapline_pdk::Value;
use tapline_pdk::roles::Page;

use crate::config::{self, Delimiter};
use crate::csv_file::{self, Fields};
use crate::format::Format;
use crate::lines::OnError;
use crate::location::Location;
use crate::{IoError, json, jsonl, text};

/// The JSON Schema of the configuration.
pub const SCHEMA: &str = include_str!("../schemas/read.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    path: String,
    format: Option<Format>,
    #[serde(default)]
    on_error: OnError,
    #[serde(default)]
    infer: bool,
    #[serde(default)]
    delimiter: Delimiter,
}

/// Reads a file below `root`.
///
/// JSONL, CSV and a JSON array yield `{ items, count, skipped }`, other JSON `{ value }`, and text `{ text }`.
/// A byte order mark is dropped, and blank lines are no rows.
/// The fields of CSV are text, unless `infer` is on.
///
/// The whole file is read into memory; [`page()`] reads a part of it.
///
/// # Errors
/// When the configuration does not fit its schema, the path leads out of `root`, the system refuses, or the content
/// does not follow the format; a broken line of JSONL or CSV is no error with `on_error: skip`, but reported in
/// `skipped`.
pub fn read(root: &Dir, config: &Value) -> Result<Value, IoError> {
    read_whole(root, &config::parse(config)?)
}

/// Reads a page of a file: of JSONL about a mebibyte, with `next` to go on from while there is more; of every other
/// format the whole.
///
/// # Errors
/// As [`read()`].
pub fn page(root: &Dir, config: &Value, page: &Page) -> Result<Value, IoError> {
    let config: Config = config::parse(config)?;
    let location = Location::new(&config.path)?;
    match Format::of(config.format, location)? {
        Format::Jsonl => jsonl::page(root, location, &page.cursor, config.on_error),
        _ => read_whole(root, &config),
    }
}

fn read_whole(root: &Dir, config: &Config) -> Result<Value, IoError> {
    let location = Location::new(&config.path)?;
    let format = Format::of(config.format, location)?;
    let bytes = root.read(location.as_path()).map_err(location.refused("read"))?;
    match format {
        Format::Text => {
            let text = text::decode(location, &bytes)?;
            Ok([("text", Value::from(text))].into_iter().collect())
        }
        Format::Json => json::read(location, &bytes),
        Format::Jsonl => jsonl::read(location, &bytes, config.on_error),
        Format::Csv => {
            let fields = if config.infer { Fields::Inferred } else { Fields::Text };
            csv_file::read(location, &bytes, config.delimiter, fields, config.on_error)
        }
    }
}
