//! What a person reads when a run fails: one test for each kind.

use expect_test::{Expect, expect};

use crate::support::outcome;

async fn check(text: &str, expected: Expect) {
    expected.assert_eq(&outcome(text).await);
}

#[tokio::test]
async fn a_handler_that_fails() {
    check(
        "nodes: { a: { type: pick, with: { bad: true } } }\n",
        expect![[r#"
        error[node-failed]: node `a` failed
         --> pipeline.yaml:2:10
          |
        2 | nodes: { a: { type: pick, with: { bad: true } } }
          |          ^

        1 error
        because: it is bad
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_template_that_gives_no_value() {
    check(
        "nodes: { a: { value: 1 }, b: { type: echo, with: { x: \"{{ a.b }}\" } } }\n",
        expect![[r#"
        error[evaluation]: a number has no field `b`
         --> pipeline.yaml:2:59
          |
        2 | nodes: { a: { value: 1 }, b: { type: echo, with: { x: "{{ a.b }}" } } }
          |                                                           ^^^

        1 error
        because: pipeline.yaml:2:59 cannot be evaluated
        because: a number has no field `b`
    "#]],
    )
    .await;
}

#[tokio::test]
async fn an_output_that_gives_no_value() {
    check(
        "nodes: { a: { value: 1 } }\noutputs: { x: \"{{ a.b }}\" }\n",
        expect![[r#"
        error[evaluation]: a number has no field `b`
         --> pipeline.yaml:3:19
          |
        3 | outputs: { x: "{{ a.b }}" }
          |                   ^^^

        1 error
        because: a number has no field `b`
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_list_that_is_none() {
    check(
        "nodes: { a: { value: 1 }, b: { type: echo, map: { over: \"{{ a }}\" } } }\n",
        expect![[r#"
            error[not-a-list]: node `b` failed: it maps over a number, and not over a list
             --> pipeline.yaml:2:27
              |
            2 | nodes: { a: { value: 1 }, b: { type: echo, map: { over: "{{ a }}" } } }
              |                           ^
              |
              = hint: give `over` the list itself, as in `{{ load.items }}`

            1 error
            because: it maps over a number, and not over a list
        "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_step_that_takes_too_long() {
    check(
        "nodes: { a: { type: slow, with: { ms: 5000 }, timeout: 1s } }\n",
        expect![[r#"
        error[timeout]: node `a` failed: it took longer than its timeout of 1s
         --> pipeline.yaml:2:10
          |
        2 | nodes: { a: { type: slow, with: { ms: 5000 }, timeout: 1s } }
          |          ^
          |
          = hint: give it more time with `timeout`

        1 error
        because: it took longer than its timeout of 1s
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_silent_for_too_long() {
    check(
        "nodes: { a: { type: slow, with: { ms: 5000 }, timeout: { idle: 1s } } }\n",
        expect![[r#"
        error[timeout]: node `a` failed: it gave no sign of life for 1s
         --> pipeline.yaml:2:10
          |
        2 | nodes: { a: { type: slow, with: { ms: 5000 }, timeout: { idle: 1s } } }
          |          ^
          |
          = hint: give it more time with `timeout`

        1 error
        because: it gave no sign of life for 1s
    "#]],
    )
    .await;
}

#[tokio::test]
async fn an_output_that_does_not_follow_its_schema() {
    let text = "nodes:
  a:
    type: echo
    with: { label: bag, n: x }
    output_schema: { properties: { label: { enum: [bug, question] }, n: { type: integer } } }
";
    check(text, expect![[r#"
        error[invalid-output]: node `a` failed: its output does not follow `output_schema`: "bag" is not one of "bug" or "question" at `/label`; "x" is not of type "integer" at `/n`
         --> pipeline.yaml:3:3
          |
        3 |   a:
          |   ^
          |
          = hint: `retry` asks again; `on_error` says what else becomes of it

        1 error
        because: its output does not follow `output_schema`: "bag" is not one of "bug" or "question" at `/label`; "x" is not of type "integer" at `/n`
    "#]]).await;
}

#[tokio::test]
async fn a_loop_without_end() {
    check(
        "nodes: { a: { while: { when: \"true\", max: 3 }, type: count } }\n",
        expect![[r#"
        error[loop-limit]: node `a` failed: it was not done after 3 turns
         --> pipeline.yaml:2:10
          |
        2 | nodes: { a: { while: { when: "true", max: 3 }, type: count } }
          |          ^
          |
          = hint: raise `max`, or end the loop with `iteration` in its `when`

        1 error
        because: it was not done after 3 turns
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_budget_that_is_used_up() {
    check(
        "nodes: { a: { type: ask, with: { times: 9 }, budget: { tokens: 20 } } }\n",
        expect![[r#"
            error[budget]: node `a` failed: it used up its budget of 20 tokens
             --> pipeline.yaml:2:10
              |
            2 | nodes: { a: { type: ask, with: { times: 9 }, budget: { tokens: 20 } } }
              |          ^
              |
              = hint: raise `budget`

            1 error
            because: it used up its budget of 20 tokens
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_template_bomb() {
    let text = "nodes: { a: { value: \"{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}\" } }\n";
    check(text, expect![[r#"
        error[evaluation]: the evaluation takes too much work or memory
         --> pipeline.yaml:2:62
          |
        2 | nodes: { a: { value: "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}" } }
          |                                                              ^^^^^

        1 error
        because: pipeline.yaml:2:62 cannot be evaluated
        because: the evaluation takes too much work or memory
    "#]]).await;
}

#[tokio::test]
async fn dead_letters_without_a_folder() {
    check(
        "nodes: { a: { type: fail, on_error: { dead_letter: bad.jsonl } } }\n",
        expect![[r#"
        error[dead-letter]: node `a` failed: the dead letters bad.jsonl: the run was given no folder for files
         --> pipeline.yaml:2:10
          |
        2 | nodes: { a: { type: fail, on_error: { dead_letter: bad.jsonl } } }
          |          ^

        1 error
        because: the dead letters bad.jsonl: the run was given no folder for files
    "#]],
    )
    .await;
}
