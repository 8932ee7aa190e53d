use expect_test::{Expect, expect};

use crate::support::{catalog, rendered};

#[track_caller]
fn check(text: &str, expected: &Expect) {
    expected.assert_eq(&rendered(text.as_bytes(), &catalog()));
}

/// Checks the settings and the other keys of one node `n` after a node `load`.
#[track_caller]
fn check_node(node: &str, expected: &Expect) {
    let head =
        "name: test\ninputs: { file: { type: string } }\nnodes:\n  load: { type: read, with: { path: a } }\n";
    check(&format!("{head}  n: {node}\n"), expected);
}

#[test]
fn a_file_without_mistakes() {
    check("name: test\nnodes:\n  load: { type: read, with: { path: \"{{ 1 }}\" } }\n", &expect![[""]]);
}

#[test]
fn a_pipeline_may_have_no_other_keys() {
    check(
        "name: test\nnode:\n  load: { type: read }\n",
        &expect![[r#"
        error[missing-key]: the pipeline has no `nodes`
         --> pipeline.yaml:1:1
          |
        1 | name: test
          | ^^^^^^^^^^
          |
          = hint: write `nodes: { load: { type: read } }`, for example

        error[unknown-key]: a pipeline has no key `node`
         --> pipeline.yaml:2:1
          |
        2 | node:
          | ^^^^
          |
          = hint: did you mean `nodes`?

        2 errors
    "#]],
    );
}

#[test]
fn a_pipeline_needs_a_name_and_nodes() {
    check(
        "plugins: {}\n",
        &expect![[r#"
        error[missing-key]: the pipeline has no `name`
         --> pipeline.yaml:1:1
          |
        1 | plugins: {}
          | ^^^^^^^^^^^
          |
          = hint: begin the file with `name: something`

        error[missing-key]: the pipeline has no `nodes`
         --> pipeline.yaml:1:1
          |
        1 | plugins: {}
          | ^^^^^^^^^^^
          |
          = hint: write `nodes: { load: { type: read } }`, for example

        2 errors
    "#]],
    );
}

#[test]
fn nodes_need_a_type() {
    check(
        "name: test\nnodes:\n  load:\n  more: { with: { a: 1 } }\n",
        &expect![[r#"
        error[missing-key]: node `load` has no `type`
         --> pipeline.yaml:3:3
          |
        3 |   load:
          |   ^^^^
          |
          = hint: `type` says which plugin handles the node

        error[missing-key]: node `more` has no `type`
         --> pipeline.yaml:4:3
          |
        4 |   more: { with: { a: 1 } }
          |   ^^^^
          |
          = hint: `type` says which plugin handles the node

        2 errors
    "#]],
    );
}

#[test]
fn a_setting_beside_with_is_explained() {
    check_node(
        "{ type: echo, prompt: hello, retry: { max: 3 } }",
        &expect![[r#"
            error[unknown-key]: node `n` has no key `prompt`
             --> pipeline.yaml:5:20
              |
            5 |   n: { type: echo, prompt: hello, retry: { max: 3 } }
              |                    ^^^^^^
              |
              = hint: settings of its type stand under `with`; beside it stand `type`, `value`, `switch`, `all`, `first`, `fallback`, `pipeline`, `with`, `when`, `map`, `while`, `on_error`, `retry`, `timeout`, `cache`, `rate_limit`, `output_schema`, `validate`, `budget`, `needs`

            1 error
        "#]],
    );
}

#[test]
fn a_list_is_no_pipeline() {
    check(
        "- name: test\n",
        &expect![[r#"
        error[wrong-type]: a pipeline must be a mapping of keys to values, not an array
         --> pipeline.yaml:1:1
          |
        1 | - name: test
          | ^^^^^^^^^^^^

        1 error
    "#]],
    );
}

#[test]
fn wrong_types_are_all_found() {
    check(
        "name: [a]\nplugins: { redact: { enabled: maybe, path: 1, version: 1, config: 7 } }\ninputs: 3\nlimits: { parallel: 0, wall: 10 }\nnodes: []\noutputs: []\n",
        &expect![[r#"
            error[wrong-type]: `name` must be text, not an array
             --> pipeline.yaml:1:1
              |
            1 | name: [a]
              | ^^^^

            error[wrong-type]: `enabled` must be `true` or `false`, not a string
             --> pipeline.yaml:2:31
              |
            2 | plugins: { redact: { enabled: maybe, path: 1, version: 1, config: 7 } }
              |                               ^^^^^

            error[wrong-type]: `path` must be text, not a number
             --> pipeline.yaml:2:44
              |
            2 | plugins: { redact: { enabled: maybe, path: 1, version: 1, config: 7 } }
              |                                            ^
              |
              = hint: write it in quotes

            error[wrong-type]: `version` must be text, not a number
             --> pipeline.yaml:2:56
              |
            2 | plugins: { redact: { enabled: maybe, path: 1, version: 1, config: 7 } }
              |                                                        ^
              |
              = hint: write it in quotes

            error[wrong-type]: `inputs` must be a mapping of keys to values, not a number
             --> pipeline.yaml:3:9
              |
            3 | inputs: 3
              |         ^

            error[wrong-type]: `parallel` must be a whole number from 1 on, not a number
             --> pipeline.yaml:4:21
              |
            4 | limits: { parallel: 0, wall: 10 }
              |                     ^

            error[wrong-type]: `wall` must be text, not a number
             --> pipeline.yaml:4:30
              |
            4 | limits: { parallel: 0, wall: 10 }
              |                              ^^
              |
              = hint: write it in quotes

            error[wrong-type]: `nodes` must be a mapping of keys to values, not an array
             --> pipeline.yaml:5:1
              |
            5 | nodes: []
              | ^^^^^

            error[wrong-type]: `outputs` must be a mapping of keys to values, not an array
             --> pipeline.yaml:6:1
              |
            6 | outputs: []
              | ^^^^^^^

            9 errors
        "#]],
    );
}

#[test]
fn wrong_types_in_a_node_are_all_found() {
    check_node(
        "{ type: 1, with: 2, when: [], needs: b, map: 3 }",
        &expect![[r#"
        error[wrong-type]: `type` must be text, not a number
         --> pipeline.yaml:5:14
          |
        5 |   n: { type: 1, with: 2, when: [], needs: b, map: 3 }
          |              ^
          |
          = hint: write it in quotes

        error[wrong-type]: `with` must be a mapping of keys to values, not a number
         --> pipeline.yaml:5:23
          |
        5 |   n: { type: 1, with: 2, when: [], needs: b, map: 3 }
          |                       ^

        error[wrong-type]: `when` must be an expression, not an array
         --> pipeline.yaml:5:26
          |
        5 |   n: { type: 1, with: 2, when: [], needs: b, map: 3 }
          |                          ^^^^

        error[wrong-type]: `needs` must be a list, not a string
         --> pipeline.yaml:5:43
          |
        5 |   n: { type: 1, with: 2, when: [], needs: b, map: 3 }
          |                                           ^

        error[wrong-type]: `map` must be a mapping of keys to values, not a number
         --> pipeline.yaml:5:51
          |
        5 |   n: { type: 1, with: 2, when: [], needs: b, map: 3 }
          |                                                   ^

        5 errors
    "#]],
    );
}

#[test]
fn a_choice_of_keys_is_explained() {
    check_node(
        "\n    type: pick\n    with: { by: text }\n",
        &expect![[r#"
        error[invalid-config]: `pick` needs `items` or `value`
         --> pipeline.yaml:7:5
          |
        7 |     with: { by: text }
          |     ^^^^

        1 error
    "#]],
    );
    check_node(
        "{ type: pick, with: { items: \"{{ load }}\", value: \"{{ load }}\" } }",
        &expect![[r#"
        error[invalid-config]: `pick` takes one of `items`, `value`, not several
         --> pipeline.yaml:5:20
          |
        5 |   n: { type: pick, with: { items: "{{ load }}", value: "{{ load }}" } }
          |                    ^^^^

        1 error
    "#]],
    );
}

#[test]
fn the_nearest_alternative_is_explained() {
    check_node(
        "{ type: pick, with: { value: {}, by: 3 } }",
        &expect![[r#"
        error[invalid-config]: `by` must be a string or an object, not a number
         --> pipeline.yaml:5:43
          |
        5 |   n: { type: pick, with: { value: {}, by: 3 } }
          |                                           ^

        1 error
    "#]],
    );
    check_node(
        "{ type: pick, with: { value: {}, by: { field: 1, order: dwn } } }",
        &expect![[r#"
        error[invalid-config]: `by.field` must be a string, not a number
         --> pipeline.yaml:5:52
          |
        5 |   n: { type: pick, with: { value: {}, by: { field: 1, order: dwn } } }
          |                                                    ^

        error[invalid-config]: `by.order` must be one of "up", "down", not "dwn"
         --> pipeline.yaml:5:62
          |
        5 |   n: { type: pick, with: { value: {}, by: { field: 1, order: dwn } } }
          |                                                              ^^^
          |
          = hint: did you mean `down`?

        2 errors
    "#]],
    );
    check_node(
        "{ type: pick, with: { value: {}, by: { x: 1 } } }",
        &expect![[r#"
        error[invalid-config]: `by` needs the key `expr`
         --> pipeline.yaml:5:39
          |
        5 |   n: { type: pick, with: { value: {}, by: { x: 1 } } }
          |                                       ^^

        error[invalid-config]: `by` has no key `x`
         --> pipeline.yaml:5:45
          |
        5 |   n: { type: pick, with: { value: {}, by: { x: 1 } } }
          |                                             ^
          |
          = hint: it may have `field`, `order`, `expr`

        2 errors
    "#]],
    );
}

#[test]
fn expressions_know_the_names_that_the_plugin_brings() {
    check_node(
        "{ type: pick, with: { value: {}, by: { expr: \"lod.x + row.y + item\" } } }",
        &expect![[r#"
        error[unknown-reference]: there is no node `lod`
         --> pipeline.yaml:5:52
          |
        5 |   n: { type: pick, with: { value: {}, by: { expr: "lod.x + row.y + item" } } }
          |                                                    ^^^
          |
          = hint: did you mean `load`?

        error[unknown-reference]: there is no `item` here
         --> pipeline.yaml:5:68
          |
        5 |   n: { type: pick, with: { value: {}, by: { expr: "lod.x + row.y + item" } } }
          |                                                                    ^^^^
          |
          = hint: name `row`, a node, or `inputs.NAME`

        2 errors
    "#]],
    );
}

#[test]
fn a_template_that_the_plugin_renders_is_read_as_one() {
    check_node(
        "{ type: sort, with: { items: [], text: \"{{ item.a }} {{ lod.x }}\" } }",
        &expect![[r#"
        error[unknown-reference]: there is no node `lod`
         --> pipeline.yaml:5:62
          |
        5 |   n: { type: sort, with: { items: [], text: "{{ item.a }} {{ lod.x }}" } }
          |                                                              ^^^
          |
          = hint: did you mean `load`?

        1 error
    "#]],
    );
    check_node(
        "{ type: sort, with: { items: [], text: \"{{ item. }}\" } }",
        &expect![[r#"
        error[invalid-template]: unexpected end of variable block, expected identifier or integer
         --> pipeline.yaml:5:55
          |
        5 |   n: { type: sort, with: { items: [], text: "{{ item. }}" } }
          |                                                       ^

        1 error
    "#]],
    );
}

#[test]
fn a_duplicate_key_shows_both_places() {
    check(
        "name: test\nnodes:\n  load: { type: read, with: { path: a } }\n  load: { type: read, with: { path: b } }\n",
        &expect![[r#"
            error[duplicate-key]: the key `load` stands here a second time
             --> pipeline.yaml:4:3
              |
            3 |   load: { type: read, with: { path: a } }
              |   ---- the first one is here
            4 |   load: { type: read, with: { path: b } }
              |   ^^^^
              |
              = hint: keep one of the two

            1 error
        "#]],
    );
}

#[test]
fn values_that_mean_nothing() {
    check(
        "name: \"\"\nplugins: { redact: { path: p, version: new, grants: { files: all } } }\nlimits: { wall: soon }\nnodes: { load: { type: read, with: { path: a } } }\n",
        &expect![[r#"
            error[invalid-value]: `name` is empty
             --> pipeline.yaml:1:7
              |
            1 | name: ""
              |       ^^

            error[invalid-value]: `new` is not a range of versions: unexpected character 'n' while parsing major version number
             --> pipeline.yaml:2:40
              |
            2 | plugins: { redact: { path: p, version: new, grants: { files: all } } }
              |                                        ^^^
              |
              = hint: write it as in `^1.2` or `>=1, <3`

            error[invalid-value]: these are no grants: unknown field `files`, expected one of `context`, `call`, `events`, `fs`, `clock`, `random`, `network`, `processes`, `env`, `folders`, `http`, `secrets`
             --> pipeline.yaml:2:45
              |
            2 | plugins: { redact: { path: p, version: new, grants: { files: all } } }
              |                                             ^^^^^^
              |
              = hint: write them as in a manifest's `requires`; `{}` grants nothing

            error[invalid-value]: `soon` is not a duration
             --> pipeline.yaml:3:17
              |
            3 | limits: { wall: soon }
              |                 ^^^^
              |
              = hint: write it as in `10m`, `1h 30m` or `500ms`

            4 errors
        "#]],
    );
}

#[test]
fn inputs_have_a_type_and_a_default_of_it() {
    check(
        "name: test\ninputs:\n  a: { type: strng }\n  b: { type: integer, default: 1.5 }\n  c: { default: 1 }\n  d: { type: string, default: x, required: true }\nnodes: { load: { type: read, with: { path: a } } }\n",
        &expect![[r#"
            error[invalid-value]: the type of an input is one of `string`, `integer`, `number`, `boolean`, `array`, `object`, not `strng`
             --> pipeline.yaml:3:14
              |
            3 |   a: { type: strng }
              |              ^^^^^
              |
              = hint: did you mean `string`?

            error[wrong-type]: the default of input `b` must be an integer, not a number
             --> pipeline.yaml:4:32
              |
            4 |   b: { type: integer, default: 1.5 }
              |                                ^^^

            error[missing-key]: input `c` has no `type`
             --> pipeline.yaml:5:3
              |
            5 |   c: { default: 1 }
              |   ^
              |
              = hint: `type` is one of `string`, `integer`, `number`, `boolean`, `array`, `object`

            error[invalid-value]: input `d` has a default, so no run is required to give it
             --> pipeline.yaml:6:44
              |
            6 |   d: { type: string, default: x, required: true }
              |                                            ^^^^
              |
              = hint: keep one of `required` and `default`

            4 errors
        "#]],
    );
}

#[test]
fn names_follow_rules() {
    check(
        "name: test\nplugins: { Redact: {} }\nnodes:\n  Load: { type: read, with: { path: a } }\n  inputs: { type: read, with: { path: a } }\n  not: { type: read, with: { path: a } }\n  a: { type: echo, map: { over: [1], as: Load_2 } }\n  b: { type: echo, map: { over: [1], as: a } }\n",
        &expect![[r#"
            error[invalid-name]: `Redact` is not a valid plugin id: lower-case letters, digits, `_` and `-`, beginning with a letter, at most 64
             --> pipeline.yaml:2:12
              |
            2 | plugins: { Redact: {} }
              |            ^^^^^^
              |
              = hint: write the id that the plugin has in its manifest

            error[missing-plugin]: there is no built-in plugin `Redact`
             --> pipeline.yaml:2:12
              |
            2 | plugins: { Redact: {} }
              |            ^^^^^^
              |
              = hint: say where it is: `path: plugins/Redact`; `tapline plugin install` fetches packages, and nothing else does

            error[invalid-name]: `Load` is not a node id: lower-case letters, digits and `_`, beginning with a letter
             --> pipeline.yaml:4:3
              |
            4 |   Load: { type: read, with: { path: a } }
              |   ^^^^
              |
              = hint: choose another name

            error[invalid-name]: `inputs` cannot be a node id: it means something else in templates
             --> pipeline.yaml:5:3
              |
            5 |   inputs: { type: read, with: { path: a } }
              |   ^^^^^^
              |
              = hint: choose another name

            error[invalid-name]: `not` cannot be a node id: it means something else in templates
             --> pipeline.yaml:6:3
              |
            6 |   not: { type: read, with: { path: a } }
              |   ^^^
              |
              = hint: choose another name

            error[invalid-name]: `Load_2` is not a name of an item: lower-case letters, digits and `_`, beginning with a letter
             --> pipeline.yaml:7:42
              |
            7 |   a: { type: echo, map: { over: [1], as: Load_2 } }
              |                                          ^^^^^^
              |
              = hint: choose another name

            error[invalid-name]: the item's name `a` hides the node of that name
             --> pipeline.yaml:8:42
              |
            8 |   b: { type: echo, map: { over: [1], as: a } }
              |                                          ^
              |
              = hint: choose another name

            7 errors
        "#]],
    );
}

#[test]
fn the_name_of_a_secret_stands_for_it_nowhere_but_in_the_configuration_of_a_plugin() {
    let checked = |config: &str| {
        rendered(
            format!("name: x\nplugins: {{ io: {{ config: {config} }} }}\nnodes: {{ n: {{ type: echo }} }}\n")
                .as_bytes(),
            &catalog(),
        )
    };
    for config in ["{ api_key: '${secret:a_b-1}' }", "{ keys: [{ k: '${secret:a}' }] }"] {
        assert_eq!(checked(config), "", "{config}");
    }
    for config in
        ["{ key: 'Bearer ${secret:a}' }", "{ key: '${secret:a}${secret:b}' }", "{ key: '${secret:a' }"]
    {
        assert!(checked(config).contains("does not stand for the secret here"), "{config}");
    }
    check_node(
        "{ type: echo, with: { key: \"Bearer ${secret:openai} ${env:HOME}\" } }",
        &expect![[r#"
            error[secret]: `${secret:openai}` does not stand for the secret here
             --> pipeline.yaml:5:41
              |
            5 |   n: { type: echo, with: { key: "Bearer ${secret:openai} ${env:HOME}" } }
              |                                         ^^^^^^^^^^^^^^^^
              |
              = hint: a secret is named in the `config` of a plugin that sends it, as the whole of a text; it is never the value of a template

            1 error
        "#]],
    );
}

#[test]
fn an_unknown_type_is_compared_with_the_known_ones() {
    check_node(
        "{ type: fliter, with: { items: [] } }",
        &expect![[r#"
        error[unknown-node-type]: no plugin provides the node type `fliter`
         --> pipeline.yaml:5:14
          |
        5 |   n: { type: fliter, with: { items: [] } }
          |              ^^^^^^
          |
          = hint: did you mean `filter`?

        1 error
    "#]],
    );
}

#[test]
fn a_type_nobody_has() {
    check_node(
        "{ type: teleport }",
        &expect![[r#"
        error[unknown-node-type]: no plugin provides the node type `teleport`
         --> pipeline.yaml:5:14
          |
        5 |   n: { type: teleport }
          |              ^^^^^^^^
          |
          = hint: `tapline plugin list` shows which plugins there are

        1 error
    "#]],
    );
}

#[test]
fn a_type_of_a_plugin_that_is_not_named() {
    check_node(
        "{ type: tick }",
        &expect![[r#"
        error[unknown-node-type]: the node type `tick` belongs to plugin `clock`, which the file does not name
         --> pipeline.yaml:5:14
          |
        5 |   n: { type: tick }
          |              ^^^^
          |
          = hint: name `clock` under `plugins`, with its `path`

        1 error
    "#]],
    );
}

#[test]
fn a_type_of_a_disabled_plugin() {
    check(
        "name: test\nplugins: { io: { enabled: false } }\nnodes:\n  load: { type: read }\n",
        &expect![[r#"
        error[unknown-node-type]: the node type `read` belongs to plugin `io`, which is disabled
         --> pipeline.yaml:4:17
          |
        4 |   load: { type: read }
          |                 ^^^^
          |
          = hint: enable `io`, or remove the node

        1 error
    "#]],
    );
}

#[test]
fn settings_follow_the_schema() {
    check_node(
        "{ type: read, with: { pth: a, format: yaml, limit: 0, columns: 7 } }",
        &expect![[r#"
        error[invalid-config]: `read` needs the setting `path`
         --> pipeline.yaml:5:20
          |
        5 |   n: { type: read, with: { pth: a, format: yaml, limit: 0, columns: 7 } }
          |                    ^^^^

        error[invalid-config]: `read` has no setting `pth`
         --> pipeline.yaml:5:28
          |
        5 |   n: { type: read, with: { pth: a, format: yaml, limit: 0, columns: 7 } }
          |                            ^^^
          |
          = hint: did you mean `path`?

        error[invalid-config]: `format` must be one of "text", "json", "jsonl", "csv", not "yaml"
         --> pipeline.yaml:5:44
          |
        5 |   n: { type: read, with: { pth: a, format: yaml, limit: 0, columns: 7 } }
          |                                            ^^^^

        error[invalid-config]: `limit` is less than the minimum of 1
         --> pipeline.yaml:5:57
          |
        5 |   n: { type: read, with: { pth: a, format: yaml, limit: 0, columns: 7 } }
          |                                                         ^

        error[invalid-config]: `columns` must be a string or an array, not a number
         --> pipeline.yaml:5:69
          |
        5 |   n: { type: read, with: { pth: a, format: yaml, limit: 0, columns: 7 } }
          |                                                                     ^

        5 errors
    "#]],
    );
}

#[test]
fn settings_that_are_missing_altogether() {
    check_node(
        "{ type: filter }",
        &expect![[r#"
        error[invalid-config]: `filter` needs the setting `items`
         --> pipeline.yaml:5:14
          |
        5 |   n: { type: filter }
          |              ^^^^^^

        error[invalid-config]: `filter` needs the setting `where`
         --> pipeline.yaml:5:14
          |
        5 |   n: { type: filter }
          |              ^^^^^^

        2 errors
    "#]],
    );
}

#[test]
fn settings_deep_inside() {
    check_node(
        "\n    type: sort\n    with:\n      items: load\n      by:\n        - { key: item.id, order: dwn }\n        - { ke: item.id }\n        - 3\n",
        &expect![[r#"
            error[invalid-config]: `items` must be an array, not a string
             --> pipeline.yaml:8:14
              |
            8 |       items: load
              |              ^^^^

            error[invalid-config]: `by.0.order` must be one of "up", "down", not "dwn"
              --> pipeline.yaml:10:34
               |
            10 |         - { key: item.id, order: dwn }
               |                                  ^^^
               |
               = hint: did you mean `down`?

            error[invalid-config]: `by.1` needs the key `key`
              --> pipeline.yaml:11:11
               |
            11 |         - { ke: item.id }
               |           ^^^^^^^^^^^^^^^

            error[invalid-config]: `by.1` has no key `ke`
              --> pipeline.yaml:11:13
               |
            11 |         - { ke: item.id }
               |             ^^
               |
               = hint: did you mean `key`?

            error[invalid-config]: `by.2` must be an object, not a number
              --> pipeline.yaml:12:11
               |
            12 |         - 3
               |           ^

            5 errors
        "#]],
    );
}

#[test]
fn what_a_template_will_become_is_not_guessed() {
    check_node(
        "{ type: read, with: { path: \"{{ load }}\", limit: \"{{ load.n }}\", columns: [\"{{ load }}\", 2], format: \"{{ load.f }}\", more: \"{{ load }}\" } }",
        &expect![[r#"
            error[invalid-config]: `read` has no setting `more`
             --> pipeline.yaml:5:123
              |
            5 |   n: { type: read, with: { path: "{{ load }}", limit: "{{ load.n }}", columns: ["{{ load }}", 2], format: "{{ load.f }}", more: "{{ l...
              |                                                                                                                           ^^^^
              |
              = hint: it may have `path`, `format`, `limit`, `columns`

            1 error
        "#]],
    );
}

#[test]
fn an_unknown_node_is_compared_with_the_known_ones() {
    check_node(
        "{ type: filter, with: { items: \"{{ laod.items }}\", where: \"itme.a == lod.b and zzzzz\" } }",
        &expect![[r#"
            error[unknown-reference]: there is no node `laod`
             --> pipeline.yaml:5:41
              |
            5 |   n: { type: filter, with: { items: "{{ laod.items }}", where: "itme.a == lod.b and zzzzz" } }
              |                                         ^^^^
              |
              = hint: did you mean `load`?

            error[unknown-reference]: there is no node `itme`
             --> pipeline.yaml:5:65
              |
            5 |   n: { type: filter, with: { items: "{{ laod.items }}", where: "itme.a == lod.b and zzzzz" } }
              |                                                                 ^^^^
              |
              = hint: did you mean `item`?

            error[unknown-reference]: there is no node `lod`
             --> pipeline.yaml:5:75
              |
            5 |   n: { type: filter, with: { items: "{{ laod.items }}", where: "itme.a == lod.b and zzzzz" } }
              |                                                                           ^^^
              |
              = hint: did you mean `load`?

            error[unknown-reference]: there is no node `zzzzz`
             --> pipeline.yaml:5:85
              |
            5 |   n: { type: filter, with: { items: "{{ laod.items }}", where: "itme.a == lod.b and zzzzz" } }
              |                                                                                     ^^^^^
              |
              = hint: name `item`, a node, or `inputs.NAME`

            4 errors
        "#]],
    );
}

#[test]
fn an_unknown_input() {
    check_node(
        "{ type: echo, when: inputs.fil, with: { a: \"see {{ inputs.flie.x }} and {{ file }}\" } }",
        &expect![[r#"
            error[unknown-reference]: the pipeline has no input `fil`
             --> pipeline.yaml:5:26
              |
            5 |   n: { type: echo, when: inputs.fil, with: { a: "see {{ inputs.flie.x }} and {{ file }}" } }
              |                          ^^^^^^^^^^
              |
              = hint: did you mean `file`?

            error[unknown-reference]: the pipeline has no input `flie`
             --> pipeline.yaml:5:57
              |
            5 |   n: { type: echo, when: inputs.fil, with: { a: "see {{ inputs.flie.x }} and {{ file }}" } }
              |                                                         ^^^^^^^^^^^
              |
              = hint: did you mean `file`?

            error[unknown-reference]: there is no node `file`
             --> pipeline.yaml:5:81
              |
            5 |   n: { type: echo, when: inputs.fil, with: { a: "see {{ inputs.flie.x }} and {{ file }}" } }
              |                                                                                 ^^^^
              |
              = hint: an input is called `inputs.file`

            3 errors
        "#]],
    );
}

#[test]
fn an_unknown_need() {
    check_node(
        "{ type: echo, needs: [load, lod] }",
        &expect![[r#"
        error[unknown-reference]: there is no node `lod`
         --> pipeline.yaml:5:34
          |
        5 |   n: { type: echo, needs: [load, lod] }
          |                                  ^^^
          |
          = hint: did you mean `load`?

        1 error
    "#]],
    );
}

#[test]
fn an_unknown_node_in_the_outputs() {
    check(
        "name: test\nnodes:\n  load: { type: read, with: { path: a } }\noutputs: { a: \"{{ laod }}\", b: [\"{{ item }}\"] }\n",
        &expect![[r#"
            error[unknown-reference]: there is no node `laod`
             --> pipeline.yaml:4:19
              |
            4 | outputs: { a: "{{ laod }}", b: ["{{ item }}"] }
              |                   ^^^^
              |
              = hint: did you mean `load`?

            error[unknown-reference]: there is no `item` here
             --> pipeline.yaml:4:37
              |
            4 | outputs: { a: "{{ laod }}", b: ["{{ item }}"] }
              |                                     ^^^^
              |
              = hint: a node has items when it has `map: { over: ... }`

            2 errors
        "#]],
    );
}

#[test]
fn an_item_exists_only_where_a_node_maps() {
    check_node(
        "{ type: echo, with: { a: \"{{ item.x }}\" } }",
        &expect![[r#"
        error[unknown-reference]: there is no `item` here
         --> pipeline.yaml:5:35
          |
        5 |   n: { type: echo, with: { a: "{{ item.x }}" } }
          |                                   ^^^^
          |
          = hint: a node has items when it has `map: { over: ... }`

        1 error
    "#]],
    );
}

#[test]
fn an_item_has_the_name_that_map_gives_it() {
    check_node(
        "{ type: echo, when: ticket.x, map: { over: \"{{ ticket }}\", as: ticket }, with: { a: \"{{ item.x }} {{ ticket }}\" } }",
        &expect![[r#"
            error[unknown-reference]: there is no `ticket` here: `when` and `over` are evaluated before there are items
             --> pipeline.yaml:5:26
              |
            5 |   n: { type: echo, when: ticket.x, map: { over: "{{ ticket }}", as: ticket }, with: { a: "{{ item.x }} {{ ticket }}" } }
              |                          ^^^^^^
              |
              = hint: filter the list that `over` yields

            error[unknown-reference]: there is no `ticket` here: `when` and `over` are evaluated before there are items
             --> pipeline.yaml:5:53
              |
            5 |   n: { type: echo, when: ticket.x, map: { over: "{{ ticket }}", as: ticket }, with: { a: "{{ item.x }} {{ ticket }}" } }
              |                                                     ^^^^^^
              |
              = hint: filter the list that `over` yields

            error[unknown-reference]: there is no `item` here
             --> pipeline.yaml:5:94
              |
            5 |   n: { type: echo, when: ticket.x, map: { over: "{{ ticket }}", as: ticket }, with: { a: "{{ item.x }} {{ ticket }}" } }
              |                                                                                              ^^^^
              |
              = hint: `map` calls the item `ticket`

            3 errors
        "#]],
    );
}

#[test]
fn over_is_a_list() {
    check_node(
        "{ type: echo, map: { over: load.items } }",
        &expect![[r#"
        error[wrong-type]: `over` must be a list, or a template that yields one
         --> pipeline.yaml:5:33
          |
        5 |   n: { type: echo, map: { over: load.items } }
          |                                 ^^^^^^^^^^
          |
          = hint: write it as in `over: "{{ load.items }}"`

        1 error
    "#]],
    );
}

#[test]
fn map_needs_over() {
    check_node(
        "{ type: echo, map: { as: x, over_: 1 } }",
        &expect![[r#"
        error[missing-key]: `map` has no `over`
         --> pipeline.yaml:5:20
          |
        5 |   n: { type: echo, map: { as: x, over_: 1 } }
          |                    ^^^
          |
          = hint: `over` is the list, as in `over: "{{ load.items }}"`

        error[unknown-key]: `map` has no key `over_`
         --> pipeline.yaml:5:34
          |
        5 |   n: { type: echo, map: { as: x, over_: 1 } }
          |                                  ^^^^^
          |
          = hint: did you mean `over`?

        2 errors
    "#]],
    );
}

#[test]
fn templates_that_do_not_parse() {
    check_node(
        "{ type: filter, with: { items: \"{{ load.items \", where: \"item.a = 1\" } }",
        &expect![[r#"
        error[invalid-template]: unexpected end of input, expected end of variable block
         --> pipeline.yaml:5:46
          |
        5 |   n: { type: filter, with: { items: "{{ load.items ", where: "item.a = 1" } }
          |                                              ^^^^^

        error[invalid-template]: unexpected input after expression
         --> pipeline.yaml:5:70
          |
        5 |   n: { type: filter, with: { items: "{{ load.items ", where: "item.a = 1" } }
          |                                                                      ^

        2 errors
    "#]],
    );
}

#[test]
fn braces_in_a_bare_expression() {
    check_node(
        "{ type: filter, with: { items: [], where: \"{{ item.a }}\" } }",
        &expect![[r#"
        error[invalid-template]: unexpected `}`, expected `:`
         --> pipeline.yaml:5:59
          |
        5 |   n: { type: filter, with: { items: [], where: "{{ item.a }}" } }
          |                                                           ^
          |
          = hint: this is a bare expression: write it without `{{` and `}}`

        1 error
    "#]],
    );
}

#[test]
fn a_mistake_in_a_block_is_shown_in_its_line() {
    check_node(
        "\n    type: echo\n    with:\n      prompt: |\n        Hello,\n          this is {{ laod.text }} and {{ load | uper }}\n",
        &expect![[r#"
            error[invalid-template]: filter `uper` is unknown
              --> pipeline.yaml:10:49
               |
            10 |           this is {{ laod.text }} and {{ load | uper }}
               |                                                 ^^^^

            1 error
        "#]],
    );
}

#[test]
fn a_mistake_in_a_folded_text_is_shown_in_its_line() {
    check_node(
        "\n    type: echo\n    with:\n      folded: >-\n        Hello,\n        this is {{ laod.text }}\n      plain: one\n        two {{ laod }}\n      double: \"\\u00e9\\n {{ laod }}\"\n      single: 'it''s {{ laod }}'\n",
        &expect![[r#"
            error[unknown-reference]: there is no node `laod`
              --> pipeline.yaml:10:20
               |
            10 |         this is {{ laod.text }}
               |                    ^^^^
               |
               = hint: did you mean `load`?

            error[unknown-reference]: there is no node `laod`
              --> pipeline.yaml:12:16
               |
            12 |         two {{ laod }}
               |                ^^^^
               |
               = hint: did you mean `load`?

            error[unknown-reference]: there is no node `laod`
              --> pipeline.yaml:13:28
               |
            13 |       double: "\u00e9\n {{ laod }}"
               |                            ^^^^
               |
               = hint: did you mean `load`?

            error[unknown-reference]: there is no node `laod`
              --> pipeline.yaml:14:25
               |
            14 |       single: 'it''s {{ laod }}'
               |                         ^^^^
               |
               = hint: did you mean `load`?

            4 errors
        "#]],
    );
}

#[test]
fn a_cycle_is_shown_as_a_path() {
    check(
        "name: test\nnodes:\n  a: { type: echo, with: { x: \"{{ c }}\" } }\n  b: { type: echo, needs: [a] }\n  c:\n    type: echo\n    when: b.ok\n",
        &expect![[r#"
            error[cycle]: these nodes wait for each other: a → b → c → a
             --> pipeline.yaml:3:35
              |
            3 |   a: { type: echo, with: { x: "{{ c }}" } }
              |                                   ^
            4 |   b: { type: echo, needs: [a] }
              |                            - `b` waits for `a` here
            ...
            7 |     when: b.ok
              |           - `c` waits for `b` here

            1 error
        "#]],
    );
}

#[test]
fn a_node_that_waits_for_itself() {
    check_node(
        "{ type: echo, with: { x: \"{{ n.y }}\" } }",
        &expect![[r#"
        error[cycle]: node `n` waits for itself: n → n
         --> pipeline.yaml:5:35
          |
        5 |   n: { type: echo, with: { x: "{{ n.y }}" } }
          |                                   ^

        1 error
    "#]],
    );
}
