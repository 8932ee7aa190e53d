//! Pipelines that run inside of others.

use expect_test::{Expect, expect};
use tapline_pipeline::RunSettings;

use crate::diagnostics;
use crate::support::{checked, definition_of, run_with, shown};

const GREET: &str = "name: greet
inputs: { name: { type: string, minLength: 2 }, loud: { type: boolean, default: false } }
nodes:
  text: { value: \"hello {{ inputs.name }}\" }
  said: { type: pick, with: { bad: \"{{ inputs.loud }}\", value: \"{{ text }}\" } }
outputs: { text: \"{{ said }}\" }
";

async fn outcome(text: &str) -> String {
    let definition = definition_of(text, &[("parts/greet.yaml", GREET)]);
    let report = run_with(definition.clone(), RunSettings::default()).await;
    shown(&definition, &report)
}

#[track_caller]
fn check_mistakes(text: &str, files: &[(&str, &str)], expected: &Expect) {
    let (sources, checked) = checked(text, files);
    let found = checked.diagnostics.iter().map(|found| {
        let source = sources.iter().find(|source| *source.file() == found.file).unwrap();
        diagnostics::for_people(std::slice::from_ref(found), &[source], diagnostics::Colour::Off)
    });
    let text: String =
        found.collect::<String>().lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    expected.assert_eq(&text);
}

#[tokio::test]
async fn a_part_is_given_inputs_and_yields_outputs() {
    let text = "nodes:
  all:
    map: { over: [ada, bob] }
    pipeline: parts/greet.yaml
    with: { name: \"{{ item }}\" }
outputs: { all: \"{{ all.items }}\" }
";
    assert_eq!(outcome(text).await, r#"{"all":[{"text":"hello ada"},{"text":"hello bob"}]}"#);
}

#[tokio::test]
async fn what_fails_in_a_part_is_told_in_its_file() {
    let text = "nodes: { a: { pipeline: parts/greet.yaml, with: { name: ada, loud: \"{{ 1 == 1 }}\" } } }\n";
    let definition = definition_of(text, &[("parts/greet.yaml", GREET)]);
    let report = run_with(definition.clone(), RunSettings::default()).await;
    let error = report.outputs.unwrap_err();
    assert_eq!(
        error.diagnostic(&definition).unwrap().to_string(),
        "parts/greet.yaml:5:3: node `said` failed"
    );
}

#[tokio::test]
async fn inputs_that_a_part_refuses_are_the_failure_of_its_step() {
    let text = "nodes: { a: { pipeline: parts/greet.yaml, with: { name: \"{{ 'x' }}\" } } }\n";
    let told = outcome(text).await;
    let expected = "error[invalid-config]: node `a` failed: the inputs of `parts/greet.yaml`: the input `name`: \"x\" is shorter than 2 characters\n --> pipeline.yaml:2:10\n";
    assert!(told.starts_with(expected), "{told}");
}

#[test]
fn a_part_is_held_to_its_inputs_before_anything_runs() {
    let text = "name: test
nodes:
  a: { pipeline: parts/greet.yaml, with: { nam: ada } }
  b: { pipeline: parts/greet.yaml, with: { name: x, loud: very } }
  c: { pipeline: parts/none.yaml }
";
    check_mistakes(
        text,
        &[("parts/greet.yaml", GREET)],
        &expect![[r#"
        error[invalid-config]: `parts/greet.yaml` needs the input `name`
         --> pipeline.yaml:3:18
          |
        3 |   a: { pipeline: parts/greet.yaml, with: { nam: ada } }
          |                  ^^^^^^^^^^^^^^^^
          |
          = hint: give it under `with`: `with: { name: ... }`

        1 error
        error[invalid-config]: `parts/greet.yaml` has no input `nam`
         --> pipeline.yaml:3:44
          |
        3 |   a: { pipeline: parts/greet.yaml, with: { nam: ada } }
          |                                            ^^^
          |
          = hint: did you mean `name`?

        1 error
        error[invalid-config]: the input `name`: "x" is shorter than 2 characters
         --> pipeline.yaml:4:44
          |
        4 |   b: { pipeline: parts/greet.yaml, with: { name: x, loud: very } }
          |                                            ^^^^

        1 error
        error[invalid-config]: the input `loud` must be a boolean, not a string
         --> pipeline.yaml:4:53
          |
        4 |   b: { pipeline: parts/greet.yaml, with: { name: x, loud: very } }
          |                                                     ^^^^

        1 error
        error[missing-part]: parts/none.yaml: there is no such file
         --> pipeline.yaml:5:18
          |
        5 |   c: { pipeline: parts/none.yaml }
          |                  ^^^^^^^^^^^^^^^
          |
          = hint: the path starts at the folder of this file

        1 error
    "#]],
    );
}

#[test]
fn a_pipeline_does_not_run_inside_itself() {
    let main = "name: main\nnodes: { a: { pipeline: parts/one.yaml } }\n";
    let one = "name: one\nnodes: { a: { pipeline: two.yaml } }\n";
    let two = "name: two\nnodes: { a: { pipeline: ../parts/one.yaml }, b: { pipeline: ../pipeline.yaml } }\n";
    check_mistakes(
        main,
        &[("parts/one.yaml", one), ("parts/two.yaml", two)],
        &expect![[r#"
        error[missing-part]: the pipeline would run inside itself: parts/one.yaml → parts/two.yaml → parts/one.yaml
         --> parts/two.yaml:2:25
          |
        2 | nodes: { a: { pipeline: ../parts/one.yaml }, b: { pipeline: ../pipeline.yaml } }
          |                         ^^^^^^^^^^^^^^^^^
          |
          = hint: the path starts at the folder of this file

        1 error
        error[missing-part]: the pipeline would run inside itself: pipeline.yaml → parts/one.yaml → parts/two.yaml → pipeline.yaml
         --> parts/two.yaml:2:61
          |
        2 | nodes: { a: { pipeline: ../parts/one.yaml }, b: { pipeline: ../pipeline.yaml } }
          |                                                             ^^^^^^^^^^^^^^^^
          |
          = hint: the path starts at the folder of this file

        1 error
    "#]],
    );
}

#[test]
fn mistakes_of_a_part_are_told_once() {
    let main = "name: main\nnodes: { a: { pipeline: one.yaml }, b: { pipeline: one.yaml } }\n";
    let one = "name: one\nplugins: { lab: {} }\nnodes: { a: { type: eco } }\n";
    check_mistakes(
        main,
        &[("one.yaml", one)],
        &expect![[r#"
        warning[missing-part]: what `one.yaml` says of `plugins` is not read when it is a part
         --> pipeline.yaml:2:25
          |
        2 | nodes: { a: { pipeline: one.yaml }, b: { pipeline: one.yaml } }
          |                         ^^^^^^^^
          |
          = hint: the plugins are those of the file that is run; say there what they need

        1 warning
        error[unknown-node-type]: no plugin provides the node type `eco`
         --> one.yaml:3:21
          |
        3 | nodes: { a: { type: eco } }
          |                     ^^^
          |
          = hint: did you mean `echo`?

        1 error
    "#]],
    );
}
