use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::limits::Bytes;

/// A folder that a plugin may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "Written")]
pub struct FolderGrant {
    /// The folder.
    pub path: Folder,
    /// Whether it may be written.
    pub mode: FolderMode,
    /// What the plugin may hold there in all; there is one where it may write its scratch folder, and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Bytes>,
    /// What it is for, in the author's words.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub why: Arc<str>,
}

/// The folders that can be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Folder {
    /// The folder that holds the pipeline file.
    #[serde(rename = "data:")]
    Data,
    /// The plugin's own folder, which no other plugin reaches.
    #[serde(rename = "scratch:")]
    Scratch,
}

/// How a folder may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum FolderMode {
    /// Read only.
    #[serde(rename = "r")]
    Read,
    /// Read and write.
    #[serde(rename = "rw")]
    ReadWrite,
}

impl FolderMode {
    /// What may be done with the folder, in words.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ReadWrite => "read and write",
        }
    }
}

/// A grant as it is written.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Written {
    /// The folder.
    path: Folder,
    /// Whether it may be written.
    mode: FolderMode,
    /// What the plugin may hold in a scratch folder that it may write, and nowhere else; `"64MiB"` unless said.
    max: Option<Bytes>,
    /// What it is for, to whoever has to decide about it.
    #[serde(default)]
    why: Arc<str>,
}

/// What a plugin may hold in its scratch folder unless said.
const USUAL: Bytes = Bytes(64 << 20);

impl FolderGrant {
    /// A folder that may be used so; a scratch folder that may be written holds 64 MiB.
    #[must_use]
    pub fn new(path: Folder, mode: FolderMode) -> Self {
        let max = Self::is_bounded(path, mode).then_some(USUAL);
        Self { path, mode, max, why: Arc::default() }
    }

    /// The same grant with another bound; only a scratch folder that may be written has one.
    #[must_use]
    pub fn max(mut self, max: Bytes) -> Self {
        self.max = self.max.map(|_| max);
        self
    }

    /// What both allow; `None` when they are about different folders.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        if self.path != other.path {
            return None;
        }
        let (mode, why) = (self.mode.min(other.mode), Arc::clone(&self.why));
        let max = match (self.max, other.max) {
            (Some(one), Some(other)) => Some(one.min(other)),
            _ => None,
        };
        Some(Self { path: self.path, mode, max, why })
    }

    /// Whether this allows all that the other does.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        self.path == other.path && self.mode >= other.mode && (other.max.is_none() || self.max >= other.max)
    }

    const fn is_bounded(path: Folder, mode: FolderMode) -> bool {
        matches!((path, mode), (Folder::Scratch, FolderMode::ReadWrite))
    }
}

/// What both allow: of each folder that is in both, the narrower way to use it.
pub(crate) fn intersection(one: &[FolderGrant], other: &[FolderGrant]) -> Vec<FolderGrant> {
    let pairs = one.iter().flat_map(|one| other.iter().filter_map(|other| one.intersection(other)));
    pairs.fold(Vec::new(), |mut both, grant| {
        if !both.contains(&grant) {
            both.push(grant);
        }
        both
    })
}

impl Folder {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Data, Self::Scratch];

    /// The folder's name, with its colon.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Data => "data:",
            Self::Scratch => "scratch:",
        }
    }
}

impl TryFrom<Written> for FolderGrant {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { path, mode, max, why } = written;
        if max.is_some() && !Self::is_bounded(path, mode) {
            return Err("only `scratch:` with the mode `rw` has a `max`");
        }
        let grant = Self { why, ..Self::new(path, mode) };
        Ok(max.map_or_else(|| grant.clone(), |max| grant.clone().max(max)))
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl fmt::Display for FolderMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Read => "r",
            Self::ReadWrite => "rw",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(text: &str) -> Result<FolderGrant, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_scratch_folder_that_may_be_written_is_always_bounded_and_nothing_else_is() {
        let scratch = grant("path = 'scratch:'\nmode = 'rw'").unwrap();
        assert_eq!(scratch.max, Some(Bytes(64 << 20)));
        assert_eq!(grant("path = 'scratch:'\nmode = 'rw'\nmax = '1KiB'").unwrap().max, Some(Bytes(1024)));
        assert_eq!(grant("path = 'scratch:'\nmode = 'r'").unwrap().max, None);
        let message = "only `scratch:` with the mode `rw` has a `max`";
        assert_eq!(grant("path = 'data:'\nmode = 'rw'\nmax = '1KiB'").unwrap_err(), message);
        assert_eq!(grant("path = 'scratch:'\nmode = 'r'\nmax = '1KiB'").unwrap_err(), message);
    }

    #[test]
    fn an_intersection_of_folders_keeps_the_narrower_use_of_each() {
        let (read, write) = (FolderMode::Read, FolderMode::ReadWrite);
        let (scratch, data) =
            (|mode| FolderGrant::new(Folder::Scratch, mode), |mode| FolderGrant::new(Folder::Data, mode));
        let wide = [scratch(write).max(Bytes(10)), data(write)];
        assert_eq!(intersection(&wide, &[data(read)]), [data(read)]);
        assert_eq!(intersection(&wide, &[scratch(write)]), [scratch(write).max(Bytes(10))]);
        assert_eq!(intersection(&[scratch(read)], &wide), [scratch(read)]);
        assert!(intersection(&wide, &[]).is_empty());
    }
}
