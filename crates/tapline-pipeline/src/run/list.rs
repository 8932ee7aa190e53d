//! Lists that are too long for memory: rows on disk, one a line as JSON.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tapline_core::{Object, Value};

use crate::journal::Digest;

/// A list on disk, and what its node has yielded besides.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PagedList {
    pub(crate) file: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) count: usize,
    /// Stands for the content.
    pub(crate) digest: Digest,
    /// The output of the node without the rows.
    pub(crate) rest: Object,
}

/// A page has about so many bytes of JSON.
const PAGE: usize = 1 << 20;
/// The key under which a journal finds a list again.
const MARK: &str = "$list";

impl PagedList {
    /// The pages of the list, one after the other.
    pub(crate) fn pages(&self) -> io::Result<Pages> {
        Ok(Pages { lines: BufReader::with_capacity(PAGE, File::open(&self.file)?), line: String::new() })
    }

    /// The whole output of the node, rows and all.
    pub(crate) fn load(&self) -> io::Result<Value> {
        let mut pages = self.pages()?;
        let mut rows = Vec::with_capacity(self.count);
        while let Some(page) = pages.next()? {
            rows.extend(page);
        }
        let mut output = self.rest.clone();
        output.insert("items".into(), rows.into());
        Ok(output.into())
    }

    /// What a journal keeps of it.
    pub(crate) fn to_record(&self) -> Value {
        let file = self.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let digest: String = self.digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let list = [
            ("file", Value::from(file)),
            ("bytes", self.bytes.into()),
            ("count", self.count.into()),
            ("digest", digest.into()),
            ("rest", self.rest.clone().into()),
        ];
        Value::from_iter([(MARK, list.into_iter().collect())])
    }

    /// The list of a record, if its file is still there as it was.
    pub(crate) fn from_record(record: &Value, folder: &Path) -> Option<Self> {
        let list = record.get(MARK)?;
        let number = |key: &str| list.get(key)?.as_i64().and_then(|number| u64::try_from(number).ok());
        let digest = list.get("digest")?.as_str()?;
        let byte = |place: usize| u8::from_str_radix(digest.get(place * 2..place * 2 + 2)?, 16).ok();
        let bytes: Vec<u8> = (0..32).map(byte).collect::<Option<_>>()?;
        let found = Self {
            file: folder.join(Path::new(list.get("file")?.as_str()?).file_name()?),
            bytes: number("bytes")?,
            count: usize::try_from(number("count")?).ok()?,
            digest: bytes.try_into().ok()?,
            rest: list.get("rest")?.as_object()?.clone(),
        };
        (std::fs::metadata(&found.file).ok()?.len() == found.bytes).then_some(found)
    }

    /// Whether a record speaks of a list.
    pub(crate) fn is_record(record: &Value) -> bool {
        record.get(MARK).is_some()
    }
}

/// Reads a list page by page.
pub(crate) struct Pages {
    lines: BufReader<File>,
    line: String,
}

impl Pages {
    /// The next rows; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Vec<Value>>> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        while bytes < PAGE {
            self.line.clear();
            let read = self.lines.read_line(&mut self.line)?;
            if read == 0 {
                break;
            }
            bytes += read;
            rows.push(Value::from_json(&self.line).map_err(io::Error::other)?);
        }
        Ok((!rows.is_empty()).then_some(rows))
    }
}

/// Writes a list page by page.
pub(crate) struct ListWriter {
    path: PathBuf,
    file: BufWriter<File>,
    hasher: blake3::Hasher,
    bytes: u64,
    count: usize,
}

impl ListWriter {
    /// Begins a list in a folder, which is made where it is missing; one of that name is replaced.
    pub(crate) fn new(folder: &Path, name: &str) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(name);
        let file = BufWriter::with_capacity(PAGE, File::create(&path)?);
        Ok(Self { path, file, hasher: blake3::Hasher::new(), bytes: 0, count: 0 })
    }

    /// Whether no row was written: a node that takes rows and yields none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn write(&mut self, rows: &[Value]) -> io::Result<()> {
        let mut line = Vec::new();
        for row in rows {
            line.clear();
            serde_json::to_writer(&mut line, row)?;
            line.push(b'\n');
            self.hasher.update(&line);
            self.file.write_all(&line)?;
            self.bytes += line.len() as u64;
        }
        self.count += rows.len();
        Ok(())
    }

    /// Ends the list; the disk has it when this returns.
    pub(crate) fn finish(self, mut rest: Object) -> io::Result<Arc<PagedList>> {
        let Self { path, file, hasher, bytes, count } = self;
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        rest.insert("count".into(), count.into());
        let digest = *hasher.finalize().as_bytes();
        Ok(Arc::new(PagedList { file: path, bytes, count, digest, rest }))
    }
}
