//! Plugins in Python that are processes of their own: written, built, installed, and in a pipeline.

use std::fs;
use std::path::{Path, PathBuf};

use crate::author::{FAMILIES, from_nothing_to_a_pipeline};
use crate::support::{Said, Workplace, foreign};

/// A folder in which processes of Python can be run: behind walls, and with this environment of `cargo xtask setup`.
pub(crate) fn with(environment: &str) -> Option<(Workplace, PathBuf)> {
    let environment = foreign().join(environment).join(".venv");
    let workplace = Workplace::new();
    if !environment.join("bin/python3").exists() {
        println!("skipped: {} is not there; `cargo xtask setup --install` makes it", environment.display());
        return None;
    }
    if !workplace.tapline("plugin doctor --json").out.contains("\"stand\":true") {
        println!("skipped: not all walls stand here; `tapline plugin doctor` tells which");
        return None;
    }
    Some((workplace, environment.canonicalize().unwrap()))
}

/// Whether there is a Python that makes environments.
#[expect(clippy::disallowed_methods, reason = "what a test needs of the machine")]
fn has_venv() -> bool {
    let output = std::process::Command::new("python3").args(["-c", "import venv, ensurepip"]).output();
    let has = output.is_ok_and(|output| output.status.success());
    if !has {
        println!("skipped: there is no Python that makes environments");
    }
    has
}

#[cfg(unix)]
pub(crate) fn link(environment: &Path, package: &Path) {
    fs::create_dir_all(package).unwrap();
    std::os::unix::fs::symlink(environment, package.join(".venv")).unwrap();
}

#[cfg(unix)]
#[test]
fn every_family_in_python_as_a_process_builds_passes_its_cases_and_runs_in_a_pipeline() {
    let Some((workplace, environment)) = with("") else { return };
    for family in FAMILIES {
        let name = format!("python-{family}");
        from_nothing_to_a_pipeline(&workplace, "python --runtime process", &name, family, |package| {
            link(&environment, package);
        });
        assert!(workplace.read(&format!("{name}/plugin.toml")).contains("runtime = \"process\""));
        assert!(!workplace.path(&format!("{name}/plugin.wasm")).exists());
    }
}

#[test]
fn a_process_is_for_python_alone() {
    let said = Workplace::new().tapline("plugin new x --lang rust --runtime process");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("`--runtime process` is for plugins in Python"), "{}", said.err);
}

/// A package of a process that was built, with these requirements.
fn package(requirements: &str) -> Workplace {
    let workplace = Workplace::new();
    let manifest = "[plugin]\nid = 'x'\nversion = '1.0.0'\nhost = '^1'\nruntime = 'process'\n\
        [process]\ncommand = ['python3', 'x.py']\nfiles = ['x.py', 'requirements.txt']\n\
        [[provides]]\npoint = 'node'\nkey = 'x'\n";
    workplace.write("x/plugin.toml", manifest);
    workplace.write("x/x.py", "");
    workplace.write("x/requirements.txt", requirements);
    workplace
}

/// Installs it, with an index of packages that is not there.
fn installed(workplace: &Workplace) -> Said {
    let output =
        workplace.command().args(["plugin", "install", "x"]).env("PIP_NO_INDEX", "1").output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn an_installed_package_has_an_environment_of_its_own_which_is_no_difference_to_what_was_installed() {
    if !has_venv() {
        return;
    }
    let workplace = package("# nothing\n");
    let said = installed(&workplace);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(workplace.path("plugins/x-1.0.0/.venv/bin/python3").exists());
    let verified = workplace.tapline("plugin verify");
    assert_eq!(verified.code, 0, "{}", verified.out);
}

#[test]
fn a_package_whose_environment_cannot_be_made_is_not_there_at_all() {
    if !has_venv() {
        return;
    }
    for (requirements, expected) in [
        ("--index-url file:///x\n", "requirements.txt:1: `--index-url file:///x` is no name of a package"),
        ("nothing-of-this-name-is-anywhere\n", "its packages cannot be installed"),
    ] {
        let workplace = package(requirements);
        let said = installed(&workplace);
        assert_eq!(said.code, 1, "{}", said.err);
        assert!(said.err.contains(expected), "{}", said.err);
        assert!(!workplace.path("plugins/x-1.0.0").exists());
        assert!(workplace.tapline("plugin verify").out.contains("no differences"));
    }
}

#[test]
fn a_python_that_is_none_is_refused_before_anything_is_made() {
    let workplace = package("");
    let said = workplace.tapline("plugin install x --python true");
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("`true` does not answer as a Python does"), "{}", said.err);
    assert!(!workplace.path("plugins/x-1.0.0").exists());
}

#[test]
fn a_package_whose_environment_was_not_made_says_what_makes_it() {
    let workplace = package("");
    workplace.write("tapline.toml", "[policy]\nwalls = \"optional\"\n");
    workplace.write("pipeline.yaml", "name: p\nplugins: { x: { path: x } }\nnodes: { a: { type: x } }\n");
    let said = workplace.tapline("run pipeline.yaml");
    assert_eq!(said.code, 2, "{}", said.err);
    let expected = "its environment was not made; run `tapline plugin install ./x`";
    assert!(said.err.contains(expected), "{}", said.err);
}
