use std::io::{BufRead, BufReader, Read as _, Seek as _, SeekFrom};

use cap_fs_ext::OpenOptionsSyncExt as _;
use cap_std::fs::{Dir, File, FileType, OpenOptions};
use serde::{Deserialize, Serialize};
use tapline_pdk::Value;

use crate::location::Location;
use crate::{IoError, text};

/// A file that is being read, and how far.
pub(crate) struct Source<'a> {
    pub(crate) location: Location<'a>,
    reader: BufReader<File>,
    size: u64,
    at: Cursor,
}

/// Where the next line begins.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// The byte.
    pub(crate) offset: u64,
    /// The number of the line, from 1.
    pub(crate) line: u64,
}

/// How much of a file is read at once.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// All of it, as one value.
    Whole,
    /// A page from a place on.
    Page(Cursor),
}

/// What came of an attempt to read a line.
pub(crate) enum Line {
    /// It was there.
    Read,
    /// It has more than [`LONGEST`] bytes; it was passed over.
    TooLong,
    /// The file ends here.
    End,
}

/// What becomes one value has at most so many bytes.
pub(crate) const LARGEST: u64 = 64 << 20;
/// A line, or a record of CSV, has at most so many bytes.
pub(crate) const LONGEST: u64 = 16 << 20;
/// A page has about so many bytes.
const PAGE: u64 = 1 << 20;

impl Cursor {
    const START: Self = Self { offset: 0, line: 1 };
}

impl Part {
    /// The page that begins where the one before has ended.
    pub(crate) fn page(cursor: &Value) -> Result<Self, IoError> {
        let cursor: Option<Cursor> = cursor.to().map_err(IoError::config)?;
        Ok(Self::Page(cursor.unwrap_or(Cursor::START)))
    }
}

impl<'a> Source<'a> {
    /// Opens a file, and does not wait for whoever is at the other end of a pipe.
    pub(crate) fn open(root: &Dir, location: Location<'a>) -> Result<Self, IoError> {
        let mut options = OpenOptions::new();
        options.read(true).nonblock(true);
        let file = root.open_with(location.as_path(), &options).map_err(location.refused("read"))?;
        let metadata = file.metadata().map_err(location.refused("read"))?;
        if !metadata.is_file() {
            return Err(IoError::NoFile {
                path: location.as_str().to_owned(),
                kind: kind(metadata.file_type()),
            });
        }
        Ok(Self { location, reader: BufReader::new(file), size: metadata.len(), at: Cursor::START })
    }

    /// All that is in the file.
    pub(crate) fn whole(self) -> Result<Vec<u8>, IoError> {
        self.check_size()?;
        let mut bytes = Vec::new();
        let read = self.reader.take(LARGEST + 1).read_to_end(&mut bytes);
        read.map_err(self.location.refused("read"))?;
        // It may have grown since.
        check_size(self.location, bytes.len() as u64)?;
        Ok(bytes)
    }

    /// Goes to where a part begins, and says before which byte its last line begins.
    pub(crate) fn begin(&mut self, part: Part) -> Result<u64, IoError> {
        let Part::Page(cursor) = part else { return Ok(u64::MAX) };
        // What stands at the top may have been read already.
        if cursor.offset > self.at.offset {
            self.reader.seek(SeekFrom::Start(cursor.offset)).map_err(self.location.refused("read"))?;
            self.at = cursor;
        }
        Ok(cursor.offset.saturating_add(PAGE))
    }

    /// Where the next line begins.
    pub(crate) const fn at(&self) -> Cursor {
        self.at
    }

    /// Where to go on, if there is more.
    pub(crate) const fn rest(&self) -> Option<Cursor> {
        if self.at.offset < self.size { Some(self.at) } else { None }
    }

    /// Adds the next line, with its end and without a byte order mark.
    pub(crate) fn line(&mut self, bytes: &mut Vec<u8>) -> Result<Line, IoError> {
        let (start, is_first) = (bytes.len(), self.at.offset == 0);
        let read = self.reader.by_ref().take(LONGEST + 1).read_until(b'\n', bytes);
        let mut read = read.map_err(self.location.refused("read"))? as u64;
        if read == 0 {
            return Ok(Line::End);
        }
        let is_long = read > LONGEST && !bytes.ends_with(b"\n");
        if is_long {
            read += pass_line(&mut self.reader).map_err(self.location.refused("read"))?;
        }
        self.at = Cursor { offset: self.at.offset + read, line: self.at.line + 1 };
        if is_first && bytes[start..].starts_with(text::BYTE_ORDER_MARK) {
            bytes.drain(start..start + text::BYTE_ORDER_MARK.len());
        }
        Ok(if is_long { Line::TooLong } else { Line::Read })
    }

    /// Refuses what is too large to become one value.
    pub(crate) fn check_size(&self) -> Result<(), IoError> {
        check_size(self.location, self.size)
    }
}

fn check_size(location: Location<'_>, size: u64) -> Result<(), IoError> {
    if size <= LARGEST {
        return Ok(());
    }
    Err(IoError::TooLarge { path: location.as_str().to_owned(), size, limit: LARGEST })
}

/// Goes to the next line and keeps nothing; says how many bytes that were.
fn pass_line(reader: &mut impl BufRead) -> std::io::Result<u64> {
    let mut passed = 0;
    loop {
        let ahead = reader.fill_buf()?;
        let newline = ahead.iter().position(|byte| *byte == b'\n');
        let length = newline.map_or(ahead.len(), |at| at + 1);
        reader.consume(length);
        passed += length as u64;
        if newline.is_some() || length == 0 {
            return Ok(passed);
        }
    }
}

fn kind(kind: FileType) -> &'static str {
    if kind.is_dir() { "a folder" } else { "a pipe or a device" }
}
