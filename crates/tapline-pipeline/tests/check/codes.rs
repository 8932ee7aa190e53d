use std::collections::BTreeSet;

use expect_test::expect;
use tapline_pipeline::Code;

use crate::diagnostics::{Colour, for_people, for_programs};
use crate::support::{catalog, check_text};

#[test]
fn every_code_has_a_test() {
    let checks = [include_str!("mistakes.rs"), include_str!("plugins.rs"), include_str!("bad_input.rs")];
    let runs = [
        include_str!("../run/mistakes.rs"),
        include_str!("../run/limits.rs"),
        include_str!("../run/parts.rs"),
        include_str!("../run/lists.rs"),
    ];
    let tests = [checks.concat(), runs.concat()].concat();
    let untested = |code: &&Code| !tests.contains(&format!("error[{code}]"));
    assert_eq!(Code::ALL.iter().filter(untested).collect::<Vec<_>>(), Vec::<&Code>::new());
    assert_eq!(Code::ALL.iter().map(ToString::to_string).collect::<BTreeSet<_>>().len(), Code::ALL.len());
}

#[test]
fn programs_get_the_same_as_json() {
    let (_, checked) = check_text(b"name: test\nname: more\nnodes: { a: { type: eko } }\n", &catalog());
    expect![[r#"
        [
          {
            "severity": "error",
            "code": "duplicate-key",
            "message": "the key `name` stands here a second time",
            "file": "pipeline.yaml",
            "span": {
              "start": 11,
              "end": 15,
              "line": 2,
              "column": 1
            },
            "labels": [
              {
                "span": {
                  "start": 0,
                  "end": 4,
                  "line": 1,
                  "column": 1
                },
                "message": "the first one is here"
              }
            ],
            "hint": "keep one of the two"
          },
          {
            "severity": "error",
            "code": "unknown-node-type",
            "message": "no plugin provides the node type `eko`",
            "file": "pipeline.yaml",
            "span": {
              "start": 42,
              "end": 45,
              "line": 3,
              "column": 21
            },
            "labels": [],
            "hint": "did you mean `echo`?"
          }
        ]"#]]
    .assert_eq(&serde_json::to_string_pretty(&for_programs(&checked.diagnostics)).unwrap());
}

#[test]
fn colour_is_used_only_when_asked() {
    let (source, checked) = check_text(b"name: test\n", &catalog());
    assert!(for_people(&checked.diagnostics, &[&source], Colour::On).contains('\u{1b}'));
    assert!(!for_people(&checked.diagnostics, &[&source], Colour::Off).contains('\u{1b}'));
}
