use std::collections::BTreeSet;
use std::sync::Arc;

use csv::{ByteRecord, ReaderBuilder, WriterBuilder};
use indexmap::IndexSet;
use tapline_pdk::{Object, Value};

use crate::config::Delimiter;
use crate::infer::infer;
use crate::lines::{Broken, Lines, OnError};
use crate::location::Location;
use crate::{IoError, text};

/// What the fields of a row become.
#[derive(Clone, Copy)]
pub(crate) enum Fields {
    Text,
    Inferred,
}

/// One object for each record, with the names that the first record gives.
pub(crate) fn read(
    location: Location<'_>,
    bytes: &[u8],
    delimiter: Delimiter,
    fields: Fields,
    on_error: OnError,
) -> Result<Value, IoError> {
    let broken = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        location.content(line, 1, error.to_string())
    };
    // Records of another length are ours to report, one by one.
    let mut reader =
        ReaderBuilder::new().flexible(true).delimiter(delimiter.0).from_reader(text::without_mark(bytes));
    let names = names(location, reader.byte_headers().map_err(broken)?)?;
    let mut lines = Lines::new(location, on_error);
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(broken)? {
        let line = record.position().map_or(1, csv::Position::line);
        lines.add(line, row(&names, &record, fields))?;
    }
    Ok(lines.into_output())
}

fn names(location: Location<'_>, header: &ByteRecord) -> Result<Vec<Arc<str>>, IoError> {
    let mut taken = BTreeSet::new();
    let mut names = Vec::with_capacity(header.len());
    for (column, name) in (1..).zip(header) {
        let name = std::str::from_utf8(name).map_err(|_| location.content(1, column, "not UTF-8"))?;
        if !taken.insert(name) {
            return Err(location.content(1, column, format!("two columns are named `{name}`")));
        }
        names.push(name.into());
    }
    Ok(names)
}

fn row(names: &[Arc<str>], record: &ByteRecord, fields: Fields) -> Result<Value, Broken> {
    if record.len() != names.len() {
        let message = format!("{} fields, but the header has {}", record.len(), names.len());
        return Err(Broken { column: record.len().min(names.len()) as u64 + 1, message });
    }
    let value = |column: u64, field: &[u8]| {
        let text =
            std::str::from_utf8(field).map_err(|_| Broken { column, message: "not UTF-8".to_owned() })?;
        Ok(match fields {
            Fields::Text => text.into(),
            Fields::Inferred => infer(text),
        })
    };
    let fields = (1..).zip(record).zip(names);
    let entries = fields.map(|((column, field), name)| Ok((Arc::clone(name), value(column, field)?)));
    entries.collect::<Result<Object, Broken>>().map(Value::from)
}

/// A header and one record for each row; the columns are all names in the order of their first appearance.
///
/// Null and missing become empty, and lists and objects JSON.
pub(crate) fn write(items: &[Value], delimiter: Delimiter) -> Result<Vec<u8>, IoError> {
    let mut names: IndexSet<&str> = IndexSet::new();
    for (row, item) in items.iter().enumerate() {
        let fields = item.as_object().ok_or_else(|| {
            IoError::config(format_args!(
                "row {row}: the row is of kind {}, but CSV needs objects",
                item.kind()
            ))
        })?;
        names.extend(fields.keys().map(|name| &**name));
    }
    let mut writer = WriterBuilder::new().delimiter(delimiter.0).from_writer(Vec::new());
    if !names.is_empty() {
        writer.write_record(&names).map_err(IoError::config)?;
    }
    for item in items.iter().filter(|_| !names.is_empty()) {
        let fields = names.iter().map(|name| item.get(name).map(field).unwrap_or_default());
        writer.write_record(fields).map_err(IoError::config)?;
    }
    writer.into_inner().map_err(IoError::config)
}

fn field(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.to_string(),
        other => other.to_json(),
    }
}
