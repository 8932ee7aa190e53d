//! Order, conditions, lists, loops, and steps that are made of others.

use std::fmt::Write as _;
use std::sync::Arc;

use expect_test::{Expect, expect};
use tapline_pipeline::{NodeState, Observer, RunEvent, RunSettings};

use crate::support::{definition, engine, outcome, run, shown};

#[track_caller]
fn check(outcome: &str, expected: &Expect) {
    expected.assert_eq(outcome);
}

#[tokio::test]
async fn a_node_runs_when_what_it_names_is_done() {
    let text = "nodes:
  second: { type: echo, with: { n: \"{{ first.n + 1 }}\" } }
  first: { type: echo, with: { n: 1 } }
outputs: { n: \"{{ second.n }}\" }
";
    check(&outcome(text).await, &expect![[r#"{"n":2}"#]]);
}

#[tokio::test]
async fn a_node_whose_condition_is_false_yields_null_and_does_not_run() {
    let text = "nodes:
  no: { type: count, when: \"1 > 2\" }
  yes: { type: count, needs: [no] }
outputs: { no: \"{{ no }}\", yes: \"{{ yes }}\" }
";
    check(&outcome(text).await, &expect![[r#"{"no":null,"yes":1}"#]]);
}

#[tokio::test]
async fn a_value_is_a_node_without_a_plugin() {
    let text = "nodes: { a: { value: { b: [\"{{ 1 + 1 }}\"] } } }\noutputs: { a: \"{{ a.b }}\" }\n";
    check(&outcome(text).await, &expect![[r#"{"a":[2]}"#]]);
}

#[tokio::test]
async fn a_map_keeps_the_order_of_its_list() {
    let text = "nodes:
  all: { type: slow, map: { over: [30, 10, 20], parallel: 3 }, with: { ms: \"{{ item }}\", value: \"{{ item }}\" } }
outputs: { all: \"{{ all.items }}\", count: \"{{ all.count }}\" }
";
    check(&outcome(text).await, &expect![[r#"{"all":[30,10,20],"count":3}"#]]);
}

#[tokio::test(start_paused = true)]
async fn a_window_slides_and_does_not_wait_for_a_slow_first_item() {
    let text = "nodes:
  all: { type: slow, map: { over: [100, 10, 10, 10, 10, 10, 10, 10], parallel: 2 }, with: { ms: \"{{ item }}\" } }
  most: { type: most, needs: [all] }
outputs: { most: \"{{ most }}\" }
";
    let report = run(text).await;
    check(&format!("{:?}", report.outputs.unwrap()), &expect![[r#"{"most": 2}"#]]);
    // In chunks of two, or with a window that the first item holds up, it would take 130 ms or more.
    assert_eq!(report.took.as_millis(), 100);
}

#[tokio::test]
async fn a_switch_is_its_first_case_that_holds() {
    let case = |n: i64| {
        format!(
            "nodes:
  n: {{ value: {n} }}
  size:
    switch:
      - {{ when: n < 10, value: small }}
      - {{ when: n < 100, type: echo, with: {{ size: \"{{{{ n }}}}\" }} }}
outputs: {{ size: \"{{{{ size }}}}\" }}
"
        )
    };
    check(&outcome(&case(5)).await, &expect![[r#"{"size":"small"}"#]]);
    check(&outcome(&case(50)).await, &expect![[r#"{"size":{"size":50}}"#]]);
    check(&outcome(&case(500)).await, &expect![[r#"{"size":null}"#]]);
}

#[tokio::test]
async fn a_loop_goes_on_while_its_condition_holds() {
    let text = "nodes:
  double:
    while: { when: \"last < 100\", start: 3, max: 10 }
    type: pick
    with: { value: \"{{ last * 2 + iteration }}\" }
outputs: { n: \"{{ double }}\" }
";
    check(&outcome(text).await, &expect![[r#"{"n":122}"#]]);
}

#[tokio::test]
async fn all_parts_run_and_yield_by_name() {
    let text = "nodes:
  both: { all: { a: { type: echo, with: { x: 1 } }, b: { value: 2 } } }
outputs: { both: \"{{ both }}\" }
";
    check(&outcome(text).await, &expect![[r#"{"both":{"a":{"x":1},"b":2}}"#]]);
}

#[tokio::test(start_paused = true)]
async fn the_first_part_to_succeed_is_taken() {
    let text = "nodes:
  quick:
    first:
      - { type: slow, with: { ms: 50, value: slow } }
      - { type: pick, with: { bad: true } }
      - { type: slow, with: { ms: 5, value: quick } }
outputs: { quick: \"{{ quick }}\" }
";
    let report = run(text).await;
    assert_eq!(report.took.as_millis(), 5);
    check(&format!("{:?}", report.outputs.unwrap()), &expect![[r#"{"quick": "quick"}"#]]);
}

#[tokio::test]
async fn a_chain_of_fallbacks_ends_with_the_one_that_succeeds() {
    let text = "nodes:
  answer:
    fallback:
      - { type: pick, with: { bad: true } }
      - { type: pick, with: { value: second } }
      - { type: count }
  calls: { type: count, needs: [answer] }
outputs: { answer: \"{{ answer }}\", calls: \"{{ calls }}\" }
";
    check(&outcome(text).await, &expect![[r#"{"answer":"second","calls":1}"#]]);
}

#[tokio::test]
async fn steps_nest() {
    let text = "nodes:
  rows:
    map: { over: [1, 2, 3], as: row }
    switch:
      - { when: row == 2, fallback: [{ type: pick, with: { bad: true } }, { value: \"two of {{ row }}\" }] }
      - { all: { row: { value: \"{{ row }}\" } } }
outputs: { rows: \"{{ rows.items }}\" }
";
    check(&outcome(text).await, &expect![[r#"{"rows":[{"row":1},"two of 2",{"row":3}]}"#]]);
}

#[tokio::test]
async fn ten_thousand_nodes_run() {
    let mut text = "nodes:\n  n0: { value: 0 }\n".to_owned();
    for node in 1..10_000 {
        writeln!(text, "  n{node}: {{ value: \"{{{{ n{} + 1 }}}}\" }}", node - 1).unwrap();
    }
    text.push_str("outputs: { n: \"{{ n9999 }}\" }\n");
    check(&outcome(&text).await, &expect![[r#"{"n":9999}"#]]);
}

#[tokio::test]
async fn a_value_of_a_hundred_megabytes_passes_from_node_to_node() {
    let text = "nodes:
  make: { type: blob, with: { mb: 100 } }
  pass: { type: echo, map: { over: [1, 2, 3], parallel: 3 }, with: { text: \"{{ make }}\" } }
outputs: { length: \"{{ pass.items[2].text | length }}\" }
";
    check(&outcome(text).await, &expect![[r#"{"length":100000000}"#]]);
}

/// Says when a node begins.
#[derive(Default)]
struct Begun(tokio::sync::Notify);

impl Observer for Begun {
    fn event(&self, event: &RunEvent<'_>) {
        if matches!(event, RunEvent::NodeStarted { .. }) {
            self.0.notify_one();
        }
    }
}

#[tokio::test]
async fn a_plugin_that_is_unloaded_finishes_its_node_and_the_next_one_says_that_it_is_gone() {
    let text = "nodes:
  a: { type: slow, with: { ms: 20, value: 1 } }
  b: { type: count, needs: [a] }
";
    let (engine, definition, begun) = (engine().await, definition(text), Arc::new(Begun::default()));
    let settings = RunSettings::default().observer(begun.clone());
    let run = tokio::spawn({
        let (engine, definition) = (engine.clone(), definition.clone());
        async move { engine.run_with(definition, settings).await.unwrap() }
    });
    begun.0.notified().await;
    engine.host().unload("lab").await.unwrap();
    let report = run.await.unwrap();
    let states: Vec<_> = report.nodes.iter().map(|node| node.state).collect();
    assert_eq!(states, [NodeState::Done, NodeState::Failed]);
    check(
        &shown(&definition, &report),
        &expect![[r#"
        error[node-failed]: node `b` failed
         --> pipeline.yaml:4:3
          |
        4 |   b: { type: count, needs: [a] }
          |   ^

        1 error
        because: nothing provides `count` at `node`
    "#]],
    );
}
