//! Components that are broken, of another time, or reach for more than they say.

use std::fs;

use tapline::wasm::Interfaces;
use tapline::{HostError, Load};
use tempfile::TempDir;
use wasm_encoder::{Component, NestedComponentSection};

use crate::support::host;

const MANIFEST: &str = "[plugin]\nid = 'x'\nversion = '1.0.0'\nhost = '^1'\nruntime = 'wasm'\n";

/// A package with this component, as text or as bytes.
fn package(component: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plugin.toml"), MANIFEST).unwrap();
    fs::write(folder.path().join("plugin.wasm"), component).unwrap();
    folder
}

async fn refused(component: &[u8]) -> HostError {
    host().load(Load::folder(package(component).path())).await.unwrap_err()
}

#[track_caller]
fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

#[tokio::test]
async fn a_truncated_component_is_named_as_broken() {
    let whole = fs::read(tapline_test_kit::guest("probe").join("plugin.wasm")).unwrap();
    for length in [0, 4, 9, whole.len() / 2, whole.len() - 1] {
        let error = refused(&whole[..length]).await.to_string();
        assert!(error.starts_with("the artifact of plugin `x` is broken: "), "{length}: {error}");
    }
}

#[tokio::test]
async fn a_package_that_has_changed_since_it_was_looked_at_is_not_loaded() {
    let folder = package(&fs::read(tapline_test_kit::guest("probe").join("plugin.wasm")).unwrap());
    let digest = tapline::Loader::digest(folder.path()).unwrap();
    fs::write(folder.path().join("plugin.wasm"), component("(component)")).unwrap();
    let error = host().load(Load::folder(folder.path()).expect(digest)).await.unwrap_err();
    assert!(error.to_string().ends_with("are not those that are expected: they have changed"), "{error}");
}

#[tokio::test]
async fn something_that_is_no_component_is_named_as_broken() {
    let error = refused(b"hello, world").await.to_string();
    assert!(error.starts_with("the artifact of plugin `x` is broken: "), "{error}");
    let error = refused(&component("(module)")).await.to_string();
    assert_eq!(error, "the artifact of plugin `x` is broken: it is a core module, and not a component");
}

#[tokio::test]
async fn a_component_of_another_contract_is_refused_by_version() {
    let built_for = |version: &str| {
        component(&format!("(component (import \"tapline:plugin/log@{version}\" (instance)))"))
    };
    for version in ["2.0.0", "1.1.0", "0.9.0"] {
        let error = refused(&built_for(version)).await.to_string();
        assert_eq!(error, format!("plugin `x` was built for contract {version}, and this host speaks 1.0.0"));
    }
}

#[tokio::test]
async fn a01_an_import_that_was_not_granted_is_refused_by_name() {
    for import in
        ["wasi:http/outgoing-handler@0.2.0", "wasi:filesystem/types@0.2.0", "tapline:plugin/peers@1.0.0"]
    {
        let error = refused(&component(&format!("(component (import \"{import}\" (instance)))"))).await;
        assert_eq!(error.to_string(), format!("plugin `x` imports `{import}`, which it was not granted"));
    }
}

#[tokio::test]
async fn a_component_without_what_its_manifest_declares_is_refused() {
    let error = refused(&component("(component)")).await;
    assert_eq!(
        error.to_string(),
        "plugin `x` declares a plugin, and its artifact does not export `tapline:plugin/lifecycle`"
    );
}

#[tokio::test]
async fn a_package_without_a_component_is_named_with_its_file() {
    let folder = package(b"");
    fs::remove_file(folder.path().join("plugin.wasm")).unwrap();
    let error = host().load(Load::folder(folder.path())).await.unwrap_err().to_string();
    assert!(error.starts_with("cannot read ") && error.ends_with("plugin.wasm"), "{error}");
}

#[test]
fn what_a_component_imports_and_exports_is_read_from_its_bytes_alone() {
    let interfaces = Interfaces::of(&component(
        "(component
            (import \"a:b/c@1.0.0\" (instance))
            (component (import \"d:e/f\" (instance)))
            (instance $none)
            (export \"g:h/i\" (instance $none)))",
    ))
    .unwrap();
    assert_eq!(interfaces.imports(), ["a:b/c@1.0.0"]);
    assert_eq!(interfaces.exports(), ["g:h/i"]);
}

#[test]
fn a_component_of_endless_names_or_depth_is_not_read_to_its_end() {
    let refused = |text: String| Interfaces::of(&component(&text)).unwrap_err().to_string();
    let imports = |count| (0..count).map(|name| format!("(import \"n{name}\" (func))")).collect::<String>();
    assert!(Interfaces::of(&component(&format!("(component {})", imports(10_000)))).is_ok());
    assert_eq!(
        refused(format!("(component {})", imports(10_001))),
        "it imports or exports more than 10000 names"
    );
    let nested = |depth| {
        (0..depth).fold(Component::new(), |inner, _| {
            let mut outer = Component::new();
            outer.section(&NestedComponentSection(&inner));
            outer
        })
    };
    assert!(Interfaces::of(nested(100).as_slice()).is_ok());
    let error = Interfaces::of(nested(101).as_slice()).unwrap_err();
    assert_eq!(error.to_string(), "more than 100 modules or components stand in each other");
}
