//! Components are compiled off the threads that run calls, within a time, and once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tapline_core::{Grants, Limits, LoadError, Package, Plugin, Runtime as _};
use tapline_host::Loader;
use tapline_test_kit::guest;
use tapline_wasm::{Jail, WasmRuntime};

fn package() -> Package {
    Loader::read(&guest("relay")).unwrap()
}

async fn load(runtime: &WasmRuntime) -> Result<Arc<dyn Plugin>, LoadError> {
    let package = package();
    let grants: Grants = package.manifest.requires.clone();
    runtime.load(&package, &grants, &Limits::default()).await
}

#[tokio::test]
async fn others_are_served_while_a_component_is_compiled() {
    let runtime = WasmRuntime::new().unwrap();
    let is_loaded = AtomicBool::new(false);
    let served = async {
        let mut served = 0_u64;
        while !is_loaded.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
            served += 1;
        }
        served
    };
    let loading = async {
        load(&runtime).await.unwrap();
        is_loaded.store(true, Ordering::Relaxed);
    };
    let ((), served) = tokio::join!(loading, served);
    assert!(served > 2, "{served}");
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a69_a_component_that_compiles_for_ever_is_ended_when_its_time_is_over() {
    let runtime = WasmRuntime::builder().jail(Jail::new("/bin/sleep", ["infinity"])).build().unwrap();
    let error = load(&runtime).await.unwrap_err();
    let expected = "plugin `relay` cannot be compiled: it was compiled for longer than 3m";
    assert_eq!(error.to_string(), expected);
    // The process is gone, too: it was this process's only child.
    while has_living_child() {
        tokio::task::yield_now().await;
    }
}

#[cfg(unix)]
fn has_living_child() -> bool {
    let own = std::process::id().to_string();
    let stats = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| fs::read_to_string(entry.unwrap().path().join("stat")).ok());
    let mut parents = stats.map(|stat| {
        let mut after_name = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        (after_name.next().unwrap_or_default().to_owned(), after_name.next().unwrap_or_default().to_owned())
    });
    parents.any(|(state, parent)| parent == own && state != "Z")
}

#[cfg(unix)]
#[tokio::test]
async fn a69_a_compiler_that_takes_too_much_is_ended_and_says_why() {
    let of =
        |script: &str| WasmRuntime::builder().jail(Jail::new("/bin/sh", ["-c", script])).build().unwrap();
    let error = load(&of("echo out of memory >&2; exit 1")).await.unwrap_err();
    assert_eq!(error.to_string(), "plugin `relay` cannot be compiled: out of memory");
    let error = load(&of("kill -9 $$")).await.unwrap_err();
    assert!(error.to_string().contains("its compiler ended with signal: 9"), "{error}");
    let error = load(&of("echo no code")).await.unwrap_err();
    assert!(matches!(error, LoadError::Broken { .. }), "{error}");
    let missing = WasmRuntime::builder().jail(Jail::new("/nowhere", [""])).build().unwrap();
    let error = load(&missing).await.unwrap_err();
    assert!(error.to_string().contains("/nowhere cannot compile"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_component_in_the_cache_is_not_compiled_again() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("components");
    load(&WasmRuntime::builder().cache(&cache).build().unwrap()).await.unwrap();
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 1);
    // Nothing could be compiled here.
    let broken = Jail::new("/nowhere", [""]);
    let again = WasmRuntime::builder().cache(&cache).jail(broken.clone()).build().unwrap();
    load(&again).await.unwrap();
    // What is asked for and granted is looked at all the same.
    let mut package = package();
    let mut manifest = (*package.manifest).clone();
    manifest.subscriptions = toml::from_str::<tapline_core::Manifest>(LISTENING).unwrap().subscriptions;
    package.manifest = Arc::new(manifest);
    let again = WasmRuntime::builder().cache(&cache).jail(broken).build().unwrap();
    let error = again.load(&package, &Grants::default(), &Limits::default()).await.unwrap_err();
    assert!(matches!(error, LoadError::Missing { .. }), "{error}");
}

const LISTENING: &str = "
[plugin]
id = 'relay'
version = '1.0.0'
host = '^1'
runtime = 'wasm'
[[subscribe]]
name = 'heard'
topic = 'x'
";

#[tokio::test(start_paused = true)]
async fn a_component_that_takes_its_time_is_given_up() {
    let runtime = WasmRuntime::builder().compile_within(Duration::ZERO).build().unwrap();
    let error = load(&runtime).await.unwrap_err();
    assert!(matches!(error, LoadError::NotCompiled { .. }), "{error}");
}

#[tokio::test]
async fn a39_a_component_whose_imports_exceed_its_manifest_is_refused_before_it_is_compiled() {
    // Nothing could be compiled here.
    let runtime = WasmRuntime::builder().jail(Jail::new("/nowhere", [""])).build().unwrap();
    let mut package = package();
    package.artifact =
        wat::parse_str("(component (import \"tapline:plugin/peers@1.0.0\" (instance)))").unwrap().into();
    let error = runtime.load(&package, &Grants::default(), &Limits::default()).await.unwrap_err();
    assert!(matches!(error, LoadError::NotGranted { .. }), "{error}");
}
