mod confinement;
mod formats;
mod writing;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use tapline_pdk::Value;
use tempfile::TempDir;

use crate::{IoError, read, write};

/// A folder that only this test sees.
struct Folder {
    folder: TempDir,
    root: Dir,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
        Self { folder, root }
    }

    fn with(name: &str, content: impl AsRef<[u8]>) -> Self {
        let folder = Self::new();
        std::fs::write(folder.folder.path().join(name), content).unwrap();
        folder
    }

    fn read(&self, config: &str) -> Result<Value, IoError> {
        read(&self.root, &json(config))
    }

    fn write(&self, config: &str) -> Result<Value, IoError> {
        write(&self.root, &json(config))
    }

    fn content(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn json(text: &str) -> Value {
    Value::from_json(text).unwrap()
}

#[track_caller]
fn check(name: &str, content: impl AsRef<[u8]>, options: &str, expected: &str) {
    let folder = Folder::with(name, content);
    let output = folder.read(&format!(r#"{{"path": "{name}"{options}}}"#)).unwrap();
    assert_eq!(output, json(expected));
}

#[track_caller]
fn check_error(name: &str, content: impl AsRef<[u8]>, options: &str, expected: &str) {
    let folder = Folder::with(name, content);
    let error = folder.read(&format!(r#"{{"path": "{name}"{options}}}"#)).unwrap_err();
    assert_eq!(error.to_string(), expected);
}
