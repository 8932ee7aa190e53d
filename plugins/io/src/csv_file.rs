use std::collections::BTreeSet;
use std::io::Read as _;
use std::sync::Arc;

use csv::{ByteRecord, ReaderBuilder, WriterBuilder};
use tapline_pdk::{Object, Value};

pub(crate) use self::columns::Columns;
use self::scan::{Record, Scan};
use crate::IoError;
use crate::config::Delimiter;
use crate::infer::infer;
use crate::lines::{Broken, Lines, OnError};
use crate::source::{LONGEST, Line, Part, Source};

mod columns;
mod scan;

/// How CSV is read.
#[derive(Clone, Copy)]
pub(crate) struct Dialect {
    pub(crate) delimiter: Delimiter,
    pub(crate) fields: Fields,
}

/// What the fields of a row become.
#[derive(Clone, Copy)]
pub(crate) enum Fields {
    Text,
    Inferred,
}

/// The records of a part of a file as it is written.
#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    records: Vec<Record>,
}

/// One object for each record, with the names that the first record gives.
pub(crate) fn read(
    mut source: Source<'_>,
    part: Part,
    dialect: Dialect,
    on_error: OnError,
) -> Result<Value, IoError> {
    // Every page begins with the names, which stand at the top of the file.
    let names = names(&mut source, dialect.delimiter)?;
    let end = source.begin(part)?;
    let mut lines = Lines::new(source.location, on_error);
    let chunk = Chunk::read(&mut source, dialect.delimiter, |at| at < end)?;
    for (fields, record) in chunk.fields(dialect.delimiter).zip(&chunk.records) {
        let line = record.line;
        let fields = fields.map_err(|error| source.location.content(line, 1, error.to_string()))?;
        let row = match &record.flaw {
            Some(flaw) => Err(flaw.clone()),
            None => row(&names, &fields, dialect.fields),
        };
        lines.add(line, row)?;
    }
    lines.into_output(source.rest())
}

impl Chunk {
    /// Whole records, as long as the byte at which the next one begins is wanted.
    fn read(
        source: &mut Source<'_>,
        delimiter: Delimiter,
        wanted: impl Fn(u64) -> bool,
    ) -> Result<Self, IoError> {
        let (mut bytes, mut scan) = (Vec::new(), Scan::new(delimiter, source.at().line));
        loop {
            if scan.open_quote().is_none() && !wanted(source.at().offset) {
                break;
            }
            let begin = bytes.len();
            match source.line(&mut bytes)? {
                Line::Read => scan.line(&bytes[begin..]),
                Line::TooLong => return Err(too_long(source, source.at().line - 1, 1)),
                Line::End => break,
            }
            if let Some(quote) =
                scan.open_quote().filter(|quote| (bytes.len() - quote.begin) as u64 > LONGEST)
            {
                return Err(too_long(source, quote.line, quote.column));
            }
        }
        if let Some(quote) = scan.open_quote() {
            let message = "the quote that begins here does not end";
            return Err(source.location.content(quote.line, quote.column, message));
        }
        Ok(Self { bytes, records: scan.into_records() })
    }

    /// The fields of each record.
    fn fields(&self, delimiter: Delimiter) -> impl Iterator<Item = csv::Result<ByteRecord>> {
        // Records of another length are ours to report, one by one.
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).delimiter(delimiter.0);
        // A blank line is no record; without it, the first would lose what looks like a byte order mark.
        builder.from_reader(b"\n".chain(&*self.bytes)).into_byte_records()
    }
}

fn too_long(source: &Source<'_>, line: u64, column: u64) -> IoError {
    let message = format!("the record has more than {LONGEST} bytes: is a quote missing?");
    source.location.content(line, column, message)
}

/// The names of the columns, which the first record holds; the source is then behind it.
pub(crate) fn names(source: &mut Source<'_>, delimiter: Delimiter) -> Result<Vec<Arc<str>>, IoError> {
    let location = source.location;
    let mut header = Chunk::default();
    while header.records.is_empty() && source.rest().is_some() {
        let begin = source.at().offset;
        header = Chunk::read(source, delimiter, |at| at == begin)?;
    }
    let Some(Record { line, flaw }) = header.records.first() else { return Ok(Vec::new()) };
    if let Some(flaw) = flaw {
        return Err(location.content(*line, flaw.column, &*flaw.message));
    }
    if header.records.len() > 1 {
        return Err(location.content(*line, 1, "the lines end with a carriage return alone"));
    }
    let fields = header.fields(delimiter).next().transpose();
    let fields = fields.map_err(|error| location.content(*line, 1, error.to_string()))?.unwrap_or_default();
    let mut taken = BTreeSet::new();
    let mut names = Vec::with_capacity(fields.len());
    for (column, name) in (1..).zip(&fields) {
        let name = std::str::from_utf8(name).map_err(|_| location.content(*line, column, "not UTF-8"))?;
        if !taken.insert(name) {
            return Err(location.content(*line, column, format!("two columns are named `{name}`")));
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

/// The line with the names, if there are any.
pub(crate) fn write_header(columns: &Columns, delimiter: Delimiter) -> Result<Vec<u8>, IoError> {
    let mut writer = WriterBuilder::new().delimiter(delimiter.0).from_writer(Vec::new());
    if !columns.is_empty() {
        writer.write_record(columns.names()).map_err(IoError::config)?;
    }
    writer.into_inner().map_err(IoError::config)
}

/// One record for each row; null and missing become empty, and lists and objects JSON.
pub(crate) fn write_rows(
    columns: &Columns,
    items: &[Value],
    delimiter: Delimiter,
) -> Result<Vec<u8>, IoError> {
    let mut writer = WriterBuilder::new().delimiter(delimiter.0).from_writer(Vec::new());
    for item in items.iter().filter(|_| !columns.is_empty()) {
        let fields = columns.names().map(|name| item.get(name).map(field).unwrap_or_default());
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
