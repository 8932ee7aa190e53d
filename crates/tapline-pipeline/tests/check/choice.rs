use std::sync::Arc;

use expect_test::{Expect, expect};
use tapline_core::Value;
use tapline_pipeline::{Catalog, KnownPlugin, Origin, Standing};

use crate::support::{catalog, check_text, plugin, rendered};

/// A plugin in a folder of the operator's.
fn available(id: &str, version: &str, more: &str, types: &[&str]) -> KnownPlugin {
    let schemas: Vec<_> = types.iter().map(|node_type| (*node_type, "")).collect();
    let mut known = plugin(id, more, Origin::Folder(format!("more/{id}").into()), &schemas);
    Arc::make_mut(&mut known.manifest).plugin.version = version.parse().unwrap();
    known.standing = Standing::Available;
    known
}

fn with(plugins: impl IntoIterator<Item = KnownPlugin>) -> Catalog {
    let mut catalog = catalog();
    catalog.plugins.extend(plugins);
    catalog
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "as it is made")]
fn check(text: &str, catalog: &Catalog, subject: &str, expected: Expect) {
    let (_, checked) = check_text(text.as_bytes(), catalog);
    expected.assert_eq(&checked.choice.why(subject).unwrap().to_string());
}

const NODES: &str = "nodes: { load: { type: read, with: { path: a } } }";

#[test]
fn a_version_that_does_not_handle_the_nodes_is_of_no_use() {
    let catalog =
        with([available("dice", "1.0.0", "", &["roll"]), available("dice", "2.0.0", "", &["throw"])]);
    check(
        "name: x\nnodes: { a: { type: roll } }",
        &catalog,
        "dice",
        expect![[r#"
            `dice 1.0.0` is loaded
              the pipeline has nodes of the type `roll`
            `dice 2.0.0` is not: does not handle the node type `roll`"#]],
    );
}

#[test]
fn whom_a_plugin_may_call_joins_in_also_by_way_of_others() {
    let mut calling = available("calling", "1.0.0", "", &["ring"]);
    Arc::make_mut(&mut calling.manifest).requires.call.push("node/tell".parse().unwrap());
    let mut told = available("told", "1.0.0", "", &["tell"]);
    Arc::make_mut(&mut told.manifest).requires.call.push("node/last".parse().unwrap());
    let catalog = with([available("last", "1.0.0", "", &["last"]), told, calling]);
    let text = "name: x\nnodes: { a: { type: ring } }";
    let (_, checked) = check_text(text.as_bytes(), &catalog);
    let mut used: Vec<_> = checked.choice.plugins().map(KnownPlugin::name).collect();
    used.sort_unstable();
    assert_eq!(used, ["calling", "last", "told"]);
    check(
        text,
        &catalog,
        "last",
        expect![[r#"
            `last 1.0.0` is loaded
              `told` may call it"#]],
    );
}

#[test]
fn a_plugin_that_nobody_configures_does_not_join_in_where_its_configuration_names_the_server() {
    let mut calling = available("calling", "1.0.0", "", &["ring"]);
    Arc::make_mut(&mut calling.manifest).requires.call.push("node/tell".parse().unwrap());
    let mut remote = available("remote", "1.0.0", "", &["tell"]);
    let http = r#"[{ "hosts": ["${config:base_url}"], "methods": ["POST"], "paths": ["/*"] }]"#;
    Arc::make_mut(&mut remote.manifest).requires.http = Value::from_json(http).unwrap().to().unwrap();
    let catalog = with([remote, calling]);
    let ring = "name: x\nnodes: { a: { type: ring } }";
    let (_, checked) = check_text(ring.as_bytes(), &catalog);
    assert_eq!(checked.choice.plugins().map(KnownPlugin::name).collect::<Vec<_>>(), ["calling"]);
    check(
        ring,
        &catalog,
        "remote",
        expect![[r#"
            `remote` is not loaded
            `remote 1.0.0` is not: the pipeline does not configure it"#]],
    );
    let configured = "name: x\nplugins: { remote: { config: { base_url: 'https://a.example' } } }\nnodes: { a: { type: ring } }";
    let (_, checked) = check_text(configured.as_bytes(), &catalog);
    assert_eq!(checked.choice.plugins().count(), 2);
    let used = rendered(b"name: x\nnodes: { a: { type: tell } }", &catalog);
    expect![[r#"
        error[unknown-node-type]: the node type `tell` belongs to plugin `remote`, which the file does not configure
         --> pipeline.yaml:2:21
          |
        2 | nodes: { a: { type: tell } }
          |                     ^^^^
          |
          = hint: say under `plugins.remote.config` which server it asks

        1 error
    "#]]
    .assert_eq(&used);
}

#[test]
fn an_optional_plugin_is_never_used_in_a_version_that_the_file_does_not_accept() {
    let need = r#", "depends_on": [{ "id": "dice", "version": "^1" }]"#;
    let catalog = with([
        available("dice", "1.0.0", "", &[]),
        available("dice", "2.0.0", "", &[]),
        available("game", "1.0.0", need, &[]),
    ]);
    let text =
        format!("name: x\nplugins: {{ game: {{}}, dice: {{ version: ^2, optional: true }} }}\n{NODES}\n");
    expect![[r#"
        error[missing-dependency]: no version of `dice` will do for all who ask for it: `game` needs `dice ^1` and the pipeline accepts only `dice ^2`, and there are 1.0.0 and 2.0.0
         --> pipeline.yaml:2:39
          |
        2 | plugins: { game: {}, dice: { version: ^2, optional: true } }
          |                                       ^^
          |
          = hint: add a version of `dice` that all of them accept, or change its `version` under `plugins`, or `depends_on` of `game`

        1 error
    "#]].assert_eq(&rendered(text.as_bytes(), &catalog));
}

#[test]
fn an_optional_plugin_that_may_not_do_what_it_has_to_is_left_out_with_a_warning() {
    let mut greedy = available("greedy", "1.0.0", "", &[]);
    greedy.refused.push("it may not call `x`".into());
    let catalog = with([greedy]);
    let text = format!("name: x\nplugins: {{ greedy: {{ optional: true }} }}\n{NODES}\n");
    let (_, checked) = check_text(text.as_bytes(), &catalog);
    assert_eq!(
        checked.diagnostics[0].to_string(),
        "pipeline.yaml:2:12: plugin `greedy`: it may not call `x`"
    );
    assert!(checked.choice.plugins().all(|plugin| plugin.name() != "greedy"));
}

#[test]
fn no_name_of_a_plugin_is_taken_for_the_pipeline() {
    let need = r#", "depends_on": [{ "id": "nobody" }]"#;
    let catalog = with([
        available("pipeline-000000000", "1.0.0", "", &[]),
        available("my-pipeline-000000001", "1.0.0", need, &[]),
    ]);
    let text = format!("name: x\nplugins: {{ pipeline-000000000: {{}}, my-pipeline-000000001: }}\n{NODES}\n");
    let (_, checked) = check_text(text.as_bytes(), &catalog);
    let told: Vec<_> = checked.diagnostics.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(told, ["plugin `my-pipeline-000000001` needs plugin `nobody`, which does not take part"]);
    check(
        &text,
        &catalog,
        "pipeline-000000000",
        expect![[r#"
            `pipeline-000000000 1.0.0` is loaded
              the pipeline needs `pipeline-000000000 *`"#]],
    );
    assert!(checked.choice.why("pipeline-000000002").is_err(), "the pipeline is no plugin");
}

#[test]
fn what_is_wrong_behind_a_plugin_is_told_with_the_way_to_it() {
    let needs = |id: &str| format!(r#", "depends_on": [{{ "id": "{id}" }}]"#);
    let catalog = with([
        available("first", "1.0.0", &needs("second"), &[]),
        available("second", "1.0.0", &needs("third"), &[]),
    ]);
    let text = format!("name: x\nplugins: {{ first: {{}} }}\n{NODES}\n");
    expect![[r#"
        error[missing-dependency]: plugin `first` is left out, because `second` is: first needs second
         --> pipeline.yaml:2:12
          |
        2 | plugins: { first: {} }
          |            ^^^^^

        error[missing-dependency]: plugin `second` needs plugin `third`, which does not take part
         --> pipeline.yaml:2:12
          |
        2 | plugins: { first: {} }
          |            ^^^^^
          |
          = hint: name `third` under `plugins`, with its `path`; `tapline plugin install` fetches packages

        2 errors
    "#]]
    .assert_eq(&rendered(text.as_bytes(), &catalog));
}
