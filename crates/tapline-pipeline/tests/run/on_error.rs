//! What becomes of a step that fails, and of those that wait for it.

use tapline_pipeline::{NodeState, RunSettings};

use crate::support::{definition, outcome, run, run_with};

#[tokio::test]
async fn a_failure_ends_the_run_unless_said() {
    let report = run("nodes: { a: { type: fail }, b: { type: count, needs: [a] } }\n").await;
    let states: Vec<_> = report.nodes.iter().map(|node| node.state).collect();
    assert_eq!(states, [NodeState::Failed, NodeState::Waiting]);
    assert!(report.outputs.is_err());
}

#[tokio::test]
async fn continue_goes_on_with_null() {
    let text = "nodes: { a: { type: fail, on_error: continue }, b: { type: echo, with: { a: \"{{ a }}\" } } }
outputs: { b: \"{{ b }}\" }
";
    assert_eq!(outcome(text).await, r#"{"b":{"a":null}}"#);
}

#[tokio::test]
async fn skip_leaves_out_what_waits_for_it() {
    let report = run("nodes:
  a: { type: fail, on_error: skip }
  b: { type: count, needs: [a] }
  c: { type: count, needs: [b] }
  d: { type: count }
outputs: { d: \"{{ d }}\" }
")
    .await;
    let states: Vec<_> = report.nodes.iter().map(|node| node.state).collect();
    assert_eq!(states, [NodeState::Skipped, NodeState::Skipped, NodeState::Skipped, NodeState::Done]);
    assert_eq!(report.nodes[0].tolerated, 1);
    assert!(report.outputs.is_ok());
}

#[tokio::test]
async fn an_item_that_fails_is_left_out_or_null() {
    let text = |on_error: &str| {
        format!(
            "nodes:
  all: {{ type: pick, map: {{ over: [1, 2, 3] }}, with: {{ bad: \"{{{{ item == 2 }}}}\", value: \"{{{{ item }}}}\" }}, on_error: {on_error} }}
outputs: {{ all: \"{{{{ all.items }}}}\" }}
"
        )
    };
    assert_eq!(outcome(&text("skip")).await, r#"{"all":[1,3]}"#);
    assert_eq!(outcome(&text("continue")).await, r#"{"all":[1,null,3]}"#);
    let fallback = "{ fallback: { value: \"{{ item }}: {{ error.message }}\" } }";
    assert_eq!(outcome(&text(fallback)).await, r#"{"all":[1,"2: it is bad",3]}"#);
}

#[tokio::test]
async fn one_bad_item_of_a_thousand_says_which_it_is() {
    let text = "nodes:
  list: { value: \"{{ range(1000) | list }}\" }
  all: { type: pick, map: { over: \"{{ list }}\", parallel: 16 }, with: { bad: \"{{ item == 789 }}\" } }
";
    let text = outcome(text).await;
    assert!(
        text.starts_with("error[node-failed]: node `all` failed on item 789\n --> pipeline.yaml:4:3\n"),
        "{text}"
    );
    assert!(text.ends_with("because: it is bad\n"), "{text}");
}

#[tokio::test]
async fn a_dead_letter_holds_what_was_asked_and_why_it_failed() {
    let folder = tempfile::tempdir().unwrap();
    let text = "nodes:
  all: { type: pick, map: { over: [1, 2] }, with: { bad: \"{{ item == 2 }}\" }, on_error: { dead_letter: bad.jsonl } }
";
    let report = run_with(definition(text), RunSettings::default().folder(folder.path())).await;
    assert!(report.outputs.is_ok());
    assert_eq!(
        std::fs::read_to_string(folder.path().join("bad.jsonl")).unwrap(),
        "{\"node\":\"all\",\"path\":\"all[1]\",\"error\":\"it is bad\",\"input\":{\"bad\":true}}\n"
    );
}

#[tokio::test]
async fn dead_letters_stay_in_the_folder_of_the_pipeline() {
    let folder = tempfile::tempdir().unwrap();
    let text = "nodes: { a: { type: fail, on_error: { dead_letter: ../bad.jsonl } } }\n";
    let report = run_with(definition(text), RunSettings::default().folder(folder.path())).await;
    let error = report.outputs.unwrap_err().to_string();
    assert!(error.contains("the dead letters ../bad.jsonl"), "{error}");
}
