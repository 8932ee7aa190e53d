use std::fmt;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use super::FolderMode;

/// A folder of the machine that the process of a server sees, at the same path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "Written")]
pub struct MachineFolder {
    /// Its absolute path, without `.` and `..`.
    pub path: String,
    /// Whether it may be written.
    pub mode: FolderMode,
}

/// A path that is not that of a folder for everybody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a folder of the machine: write its absolute path, without `.` and `..`")]
pub struct MachineFolderError(String);

/// A folder as it is written.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Written {
    /// Its absolute path, without `.` and `..`.
    path: String,
    /// Whether it may be written.
    mode: FolderMode,
}

impl MachineFolder {
    /// A folder that may be used so.
    ///
    /// # Errors
    /// When the path is not absolute, or has `.` or `..` in it.
    pub fn new(path: impl Into<String>, mode: FolderMode) -> Result<Self, MachineFolderError> {
        let path = path.into();
        let parts = Path::new(&path).components();
        let is_plain =
            parts.into_iter().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
        // Components pass over a `.` between others.
        let is_plain = is_plain && !path.split('/').any(|part| part == ".");
        if is_plain && path.starts_with('/') {
            Ok(Self { path, mode })
        } else {
            Err(MachineFolderError(path))
        }
    }

    /// Whether some of these allow what this one does.
    #[must_use]
    pub fn is_within(&self, allowed: &[Self]) -> bool {
        let holds = |one: &Self| one.mode >= self.mode && Path::new(&self.path).starts_with(&one.path);
        allowed.iter().any(holds)
    }
}

/// What both allow, as far as one folder of the two lies in the other.
pub(super) fn intersection(one: &[MachineFolder], other: &[MachineFolder]) -> Vec<MachineFolder> {
    let ones = one.iter().filter(|folder| folder.is_within(other));
    let others = other.iter().filter(|folder| folder.is_within(one) && !one.contains(folder));
    ones.chain(others).cloned().collect()
}

impl TryFrom<Written> for MachineFolder {
    type Error = MachineFolderError;

    fn try_from(Written { path, mode }: Written) -> Result<Self, MachineFolderError> {
        Self::new(path, mode)
    }
}

impl fmt::Display for MachineFolder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_within_another_by_its_parts_and_its_mode() {
        let folder = |path: &str, mode| MachineFolder::new(path, mode).unwrap();
        let allowed = [folder("/srv/a", FolderMode::Read), folder("/srv/b", FolderMode::ReadWrite)];
        assert!(folder("/srv/a/x", FolderMode::Read).is_within(&allowed));
        assert!(!folder("/srv/a/x", FolderMode::ReadWrite).is_within(&allowed));
        assert!(folder("/srv/b", FolderMode::Read).is_within(&allowed));
        assert!(!folder("/srv/ab", FolderMode::Read).is_within(&allowed));
        for path in ["srv", "", "/srv/../etc", "/srv/./a", "data:"] {
            assert!(MachineFolder::new(path, FolderMode::Read).is_err(), "{path}");
        }
    }
}
