//! A plugin in Python that is a process is built into a package of files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use tapline_build::{BuildError, Built, Project, Sdk, process};
use tapline_core::{Manifest, RuntimeKind};
use tempfile::TempDir;

const SOURCE: &str = "from tapline import *\nimport helpers\n\n\
    @plugin(id='own', version='1.0.0', runtime='process', lazy=True)\nclass Own:\n    pass\n";

/// What is built of a folder with these files beside the source; nothing where there is no Python.
fn built(files: &[(&str, &str)], check: impl FnOnce(&Path, Result<Built, BuildError>)) {
    if process::find_program("python3").is_none() {
        eprintln!("skipped: there is no python3");
        return;
    }
    let folder = TempDir::new().unwrap();
    let project = folder.path().join("project");
    for (name, text) in [("plugin.py", SOURCE), ("helpers.py", "")].iter().chain(files) {
        let file = project.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let sdk = Sdk::unpack(&folder.path().join("sdk")).unwrap();
    let built = Project::open(&project).unwrap().build(&sdk);
    check(&project, built);
}

#[test]
fn its_package_has_the_modules_of_the_author_and_of_the_sdk_and_no_component() {
    let beside = [
        ("requirements.txt", "msgpack>=1\n"),
        ("parts/__init__.py", ""),
        ("parts/one.py", ""),
        ("notes/two.py", "no package"),
        ("test_plugin.py", "a test"),
    ];
    built(&beside, |project, built| {
        let built = built.unwrap();
        let manifest: Manifest = toml::from_str(&built.manifest).unwrap();
        let process = manifest.process.unwrap();
        let own: Vec<_> = process.files.iter().filter(|name| !name.starts_with("tapline/")).collect();
        assert_eq!(own, ["helpers.py", "parts/__init__.py", "parts/one.py", "plugin.py", "requirements.txt"]);
        assert_eq!((manifest.plugin.runtime, process.lazy), (RuntimeKind::Process, true));
        assert!(built.component().is_none());

        built.write(project).unwrap();

        for name in &process.files {
            assert!(project.join(name).is_file(), "{name}");
        }
        let source = Project::open(project).unwrap();
        assert!(!source.is_source(&project.canonicalize().unwrap().join("tapline/process.py")));
    });
}

#[test]
fn what_the_sdk_needs_has_to_be_among_its_requirements() {
    built(&[("requirements.txt", "numpy\n")], |_, built| {
        let error = built.unwrap_err().to_string();
        assert_eq!(error, "requirements.txt: there is no `msgpack`, which the SDK needs");
    });
}
