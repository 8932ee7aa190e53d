mod bounds;
mod confinement;
mod formats;
mod pages;
mod round_trips;
mod writing;
mod yaml;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use tapline_pdk::Value;
use tapline_pdk::roles::Page;
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

    /// The rows of a file that is read page by page, and how many pages there are.
    fn pages(&self, config: &str) -> Result<(Vec<Value>, usize), IoError> {
        let (config, mut page, mut rows) = (json(config), Page::default(), Vec::new());
        loop {
            let output = read::page(&self.root, &config, &page)?;
            rows.extend_from_slice(output.get("items").unwrap().as_array().unwrap());
            page.cursor = output.get("next").cloned().unwrap_or_default();
            page.index += 1;
            if page.cursor.is_null() {
                return Ok((rows, page.index));
            }
        }
    }

    fn write_page(&self, config: &str, index: usize, last: bool) -> Result<Value, IoError> {
        write::page(&self.root, &json(config), &Page { index, last, cursor: Value::Null })
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
