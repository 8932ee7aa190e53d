use std::fs;

use expect_test::{Expect, expect};
use tapline_core::{ClockGrant, Folder, FolderGrant, FolderMode};

use super::*;

const WHOLE: &str = "\
[plugins]
folders = ['one', 'two']
blocked = ['telemetry']
[policy]
call = ['provider/*', 'search/web']
publish = ['report.*']
subscribe = ['run.>']
fs = [{ path = 'scratch:', mode = 'rw', max = '1MiB' }, { path = 'data:', mode = 'r' }]
clock = 'precise'
random = true
[limits]
memory = '1GiB'
cpu = '500ms'
wall = '1m'
[supervision]
restarts = 0
within = '10s'
drain = '0s'
trial = '0s'
trial_faults = 7
[secrets]
key = { env = 'KEY' }
";

fn written(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["one", "two"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join(Settings::FILE), text).unwrap();
    folder
}

/// What is said of a text, without the folder in which it stood.
fn said(text: &str) -> String {
    let folder = written(text);
    let error = Settings::read(&folder.path().join(Settings::FILE)).unwrap_err();
    error.to_string().replace(&format!("{}/", folder.path().display()), "")
}

#[expect(clippy::needless_pass_by_value, reason = "it is made where it is passed")]
#[track_caller]
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&(said(text) + "\n"));
}

#[test]
fn what_single_plugins_may_and_what_nobody_may_stands_below_the_policy() {
    let folder = written(
        "[policy]\ncall = ['provider/*']\n[policy.plugins.search]\ncall = ['counter']\nclock = 'precise'\nrandom = true\n\
         [policy.deny]\ncall = ['provider/secret']\npublish = ['bill.*']\nsubscribe = ['bill.*']\n\
         fs = [{ path = 'data:', mode = 'rw' }]\ncontext = { read = ['input.key'] }\n[audit]\nfile = 'audit.jsonl'\n",
    );
    let settings = Settings::beside(&folder.path().join("pipeline.yaml")).unwrap();
    let grants = |text: &str| -> tapline_core::Grants { toml::from_str(text).unwrap() };
    let more = grants("call = ['counter']\nclock = 'precise'\nrandom = true");
    let denied = grants(
        "call = ['provider/secret']\nevents = { publish = ['bill.*'], subscribe = ['bill.*'] }\n\
         fs = [{ path = 'data:', mode = 'rw' }]\ncontext = { read = ['input.key'] }",
    );
    let policy = Policy::default().allow_call("provider/*".parse().unwrap());
    let policy = policy.allow_for(PluginId::new("search").unwrap(), &more).deny(&denied);
    assert_eq!(settings.policy(), &policy);
    assert_eq!(settings.audit().unwrap(), folder.path().join("audit.jsonl"));
    check(
        "[policy.plugins.Search]\ncall = 1\nown_authority = true\n[policy.deny]\nclock = 'coarse'\nfs = [{ path = 'home:', mode = 'r' }]\n",
        expect![[r#"
            tapline.toml:1:17: `Search` is not a valid plugin id: lower-case letters, digits, `_` and `-`, beginning with a letter, at most 64
            tapline.toml:2:8: a list is expected here
            tapline.toml:3:1: unknown key `own_authority`, expected one of `call`, `publish`, `subscribe`, `fs`, `clock`, `random`, `network`, `processes`, `env`, `folders`, `http`, `secrets`
            tapline.toml:5:1: unknown key `clock`, expected one of `call`, `publish`, `subscribe`, `fs`, `http`, `secrets`, `context`
            tapline.toml:6:16: unknown variant `home:`, expected `data:` or `scratch:`
        "#]],
    );
}

#[test]
fn everything_that_can_be_said_is_read() {
    let folder = written(WHOLE);
    let settings = Settings::beside(&folder.path().join("pipeline.yaml")).unwrap();
    assert_eq!(settings.folders(), ["one", "two"].map(|name| folder.path().join(name)));
    assert_eq!(settings.blocked().iter().map(PluginId::as_str).collect::<Vec<_>>(), ["telemetry"]);
    let topics = |topics| tapline_core::TopicPattern::new(topics).unwrap();
    let policy =
        Policy::default().allow_call("provider/*".parse().unwrap()).allow_call("search/web".parse().unwrap());
    let policy = policy.allow_publish(topics("report.*")).allow_subscribe(topics("run.>"));
    let scratch = FolderGrant::new(Folder::Scratch, FolderMode::ReadWrite).max(tapline_core::Bytes(1 << 20));
    let policy = policy.allow_folder(scratch).allow_folder(FolderGrant::new(Folder::Data, FolderMode::Read));
    let policy = policy.allow_clock(ClockGrant::Precise).allow_random();
    assert_eq!(settings.policy(), &policy);
    let (cpu, wall) = (Duration::from_millis(500), Duration::from_secs(60));
    assert_eq!(
        settings.limits(),
        &Limits { memory: tapline_core::Bytes(1 << 30), cpu, wall, ..Limits::default() }
    );
    assert_eq!(
        (settings.supervision().restarts, settings.supervision().within),
        (0, Duration::from_secs(10))
    );
    assert_eq!(settings.drain(), Duration::ZERO);
    assert_eq!((settings.supervision().trial, settings.supervision().trial_faults), (Duration::ZERO, 7));
    let secrets = settings.secrets(|name| Some(format!("value of {name}"))).unwrap();
    assert_eq!(secrets.get("key"), Some("value of KEY"));
}

#[test]
fn without_a_file_everything_is_as_it_is_unless_said() {
    let settings = Settings::beside(Path::new("no/such/pipeline.yaml")).unwrap();
    assert_eq!(settings.limits(), &Limits::default());
    assert_eq!(settings.policy(), &Policy::default());
    assert_eq!((settings.supervision().restarts, settings.drain()), (5, Duration::from_secs(10)));
    let supervision = settings.supervision();
    assert_eq!((supervision.trial, supervision.trial_faults), (Duration::from_secs(10), 3));
    assert!(settings.folders().is_empty() && settings.blocked().is_empty());
}

#[test]
fn all_mistakes_are_told_together_each_at_its_place() {
    check(
        "\
colour = 1
[plugins]
folders = ['one', 'three', 4]
block = []
blocked = ['Telemetry']
[policy]
call = ['Provider', '*/x', 'provider/*']
publish = ['report..x']
subscribe = '>'
[limits]
memory = '64MB'
cpu = 'soon'
wall = '0s'
[supervision]
restarts = -1
within = '0s'
[secrets]
one = 'text'
two = { env = 'A', file = 'b' }
three = { variable = 'A' }
'a b' = { env = 'A' }
",
        expect![[r#"
            tapline.toml:1:1: unknown key `colour`, expected one of `plugins`, `policy`, `limits`, `supervision`, `audit`, `secrets`
            tapline.toml:3:19: the folder `three` cannot be listed: No such file or directory (os error 2)
            tapline.toml:3:28: a text is expected here
            tapline.toml:4:1: unknown key `block`, expected one of `folders`, `blocked` (did you mean `blocked`?)
            tapline.toml:5:12: `Telemetry` is not a valid plugin id: lower-case letters, digits, `_` and `-`, beginning with a letter, at most 64
            tapline.toml:7:9: `Provider` is nothing that can be called: write `point/key`, a plugin's id, or `capability:name`
            tapline.toml:7:21: `*/x` is nothing that can be called: write `point/key`, a plugin's id, or `capability:name`
            tapline.toml:8:12: `report..x` is not a topic pattern: tokens joined by dots, where `*` stands for one token and `>`, at the end, for the rest
            tapline.toml:9:13: a list is expected here
            tapline.toml:11:10: `64MB` is not a size: a whole number and B, KiB, MiB or GiB, as in `64MiB`
            tapline.toml:12:7: `soon` is not a duration such as `2s` or `500ms`: expected number at 0
            tapline.toml:13:8: `0s` is too short
            tapline.toml:15:12: a whole number that is not negative is expected here
            tapline.toml:16:10: `0s` is too short
            tapline.toml:18:7: a table is expected here
            tapline.toml:19:7: give either `env`, the name of a variable, or `file`
            tapline.toml:20:9: give either `env`, the name of a variable, or `file`
            tapline.toml:20:11: unknown key `variable`, expected one of `env`, `file`
            tapline.toml:21:1: `a b` is not a name: letters, digits, `_` and `-`
        "#]],
    );
}

#[test]
fn requests_and_secrets_of_the_policy_are_read_whole_or_refused() {
    let folder = written(
        "[policy]
http = [{ hosts = ['*.a.example'], methods = ['GET'], paths = ['/v1/*'], private = true }]
secrets = [{ name = 'key', header = 'Authorization', hosts = ['x.a.example'] }]
",
    );
    let settings = Settings::beside(&folder.path().join("pipeline.yaml")).unwrap();
    let same: tapline_core::Grants = toml::from_str(
        "http = [{ hosts = ['*.a.example'], methods = ['GET'], paths = ['/v1/*'], private = true }]
         secrets = [{ name = 'key', header = 'authorization', hosts = ['x.a.example'] }]",
    )
    .unwrap();
    let policy = Policy::default().allow_http(same.http[0].clone()).allow_secret(same.secrets[0].clone());
    assert_eq!(settings.policy(), &policy);
    check(
        "[policy]
http = [
  'a.example',
  { hosts = ['*'], methods = ['get'], paths = [], private = 'yes' },
  { hosts = ['${config:base_url}'], methods = ['GET'], paths = ['/*'] },
  { hosts = ['a.example'], methods = ['GET'], paths = ['/v1*'] },
  { hosts = ['a.example'], methods = ['GET'] },
  { hosts = ['a.example'], method = 'GET' },
]
secrets = [{ header = 'Host', hosts = [] }, { name = 'x', header = 'y', hosts = [] }, { name = '${config:key}', header = 'y', hosts = ['a.example'] }, { name = 'a b', header = 'y', hosts = ['a.example'] }]
",
        expect![[r#"
            tapline.toml:2:8: `${config:base_url}` names no host here: a policy says which hosts a configuration may name
            tapline.toml:3:3: invalid type: string "a.example", expected a table
            tapline.toml:4:13: `*` names no host: write it as in `api.example.com`, `*.example.com`, `api.example.com:8443`, `http://localhost:8080` or `[2001:db8::1]`
            tapline.toml:6:55: `/v1*` names no paths: write it as in `/v1/search`, `/repos/*/issues` or `/v1/*`, where `*` is a whole segment
            tapline.toml:7:3: missing field `paths`
            tapline.toml:8:28: unknown field `method`, expected one of `hosts`, `methods`, `paths`, `private`, `why`
            tapline.toml:10:11: `${config:key}` names no secret here: a policy says which secrets a configuration may name
            tapline.toml:10:23: `Host` is a header that the host sets itself
            tapline.toml:10:81: the list is empty: name what is meant, and nothing stands for all
            tapline.toml:10:161: `a b` is not the name of a secret: letters, digits, `_` and `-`, or `${config:api_key}`, with dots between keys
        "#]],
    );
}

#[test]
fn what_is_no_toml_is_told_at_its_place() {
    check(
        "[plugins]\nfolders = [\n[limits]\ncpu = 2 s\n",
        expect![[r#"
            tapline.toml:3:2: string values must be quoted, expected literal string
            tapline.toml:4:1: missing comma between array elements, expected `,`
            tapline.toml:4:1: string values must be quoted, expected literal string
            tapline.toml:4:5: unexpected `=` in array, expected value, `]`
            tapline.toml:4:7: missing comma between array elements, expected `,`
            tapline.toml:4:7: string values must be quoted, expected literal string
            tapline.toml:4:10: unclosed array, expected `]`
        "#]],
    );
    check(
        "[limits]\ncpu = '1s'\ncpu = '2s'\n",
        expect![[r#"
        tapline.toml:3:1: duplicate key
    "#]],
    );
}

#[test]
fn what_is_not_utf_8_is_told_at_its_place() {
    let folder = written("");
    let file = folder.path().join(Settings::FILE);
    fs::write(&file, b"# \xe9\n").unwrap();
    let error = Settings::read(&file).unwrap_err().to_string();
    assert!(error.ends_with("tapline.toml:1:3: the text is not UTF-8 from here on"), "{error}");
}

#[cfg(unix)]
#[test]
fn secrets_that_cannot_be_used_are_told_where_they_are_named() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = written(
        "[secrets]\nunset = { env = 'UNSET' }\nshort = { env = 'SHORT' }\nopen = { file = 'open' }\n\
         gone = { file = 'gone' }\nempty = { file = 'empty' }\n",
    );
    for (name, text, mode) in [("open", "open secret", 0o644), ("empty", "\n", 0o600)] {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    }
    let settings = Settings::read(&folder.path().join(Settings::FILE)).unwrap();
    let variable = |name: &str| (name == "SHORT").then(|| "abc".to_owned());
    let error = settings.secrets(variable).unwrap_err().to_string();
    expect![[r#"
        tapline.toml:2:9: secret `unset`: the environment variable `UNSET` is not set
        tapline.toml:3:9: secret `short`: the value has fewer than 4 characters, and cannot be told from other text
        tapline.toml:4:8: secret `open`: open: others may use the file (mode 644); `chmod 600` keeps it to its owner
        tapline.toml:5:8: secret `gone`: gone: No such file or directory (os error 2)
        tapline.toml:6:9: secret `empty`: the value is empty"#]].assert_eq(&error.replace(&format!("{}/", folder.path().display()), ""));
    fs::write(folder.path().join("empty"), "whole secret\r\n").unwrap();
    fs::write(folder.path().join(Settings::FILE), "[secrets]\nempty = { file = 'empty' }\n").unwrap();
    let settings = Settings::read(&folder.path().join(Settings::FILE)).unwrap();
    assert_eq!(settings.secrets(|_| None).unwrap().get("empty"), Some("whole secret"));
}
