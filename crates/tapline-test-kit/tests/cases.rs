//! What cases in a file promise to whoever writes them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use expect_test::{Expect, expect};
use tapline::WasmRuntime;
use tapline_test_kit::{Cases, guest};

/// Runs the cases of a file with a plugin of this repository; what is shown has the file's name alone.
async fn run(file: &Path, plugin: &str) -> String {
    let cases = Cases::read(file).unwrap();
    let runtime = Arc::new(WasmRuntime::new().unwrap());
    let mut shown = String::new();
    for number in 0..cases.names().count() {
        let result = cases.run(number, &guest(plugin), runtime.clone()).await.unwrap();
        shown.push_str(&result.to_string().replace(&format!("{}/", file.parent().unwrap().display()), ""));
    }
    shown
}

fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cases.yaml");
    std::fs::write(&file, text).unwrap();
    (folder, file)
}

async fn check(plugin: &str, text: &str, expected: Expect) {
    let (_folder, file) = written(text);
    expected.assert_eq(&run(&file, plugin).await);
}

fn check_mistake(text: &str, expected: &Expect) {
    let (folder, file) = written(text);
    let error = Cases::read(file).unwrap_err().to_string();
    expected.assert_eq(&error.replace(&format!("{}/", folder.path().display()), ""));
}

#[tokio::test]
async fn the_cases_of_the_example_pass() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/triage/plugins/redact/cases/redact.yaml");
    let expected = expect![[r#"
        passed  an address is taken out of a prompt, before a model sees it
        passed  a node of another type is left alone
        passed  an unknown kind of data is refused
    "#]];
    expected.assert_eq(&run(Path::new(file), "redact").await);
}

#[tokio::test(start_paused = true)]
async fn a_case_that_fails_shows_what_was_expected_beside_what_was_found() {
    let text = "
cases:
  - name: an address stays
    hook:
      point: node.execute
      facts: { type: chat }
      input: { with: { prompt: to ada@example.com } }
    expect:
      reached: [{ with: { prompt: to ada@example.com } }]
      log: [nothing of the kind]
";
    check(
        "redact",
        text,
        expect![[r#"
        FAILED  an address stays
          --> cases.yaml:3:11
            what reached the inside (- expected, + found):
                [
                  {
                    "with": {
              -       "prompt": "to ada@example.com"
              +       "prompt": "to [email]"
                    }
                  }
                ]
            log (- expected, and not there in its turn):
              - nothing of the kind
    "#]],
    )
    .await;
}

#[tokio::test]
async fn servers_and_secrets_stand_in_the_file() {
    let text = r#"
setup:
  config: { base_url: "https://api.example", other_url: "https://b.example" }
  secrets: { key: a-key-that-is-long }
  http:
    - { url: "https://api.example/v1", json: found }
cases:
  - name: the key is sent, and the answer comes back
    request:
      point: errand
      key: run
      input: { url: "https://api.example/v1", headers: [[authorization, "${secret:key}"]] }
    expect:
      requests:
        - { url: "https://api.example/v1", headers: { authorization: a-key-that-is-long } }
      audit: ["request GET https://api.example/v1", use the secret key]
      log: ["status: 200"]
  - name: nothing else is there
    request: { point: errand, key: run, input: { url: "https://api.example/v2" } }
    expect:
      error: { code: unreachable, message: the test has no answer for GET }
"#;
    check(
        "courier",
        text,
        expect![[r#"
        passed  the key is sent, and the answer comes back
        passed  nothing else is there
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_plugin_that_does_not_start_says_why() {
    let text = "
cases:
  - name: it starts
    setup: { config: { kinds: [shoe size] } }
    start: true
";
    check("redact", text, expect![[r#"
        FAILED  it starts
          --> cases.yaml:3:11
            the plugin does not start:
              plugin `redact` did not start: `shoe size` is no kind of data; known are token, email, iban, card, phone
    "#]]).await;
}

#[tokio::test]
async fn a_start_that_fails_otherwise_than_expected_has_not_passed() {
    let text = "
cases:
  - name: it is refused
    start: true
    expect: { error: { code: invalid-config }, log: [never said] }
";
    let package = tempfile::tempdir().unwrap();
    std::fs::copy(guest("redact").join("plugin.toml"), package.path().join("plugin.toml")).unwrap();
    std::fs::write(package.path().join("plugin.wasm"), "broken").unwrap();
    let (_folder, file) = written(text);
    let cases = Cases::read(file).unwrap();

    let result = cases.run(0, package.path(), Arc::new(WasmRuntime::new().unwrap())).await.unwrap();

    let shown = result.to_string();
    assert!(shown.contains("- invalid-config") && shown.contains("+ not-started"), "{shown}");
    assert!(shown.contains("never said"), "{shown}");
}

#[test]
fn what_would_be_passed_over_is_a_mistake() {
    for (case, expected) in [
        ("start: true, expect: { output: 1 }", "a `start` has no `output`"),
        ("method: { name: a }, expect: { reached: [] }", "`reached` is for a `hook`"),
        (
            "method: { name: a }, expect: { output: 1, error: { code: a } }",
            "there is an `output` or an `error`",
        ),
        ("publish: { topic: a }, expect: { output: 1 }", "an event has no answer"),
        ("publish: { topic: a }, expect: { calls: [] }", "when an event has been taken is not known"),
        ("start: true, setup: { answers: [{ target: a, method: b }] }", "`b` of `a` has one answer"),
        ("start: true, setup: { http: [{ url: 'http://a', json: 1, body: b }] }", "a `json` or a `body`"),
    ] {
        let (_folder, file) = written(&format!("cases:\n  - {{ name: it, {case} }}\n"));
        let error = Cases::read(file).unwrap_err().to_string();
        assert!(error.contains(expected), "{case}: {error}");
    }
}

#[test]
fn a_mistake_is_told_with_its_place() {
    check_mistake(
        "cases:\n  - name: x\n    nod: { type: a }\n",
        &expect![
            "cases.yaml:3:5: unknown field `nod`, expected one of name, setup, node, hook, complete, method, request, publish, start, expect"
        ],
    );
    check_mistake(
        "cases:\n  - name: x\n",
        &expect![
            "cases.yaml:2:11: `x` has to do one thing: `node`, `hook`, `complete`, `method`, `request`, `publish` or `start`"
        ],
    );
    check_mistake(
        "cases:\n  - name: x\n    start: true\n    method: { name: a }\n",
        &expect![
            "cases.yaml:2:11: `x` has to do one thing: `node`, `hook`, `complete`, `method`, `request`, `publish` or `start`"
        ],
    );
    check_mistake("cases: []\n", &expect!["cases.yaml:1:1: there is no case"]);
    check_mistake("cases:\n  - name: [x\n", &expect!["cases.yaml:2:11: expected string scalar"]);
}
