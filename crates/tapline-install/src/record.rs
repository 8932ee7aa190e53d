use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tapline_host::{Digest, read_file};
use walkdir::WalkDir;

use crate::contents::LARGEST_CONTENTS;
use crate::parcel::Parcel;

/// What was put into the folder of a package, and where it came from: the file `.installed.toml` in it.
///
/// It tells what was changed, added or lost since. It does not protect against whoever can write to the folder, and
/// knows what they do: they can change it, too. A lock that is kept elsewhere does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    version: usize,
    /// The folder, file or address that it came from.
    pub from: String,
    /// The digest of the archive that it came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<Digest>,
    /// The digest of each file.
    pub files: BTreeMap<String, Digest>,
}

/// One difference between a record and what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// The content of a file is another.
    Changed(String),
    /// A file is not there any more, or cannot be read.
    Missing(String),
    /// A file is there that was not put there.
    Added(String),
    /// The record itself is there and cannot be read.
    Unreadable,
}

const HEAD: &str = "# Written by `tapline plugin install`; not meant to be edited.\n";
const VERSION: usize = 1;
const LARGEST: u64 = 4 << 20;

impl Record {
    /// The name of the file. No archive can have one of that name.
    pub const FILE: &str = ".installed.toml";

    pub(crate) fn of(parcel: &Parcel) -> Self {
        let files = parcel.files().iter().map(|(name, content)| (name.clone(), Digest::of_bytes(content)));
        let (from, archive) = (parcel.from().to_owned(), parcel.archive());
        Self { version: VERSION, from, archive, files: files.collect() }
    }

    pub(crate) fn text(&self) -> io::Result<String> {
        Ok(format!("{HEAD}{}", toml::to_string(self).map_err(io::Error::other)?))
    }

    /// The record in the folder of a package; `None` where there is none that can be read.
    #[must_use]
    pub fn read(folder: &Path) -> Option<Self> {
        let text = String::from_utf8(read_file(&folder.join(Self::FILE), LARGEST).ok()?).ok()?;
        toml::from_str(&text).ok().filter(|record: &Self| record.version == VERSION)
    }

    /// Everything in which the folder of a package differs from its record; `None` where there is no record.
    #[must_use]
    pub fn differences(folder: &Path) -> Option<Vec<Difference>> {
        if folder.join(Self::FILE).symlink_metadata().is_err() {
            return None;
        }
        let Some(record) = Self::read(folder) else { return Some(vec![Difference::Unreadable]) };
        let mut differences = Vec::new();
        for (name, digest) in &record.files {
            match found(&folder.join(name)) {
                Some(found) if found == *digest => {}
                Some(_) => differences.push(Difference::Changed(name.clone())),
                None => differences.push(Difference::Missing(name.clone())),
            }
        }
        let added = names(folder).into_iter().filter(|name| !record.files.contains_key(name));
        differences.extend(added.map(Difference::Added));
        Some(differences)
    }
}

/// The digest of a file that is a file itself.
fn found(path: &Path) -> Option<Digest> {
    let is_file = path.symlink_metadata().ok()?.is_file();
    is_file.then(|| read_file(path, LARGEST_CONTENTS).ok()).flatten().map(|bytes| Digest::of_bytes(&bytes))
}

/// The environment of a package, which is made where it is installed.
const ENVIRONMENT: &str = ".venv";

/// What lies below a folder and is no folder, but for the record and the environment.
fn names(folder: &Path) -> Vec<String> {
    let entries = WalkDir::new(folder).sort_by_file_name().into_iter();
    let own = entries.filter_entry(|entry| entry.depth() != 1 || entry.file_name() != ENVIRONMENT);
    let entries = own.flatten();
    let inside = entries.filter(|entry| !entry.file_type().is_dir()).filter_map(|entry| {
        let parts = entry.path().strip_prefix(folder).ok()?.components();
        Some(parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"))
    });
    inside.filter(|name| name != Record::FILE).collect()
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(name) => write!(formatter, "`{}` has changed", name.escape_debug()),
            Self::Missing(name) => write!(formatter, "`{}` is not there, or no file", name.escape_debug()),
            Self::Added(name) => write!(formatter, "`{}` was not put there", name.escape_debug()),
            Self::Unreadable => write!(formatter, "`{}` cannot be read", Record::FILE),
        }
    }
}
