//! What holds for each time that a step is done: retries, timeouts, rates, caches, schemas.

use expect_test::expect;
use tapline_pipeline::RunSettings;

use crate::support::{definition, definition_of, engine, outcome, run};

#[tokio::test(start_paused = true)]
async fn a_step_is_tried_again_until_it_succeeds() {
    let text =
        "nodes: { a: { type: fail, with: { until: 3 }, retry: { max: 5, backoff: constant, delay: 2s } } }
outputs: { a: \"{{ a }}\" }
";
    let report = run(text).await;
    assert_eq!(report.outputs.unwrap()["a"].as_i64(), Some(3));
    assert_eq!(report.took.as_secs(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_step_fails_when_it_was_tried_as_often_as_it_may() {
    let text = "nodes: { a: { type: fail, retry: 2 } }\n";
    expect![[r#"
        error[node-failed]: node `a` failed after 3 attempts
         --> pipeline.yaml:2:10
          |
        2 | nodes: { a: { type: fail, retry: 2 } }
          |          ^

        1 error
        because: attempt 3 had no luck
    "#]]
    .assert_eq(&outcome(text).await);
}

#[tokio::test]
async fn wrong_settings_are_not_tried_again() {
    let text = "nodes: { a: { type: fail, with: { code: invalid-config }, retry: 5 } }\n";
    assert!(outcome(text).await.contains("because: attempt 1 had no luck"));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_ends_an_attempt_and_not_the_next() {
    let text = "nodes: { a: { type: slow, with: { ms: 60000 }, timeout: 3s, retry: { max: 1, backoff: constant, delay: 1s } } }\n";
    let report = run(text).await;
    assert_eq!(report.took.as_secs(), 7);
    assert!(report.outputs.unwrap_err().to_string().contains("it took longer than its timeout of 3s"));
}

#[tokio::test]
async fn what_a_native_plugin_answers_after_its_timeout_is_dropped() {
    let text = "nodes: { a: { type: compute, with: { ms: 20 }, timeout: 5ms } }\n";
    let error = run(text).await.outputs.unwrap_err().to_string();
    assert!(error.contains("it took longer than its timeout of 5ms"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_step_that_gives_pieces_is_not_idle() {
    let speak = |ms: u64| {
        format!(
            "nodes: {{ a: {{ type: speak, with: {{ pieces: [a, b, c], ms: {ms} }}, timeout: {{ idle: 2s }} }} }}\n"
        )
    };
    assert_eq!(run(&speak(1500)).await.took.as_millis(), 4500);
    let silent = run(&speak(2500)).await;
    assert_eq!(silent.took.as_millis(), 2000);
    assert!(silent.outputs.unwrap_err().to_string().contains("it gave no sign of life for 2s"));
}

#[tokio::test(start_paused = true)]
async fn a_rate_bounds_how_often_a_step_begins() {
    let text = "nodes:
  a: { type: slow, map: { over: [1, 2, 3, 4, 5, 6], parallel: 6 }, rate_limit: { calls: 2, per: 10s } }
";
    // Two at once, then one each five seconds.
    assert_eq!(run(text).await.took.as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_rate_of_a_provider_bounds_how_often_it_is_asked_whatever_node_asks() {
    let text = "plugins: { lab: { rate_limit: { calls: 2, per: 10s } } }
nodes:
  a: { type: ask, with: { times: 3 } }
  b: { all: { left: { type: ask }, right: { pipeline: part.yaml } } }
  c: { type: slow, map: { over: [1, 2, 3, 4], parallel: 4 } }
";
    let part = "name: part\nnodes: { a: { type: ask } }\n";
    let (engine, definition) = (engine().await, definition_of(text, &[("part.yaml", part)]));
    let run = || engine.run_with(definition.clone(), RunSettings::default());
    // Five are asked, two at once and then one each five seconds, and nothing else waits.
    assert_eq!(run().await.unwrap().took.as_secs(), 15);
    // It holds over all runs of a definition.
    let (one, other) = tokio::join!(run(), run());
    assert_eq!(one.unwrap().took.max(other.unwrap().took).as_secs(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_provider_without_a_rate_is_not_waited_for() {
    assert_eq!(run("nodes: { a: { type: ask, with: { times: 100 } } }\n").await.took.as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_provider_is_a_part_of_the_time_of_whoever_asks() {
    let text = "plugins: { lab: { rate_limit: { calls: 1, per: 1m } } }
nodes: { a: { type: ask, with: { times: 2 }, timeout: 10s } }
";
    let report = run(text).await;
    assert_eq!(report.took.as_secs(), 10);
    assert!(report.outputs.unwrap_err().to_string().contains("it took longer than its timeout of 10s"));
}

#[tokio::test]
async fn a_cached_output_is_taken_again_for_the_same_settings() {
    let text = "nodes:
  a: { type: count, cache: { ttl: 1h }, with: { x: 1 } }
  b: { type: count, cache: { ttl: 1h }, with: { x: 1 }, needs: [a] }
  c: { type: count, cache: { ttl: 1h }, with: { x: 2 }, needs: [b] }
outputs: { all: [\"{{ a }}\", \"{{ b }}\", \"{{ c }}\"] }
";
    let (engine, definition) = (engine().await, definition(text));
    for _ in 0..2 {
        let report = engine.run_with(definition.clone(), RunSettings::default()).await.unwrap();
        assert_eq!(report.outputs.unwrap()["all"].to_json(), "[1,1,2]");
    }
}

#[tokio::test(start_paused = true)]
async fn an_output_that_does_not_follow_its_schema_is_an_error_that_is_tried_again() {
    let text = "nodes:
  a: { type: fail, with: { until: 1 }, output_schema: { type: integer, minimum: 3 }, retry: 4 }
outputs: { a: \"{{ a }}\" }
";
    assert_eq!(outcome(text).await, r#"{"a":3}"#);
}

#[tokio::test]
async fn a_validator_of_a_plugin_looks_at_the_output() {
    let text = |allowed: &str| {
        format!(
            "nodes: {{ a: {{ value: 3, validate: {{ validator: allowed, with: {{ allowed: {allowed} }} }} }} }}
outputs: {{ a: \"{{{{ a }}}}\" }}
"
        )
    };
    assert_eq!(outcome(&text("[3]")).await, r#"{"a":3}"#);
    assert!(outcome(&text("[4]")).await.contains("node `a` failed: validator `allowed`: 3 is not allowed"));
}
