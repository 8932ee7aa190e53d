#![expect(clippy::unwrap_used, reason = "a fixture that is wrong ends the test")]

use std::any::Any;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use tapline::core::ProcessDeclaration;
use tapline::process::{ProcessRuntime, Walls};

use crate::suite::foreign::foreign;

/// What a package of a plugin has that is a process of Python: the author's module and the SDK.
#[derive(Debug, Clone)]
pub struct ProcessPackage {
    /// How it is started.
    pub declaration: ProcessDeclaration,
    files: Vec<(String, PathBuf)>,
}

impl ProcessPackage {
    /// The package of a guest of this repository, where there is a Python with what the SDK needs.
    #[must_use]
    pub fn python(guest: &str) -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Self::of_module(&root.join("tests/guests").join(guest).join("plugin.py"))
    }

    /// The package of a plugin that is one module, where there is a Python with what the SDK needs.
    ///
    /// # Panics
    /// When the sources of the SDK are not there.
    #[must_use]
    pub fn of_module(module: &Path) -> Option<Self> {
        programs().join("python3").exists().then_some(())?;
        let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/python/src/tapline");
        let mut files = vec![("plugin.py".to_owned(), module.to_owned())];
        for entry in fs::read_dir(sdk).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "py") {
                files.push((format!("tapline/{}", path.file_name().unwrap().display()), path));
            }
        }
        let declaration = ProcessDeclaration {
            command: ["python3", "-m", "tapline.process", "plugin"].map(Into::into).into(),
            files: files.iter().map(|(name, _)| name.clone()).collect(),
            idle: None,
            lazy: false,
        };
        Some(Self { declaration, files })
    }

    /// Writes all but the manifest.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) {
        for (name, source) in &self.files {
            let file = folder.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::copy(source, file).unwrap();
        }
    }
}

/// Where that Python lies.
#[must_use]
pub fn programs() -> PathBuf {
    foreign().join(".venv/bin")
}

/// A runtime for tests whose clock stands still: while a process works, it does not go on by itself.
#[must_use]
pub fn patient() -> ProcessRuntime {
    let builder = ProcessRuntime::builder(Walls::none()).path([programs()]);
    builder.hello_within(Duration::from_secs(3600)).while_waiting(stop_clock).build()
}

/// The clock of a runtime goes on by itself when there is nothing to do, and a task that blocks is something to do.
fn stop_clock() -> Box<dyn Any + Send> {
    let (held, end) = mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || end.recv());
    Box::new(held)
}
