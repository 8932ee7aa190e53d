use expect_test::expect;

use crate::support::Workplace;

const MISTAKEN: &str = "\
name: mistaken
plugins:
  redakt: { path: plugins/redakt }
nodes:
  load: { type: reed, with: { path: data.jsonl } }
  open: { type: filter, with: { items: \"{{ laod.items }}\", wher: 'item.x == 1' } }
  here: { type: limit, with: { items: \"{{ there.items }}\", max: 1 } }
  there: { type: limit, with: { items: \"{{ here.items }}\", max: 1 } }
";

#[test]
fn all_mistakes_are_shown_in_one_pass_with_place_mark_and_hint() {
    let said = Workplace::with(MISTAKEN).tapline("check pipeline.yaml");
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    expect![[r#"
        error[missing-plugin]: plugin `redakt`: cannot read ./plugins/redakt/plugin.toml: No such file or directory (os error 2)
         --> pipeline.yaml:3:19
          |
        3 |   redakt: { path: plugins/redakt }
          |                   ^^^^^^^^^^^^^^
          |
          = hint: `tapline plugin install` fetches packages; without it: `enabled: false`, or `optional: true` if the pipeline can do without

        error[unknown-node-type]: no plugin provides the node type `reed`
         --> pipeline.yaml:5:17
          |
        5 |   load: { type: reed, with: { path: data.jsonl } }
          |                 ^^^^
          |
          = hint: did you mean `read`?

        error[invalid-config]: `filter` needs the setting `where`
         --> pipeline.yaml:6:25
          |
        6 |   open: { type: filter, with: { items: "{{ laod.items }}", wher: 'item.x == 1' } }
          |                         ^^^^

        error[unknown-reference]: there is no node `laod`
         --> pipeline.yaml:6:44
          |
        6 |   open: { type: filter, with: { items: "{{ laod.items }}", wher: 'item.x == 1' } }
          |                                            ^^^^
          |
          = hint: did you mean `load`?

        error[invalid-config]: `filter` has no setting `wher`
         --> pipeline.yaml:6:60
          |
        6 |   open: { type: filter, with: { items: "{{ laod.items }}", wher: 'item.x == 1' } }
          |                                                            ^^^^
          |
          = hint: did you mean `where`?

        error[cycle]: these nodes wait for each other: here → there → here
         --> pipeline.yaml:7:43
          |
        7 |   here: { type: limit, with: { items: "{{ there.items }}", max: 1 } }
          |                                           ^^^^^
        8 |   there: { type: limit, with: { items: "{{ here.items }}", max: 1 } }
          |                                            ---- `there` waits for `here` here

        6 errors
    "#]].assert_eq(&said.err);
}

#[test]
fn json_says_the_same_for_programs() {
    let said = Workplace::with(MISTAKEN).tapline("check pipeline.yaml --format json");
    assert_eq!((said.code, said.err.as_str()), (2, ""));
    let found: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let codes: Vec<_> = found.as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
    for code in ["missing-plugin", "unknown-node-type", "unknown-reference", "cycle"] {
        assert!(codes.contains(&code), "{codes:?}");
    }
    assert!(found[0]["span"]["line"] == 3 && found[0]["span"]["column"] == 19, "{}", found[0]);
}

#[test]
fn a_file_without_mistakes_is_told_so() {
    let said = Workplace::triage().tapline("check pipeline.yaml");
    assert_eq!((said.code, said.err.as_str()), (0, "pipeline.yaml: no mistakes\n"));
}

#[test]
fn a_plugin_that_asks_for_more_than_it_may_is_a_missing_grant() {
    let workplace = Workplace::triage();
    workplace.edit(
        "plugins/redact/plugin.toml",
        "[requires.context]",
        "[requires]\ncall = ['provider/*']\n\n[requires.context]",
    );
    let said = workplace.tapline("check pipeline.yaml");
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("error[missing-grant]: plugin `redact`: plugin `redact` may not call `provider/*`"),
        "{}",
        said.err
    );
}

#[test]
fn no_code_of_a_plugin_is_run() {
    let workplace = Workplace::triage();
    // Whatever reads this component would fail; a check reads the manifest alone.
    workplace.write("plugins/redact/plugin.wasm", "no component at all");
    assert_eq!(workplace.tapline("check pipeline.yaml").code, 0);
    let said = workplace.tapline("run pipeline.yaml");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("the artifact of plugin `redact` is broken"), "{}", said.err);
}
