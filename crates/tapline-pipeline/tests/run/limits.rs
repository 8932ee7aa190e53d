//! What bounds a run.

use expect_test::{Expect, expect};

use crate::support::{outcome, run};

#[track_caller]
fn check(outcome: &str, expected: &Expect) {
    expected.assert_eq(outcome);
}

#[tokio::test(start_paused = true)]
async fn a_run_ends_at_its_wall() {
    let text = "limits: { wall: 2s }\nnodes: { a: { type: slow, with: { ms: 60000 } } }\n";
    check(
        &outcome(text).await,
        &expect![[r#"
        error[run-limit]: the run took longer than its limit of 2s
         --> pipeline.yaml:2:17
          |
        2 | limits: { wall: 2s }
          |                 ^^
          |
          = hint: raise it under `limits`: `wall`

        1 error
    "#]],
    );
}

#[tokio::test]
async fn a_run_ends_at_its_steps_whatever_on_error_says() {
    let text = "limits: { steps: 5 }
nodes: { a: { type: count, map: { over: \"{{ range(100) | list }}\" }, on_error: skip } }
";
    check(
        &outcome(text).await,
        &expect![[r#"
        error[run-limit]: the run used up its limit of 5 steps
         --> pipeline.yaml:2:18
          |
        2 | limits: { steps: 5 }
          |                  ^
          |
          = hint: raise it under `limits`: `steps`

        1 error
    "#]],
    );
}

#[tokio::test]
async fn a70_a_run_ends_at_its_tokens_though_its_plugin_asks_a_thousand_times() {
    let text =
        "limits: { tokens: 50 }\nnodes: { a: { type: ask, with: { times: 1000 }, on_error: continue } }\n";
    let report = run(text).await;
    assert_eq!(report.used.tokens, 50);
    check(&report.outputs.unwrap_err().to_string(), &expect!["the run used up its limit of 50 tokens"]);
}

#[tokio::test]
async fn a_budget_is_for_one_node() {
    let text = "nodes:
  a: { type: ask, with: { times: 10 }, budget: { cost: 1.5 }, on_error: continue }
  b: { type: ask, with: { times: 10 }, needs: [a] }
";
    let report = run(text).await;
    assert_eq!(report.nodes.iter().map(|node| node.used.tokens).collect::<Vec<_>>(), [30, 100]);
    assert_eq!((report.used.tokens, report.used.cost), (130, 6.5));
    assert!(report.outputs.is_ok());
}
