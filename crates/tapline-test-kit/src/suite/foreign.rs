#![expect(clippy::unwrap_used, reason = "a fixture that is wrong ends the test")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tapline::core::{Limits, Runtime as _};
use tapline::host::Loader;
use tapline::{Load, WasmRuntime};

/// Where `cargo xtask test` says that it has put the guests in other languages than Rust.
const FOREIGN: &str = "TAPLINE_FOREIGN";

/// A guest of this repository that is written in Python or JavaScript.
///
/// Such components are large, so they are built where the tools are there, and compiled once for all tests.
#[derive(Debug, Clone)]
pub struct Foreign {
    folder: PathBuf,
    package: PathBuf,
}

/// Where the tools and guests of other languages are.
#[expect(clippy::disallowed_methods, reason = "the test runner says where they are")]
pub(crate) fn foreign() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/foreign");
    std::env::var(FOREIGN).map_or_else(|_| beside(), PathBuf::from)
}

impl Foreign {
    /// The guest of this name, where it was built.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let folder = foreign();
        let package = folder.join("packages").join(name);
        package.join("plugin.toml").is_file().then_some(Self { folder, package })
    }

    /// Several guests, where all of them were built; says it where they were not.
    #[must_use]
    pub fn find_all<const N: usize>(names: [&str; N]) -> Option<[Self; N]> {
        let found: Vec<_> = names.iter().filter_map(|name| Self::find(name)).collect();
        if found.len() < N {
            eprintln!("skipped: {} are not built; `cargo xtask test` does it", names.join(" and "));
        }
        found.try_into().ok()
    }

    /// The folder of its package.
    #[must_use]
    pub fn package(&self) -> &Path {
        &self.package
    }

    /// The package, ready to be loaded.
    #[must_use]
    pub fn load(&self) -> Load {
        Load::folder(&self.package)
    }

    /// A runtime that takes it from the code that all tests share.
    ///
    /// # Panics
    /// When there is no sandbox on this machine, or the guest cannot be compiled.
    #[must_use]
    pub fn runtime(&self) -> WasmRuntime {
        let compiled = self.folder.join("compiled");
        let runtime = || {
            let builder = WasmRuntime::builder().cache(&compiled);
            // Many tests may wait for it on a busy machine.
            builder.compile_within(Duration::from_secs(600)).build().unwrap()
        };
        let made = runtime();
        let mark = self.package.join("compiled");
        if !mark.exists() {
            // Of the tests that come at once, one compiles.
            let lock = File::create(self.package.join("lock")).unwrap();
            lock.lock().unwrap();
            if !mark.exists() {
                self.compile(runtime());
                fs::write(&mark, "").unwrap();
            }
        }
        made
    }

    /// Compiles it on a thread and in a runtime of its own: the test's may have stopped its clock.
    fn compile(&self, runtime: WasmRuntime) {
        let package = Loader::read(&self.package).unwrap();
        let compile = move || {
            let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let grants = package.manifest.requires.clone();
            tokio.block_on(runtime.load(&package, &grants, &Limits::default())).unwrap();
        };
        std::thread::spawn(compile).join().unwrap();
    }
}
