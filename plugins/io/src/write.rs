//! `write`: rows, a value or a text become a file.

use std::ffi::OsStr;
use std::io::{self, Seek as _, SeekFrom, Write};
use std::path::Path;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cap_std::fs::{Dir, File, OpenOptions};
use serde::Deserialize;
use tapline_pdk::Value;
use tapline_pdk::roles::Page;

use crate::config::{self, Delimiter};
use crate::csv_file::{self, Columns};
use crate::format::Format;
use crate::location::Location;
use crate::source::Source;
use crate::{IoError, json, jsonl, yaml};

/// The JSON Schema of the configuration.
pub const SCHEMA: &str = include_str!("../schemas/write.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    path: String,
    format: Option<Format>,
    #[serde(default)]
    delimiter: Delimiter,
    columns: Option<Vec<Arc<str>>>,
}

/// What goes into the file.
enum Content {
    Items(Value),
    Value(Value),
    Text(Value),
}

/// Writes a file below `root`, making the folders on its way, and yields `{ path, bytes, count }`; `count` is the number
/// of rows, or null for a value or a text.
///
/// A reader sees the old file or the new one, never a part; a failure leaves the old one.
/// What was a symbolic link is replaced by the file itself.
///
/// # Errors
/// When the configuration does not fit its schema, the content does not fit the format, a row of CSV has a field for which
/// `columns` has no name, the path leads out of `root`,
/// or the system refuses.
pub fn write(root: &Dir, config: &Value) -> Result<Value, IoError> {
    let ([items, value, text], rest) = config::take(config, ["items", "value", "text"])?;
    let content = match (items, value, text) {
        (Some(items), None, None) => Content::Items(items),
        (None, Some(value), None) => Content::Value(value),
        (None, None, Some(text)) => Content::Text(text),
        _ => return Err(IoError::config("exactly one of `items`, `value` and `text` must be given")),
    };
    let config: Config = config::parse(&rest)?;
    let location = Location::new(&config.path)?;
    let format = Format::of(config.format, location)?;
    let bytes = content.encode(format, &config)?;
    replace(root, location, &bytes)?;
    let count = content.count().map_or(Value::Null, Value::from);
    Ok([("path", config.path.as_str().into()), ("bytes", bytes.len().into()), ("count", count)]
        .into_iter()
        .collect())
}

/// Writes a page of rows: they gather in a file beside, which takes the name with the last page.
///
/// # Errors
/// As [`write()`]; when the format is neither JSONL nor CSV, for of nothing else can a part be written. The columns of CSV
/// are those of the first page unless `columns` names them, and a field without a column is refused.
pub fn page(root: &Dir, config: &Value, page: &Page) -> Result<Value, IoError> {
    let ([items], rest) = config::take(config, ["items"])?;
    let config: Config = config::parse(&rest)?;
    let location = Location::new(&config.path)?;
    let format = Format::of(config.format, location)?;
    let items = items.unwrap_or_default();
    let rows = items.as_array().unwrap_or_default();
    let (folder, name) = split(location.as_path());
    let folder = open_or_create(root, folder).map_err(location.refused("open the folder of"))?;
    let part = part_name(name);
    let bytes = match format {
        Format::Jsonl => jsonl::write(rows),
        Format::Csv if page.index == 0 => csv(rows, &config)?,
        Format::Csv => csv_page(rows, &config, &folder, &part)?,
        _ => {
            return Err(IoError::config("a list that is too long for memory is written as JSONL or CSV"));
        }
    };
    // What a run that was killed has left there is of no use.
    let options = OpenOptions::new().create(true).write(true).truncate(page.index == 0).clone();
    let written = folder.open_with(&part, &options).and_then(|mut file| {
        file.seek(SeekFrom::End(0))?;
        file.write_all(&bytes)?;
        if page.last { file.sync_all().and_then(|()| folder.rename(&part, &folder, name)) } else { Ok(()) }
    });
    written.map_err(location.refused("write"))?;
    Ok([("path", config.path.as_str().into()), ("bytes", bytes.len().into()), ("count", rows.len().into())]
        .into_iter()
        .collect())
}

/// Rows below the names of their columns.
fn csv(rows: &[Value], config: &Config) -> Result<Vec<u8>, IoError> {
    let columns = config.columns.as_deref().map_or_else(|| Ok(Columns::of(rows)), Columns::named)?;
    columns.check(rows)?;
    let header = csv_file::write_header(&columns, config.delimiter)?;
    Ok([header, csv_file::write_rows(&columns, rows, config.delimiter)?].concat())
}

/// Rows below those that a part of the file has.
fn csv_page(rows: &[Value], config: &Config, folder: &Dir, part: &str) -> Result<Vec<u8>, IoError> {
    let mut source = Source::open(folder, Location::new(part)?)?;
    let columns = Columns::named(&csv_file::names(&mut source, config.delimiter)?)?;
    columns.check(rows)?;
    csv_file::write_rows(&columns, rows, config.delimiter)
}

fn part_name(name: &str) -> String {
    format!(".{name}.part")
}

impl Content {
    fn encode(&self, format: Format, config: &Config) -> Result<Vec<u8>, IoError> {
        match (self, format) {
            (Self::Items(Value::Array(items)), Format::Jsonl) => Ok(jsonl::write(items)),
            (Self::Items(Value::Array(items)), Format::Csv) => csv(items, config),
            (Self::Items(items @ Value::Array(_)), Format::Json) => json::write(items),
            (Self::Items(items @ Value::Array(_)), Format::Yaml) => yaml::write(items),
            (Self::Items(Value::Array(_)), Format::Text) => {
                Err(IoError::config("text needs `text`, not `items`"))
            }
            (Self::Items(other), _) => {
                Err(IoError::config(format_args!("`items` is of kind {}, not a list", other.kind())))
            }
            (Self::Value(value), Format::Json) => json::write(value),
            (Self::Value(value), Format::Yaml) => yaml::write(value),
            (Self::Value(_), _) => Err(IoError::config("only JSON and YAML can be written from `value`")),
            (Self::Text(Value::String(text)), Format::Text) => Ok(text.as_bytes().to_vec()),
            (Self::Text(Value::String(_)), _) => Err(IoError::config("only text can be written from `text`")),
            (Self::Text(other), _) => {
                Err(IoError::config(format_args!("`text` is of kind {}, not text", other.kind())))
            }
        }
    }

    fn count(&self) -> Option<usize> {
        match self {
            Self::Items(items) => items.as_array().map(<[Value]>::len),
            Self::Value(_) | Self::Text(_) => None,
        }
    }
}

/// Writes a temporary file in the same folder, for only there can it take the other's name in one step.
fn replace(root: &Dir, location: Location<'_>, bytes: &[u8]) -> Result<(), IoError> {
    let (folder, name) = split(location.as_path());
    let folder = open_or_create(root, folder).map_err(location.refused("open the folder of"))?;
    let (temporary, file) = create_temporary(&folder, name).map_err(location.refused("write"))?;
    let written = fill(file, bytes).and_then(|()| folder.rename(&temporary, &folder, name));
    written.map_err(|error| {
        // The first error is the one to report.
        let _ = folder.remove_file(&temporary);
        location.refused("write")(error)
    })
}

fn split(path: &Path) -> (&Path, &str) {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    // A path is text, and so are its names.
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    (folder.unwrap_or_else(|| Path::new(".")), name)
}

/// Opening comes first, for it tells a link that leads out from a folder that is not there.
fn open_or_create(root: &Dir, folder: &Path) -> io::Result<Dir> {
    match root.open_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            root.create_dir_all(folder)?;
            root.open_dir(folder)
        }
        opened => opened,
    }
}

fn create_temporary(folder: &Dir, name: &str) -> io::Result<(String, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let temporary = format!(".{name}.{}-{number}.tmp", process::id());
        match folder.open_with(&temporary, OpenOptions::new().write(true).create_new(true)) {
            // A process that had this number before ours may have been killed while writing.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return Ok((temporary, opened?)),
        }
    }
}

/// The content has reached the disk before the name points to it.
fn fill(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}
