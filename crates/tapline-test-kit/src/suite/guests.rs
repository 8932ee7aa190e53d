use std::path::{Path, PathBuf};

/// Where `cargo xtask test` puts the components that it has just built.
const BUILT: &str = "TAPLINE_GUESTS";

/// Where components are committed beside their sources, from the root of this repository.
const COMMITTED: [&str; 4] =
    ["tests/guests", "examples/embed/plugins", "examples/review/plugins", "examples/triage/plugins"];

/// The package of a sandboxed plugin of this repository, by the name of its crate: the one that was just built from
/// source where there is one, and otherwise the one that is committed.
///
/// # Panics
/// When there is no such plugin.
#[must_use]
#[expect(clippy::panic, clippy::disallowed_methods, reason = "a fixture that is not there ends the test")]
pub fn guest(name: &str) -> PathBuf {
    if let Ok(built) = std::env::var(BUILT) {
        let package = Path::new(&built).join(name);
        assert!(package.is_dir(), "there is no guest `{name}` in {built}");
        return package;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut packages = COMMITTED.iter().map(|folder| root.join(folder).join(name));
    packages.find(|package| package.join("plugin.wasm").is_file()).unwrap_or_else(|| {
        panic!("there is no guest `{name}`; this repository has them in {}", COMMITTED.join(", "))
    })
}
