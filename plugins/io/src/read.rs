//! `read`: a file becomes rows, a value or a text.

use cap_std::fs::Dir;
use serde::Deserialize;
use tapline_pdk::Value;
use tapline_pdk::roles::Page;

use crate::config::{self, Delimiter};
use crate::csv_file::{self, Dialect, Fields};
use crate::format::Format;
use crate::lines::OnError;
use crate::location::Location;
use crate::source::{Part, Source};
use crate::{IoError, json, jsonl, text, yaml};

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
/// JSONL, CSV and a list in JSON or YAML yield `{ items, count, skipped }`, other JSON and YAML `{ value }`, and text
/// `{ text }`.
/// A byte order mark is dropped, and blank lines are no rows.
/// The fields of CSV are text, unless `infer` is on.
///
/// The whole file is read into memory; [`page()`] reads a part of it.
///
/// # Errors
/// When the configuration does not fit its schema, the path leads out of `root` or names no file, the system refuses,
/// the file has more than 64 MiB, or the content does not follow the format; a broken line of JSONL or CSV is no error
/// with `on_error: skip`, but reported in `skipped`.
pub fn read(root: &Dir, config: &Value) -> Result<Value, IoError> {
    read_part(root, config, Part::Whole)
}

/// Reads a page of a file: of JSONL and CSV about a mebibyte, with `next` to go on from while there is more; of every
/// other format the whole.
///
/// # Errors
/// As [`read()`]; JSONL and CSV may be as large as they like, but a row has at most 16 MiB.
pub fn page(root: &Dir, config: &Value, page: &Page) -> Result<Value, IoError> {
    read_part(root, config, Part::page(&page.cursor)?)
}

fn read_part(root: &Dir, config: &Value, part: Part) -> Result<Value, IoError> {
    let config: Config = config::parse(config)?;
    let location = Location::new(&config.path)?;
    let format = Format::of(config.format, location)?;
    let source = Source::open(root, location)?;
    if let Part::Whole = part {
        source.check_size()?;
    }
    match format {
        Format::Text => {
            let bytes = source.whole()?;
            let text = text::decode(location, &bytes)?;
            Ok([("text", Value::from(text))].into_iter().collect())
        }
        Format::Json => json::read(location, &source.whole()?),
        Format::Yaml => yaml::read(location, &source.whole()?),
        Format::Jsonl => jsonl::read(source, part, config.on_error),
        Format::Csv => {
            let fields = if config.infer { Fields::Inferred } else { Fields::Text };
            csv_file::read(source, part, Dialect { delimiter: config.delimiter, fields }, config.on_error)
        }
    }
}
