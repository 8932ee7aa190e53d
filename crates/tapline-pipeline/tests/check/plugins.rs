use expect_test::{Expect, expect};
use tapline_pipeline::{Catalog, Origin};

use crate::support::{catalog, plugin, rendered};

#[track_caller]
fn check(plugins: &str, catalog: &Catalog, expected: &Expect) {
    let rest = "nodes:\n  load: { type: read, with: { path: a } }\n";
    expected.assert_eq(&rendered(format!("name: test\n{plugins}\n{rest}").as_bytes(), catalog));
}

fn with_problem(name: &str, problem: &str) -> Catalog {
    let mut catalog = catalog();
    catalog.plugins.retain(|plugin| plugin.name() != name);
    catalog.problems.insert(name.into(), problem.into());
    catalog
}

#[test]
fn a_blocked_plugin_never_takes_part() {
    let mut catalog = with_needy("*");
    for plugin in &mut catalog.plugins {
        if ["clock", "io"].contains(&plugin.name()) {
            plugin.standing = tapline_pipeline::Standing::Blocked;
        }
    }
    check(
        "plugins: { needy: , clock: { path: plugins/clock, optional: true } }",
        &catalog,
        &expect![[r#"
            error[missing-dependency]: plugin `needy` needs plugin `clock`, which does not take part
             --> pipeline.yaml:2:12
              |
            2 | plugins: { needy: , clock: { path: plugins/clock, optional: true } }
              |            ^^^^^
              |
              = hint: the operator has blocked `clock`; disable `needy` too

            warning[missing-plugin]: plugin `clock` is blocked by the operator
             --> pipeline.yaml:2:36
              |
            2 | plugins: { needy: , clock: { path: plugins/clock, optional: true } }
              |                                    ^^^^^^^^^^^^^
              |
              = hint: without it: `enabled: false`, or `optional: true` if the pipeline can do without

            error[unknown-node-type]: the node type `read` belongs to plugin `io`, which the operator has blocked
             --> pipeline.yaml:4:17
              |
            4 |   load: { type: read, with: { path: a } }
              |                 ^^^^
              |
              = hint: remove the node

            2 errors, 1 warning
        "#]],
    );
}

#[test]
fn an_available_plugin_that_nobody_needs_may_lack_what_it_needs() {
    check("plugins: {}", &with_needy("^9"), &expect![[""]]);
}

/// A built-in plugin `needy` that depends on `clock` (which lies in a folder).
fn with_needy(version: &str) -> Catalog {
    let more = format!(
        r#", "depends_on": [{{ "id": "clock", "version": "{version}" }}, {{ "id": "x", "optional": true }}]"#
    );
    let mut catalog = catalog();
    catalog.plugins.push(plugin("needy", &more, Origin::BuiltIn, &[]));
    catalog
}

#[test]
fn a_plugin_that_is_there_is_no_mistake() {
    check("plugins: { redact: { path: plugins/redact, version: ^1 }, io: }", &catalog(), &expect![[""]]);
}

#[test]
fn a_built_in_plugin_that_does_not_exist() {
    check(
        "plugins: { transfrom: {} }",
        &catalog(),
        &expect![[r#"
        error[missing-plugin]: there is no built-in plugin `transfrom`
         --> pipeline.yaml:2:12
          |
        2 | plugins: { transfrom: {} }
          |            ^^^^^^^^^
          |
          = hint: did you mean `transform`?

        1 error
    "#]],
    );
}

#[test]
fn a_plugin_that_is_not_built_in() {
    check(
        "plugins: { telegraph: {} }",
        &catalog(),
        &expect![[r#"
        error[missing-plugin]: there is no built-in plugin `telegraph`
         --> pipeline.yaml:2:12
          |
        2 | plugins: { telegraph: {} }
          |            ^^^^^^^^^
          |
          = hint: say where it is: `path: plugins/telegraph`; `tapline plugin install` fetches packages, and nothing else does

        1 error
    "#]],
    );
}

#[test]
fn a_plugin_whose_folder_is_missing_or_broken() {
    let catalog = with_problem("redact", "`plugins/redact/plugin.toml` does not exist");
    check(
        "plugins: { redact: { path: plugins/redact } }",
        &catalog,
        &expect![[r#"
        error[missing-plugin]: plugin `redact`: `plugins/redact/plugin.toml` does not exist
         --> pipeline.yaml:2:28
          |
        2 | plugins: { redact: { path: plugins/redact } }
          |                            ^^^^^^^^^^^^^^
          |
          = hint: `tapline plugin install` fetches packages; without it: `enabled: false`, or `optional: true` if the pipeline can do without

        1 error
    "#]],
    );
}

#[test]
fn an_optional_plugin_that_is_missing_is_a_warning() {
    let catalog = with_problem("redact", "`plugins/redact/plugin.toml` does not exist");
    check(
        "plugins: { redact: { path: plugins/redact, optional: true } }",
        &catalog,
        &expect![[r#"
        warning[missing-plugin]: plugin `redact`: `plugins/redact/plugin.toml` does not exist
         --> pipeline.yaml:2:28
          |
        2 | plugins: { redact: { path: plugins/redact, optional: true } }
          |                            ^^^^^^^^^^^^^^
          |
          = hint: `tapline plugin install` fetches packages; without it: `enabled: false`, or `optional: true` if the pipeline can do without

        1 warning
    "#]],
    );
}

#[test]
fn a_disabled_plugin_may_be_missing() {
    let catalog = with_problem("redact", "`plugins/redact/plugin.toml` does not exist");
    check("plugins: { redact: { path: plugins/redact, enabled: false } }", &catalog, &expect![[""]]);
}

#[test]
fn a_plugin_in_another_version() {
    check(
        "plugins: { redact: { path: plugins/redact, version: \">=2\" } }",
        &catalog(),
        &expect![[r#"
        error[plugin-version]: plugin `redact` has version 1.2.0, which is not in `>=2`
         --> pipeline.yaml:2:53
          |
        2 | plugins: { redact: { path: plugins/redact, version: ">=2" } }
          |                                                     ^^^^^
          |
          = hint: change the range, or the plugin that it is about

        1 error
    "#]],
    );
}

#[test]
fn a_grant_that_is_refused() {
    let mut catalog = catalog();
    for plugin in &mut catalog.plugins {
        if ["redact", "io"].contains(&plugin.name()) {
            plugin.refused.push("it may not read `input.items`, which it needs".into());
        }
    }
    check(
        "plugins: { redact: { path: plugins/redact, grants: {} } }",
        &catalog,
        &expect![[r#"
        error[missing-grant]: plugin `redact`: it may not read `input.items`, which it needs
         --> pipeline.yaml:2:44
          |
        2 | plugins: { redact: { path: plugins/redact, grants: {} } }
          |                                            ^^^^^^
          |
          = hint: grant it under `plugins.redact.grants`, or disable the plugin

        error[missing-grant]: plugin `io`: it may not read `input.items`, which it needs
         --> pipeline.yaml:4:17
          |
        4 |   load: { type: read, with: { path: a } }
          |                 ^^^^
          |
          = hint: the policy of the host refuses it: change the policy, or disable the plugin

        2 errors
    "#]],
    );
}

#[test]
fn a_dependency_that_is_disabled() {
    check(
        "plugins: { clock: { path: plugins/clock, enabled: false }, needy: {} }",
        &with_needy("*"),
        &expect![[r#"
            error[missing-dependency]: plugin `needy` needs plugin `clock`, which does not take part
             --> pipeline.yaml:2:60
              |
            2 | plugins: { clock: { path: plugins/clock, enabled: false }, needy: {} }
              |                                                            ^^^^^
              |
              = hint: enable `clock`, or disable `needy` too

            1 error
        "#]],
    );
}

#[test]
fn a_dependency_that_is_not_named() {
    check(
        "plugins: { needy: {} }",
        &with_needy("*"),
        &expect![[r#"
        error[missing-dependency]: plugin `needy` needs plugin `clock`, which does not take part
         --> pipeline.yaml:2:12
          |
        2 | plugins: { needy: {} }
          |            ^^^^^
          |
          = hint: name `clock` under `plugins`, with its `path`; `tapline plugin install` fetches packages

        1 error
    "#]],
    );
}

#[test]
fn a_dependency_in_another_version() {
    check(
        "plugins: { clock: { path: plugins/clock }, needy: {} }",
        &with_needy("^2"),
        &expect![[r#"
            error[missing-dependency]: plugin `needy` needs plugin `clock` in `^2`, and 1.2.0 is here
             --> pipeline.yaml:2:44
              |
            2 | plugins: { clock: { path: plugins/clock }, needy: {} }
              |                                            ^^^^^
              |
              = hint: use a version of `clock` that both accept

            1 error
        "#]],
    );
}

#[test]
fn a_dependency_that_takes_part_is_no_mistake() {
    check("plugins: { clock: { path: plugins/clock } }", &with_needy("^1"), &expect![[""]]);
}

#[test]
fn a_schema_that_is_none() {
    let mut catalog = catalog();
    catalog.plugins.retain(|plugin| plugin.name() != "io");
    catalog.plugins.push(plugin("io", "", Origin::BuiltIn, &[("read", r#"{ "type": "objekt" }"#)]));
    check(
        "",
        &catalog,
        &expect![[r#"
        error[broken-schema]: the schema of node type `read` in plugin `io` is broken: "objekt" is not valid under any of the schemas listed in the 'anyOf' keyword
         --> pipeline.yaml:4:17
          |
        4 |   load: { type: read, with: { path: a } }
          |                 ^^^^
          |
          = hint: this is a mistake in plugin `io`, not in this file

        1 error
    "#]],
    );
}

#[test]
fn a_schema_is_never_fetched() {
    let mut catalog = catalog();
    catalog.plugins.retain(|plugin| plugin.name() != "io");
    catalog.plugins.push(plugin(
        "io",
        "",
        Origin::BuiltIn,
        &[("read", r#"{ "$ref": "https://example.com/x.json" }"#)],
    ));
    check(
        "",
        &catalog,
        &expect![[r#"
        error[broken-schema]: the schema of node type `read` in plugin `io` is broken: Resource 'https://example.com/x.json' is not present in a registry and retrieving it failed: Retrieval is disabled, cannot fetch https://example.com/x.json
         --> pipeline.yaml:4:17
          |
        4 |   load: { type: read, with: { path: a } }
          |                 ^^^^
          |
          = hint: this is a mistake in plugin `io`, not in this file

        1 error
    "#]],
    );
}

#[test]
fn a_rate_for_a_plugin_is_held_to_its_form_and_is_for_providers_alone() {
    check(
        "plugins: { io: { rate_limit: { calls: 10, per: 1s } } }",
        &catalog(),
        &expect![[r#"
            error[invalid-value]: plugin `io` is no provider, and nobody asks it for answers or vectors
             --> pipeline.yaml:2:18
              |
            2 | plugins: { io: { rate_limit: { calls: 10, per: 1s } } }
              |                  ^^^^^^^^^^
              |
              = hint: how often a node begins is said at the node, by a `rate_limit` there

            1 error
        "#]],
    );
    check(
        "plugins: { clock: { rate_limit: { calls: 10, per: soon, burst: 2 } } }",
        &catalog(),
        &expect![[r#"
            error[invalid-value]: `soon` is not a duration
             --> pipeline.yaml:2:51
              |
            2 | plugins: { clock: { rate_limit: { calls: 10, per: soon, burst: 2 } } }
              |                                                   ^^^^
              |
              = hint: write it as in `10m`, `1h 30m` or `500ms`

            error[unknown-key]: `rate_limit` has no key `burst`
             --> pipeline.yaml:2:57
              |
            2 | plugins: { clock: { rate_limit: { calls: 10, per: soon, burst: 2 } } }
              |                                                         ^^^^^
              |
              = hint: it may have `calls`, `per`

            2 errors
        "#]],
    );
}
