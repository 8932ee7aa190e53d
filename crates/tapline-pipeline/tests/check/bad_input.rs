use expect_test::{Expect, expect};

use crate::support::{catalog, rendered};

#[track_caller]
fn check(bytes: impl AsRef<[u8]>, expected: &Expect) {
    expected.assert_eq(&rendered(bytes.as_ref(), &catalog()));
}

#[test]
fn an_empty_file() {
    check(
        "",
        &expect![[r#"
        error[empty-file]: the file is empty
         --> pipeline.yaml:1:1
          |
        1 |
          | ^
          |
          = hint: `tapline init` writes a pipeline to begin with

        1 error
    "#]],
    );
}

#[test]
fn a_file_of_comments() {
    check(
        "# later\n\n",
        &expect![[r#"
        error[empty-file]: the file is empty
         --> pipeline.yaml:1:1
          |
        1 | # later
          | ^
          |
          = hint: `tapline init` writes a pipeline to begin with

        1 error
    "#]],
    );
}

#[test]
fn bytes_that_are_no_utf_8() {
    check(
        b"name: test\nnodes:\n  na\xc3\xafve: caf\xe9\n",
        &expect![[r#"
        error[not-utf8]: the file is not UTF-8: this byte belongs to no character
         --> pipeline.yaml:3:13
          |
        3 |   naïve: caf�
          |             ^
          |
          = hint: save the file as UTF-8

        1 error
    "#]],
    );
}

#[test]
fn a_file_that_ends_too_early() {
    check(
        "name: test\nnodes:\n  load: { type: read, with: { pa",
        &expect![[r#"
        error[invalid-yaml]: while parsing a flow mapping, did not find expected ',' or '}'
         --> pipeline.yaml:3:33
          |
        3 |   load: { type: read, with: { pa
          |                                 ^
          |
          = hint: the file ends here: is the rest of it missing?

        1 error
    "#]],
    );
}

#[test]
fn a_text_that_is_not_closed() {
    check(
        "name: test\nnodes:\n  load: { type: \"read }\n",
        &expect![[r#"
        error[invalid-yaml]: while scanning a quoted scalar, found unexpected end of stream
         --> pipeline.yaml:3:17
          |
        3 |   load: { type: "read }
          |                 ^

        1 error
    "#]],
    );
}

#[test]
fn two_hundred_kilobytes_of_brackets() {
    check(
        "[".repeat(200 * 1024),
        &expect![[r#"
        error[too-large]: the file nests deeper than 64 levels
         --> pipeline.yaml:1:256
          |
        1 | ...[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[...
          |                                                                    ^
          |
          = hint: no pipeline needs this: a bracket is probably missing or repeated

        1 error
    "#]],
    );
}

#[test]
fn two_hundred_kilobytes_of_lists_in_lists() {
    check(
        "- ".repeat(100 * 1024),
        &expect![[r#"
        error[too-large]: the file nests deeper than 64 levels
         --> pipeline.yaml:1:129
          |
        1 | - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -...
          |                                                                                                                                 ^
          |
          = hint: no pipeline needs this: a bracket is probably missing or repeated

        1 error
    "#]],
    );
}

#[test]
fn an_alias_bomb() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    check(
        text,
        &expect![[r#"
            error[too-large]: the file has more than 250000 elements, aliases expanded
             --> pipeline.yaml:6:15
              |
            6 | a5: &a5 [*a4, *a4, *a4, *a4, *a4, *a4, *a4, *a4, *a4, *a4]
              |               ^^^
              |
              = hint: repeat less through aliases (`*name`), and keep data in files of its own

            1 error
        "#]],
    );
}

#[test]
fn an_alias_bomb_of_one_long_text() {
    check(
        format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(1000)),
        &expect![[r#"
            error[too-large]: the file has more than 250000 elements, aliases expanded
             --> pipeline.yaml:2:637
              |
            2 | ...*a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a...
              |                                                                    ^^
              |
              = hint: repeat less through aliases (`*name`), and keep data in files of its own

            1 error
        "#]],
    );
}

#[test]
fn a_file_that_is_too_long() {
    check(
        format!("name: test\n{}", "# data\n".repeat(200_000)),
        &expect![[r#"
        error[too-large]: the file has more than 1048576 bytes
         --> pipeline.yaml:1:1
          |
        1 | name: test
          | ^
          |
          = hint: keep data in files of its own, and read them with a node

        1 error
    "#]],
    );
}

#[test]
fn an_alias_inside_itself() {
    check(
        "name: &a [*a]\n",
        &expect![[r#"
        error[wrong-type]: `name` must be text, not an array
         --> pipeline.yaml:1:1
          |
        1 | name: &a [*a]
          | ^^^^

        error[missing-key]: the pipeline has no `nodes`
         --> pipeline.yaml:1:1
          |
        1 | name: &a [*a]
          | ^^^^^^^^^^^^^
          |
          = hint: write `nodes: { load: { type: read } }`, for example

        error[unsupported-yaml]: this alias stands inside what it stands for
         --> pipeline.yaml:1:11
          |
        1 | name: &a [*a]
          |           ^^

        3 errors
    "#]],
    );
}

#[test]
fn several_documents() {
    check(
        "name: test\nnodes: { load: { type: read, with: { path: a } } }\n---\nname: more\n",
        &expect![[r#"
        error[unsupported-yaml]: a second document begins here, but a file is one pipeline
         --> pipeline.yaml:3:1
          |
        3 | ---
          | ^^^
          |
          = hint: put each pipeline in a file of its own

        1 error
    "#]],
    );
}

#[test]
fn tags_and_merge_keys_and_keys_that_are_no_text() {
    check(
        "name: !!str test\nnodes:\n  load: &load { type: read, with: !secret { path: a } }\n  more: { <<: *load, 1: x, [a]: y }\n",
        &expect![[r#"
            error[unsupported-yaml]: the tag `!!str` has no meaning here
             --> pipeline.yaml:1:7
              |
            1 | name: !!str test
              |       ^^^^^^^^^^
              |
              = hint: leave the tag out, and write text in quotes

            error[unsupported-yaml]: the tag `!secret` has no meaning here
             --> pipeline.yaml:3:35
              |
            3 |   load: &load { type: read, with: !secret { path: a } }
              |                                   ^^^^^^^^^
              |
              = hint: leave the tag out, and write text in quotes

            error[missing-key]: node `more` has no `type`
             --> pipeline.yaml:4:3
              |
            4 |   more: { <<: *load, 1: x, [a]: y }
              |   ^^^^
              |
              = hint: `type` says which plugin handles the node

            error[unsupported-yaml]: merge keys (`<<`) are not part of YAML 1.2
             --> pipeline.yaml:4:11
              |
            4 |   more: { <<: *load, 1: x, [a]: y }
              |           ^^
              |
              = hint: write the keys out

            error[unsupported-yaml]: a key must be text, and `1` is a number
             --> pipeline.yaml:4:22
              |
            4 |   more: { <<: *load, 1: x, [a]: y }
              |                      ^
              |
              = hint: write the key in quotes

            error[unsupported-yaml]: a key must be text, and this is an array
             --> pipeline.yaml:4:28
              |
            4 |   more: { <<: *load, 1: x, [a]: y }
              |                            ^^^
              |
              = hint: write the key as text

            6 errors
        "#]],
    );
}

#[test]
fn a_template_without_quotes() {
    check(
        "name: test\nnodes:\n  a: { type: echo, with: { x: {{ b }}, y: 1 } }\n  b:\n    type: echo\n    with:\n      x: {{ b.c }}/d\n",
        &expect![[r#"
            error[unsupported-yaml]: a key must be text, and this is an object
             --> pipeline.yaml:3:32
              |
            3 |   a: { type: echo, with: { x: {{ b }}, y: 1 } }
              |                                ^^^^^
              |
              = hint: write a text that begins with `{{` in quotes

            error[unsupported-yaml]: a key must be text, and this is an object
             --> pipeline.yaml:7:11
              |
            7 |       x: {{ b.c }}/d
              |           ^^^^^^^
              |
              = hint: write a text that begins with `{{` in quotes

            error[invalid-yaml]: while parsing a block mapping, did not find expected key
             --> pipeline.yaml:7:19
              |
            7 |       x: {{ b.c }}/d
              |                   ^
              |
              = hint: write a text that begins with `{{` in quotes

            3 errors
        "#]],
    );
}

#[test]
fn a_tab_as_indentation() {
    check(
        "name: test\nnodes:\n\tload: { type: read }\n",
        &expect![[r#"
        error[invalid-yaml]: tabs disallowed within this context (block indentation)
         --> pipeline.yaml:3:2
          |
        3 |     load: { type: read }
          |     ^
          |
          = hint: indent with spaces

        1 error
    "#]],
    );
}

#[test]
fn a_colon_in_a_text() {
    check(
        "name: test: more\n",
        &expect![[r#"
        error[invalid-yaml]: mapping values are not allowed in this context
         --> pipeline.yaml:1:11
          |
        1 | name: test: more
          |           ^
          |
          = hint: write a text that holds `: ` or begins with one of @ ` % & * ! | > in quotes

        1 error
    "#]],
    );
}

#[test]
fn numbers_without_a_json_form() {
    check(
        "name: test\nnodes: { a: { type: echo, with: { x: 99999999999999999999, y: .inf } } }\n",
        &expect![[r#"
            error[invalid-value]: `99999999999999999999` is an integer of more than 64 bits
             --> pipeline.yaml:2:38
              |
            2 | nodes: { a: { type: echo, with: { x: 99999999999999999999, y: .inf } } }
              |                                      ^^^^^^^^^^^^^^^^^^^^
              |
              = hint: write it in quotes if it is text

            error[invalid-value]: `.inf` is infinite
             --> pipeline.yaml:2:63
              |
            2 | nodes: { a: { type: echo, with: { x: 99999999999999999999, y: .inf } } }
              |                                                               ^^^^
              |
              = hint: write it in quotes if it is text

            2 errors
        "#]],
    );
}

#[test]
fn wide_characters_count_as_one_column() {
    check(
        "name: \"日本\"\nnodes: { a: { type: echo, with: { \"日本語\": \"é {{ b }}\" } } }\n",
        &expect![[r#"
            error[unknown-reference]: there is no node `b`
             --> pipeline.yaml:2:48
              |
            2 | nodes: { a: { type: echo, with: { "日本語": "é {{ b }}" } } }
              |                                                   ^
              |
              = hint: name a node, or `inputs.NAME`

            1 error
        "#]],
    );
}

#[test]
fn control_characters_are_shown_as_pictures() {
    check(
        "name: \"a\\e[31mb\"\n\"x\\e[31my\": 1\nnodes: { a: { type: echo } }\n",
        &expect![[r#"
            error[unknown-key]: a pipeline has no key `x␛[31my`
             --> pipeline.yaml:2:1
              |
            2 | "x\e[31my": 1
              | ^^^^^^^^^^
              |
              = hint: it may have `name`, `plugins`, `inputs`, `limits`, `durability`, `nodes`, `outputs`

            1 error
        "#]],
    );
}

#[test]
fn windows_line_ends_and_a_byte_order_mark() {
    check(
        "\u{feff}name: test\r\nnodes:\r\n  a:\r\n    type: echo\r\n    with:\r\n      x: |\r\n        one\r\n        {{ b }}\r\n",
        &expect![[r#"
            error[unknown-reference]: there is no node `b`
             --> pipeline.yaml:8:12
              |
            8 |         {{ b }}
              |            ^
              |
              = hint: name a node, or `inputs.NAME`

            1 error
        "#]],
    );
}

#[test]
fn json_is_accepted() {
    check(
        r#"{"name": "test", "nodes": {"load": {"type": "read", "with": {"path": "a", "limit": 3}}}}"#,
        &expect![[""]],
    );
}

#[test]
fn on_and_yes_are_text() {
    check(
        "name: on\ninputs: { yes: { type: string, default: no } }\nnodes: { a: { type: echo, with: { on: off } } }\n",
        &expect![[""]],
    );
}
