//! Sandboxed versions that take each other's place.

use std::fs;
use std::path::Path;

use tapline::host::SwapError;
use tapline::{Host, Load, WasmRuntime};
use tapline_test_kit::guest;

use crate::support::host;

/// The package of a guest, with more under `[plugin]` of its manifest.
fn package(folder: &Path, name: &str, more: &str) -> Load {
    fs::create_dir_all(folder).unwrap();
    let manifest = fs::read_to_string(guest(name).join("plugin.toml")).unwrap();
    let key = |line: &str| line.split_once(" = ").map(|(key, _)| key.to_owned());
    let stays = |line: &&str| more.lines().all(|more| key(line) != key(more));
    let manifest: Vec<_> = manifest.lines().filter(stays).collect();
    let manifest = manifest.join("\n").replacen("[plugin]\n", &format!("[plugin]\n{more}\n"), 1);
    fs::write(folder.join("plugin.toml"), manifest).unwrap();
    fs::copy(guest(name).join("plugin.wasm"), folder.join("plugin.wasm")).unwrap();
    Load::folder(folder)
}

#[tokio::test]
async fn a_component_that_does_not_export_the_health_or_state_that_it_declares_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for (declared, missing) in [("health = true", "health"), ("state = true\ninstances = \"one\"", "state")] {
        let error = host().load(package(folder.path(), "relay", declared)).await.unwrap_err();
        let expected = format!(
            "plugin `relay` declares `{missing}`, and its artifact does not export `tapline:plugin/{missing}`"
        );
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn a_version_that_needs_what_is_not_loaded_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let packages = folder.path().join("packages");
    package(&packages.join("probe"), "probe", "");
    let host = Host::builder().runtime(WasmRuntime::new().unwrap()).plugins(&packages).build();
    let relay = folder.path().join("relay");
    host.load(package(&relay, "relay", "")).await.unwrap();
    let needing = package(&relay, "relay", "depends_on = [{ id = \"probe\" }]");
    let error = host.swap(needing.clone()).await.unwrap_err();
    assert!(matches!(error, SwapError::NeedsOthers { .. }), "{error}");
    assert_eq!(error.to_string(), "plugin `relay` needs `probe`, which has to be loaded first");
    host.reload(needing).await.unwrap();
    assert_eq!(host.plugins().len(), 2);
}
