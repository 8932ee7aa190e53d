#![expect(clippy::unwrap_used, reason = "a fixture that is wrong ends the test")]

use std::fs;
use std::path::{Path, PathBuf};

use tapline::Load;
use tapline::core::{METHODS, Request};
use tapline::{HookError, Host, Value};
use tempfile::TempDir;

use crate::suite::python::programs;

/// A package of the plugin `tests/guests/peer`, which speaks the protocol of processes without our SDK, and misbehaves when
/// it is asked to.
#[derive(Debug)]
pub struct Peer {
    folder: TempDir,
    id: String,
}

impl Peer {
    /// A package under this id, whose process behaves in this way from its start. Says it where there is no Python.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn new(id: &str, mode: &str) -> Option<Self> {
        Self::written(id, mode, "", "")
    }

    /// As [`new`](Self::new), with more about its process.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn declaring(id: &str, mode: &str, process: &str) -> Option<Self> {
        Self::written(id, mode, process, "")
    }

    /// As [`new`](Self::new), with more in its manifest.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn asking(id: &str, mode: &str, more: &str) -> Option<Self> {
        Self::written(id, mode, "", more)
    }

    fn written(id: &str, mode: &str, process: &str, more: &str) -> Option<Self> {
        if Self::path().is_empty() {
            eprintln!("skipped: there is no Python; `cargo xtask setup --install` makes an environment");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/peer/peer.py");
        fs::copy(source, folder.path().join("peer.py")).unwrap();
        let manifest = format!(
            "[plugin]\nid = '{id}'\nversion = '1.0.0'\nhost = '^1'\nruntime = 'process'\n\
            [process]\ncommand = ['python3', '-S', '-E', 'peer.py', '{mode}']\nfiles = ['peer.py']\n{process}\n\
            [[provides]]\npoint = 'plugin'\nkey = '{id}'\n{more}"
        );
        fs::write(folder.path().join("plugin.toml"), manifest).unwrap();
        Some(Self { folder, id: id.into() })
    }

    /// Where Python is looked for.
    #[must_use]
    pub fn path() -> Vec<PathBuf> {
        let mut places = vec![programs(), "/usr/bin".into()];
        places.retain(|place| place.join("python3").exists());
        places
    }

    /// The package, ready to be loaded.
    #[must_use]
    pub fn load(&self) -> Load {
        Load::folder(self.folder.path())
    }

    /// What it answers to a method.
    ///
    /// # Errors
    /// What comes instead of an answer.
    pub async fn ask(
        &self,
        host: &Host,
        method: &str,
        request: impl Into<Value>,
    ) -> Result<Value, HookError> {
        host.request(Request::new(METHODS, self.id.as_str(), method, request.into())).await
    }
}
