//! Packages that are not what they should be are refused, and nothing of them is written.

use crate::packages::{Entry, NOTHING, archive, below, component, manifest, package, refused};
use crate::support::Workplace;

/// Installs an archive, which has to be refused and to leave nothing.
#[track_caller]
fn nothing_of(bytes: &[u8], told: &str) {
    let workplace = Workplace::new();
    workplace.write("x.tar.gz", bytes);
    refused(&workplace, "plugin install x.tar.gz", "error: x.tar.gz cannot be installed\n");
    refused(&workplace, "plugin install x.tar.gz", told);
    assert_eq!(below(&workplace, "."), ["./x.tar.gz"]);
}

/// As [`nothing_of`], of an archive that is well but for this.
#[track_caller]
fn nothing_with(entry: Entry<'_>, told: &str) {
    let (manifest, component) = (manifest("x", "1.0.0", ""), component(NOTHING));
    let whole = [("plugin.toml", b'0', manifest.as_bytes()), ("plugin.wasm", b'0', &*component)];
    nothing_of(&archive(&[&whole[..], &[entry]].concat()), told);
}

/// As [`nothing_of`], of a package with this manifest and this component.
#[track_caller]
fn nothing_said(manifest: &str, component: &[u8], told: &str) {
    nothing_of(
        &archive(&[("plugin.toml", b'0', manifest.as_bytes()), ("plugin.wasm", b'0', component)]),
        told,
    );
}

#[test]
fn a21_an_archive_that_leads_out_of_the_folder_writes_nothing() {
    nothing_with(("../../etc/x", b'0', b"x"), "`../../etc/x` is no name for a file of a package");
}

#[test]
fn a22_an_archive_with_names_that_lead_elsewhere_writes_nothing() {
    for name in ["/etc/x", "C:\\x", "x\0/../../etc/x", "a/./b"] {
        nothing_with((name, b'0', b"x"), "is no name for a file of a package");
    }
}

#[test]
fn a24_an_archive_with_what_is_no_file_writes_nothing() {
    for (kind, told) in [(b'1', "a hard link"), (b'2', "a link"), (b'3', "a device"), (b'6', "a pipe")] {
        nothing_with(("x", kind, b""), told);
    }
    nothing_with(("x", b'x', b"22 path=../../etc/pas\n"), "a header of the PAX form");
}

#[cfg(unix)]
#[test]
fn a24_a_link_in_a_folder_is_neither_packed_nor_installed() {
    let workplace = Workplace::new();
    package(&workplace, "x", "x", "1.0.0", "");
    workplace.write("secret", "words");
    std::os::unix::fs::symlink(workplace.path("secret"), workplace.path("x/README")).unwrap();
    for words in ["plugin pack x", "plugin install x"] {
        refused(&workplace, words, "`README` is a link; a package has regular files and folders alone");
    }
    assert_eq!(
        below(&workplace, "."),
        ["./secret", "./x", "./x/README", "./x/plugin.toml", "./x/plugin.wasm"]
    );
}

#[test]
fn a25_an_archive_that_grows_without_end_writes_nothing() {
    let zeros = vec![0; 100 << 20];
    nothing_of(
        &archive(&[("a", b'0', &zeros), ("b", b'0', &zeros), ("c", b'0', &zeros)]),
        "more than 272 MiB",
    );
}

#[test]
fn a27_an_archive_with_names_that_are_one_on_some_systems_writes_nothing() {
    let manifest = manifest("x", "1.0.0", "");
    let entries =
        [("plugin.toml", b'0', manifest.as_bytes()), ("README", b'0', b"a"), ("Readme", b'0', b"b")];
    nothing_of(&archive(&entries), "`Readme` and `README` are one file on some systems");
    nothing_with(("plugin.toml", b'0', b"x"), "`plugin.toml` and `plugin.toml` are one file");
    nothing_with(("cafe\u{301}", b'0', b""), "is no name for a file of a package");
}

#[test]
fn a35_a_manifest_that_deceives_who_reads_it_writes_nothing() {
    let said = |more: &str, told| nothing_said(&manifest("x", "1.0.0", more), &component(NOTHING), told);
    said("authors = ['Аcme']", "the author `\\u{410}cme` is written in several scripts");
    said("authors = [\"Ac\\u200Bme\"]", "in which U+200B is not visible as it is");
    said("description = \"a\\u202Eb\"", "in which U+202E is not visible as it is");
    said("# a comment \u{202e}too", "in which U+202E is not visible as it is");
    nothing_said(
        &manifest("\u{445}", "1.0.0", ""),
        b"",
        "x.tar.gz/plugin.toml:2:6: `\u{445}` is not a valid plugin id",
    );
}

#[test]
fn a39_a_component_that_is_not_what_its_manifest_says_writes_nothing() {
    let said = |text: &str, told| nothing_said(&manifest("x", "1.0.0", ""), &component(text), told);
    let importing = |name: &str| format!("(component (import \"{name}\" (instance)))");
    said(
        &importing("tapline:plugin/http@1.0.0"),
        "plugin `x` imports `tapline:plugin/http@1.0.0`, which it was not granted",
    );
    said(&importing("wasi:http/types@0.2.0"), "imports `wasi:http/types@0.2.0`, which it was not granted");
    said(&importing("tapline:plugin/log@9.0.0"), "plugin `x` was built for contract 9.0.0");
    said("(component)", "does not export `tapline:plugin/lifecycle`");
    said("(module)", "it is a core module, and not a component");
}

#[test]
fn a_package_without_a_manifest_or_with_a_wrong_one_writes_nothing() {
    nothing_of(&archive(&[("plugin.wasm", b'0', b"x")]), "cannot read x.tar.gz/plugin.toml\n");
    nothing_said(
        &manifest("x", "1.0.0", "colour = 1"),
        b"",
        "x.tar.gz/plugin.toml:6:1: unknown field `colour`",
    );
    let schema = "[[provides]]\npoint = 'node'\nkey = 'x'\nschema = 'x.json'";
    nothing_said(&manifest("x", "1.0.0", schema), b"", "cannot read x.tar.gz/x.json");
    nothing_said(
        &format!("{}# {}", manifest("x", "1.0.0", ""), "x".repeat(4 << 20)),
        b"",
        "it has more than 4194304 bytes",
    );
    nothing_of(b"no archive", "it is no archive that can be read");
    let whole = archive(&[("plugin.toml", b'0', &[b'#'; 4000])]);
    nothing_of(&whole[..whole.len() - 30], "the archive is cut off");
    nothing_of(&[whole, b"more".to_vec()].concat(), "something follows on the end of the archive");
}

#[test]
fn a68_what_a_package_says_of_itself_steers_no_terminal() {
    let workplace = Workplace::new();
    for (place, more) in
        [("id = 'x'", "id = \"\\u001b[2J\""), ("host = '^1'", "host = '^1'\n\"\\u001b[2J\" = 1")]
    {
        let manifest = manifest("x", "1.0.0", "").replace(place, more);
        workplace.write("x.tar.gz", archive(&[("plugin.toml", b'0', manifest.as_bytes())]));
        let said = workplace.tapline("plugin install x.tar.gz");
        assert!(said.code == 2 && said.err.contains("[2J") && !said.err.contains('\u{1b}'), "{}", said.err);
    }
}
