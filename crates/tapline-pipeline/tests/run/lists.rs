//! Lists that are too long for memory.

use expect_test::expect;
use tapline_pipeline::RunSettings;

use crate::support::{definition, run_with, shown};

async fn outcome(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let definition = definition(text);
    let settings = RunSettings::default().lists(folder.path().join("lists"));
    shown(&definition, &run_with(definition.clone(), settings).await)
}

#[tokio::test]
async fn a_list_of_many_pages_passes_through_nodes_that_take_rows() {
    let text = "nodes:
  many: { type: numbers, with: { rows: 1000, pages: 300 } }
  some: { type: even, with: { items: \"{{ many.items }}\" } }
  fewer: { type: even, with: { items: \"{{ some.items }}\" } }
outputs: { many: \"{{ many.count }}\", some: \"{{ some.count }}\", last: \"{{ fewer.items[-1] }}\", rest: \"{{ some.pages > 1 }}\" }
";
    assert_eq!(outcome(text).await, r#"{"many":300000,"some":150000,"last":299998,"rest":true}"#);
}

#[tokio::test]
async fn a_list_of_one_page_is_as_any_other() {
    let text = "nodes:
  few: { type: numbers, with: { rows: 3 } }
  sum: { value: \"{{ few.items | sum }}\" }
outputs: { few: \"{{ few }}\", sum: \"{{ sum }}\" }
";
    assert_eq!(outcome(text).await, r#"{"few":{"items":[0,1,2],"count":3},"sum":3}"#);
}

#[tokio::test]
async fn whoever_needs_all_rows_gets_them_as_long_as_they_fit() {
    let text = "nodes:
  many: { type: numbers, with: { rows: 10, pages: 3 } }
  sum: { value: \"{{ many.items | sum }}\" }
outputs: { sum: \"{{ sum }}\", all: \"{{ many.items | length }}\" }
";
    assert_eq!(outcome(text).await, r#"{"sum":435,"all":30}"#);
}

#[tokio::test]
async fn a_list_that_does_not_fit_is_named_where_it_is_named() {
    let text = "nodes:
  many: { type: numbers, with: { rows: 100000, pages: 120 } }
  sum: { value: \"{{ many.items | sum }}\" }
";
    expect![[r#"
        error[too-long]: node `sum` failed: `many` has yielded 12000000 rows of 96888890B, and a list of more than 64MiB is not put into memory
         --> pipeline.yaml:4:3
          |
        4 |   sum: { value: "{{ many.items | sum }}" }
          |   ^^^
          |
          = hint: settings that take rows page by page may name its `items`, and any setting its `count`

        1 error
        because: `many` has yielded 12000000 rows of 96888890B, and a list of more than 64MiB is not put into memory
    "#]].assert_eq(&outcome(text).await);
}

#[tokio::test]
async fn an_output_that_does_not_fit_is_named_at_the_outputs() {
    let text = "nodes:
  many: { type: numbers, with: { rows: 100000, pages: 120 } }
outputs: { all: \"{{ many.items }}\" }
";
    let told = outcome(text).await;
    assert!(told.starts_with("error[too-long]: an output names the rows of `many`, which are "), "{told}");
    assert!(told.contains(" --> pipeline.yaml:4:1\n"), "{told}");
}

#[tokio::test]
async fn a_list_that_is_cached_is_one_value() {
    let text = "nodes:
  many: { type: numbers, with: { rows: 10, pages: 1 }, cache: { ttl: 1h } }
  again: { type: numbers, with: { rows: 10, pages: 1 }, cache: { ttl: 1h }, needs: [many] }
  calls: { type: count, needs: [again] }
outputs: { calls: \"{{ calls }}\" }
";
    assert_eq!(outcome(text).await, r#"{"calls":2}"#);
}

#[tokio::test]
async fn without_a_folder_all_is_asked_for_at_once() {
    let text = "nodes: { many: { type: numbers, with: { rows: 10, pages: 1 } } }\noutputs: { n: \"{{ many.count }}\" }\n";
    let definition = definition(text);
    let report = run_with(definition.clone(), RunSettings::default()).await;
    assert_eq!(shown(&definition, &report), r#"{"n":10}"#);
}
