//! The plugin that works on rows, as pipelines meet it.

use std::fs;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag};
use serde_json::Value as Json;

use crate::support::{Workplace, repository};

/// The blocks of a page, each with its language.
fn blocks(page: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(repository().join(page)).unwrap();
    let mut found: Vec<(String, String)> = Vec::new();
    let mut is_inside = false;
    for event in Parser::new(&text) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                found.push((language.to_string(), String::new()));
                is_inside = true;
            }
            Event::Text(text) if is_inside => found.last_mut().unwrap().1.push_str(&text),
            Event::End(_) => is_inside = false,
            _ => {}
        }
    }
    found
}

#[test]
fn every_pipeline_of_its_page_runs_and_yields_what_stands_below_it() {
    let blocks = blocks("docs/plugin-transform.md");
    let pairs = blocks.chunks(2);
    assert!(pairs.len() >= 5);
    for pair in pairs {
        let [(yaml, pipeline), (json, expected)] = pair else { panic!("a pipeline without its outputs") };
        assert_eq!((yaml.as_str(), json.as_str()), ("yaml", "json"));
        let said = Workplace::with(pipeline).tapline("run pipeline.yaml --json");
        assert_eq!(said.code, 0, "{pipeline}\n{}", said.err);
        let summary: Json = serde_json::from_str(&said.out).unwrap();
        let expected: Json = serde_json::from_str(expected).unwrap();
        assert_eq!(summary["outputs"], expected, "{pipeline}");
    }
}

/// Runs a pipeline whose line 4 is wrong from a text on: nothing begins, and the place is said.
#[track_caller]
fn refuses(node: &str, wrong: &str, message: &str) {
    let expected =
        format!("{message}\n --> pipeline.yaml:4:{}\n", "  n: ".len() + node.find(wrong).unwrap() + 1);
    let pipeline = format!(
        "name: wrong\nnodes:\n  begun: {{ type: write, with: {{ path: begun.txt, text: x }} }}\n  n: {node}\n"
    );
    let workplace = Workplace::with(&pipeline);
    let checked = workplace.tapline("check pipeline.yaml");
    assert_eq!(checked.code, 0, "check runs no code of plugins: {}", checked.err);
    let said = workplace.tapline("run pipeline.yaml");
    assert_eq!(said.code, 2, "{node}\n{}", said.err);
    assert!(said.err.contains(&expected), "{node}\n{}", said.err);
    assert!(!workplace.path("begun.txt").exists());
}

#[test]
fn a_wrong_configuration_is_refused_at_its_place_before_anything_begins() {
    refuses(
        "{ type: reduce, with: { items: [], group_by: a, expr: acc } }",
        "acc }",
        "`expr` folds all rows, so it cannot stand beside `group_by`, `count` or `aggregates`",
    );
    refuses("{ type: reduce, with: { items: [], initial: 1 } }", "1 } }", "`initial` needs `expr`");
    refuses(
        "{ type: reduce, with: { items: [], group_by: a, aggregates: { a: { sum: item.b } } } }",
        "{ sum:",
        "two results would be named `a`",
    );
    refuses(
        "{ type: join, with: { left: [], right: [], left_on: [a, b], right_on: a } }",
        "a } }",
        "`left_on` names 2 fields and `right_on` 1",
    );
    refuses(
        "{ type: unique, with: { items: [], by: a, expr: item.a } }",
        "item.a }",
        "`by` and `expr` cannot both be given",
    );
    refuses(
        "{ type: jq, with: { items: [], filter: \".a | nope\" } }",
        "\".a |",
        "`filter`: there is no filter `nope` at 1:6",
    );
    refuses("{ type: template, with: { text: x, as: y } }", "y } }", "`as` needs `items`");
}

#[test]
fn a_size_of_none_is_found_by_check() {
    let workplace =
        Workplace::with("name: wrong\nnodes: { n: { type: chunk, with: { items: [], size: 0 } } }\n");
    let said = workplace.tapline("check pipeline.yaml");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("`size`"), "{}", said.err);
}

#[test]
fn long_lists_are_exploded_and_filtered_by_jq_page_by_page() {
    let workplace = Workplace::with(
        "name: long\nnodes:
  load: { type: read, with: { path: rows.jsonl } }
  each: { type: explode, with: { items: \"{{ load.items }}\", field: tags } }
  odd: { type: jq, with: { items: \"{{ each.items }}\", filter: \"select(.id % 2 == 1) | .tags\" } }
  named: { type: template, with: { items: \"{{ odd.items }}\", text: \"tag {{ item }}\" } }
  save: { type: write, with: { path: tags.jsonl, items: \"{{ named.items }}\" } }
outputs: { count: \"{{ save.count }}\" }\n",
    );
    let row =
        |id: usize| format!("{{\"id\":{id},\"tags\":[\"a\",\"b\"],\"text\":\"{}\"}}\n", "x".repeat(200));
    workplace.write("rows.jsonl", (0..10_000).map(row).collect::<String>());
    let said = workplace.tapline("run pipeline.yaml --json");
    assert_eq!(said.code, 0, "{}", said.err);
    let summary: Json = serde_json::from_str(&said.out).unwrap();
    assert_eq!(summary["outputs"]["count"], 10_000);
    assert!(workplace.read("tags.jsonl").starts_with("\"tag a\"\n\"tag b\"\n"));
}
