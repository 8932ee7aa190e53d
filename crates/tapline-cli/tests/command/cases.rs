//! Cases of pipelines.

use std::fs;

use expect_test::expect;

use crate::support::{Said, Workplace, repository};

/// Asks a model for each word, up to four at a time.
const WORDS: &str = "\
name: words
inputs:
  words: { type: array, default: [one, two, three] }
plugins:
  echo: { config: { rules: [{ match: 'one', reply: { n: 1 } }, { match: '.*', reply: { n: 0 } }] } }
nodes:
  answer:
    type: chat
    map: { over: \"{{ inputs.words }}\", as: word, parallel: 4 }
    with: { prompt: \"{{ word }}\" }
  save: { type: write, with: { path: out.jsonl, items: \"{{ answer.items }}\" } }
outputs:
  numbers: \"{{ answer.items }}\"
";

fn words(cases: &str) -> Workplace {
    let workplace = Workplace::with(WORDS);
    workplace.write("pipeline.test.yaml", cases);
    workplace
}

#[track_caller]
fn passes(said: &Said) {
    assert_eq!((said.code, said.out.as_str()), (0, ""), "{}", said.err);
}

#[test]
fn the_cases_of_the_example_pass_and_write_nothing() {
    let workplace = Workplace::triage();
    let said = workplace.tapline("test pipeline.yaml");
    passes(&said);
    assert!(said.err.ends_with("3 passed, 0 failed\n"), "{}", said.err);
    assert!(!workplace.path("report.csv").exists());
}

#[test]
fn the_recording_of_the_example_is_what_a_recording_writes_and_has_no_address() {
    let workplace = Workplace::triage();
    let said = workplace.tapline("test pipeline.yaml --record");
    passes(&said);
    let recorded = workplace.read("replays/addresses.jsonl");
    let kept = fs::read_to_string(repository().join("examples/triage/replays/addresses.jsonl")).unwrap();
    assert_eq!(recorded, kept);
    assert!(recorded.contains("[email]") && !recorded.contains("ada@"), "{recorded}");
}

const FAILING: &str = "\
cases:
  - name: the first is one
    mocks: { save: { output: null } }
    expect:
      outputs: { numbers: [{ n: 1 }, { n: 2 }, { n: 0 }] }
      nodes: { answer: { state: skipped } }
  - name: two are too few
    inputs: { words: [one] }
    mocks: { save: { error: disk full } }
    expect: { error: disk empty }
  - name: an error that nobody expects
    mocks: { answer: { error: no model } }
  - name: an error that does not come
    mocks: { save: { output: null } }
    expect: { error: no model }
";

#[test]
fn a_case_that_fails_shows_where_it_stands_and_what_was_found_instead() {
    let workplace = words(FAILING);
    let said = workplace.tapline("test pipeline.yaml");
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    expect![[r#"
        FAILED  the first is one
          --> pipeline.test.yaml:2:11
            outputs (- expected, + found):
                {
                  "numbers": [
                    {
                      "n": 1
                    },
                    {
              -       "n": 2
              +       "n": 0
                    },
                    {
                      "n": 0
                    }
                  ]
                }
            nodes (- expected, + found):
                {
                  "answer": {
              -     "state": "skipped"
              +     "state": "done"
                  }
                }
        FAILED  two are too few
          --> pipeline.test.yaml:7:11
            error (- expected, + found):
              - disk empty
              + node `save` failed: disk full
        FAILED  an error that nobody expects
          --> pipeline.test.yaml:11:11
            an error:
              node `answer` failed on item 0: no model
        FAILED  an error that does not come
          --> pipeline.test.yaml:13:11
            there is no error:
              expected: no model
        0 passed, 4 failed
    "#]]
    .assert_eq(&said.err);
}

const MISTAKEN: &str = "\
cases:
  - name: everything is wrong
    inputs: { wrods: [one], words: 1 }
    mocks:
      anwser: { output: 1 }
      answer: { output: 1, error: both }
    replay: nowhere.jsonl
    expect:
      error: both
      outputs: { number: 1 }
      nodes: { there: { state: done }, answer: { output: 1 } }
  - name: another recording of the same
    replay: nowhere.jsonl
";

#[test]
fn all_mistakes_of_cases_are_shown_in_one_pass_and_nothing_runs() {
    let workplace = words(MISTAKEN);
    let said = workplace.tapline("test pipeline.yaml");
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    let is_told = |line: &&str| ["error[", "--> ", "= hint"].iter().any(|part| line.trim().starts_with(part));
    let told: Vec<_> = said.err.lines().filter(is_told).map(str::trim).collect();
    expect![[r#"
        error[unknown-reference]: the pipeline has no input `wrods`
        --> pipeline.test.yaml:3:15
        = hint: did you mean `words`?
        error[wrong-type]: the input `words` must be an array, not a number
        --> pipeline.test.yaml:3:29
        error[unknown-reference]: the pipeline has no node `anwser` to mock
        --> pipeline.test.yaml:5:7
        = hint: mocks can stand for `answer`, `save`
        error[invalid-value]: each answer of `answer` is an `output` or an `error`
        --> pipeline.test.yaml:6:7
        error[invalid-value]: the recording `nowhere.jsonl`: it is not there
        --> pipeline.test.yaml:7:13
        = hint: `tapline test pipeline.yaml --record` writes it
        error[invalid-value]: there are `outputs` or an `error`, and not both
        --> pipeline.test.yaml:9:14
        error[unknown-reference]: the pipeline has no output `number`
        --> pipeline.test.yaml:10:18
        = hint: it has `numbers`
        error[unknown-reference]: the pipeline has no node `there`
        --> pipeline.test.yaml:11:16
        = hint: it has `answer`, `save`
        error[invalid-value]: the output of `answer` cannot be seen: it is made of several
        --> pipeline.test.yaml:11:40
        = hint: make it an output of the pipeline, and expect it under `outputs`
        error[invalid-value]: `nowhere.jsonl` is the recording of another case
        --> pipeline.test.yaml:13:13
        = hint: give each case a file of its own
        error[invalid-value]: the recording `nowhere.jsonl`: it is not there
        --> pipeline.test.yaml:13:13
        = hint: `tapline test pipeline.yaml --record` writes it"#]]
    .assert_eq(&told.join("\n"));
    assert!(said.err.contains("      anwser: { output: 1 }\n  |       ^^^^^^\n"), "{}", said.err);
    assert!(!workplace.path("out.jsonl").exists());
}

#[test]
fn what_is_no_file_of_cases_is_refused_at_its_place() {
    for (text, expected) in [
        ("", "pipeline.test.yaml:1:1"),
        ("cases: []\n", "there is no case"),
        (
            "cases:\n  - nmae: a\n",
            "error[unknown-key]: `nmae` is not known here\n --> pipeline.test.yaml:2:5",
        ),
        ("cases:\n  - mocks: {}\n", "error[missing-key]: `name` is missing\n --> pipeline.test.yaml:2:5"),
        (
            "cases:\n  - name: a\n    name: b\n",
            "error[duplicate-key]: `name` is there twice\n --> pipeline.test.yaml:3:5",
        ),
        (
            "cases:\n  - name: a\n    expect: { nodes: { answer: { state: ready } } }\n",
            "`ready` is not known here\n --> pipeline.test.yaml:3:41",
        ),
        (
            "cases:\n  - name: a\n    mocks: { answer: 1 }\n",
            "expected an answer, as in `{ output: 1 }` or `{ error: busy }`, or a list of answers\n --> pipeline.test.yaml:3:14",
        ),
    ] {
        let said = words(text).tapline("test pipeline.yaml");
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{text}");
        assert!(said.err.contains(expected), "{text}\n{}", said.err);
    }
    let said = Workplace::with(WORDS).tapline("test pipeline.yaml");
    assert_eq!(said.code, 2);
    assert!(said.err.starts_with("error: pipeline.test.yaml: there are no cases"), "{}", said.err);
}

#[test]
fn the_answers_of_a_mock_are_for_the_items_in_their_order() {
    let items: Vec<_> = (0..40).map(|n| format!("{{ output: {n} }}")).collect();
    let numbers: Vec<_> = (0..40).map(|n| n.to_string()).collect();
    let workplace = words(&format!(
        "cases:
  - name: in order
    inputs: {{ words: [{0}] }}
    mocks: {{ answer: [{1}], save: {{ output: null }} }}
    expect: {{ outputs: {{ numbers: [{0}] }}, nodes: {{ save: {{ state: done, output: null }} }} }}
",
        numbers.join(", "),
        items.join(", ")
    ));
    passes(&workplace.tapline("test pipeline.yaml"));
    assert!(!workplace.path("out.jsonl").exists());
}

#[test]
fn items_keep_their_answers_behind_a_sandboxed_hook_that_takes_its_time() {
    let workplace = Workplace::triage();
    workplace.edit("pipeline.yaml", "outputs:\n", "outputs:\n  labels: \"{{ classify.items }}\"\n");
    let list = |one: &dyn Fn(usize) -> String| (0..40).map(one).collect::<Vec<_>>().join(", ");
    // The longest texts come first, so that the hook is done with them last.
    let tickets =
        list(&|n| format!("{{ status: open, body: '{}' }}", "ada@example.com ".repeat(20 * (40 - n))));
    let answers = list(&|n| format!("{{ output: {{ label: l{n} }} }}"));
    let labels = list(&|n| format!("{{ label: l{n} }}"));
    workplace.write(
        "pipeline.test.yaml",
        format!(
            "cases:
  - name: in order
    mocks: {{ load: {{ output: {{ items: [{tickets}] }} }}, classify: [{answers}], save: {{ output: null }} }}
    expect: {{ outputs: {{ labels: [{labels}] }} }}
"
        ),
    );
    passes(&workplace.tapline("test pipeline.yaml"));
}

#[test]
fn a_mock_that_has_no_answer_left_fails_the_case_whatever_the_pipeline_makes_of_it() {
    let workplace =
        words("cases:\n  - name: too few\n    mocks: { answer: [{ output: 1 }], save: { output: null } }\n");
    workplace.edit("pipeline.yaml", "type: chat", "type: chat\n    on_error: skip");
    let said = workplace.tapline("test pipeline.yaml");
    assert_eq!(said.code, 1);
    assert!(said.err.contains("node `answer` is called 2 times, and its mock has 1 answer"), "{}", said.err);
}

#[test]
fn a_node_that_fails_once_and_is_tried_again_has_the_next_answer() {
    let workplace = words(
        "cases:
  - name: again
    inputs: { words: [one] }
    mocks: { answer: [{ error: busy }, { output: 7 }], save: { output: null } }
    expect: { outputs: { numbers: [7] } }
",
    );
    workplace.edit("pipeline.yaml", "type: chat", "type: chat\n    retry: { max: 1, delay: 1ms }");
    passes(&workplace.tapline("test pipeline.yaml"));
}

const REPLAYED: &str = "cases:
  - name: numbers of words
    mocks: { save: { output: null } }
    replay: replays/words.jsonl
    expect: { outputs: { numbers: [{ n: 1 }, { n: 0 }, { n: 0 }] } }
";

#[test]
fn what_was_recorded_is_replayed_whatever_the_provider_would_say_now() {
    let workplace = words(REPLAYED);
    let recorded = workplace.tapline("test pipeline.yaml --record");
    passes(&recorded);
    assert!(recorded.err.contains("recorded 3 requests in "), "{}", recorded.err);
    let prompts: Vec<_> = workplace.read("replays/words.jsonl").lines().map(prompt).collect();
    assert_eq!(prompts, ["one", "three", "two"]);

    workplace.edit("pipeline.yaml", "n: 1", "n: 100");
    passes(&workplace.tapline("test pipeline.yaml"));
    assert_eq!(workplace.tapline("test pipeline.yaml --record").code, 1);
}

#[test]
fn what_is_replayed_waits_for_no_turn() {
    let workplace = words(REPLAYED);
    passes(&workplace.tapline("test pipeline.yaml --record"));
    workplace.edit("pipeline.yaml", "  echo: {", "  echo: { rate_limit: { calls: 1, per: 1h },");
    workplace.edit("pipeline.yaml", "type: chat", "type: chat\n    timeout: 10s");
    passes(&workplace.tapline("test pipeline.yaml"));
}

fn prompt(line: &str) -> String {
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    line["input"]["prompt"].as_str().unwrap().to_owned()
}

#[test]
fn a_request_that_was_not_recorded_fails_the_case_and_says_which_it_is() {
    let workplace = words(REPLAYED);
    passes(&workplace.tapline("test pipeline.yaml --record"));
    workplace.edit("pipeline.yaml", "type: chat", "type: chat\n    on_error: skip");
    workplace.edit("pipeline.yaml", "two", "four");
    let said = workplace.tapline("test pipeline.yaml");
    assert_eq!(said.code, 1);
    let expected = "    a provider is asked what was not recorded; `--record` records it:\n      complete of provider/echo {\"prompt\":\"four\"}\n";
    assert!(said.err.contains(expected), "{}", said.err);
}

#[test]
fn requests_that_ask_the_same_are_answered_in_their_order_and_errors_are_errors() {
    let workplace = words(
        "cases:
  - name: the same three times
    inputs: { words: [a, a, a] }
    mocks: { save: { output: null } }
    replay: same.jsonl
    expect: { outputs: { numbers: [first, second] } }
",
    );
    workplace.edit("pipeline.yaml", "type: chat", "type: chat\n    on_error: skip");
    let line = |answer: &str| {
        format!("{{\"provider\":\"echo\",\"method\":\"complete\",\"input\":{{\"prompt\":\"a\"}},{answer}}}\n")
    };
    let answer = |output: &str| line(&format!("\"answer\":{{\"output\":\"{output}\",\"model\":\"m\"}}"));
    let error = line("\"error\":{\"code\":\"busy\",\"message\":\"too many\"}");
    workplace.write("same.jsonl", [answer("first"), error, answer("second")].concat());
    passes(&workplace.tapline("test pipeline.yaml"));

    workplace.write("same.jsonl", [answer("first"), answer("second")].concat());
    let said = workplace.tapline("test pipeline.yaml");
    assert_eq!(said.code, 1);
    assert!(said.err.contains("a provider is asked more often than was recorded"), "{}", said.err);

    workplace.write("same.jsonl", [answer("first"), line("\"answr\":1")].concat());
    let said = workplace.tapline("test pipeline.yaml");
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("same.jsonl:2:") && said.err.contains("--> pipeline.test.yaml:5:13"),
        "{}",
        said.err
    );
}

#[test]
fn a_recording_holds_no_secret_and_its_replay_needs_none() {
    let workplace = words(
        "cases:
  - name: a secret in a prompt
    inputs: { words: [say hunter22] }
    mocks: { save: { output: null } }
    replay: secret.jsonl
    expect: { nodes: { answer: { state: done } } }
",
    );
    workplace.edit("pipeline.yaml", "{ match: '.*', reply: { n: 0 } }", "");
    workplace.write("tapline.toml", "[secrets]\npassword = { env = 'TAPLINE_TEST_PASSWORD' }\n");
    let command = |words: &str, password: Option<&str>| {
        let mut command = workplace.command();
        command.args(words.split(' '));
        if let Some(password) = password {
            command.env("TAPLINE_TEST_PASSWORD", password);
        }
        command.output().unwrap()
    };
    let recorded = command("test pipeline.yaml --record", Some("hunter22"));
    assert!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
    let recording = workplace.read("secret.jsonl");
    assert!(recording.contains("say ") && !recording.contains("hunter22"), "{recording}");

    assert!(command("test pipeline.yaml", Some("hunter22")).status.success());
    assert_eq!(command("test pipeline.yaml --record", None).status.code(), Some(2));

    workplace.edit("pipeline.test.yaml", "say hunter22", "say unset-TAPLINE_TEST_PASSWORD");
    let replayed = command("test pipeline.yaml", None);
    let said = String::from_utf8(replayed.stderr).unwrap();
    assert!(replayed.status.success(), "{said}");
    assert!(said.starts_with("warning: `TAPLINE_TEST_PASSWORD` is not set"), "{said}");
}

#[test]
fn a_run_that_fails_leaves_the_recording_as_it_was() {
    let workplace = words(REPLAYED);
    passes(&workplace.tapline("test pipeline.yaml --record"));
    let before = workplace.read("replays/words.jsonl");
    workplace.edit("pipeline.test.yaml", "save: { output: null }", "save: { error: disk full }");
    let said = workplace.tapline("test pipeline.yaml --record");
    assert_eq!(said.code, 1);
    assert!(said.err.contains("nothing was recorded"), "{}", said.err);
    assert_eq!(workplace.read("replays/words.jsonl"), before);
}

#[test]
fn only_the_cases_that_are_named_run_and_programs_are_told_in_json() {
    let workplace = words(
        "cases:
  - name: first of all
    mocks: { answer: { output: 1 }, save: { output: null } }
    expect: { outputs: { numbers: [1, 1, 1] } }
  - name: second
    mocks: { answer: { error: no }, save: { output: null } }
  - name: third
    replay: nowhere.jsonl
",
    );
    let said = workplace.start(["test", "pipeline.yaml", "--json", "--only", "of all", "--only", "second"]);
    assert_eq!(said.code, 1);
    assert_eq!(said.err, "1 passed, 1 failed\n");
    let results: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(results[0]["passed"], true);
    assert_eq!(
        (&results[1]["name"], &results[1]["place"]),
        (&"second".into(), &"pipeline.test.yaml:5:11".into())
    );
    assert_eq!(results.as_array().unwrap().len(), 2);

    let none = workplace.tapline("test pipeline.yaml --only fourth");
    assert_eq!((none.code, none.err.as_str()), (2, "error: no case has `fourth` in its name\n"));
    let nothing = workplace.tapline("test pipeline.yaml --record --only first");
    assert_eq!(nothing.code, 2);
    assert!(nothing.err.contains("there is nothing to record"), "{}", nothing.err);
}

#[test]
fn a_mistake_of_the_pipeline_is_told_before_any_case_is_played() {
    let workplace = words("cases:\n  - name: a\n");
    workplace.edit("pipeline.yaml", "type: chat", "type: caht");
    let said = workplace.tapline("test pipeline.yaml");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("error[unknown-node-type]"), "{}", said.err);
}
