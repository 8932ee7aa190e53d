//! What was installed is removed when nobody needs it, and verified file by file.

use crate::packages::{below, done, package, refused};
use crate::support::{Said, Workplace};

/// A place where these were installed: their ids, versions and more of their manifests.
fn installed(plugins: &[(&str, &str, &str)]) -> Workplace {
    let workplace = Workplace::new();
    for (id, version, more) in plugins {
        package(&workplace, "package", id, version, more);
        done(&workplace, "plugin install package");
    }
    workplace
}

fn names(workplace: &Workplace) -> Vec<String> {
    let names = below(workplace, "plugins").into_iter();
    names.filter_map(|name| name.strip_suffix("/plugin.toml").map(str::to_owned)).collect()
}

#[test]
fn a_package_is_removed_and_of_several_versions_the_one_that_is_named() {
    let workplace = installed(&[("x", "1.0.0", ""), ("x", "2.0.0", ""), ("y", "1.0.0", "")]);
    let told = "error: `x` is there in the versions 1.0.0, 2.0.0: say which, as in `x@1.0.0`\n";
    refused(&workplace, "plugin remove x", told);
    refused(&workplace, "plugin remove x@3.0.0", "error: there is no plugin `x@3.0.0` in plugins\n");
    let said = done(&workplace, "plugin remove x@1.0.0");
    assert_eq!(said.out, "removed `x` 1.0.0 from plugins/x-1.0.0\n");
    done(&workplace, "plugin remove x");
    done(&workplace, "plugin remove y --folder plugins");
    assert_eq!(below(&workplace, "plugins"), [""; 0]);
}

#[test]
fn what_others_need_stays_unless_it_is_forced() {
    let needs = "depends_on = [{ id = 'numbers', version = '^1' }, { capability = 'speech' }]";
    let workplace = installed(&[
        ("numbers", "1.0.0", ""),
        ("loud", "1.0.0", "capabilities = ['speech']"),
        ("talk", "1.0.0", needs),
    ]);
    for id in ["numbers", "loud"] {
        let told = format!(
            "error: `{id}` 1.0.0 is needed: `talk` depends on it; `--force` removes it all the same\n"
        );
        refused(&workplace, &format!("plugin remove {id}"), &told);
    }
    package(&workplace, "package", "numbers", "1.1.0", "");
    done(&workplace, "plugin install package");
    done(&workplace, "plugin remove numbers@1.0.0");
    let said = done(&workplace, "plugin remove loud --force");
    assert_eq!(said.err, "warning: it is needed: `talk` depends on it\n");
    assert_eq!(names(&workplace), ["plugins/numbers-1.1.0", "plugins/talk-1.0.0"]);
}

#[test]
fn what_somebody_has_put_beside_a_package_stays_unless_it_is_forced() {
    let workplace = installed(&[("x", "1.0.0", "")]);
    workplace.write("plugins/x-1.0.0/notes.txt", "mine");

    let refused = workplace.tapline("plugin remove x");

    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(refused.err.contains("notes.txt"), "{}", refused.err);
    assert_eq!(workplace.read("plugins/x-1.0.0/notes.txt"), "mine");
    assert_eq!(workplace.tapline("plugin remove x --force").code, 0);
    assert!(names(&workplace).is_empty());
}

#[test]
fn a_folder_that_is_not_there_is_not_without_differences() {
    let said = Workplace::new().tapline("plugin verify --folder plugnis");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("there is no folder plugnis"), "{}", said.err);
}

#[test]
fn what_the_lock_holds_stays_unless_it_is_forced() {
    let workplace = installed(&[("x", "1.0.0", "")]);
    lock(&workplace);
    let told = "error: `x` 1.0.0 is needed: tapline.lock holds it; `--force` removes it all the same\n";
    refused(&workplace, "plugin remove x", told);
    done(&workplace, "plugin remove x --force");
}

fn lock(workplace: &Workplace) {
    let node = "a: { type: transform, with: { value: { a: 1 }, set: { b: '1' } } }";
    workplace.write("pipeline.yaml", format!("name: x\nplugins: {{ x: {{}} }}\nnodes: {{ {node} }}\n"));
    workplace.write("tapline.toml", "[plugins]\nfolders = ['plugins']\n");
    done(workplace, "lock pipeline.yaml");
}

#[test]
fn what_nobody_has_installed_is_not_removed_by_force_either() {
    let workplace = Workplace::new();
    package(&workplace, "plugins/mine", "mine", "1.0.0", "");
    let told =
        "error: plugins/mine was not put there by `tapline plugin install`; delete the folder yourself\n";
    refused(&workplace, "plugin remove mine --force", told);
    assert_eq!(names(&workplace), ["plugins/mine"]);
}

#[track_caller]
fn differs(workplace: &Workplace, words: &str, told: &[&str]) -> Said {
    let said = workplace.tapline(words);
    assert_eq!((said.code, said.err.as_str()), (1, ""), "{}", said.out);
    for told in told {
        assert!(said.out.contains(told), "{told}: {}", said.out);
    }
    said
}

#[test]
fn every_file_that_was_changed_added_or_lost_is_told() {
    let workplace = installed(&[("x", "1.0.0", ""), ("y", "1.0.0", "")]);
    let said = done(&workplace, "plugin verify");
    let told = "plugins/x-1.0.0: as it was installed from package\nplugins/y-1.0.0: as it was installed from package\nno differences\n";
    assert_eq!(said.out, told);
    workplace.edit("plugins/x-1.0.0/plugin.toml", "1.0.0", "1.0.0' # '");
    std::fs::remove_file(workplace.path("plugins/x-1.0.0/plugin.wasm")).unwrap();
    workplace.write("plugins/x-1.0.0/schemas/new.json", "{}");
    let told = [
        "plugins/x-1.0.0: `plugin.toml` has changed\n",
        "plugins/x-1.0.0: `plugin.wasm` is not there, or no file\n",
        "plugins/x-1.0.0: `schemas/new.json` was not put there\n",
        "plugins/y-1.0.0: as it was installed from package\n3 differences\n",
    ];
    differs(&workplace, "plugin verify", &told);
    differs(&workplace, "plugin verify x", &told[..3]);
    done(&workplace, "plugin verify y --folder plugins");
    refused(&workplace, "plugin verify z", "error: there is no plugin `z` in plugins or in tapline.lock\n");
    // A manifest that cannot be read any more, or is not there, hides nothing.
    workplace.write("plugins/x-1.0.0/plugin.toml", "no manifest");
    differs(&workplace, "plugin verify x", &told[..3]);
    std::fs::remove_file(workplace.path("plugins/x-1.0.0/plugin.toml")).unwrap();
    differs(&workplace, "plugin verify x", &["plugins/x-1.0.0: `plugin.toml` is not there, or no file\n"]);
    workplace.write("plugins/y-1.0.0/.installed.toml", "no record");
    differs(&workplace, "plugin verify y", &["plugins/y-1.0.0: `.installed.toml` cannot be read\n"]);
}

#[test]
fn the_lock_tells_what_who_changes_the_record_too_hides() {
    let workplace = installed(&[("x", "1.0.0", "")]);
    lock(&workplace);
    assert!(done(&workplace, "plugin verify").out.contains("plugins/x-1.0.0: as tapline.lock holds it\n"));
    workplace.edit("plugins/x-1.0.0/plugin.toml", "host = '^1'", "host = '^1.0'");
    std::fs::remove_file(workplace.path("plugins/x-1.0.0/.installed.toml")).unwrap();
    let told = [
        "plugins/x-1.0.0: nobody has installed it, so that only a lock can tell\n",
        "plugins/x-1.0.0: its digest is sha256:",
        "1 difference\n",
    ];
    differs(&workplace, "plugin verify", &told);
    std::fs::remove_dir_all(workplace.path("plugins/x-1.0.0")).unwrap();
    let said = workplace.tapline("plugin verify x");
    assert!(
        said.code == 1 && said.out.contains("tapline.lock holds it, and it cannot be read\n"),
        "{}",
        said.out
    );
}
