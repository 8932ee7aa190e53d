//! Folders of packages: what lies there is loaded when it is needed, and what is broken there is told.

use std::fs;
use std::path::Path;

use tapline::core::TopicPattern;
use tapline::host::{StartOutcome, StartReport};
use tapline::{Host, HostError, Load, Policy, WasmRuntime};
use tapline_test_kit::{Sandboxed, Scripted, Subject};
use tempfile::TempDir;

fn package(folder: &Path, plugin: &Scripted) -> TempDir {
    let package = TempDir::new_in(folder).unwrap();
    let _ = Sandboxed.load(plugin, &package);
    package
}

fn host(folders: &[&Path]) -> Host {
    // Scripted plugins ask to publish.
    let policy = Policy::default()
        .allow_publish(TopicPattern::new("a.>").unwrap())
        .allow_call("nobody".parse().unwrap());
    let builder = Host::builder().runtime(WasmRuntime::new().unwrap()).policy(policy);
    folders.iter().fold(builder, |builder, folder| builder.plugins(folder)).build()
}

fn loaded(host: &Host) -> Vec<String> {
    let name = |info: &tapline::host::PluginInfo| {
        format!("{} {}", info.manifest.plugin.id, info.manifest.plugin.version)
    };
    host.plugins().iter().map(name).collect()
}

fn failures(report: &StartReport) -> Vec<String> {
    report.failures().map(ToString::to_string).collect()
}

#[tokio::test]
async fn packages_of_a_folder_are_loaded_when_another_plugin_needs_them_and_not_else() {
    let (one, other, asked) = (TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let _packages = [
        package(one.path(), &Scripted::new("b").version(1, 0)),
        package(one.path(), &Scripted::new("b").version(2, 0).needs("c")),
        package(other.path(), &Scripted::new("c")),
        package(other.path(), &Scripted::new("unneeded")),
    ];
    let a = Sandboxed.load(&Scripted::new("a").needs("b"), &asked);
    let host = host(&[one.path(), other.path()]);
    assert_eq!(host.discover().packages.len(), 4);
    host.load(a).await.unwrap();
    assert_eq!(loaded(&host), ["c 1.0.0", "b 2.0.0", "a 1.0.0"]);
}

#[tokio::test]
async fn a_package_that_is_broken_is_told_and_keeps_no_other_from_being_loaded() {
    let (folder, asked) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let _package = package(folder.path(), &Scripted::new("b"));
    fs::create_dir(folder.path().join("c")).unwrap();
    fs::write(folder.path().join("c/plugin.toml"), "colour = 1").unwrap();
    let missing = folder.path().join("missing");
    let host = host(&[folder.path(), &missing]);
    assert_eq!((host.discover().packages.len(), host.discover().errors.len()), (1, 2));

    let a = Sandboxed.load(&Scripted::new("a").needs("c"), &asked);
    let HostError::Resolve(reasons) = host.load(a.clone()).await.unwrap_err() else { panic!() };
    let [reason] = &*reasons else { panic!() };
    assert_eq!(reason.to_string(), "plugin `a` needs `c *`, and there is no such plugin");
    let broken = folder.path().join("c").display().to_string();
    assert_eq!(
        reason.hint().unwrap(),
        format!("`{broken}` may be meant to be `c`, and its manifest is wrong")
    );

    let report = host.boot(vec![a.optional()]).await.unwrap();
    assert_eq!(failures(&report).len(), 3);
    assert!(failures(&report)[0].starts_with(&format!("{broken}/plugin.toml:1:1: ")));
    assert!(failures(&report)[1].starts_with(&format!("cannot read {}", missing.display())));
    assert!(matches!(report.plugins[2].outcome, StartOutcome::Failed(HostError::Resolve(_))));

    let needs_b = Sandboxed.load(&Scripted::new("a").needs("b"), &asked);
    host.load(needs_b).await.unwrap();
    assert_eq!(loaded(&host), ["b 1.0.0", "a 1.0.0"]);
}

#[tokio::test]
async fn an_application_can_say_how_a_package_is_to_be_loaded_when_it_is_needed() {
    let (folder, asked) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let old = package(folder.path(), &Scripted::new("b"));
    let _new = package(folder.path(), &Scripted::new("b").version(2, 0));
    let host = host(&[folder.path()]);
    let a = Sandboxed.load(&Scripted::new("a").needs("b"), &asked);
    host.load_all(vec![a, Load::folder(old.path()).locked()]).await.unwrap();
    assert_eq!(loaded(&host), ["b 1.0.0", "a 1.0.0"]);
}
