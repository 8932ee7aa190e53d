use std::fs;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

const DIGESTS: [&str; 2] = [
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "sha256:f3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
];

fn plugin(id: &str, version: &str, folder: Option<(&str, usize)>, grants: &str) -> LockedPlugin {
    let from = match folder {
        None => LockedFrom::BuiltIn,
        Some((path, digest)) => {
            LockedFrom::Folder { path: path.into(), digest: DIGESTS[digest].parse().unwrap() }
        }
    };
    let (id, version) = (PluginId::new(id).unwrap(), version.parse().unwrap());
    LockedPlugin { id, version, from, grants: toml::from_str(grants).unwrap(), asked: None }
}

fn example() -> Lock {
    let grants = "call = ['provider/*']\nfs = [{ path = 'data:', mode = 'rw' }]\n\
        [context]\nread = ['input.a']\n[events]\npublish = ['report.*']\nsubscribe = ['run.>']";
    let redact = plugin("redact", "1.0.0", Some(("plugins/redact", 0)), grants);
    Lock::new(vec![plugin("io", "0.1.0", None, ""), redact])
}

fn read(text: &str) -> Result<Lock, Mistake> {
    form::read(Path::new(Lock::FILE), text)
}

#[test]
fn a_lock_is_written_for_people_to_read() {
    expect![[r##"
        # Written by `tapline lock`; not meant to be edited.
        version = 1

        [[plugin]]
        id = "io"
        version = "0.1.0"
        from = "built in"

        [plugin.grants.context]

        [[plugin]]
        id = "redact"
        version = "1.0.0"
        from = "plugins/redact"
        digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

        [plugin.grants]
        call = ["provider/*"]

        [plugin.grants.context]
        read = ["input.a"]

        [plugin.grants.events]
        publish = ["report.*"]
        subscribe = ["run.>"]

        [[plugin.grants.fs]]
        path = "data:"
        mode = "rw"
    "##]]
    .assert_eq(&form::write(&example()).unwrap());
}

#[test]
fn what_a_package_asks_for_beyond_what_it_asked_for_is_told_and_an_older_lock_tells_nothing() {
    let manifest: Manifest = toml::from_str(
        "[plugin]\nid = 'redact'\nversion = '1.0.0'\nhost = '^1'\nruntime = 'wasm'\n\
         [requires]\ncall = ['provider/echo', 'counter']\nclock = 'coarse'",
    )
    .unwrap();
    let older = example();
    assert!(older.asked_beyond(&manifest).is_empty());
    let mut plugins = older.plugins().to_vec();
    plugins[1].asked = Some(toml::from_str("call = ['provider/*']").unwrap());
    let lock = Lock::new(plugins);
    assert_eq!(lock.asked_beyond(&manifest), ["know the coarse time", "call `counter`"]);
    let read = read(&form::write(&lock).unwrap()).unwrap();
    assert_eq!(read, lock);
    assert!(Lock::default().asked_beyond(&manifest).is_empty());
}

#[test]
fn a_lock_is_in_its_file_whole_and_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(Lock::FILE);
    let calls = plugin("a", "1.0.0", None, "call = ['plugin/*', 'plugin/capability:x']");
    for lock in [example(), Lock::default(), Lock::new(vec![calls])] {
        lock.write(&file).unwrap();
        assert_eq!(Lock::read(&file).unwrap(), lock);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let missing = folder.path().join("none/tapline.lock");
    assert!(matches!(Lock::default().write(&missing), Err(LockError::Unwritable { .. })));
    assert!(matches!(Lock::read(&missing), Err(LockError::Unreadable { .. })));
}

#[expect(clippy::needless_pass_by_value, reason = "it is made where it is passed")]
#[track_caller]
fn refused(text: &str, expected: Expect) {
    expected.assert_eq(&read(text).unwrap_err().to_string());
}

#[test]
fn what_is_wrong_in_a_lock_is_told_at_its_place() {
    let one = "[[plugin]]\nid = 'io'\nversion = '0.1.0'\nfrom = 'built in'\n";
    refused("", expect!["tapline.lock:1:1: the key `version` is missing"]);
    refused(
        "version = 2\nelse = 1\n",
        expect!["tapline.lock:1:11: it was written by a newer tapline; this one reads version 1"],
    );
    refused(
        "version = 'x'\n",
        expect!["tapline.lock:1:11: a whole number that is not negative is expected here"],
    );
    refused("version = 0\n", expect!["tapline.lock:1:11: there is no version 0"]);
    refused("version = 1\nversion = 1\n", expect!["tapline.lock:2:1: duplicate key"]);
    refused(
        "version = 1\ncolour = 1\n",
        expect!["tapline.lock:2:1: unknown field `colour`, expected `version` or `plugin`"],
    );
    refused(
        &format!("version = 1\n{one}colour = 1\n"),
        expect![
            "tapline.lock:6:1: unknown field `colour`, expected one of `id`, `version`, `from`, `digest`, `grants`, `asked`"
        ],
    );
    refused(&format!("version = 1\n{one}{one}"), expect!["tapline.lock:6:1: there are two plugins `io`"]);
    refused(
        &format!("version = 1\n{one}digest = 'sha256:12'\n"),
        expect!["tapline.lock:6:10: `sha256:12` is not a digest: `sha256:` and 64 hex digits in lower case"],
    );
    refused(
        &format!("version = 1\n{}", one.replace("built in", "x")),
        expect!["tapline.lock:2:1: plugin `io` has no `digest`"],
    );
    refused(
        &format!("version = 1\n{one}grants = {{ context = {{ read = ['*'] }} }}\n"),
        expect![
            "tapline.lock:6:31: `*` is not a path: tokens joined by dots, as in `input.user`, where `*` stands for one token"
        ],
    );
}

#[test]
fn every_difference_is_told_in_words() {
    let folder = |path, digest| Some((path, digest));
    let locked = Lock::new(vec![
        plugin("a", "1.0.0", folder("plugins/a", 0), "[context]\nread = ['input.a', 'input.b']"),
        plugin("b", "1.0.0", None, ""),
        plugin("c", "1.0.0", None, "call = ['provider/*']"),
        plugin("d", "1.0.0", None, ""),
    ]);
    let now = Lock::new(vec![
        plugin("c", "1.1.0", folder("plugins/c", 0), ""),
        plugin("a", "1.0.0", folder("plugins/a", 1), "[context]\nread = ['input.a']\nwrite = ['output']"),
        plugin("d", "1.0.0", None, "fs = [{ path = 'data:', mode = 'r' }]"),
        plugin("e", "2.0.0", folder("plugins/e", 0), "call = ['provider/echo']"),
    ]);
    let told = locked.drift(&now).iter().map(|drift| format!("{drift}\n")).collect::<String>();
    expect![[r#"
        plugin `b` 1.0.0, built in, was removed
        plugin `e` 2.0.0, from plugins/e, was added and may call `provider/echo`
        plugin `c` has version 1.1.0, which was 1.0.0
        plugin `c` is from plugins/c, which was built in
        plugin `c` may no longer call `provider/*`
        the files of plugin `a` have changed: sha256:f3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, which was sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
        plugin `a` may now write `output`, and may no longer read `input.b`
        plugin `d` may now read the folder `data:`
        the plugins start in the order `c`, `a`, `d`, which was `a`, `c`, `d`
    "#]].assert_eq(&told);
    assert!(locked.drift(&locked).is_empty());
}

proptest! {
    #[test]
    fn any_lock_reads_back(plugins in prop::collection::vec((".{0,20}", 0..2_usize, 0..3_u64), 0..5)) {
        let plugins = plugins.into_iter().enumerate().map(|(place, (path, digest, minor))| {
            plugin(&format!("p{place}"), &format!("1.{minor}.0"), Some((&path, digest)), "")
        });
        let lock = Lock::new(plugins.collect());
        let text = form::write(&lock).unwrap();
        prop_assert_eq!(read(&text).unwrap(), lock);
    }

    #[test]
    fn no_text_breaks_the_reader(text in "(version = 1\n)?[a-z\\[\\]= '\"\n.]{0,80}") {
        let _ = read(&text);
    }
}
