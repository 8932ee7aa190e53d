use super::*;

fn crate_(name: &str) -> Member<'_> {
    Member { name, kind: name }
}

fn plugin(name: &str) -> Member<'_> {
    Member { name, kind: PLUGINS }
}

#[track_caller]
fn check(from: Member<'_>, to: Member<'_>, expected: Option<&str>) {
    assert_eq!(broken_rule(&Edge { from, to }).as_deref(), expected);
}

#[test]
fn the_host_may_not_know_a_runtime() {
    let expected = "  tapline-host depends on tapline-wasm; the rule: tapline-host may use tapline-core";
    check(crate_("tapline-host"), crate_("tapline-wasm"), Some(expected));
}

#[test]
fn the_wire_may_use_nothing_of_ours() {
    let expected = "  tapline-wire depends on tapline-core; the rule: tapline-wire may use nothing of ours";
    check(crate_("tapline-wire"), crate_("tapline-core"), Some(expected));
}

#[test]
fn a_plugin_may_use_the_pdk_and_not_the_facade() {
    check(plugin("redact"), crate_("tapline-pdk"), None);
    let expected = "  redact depends on tapline; the rule: plugins/* may use tapline-pdk, tapline-template";
    check(plugin("redact"), crate_("tapline"), Some(expected));
}

#[test]
fn the_command_may_use_plugins_whatever_their_names() {
    check(crate_("tapline-cli"), plugin("redact"), None);
}

#[test]
fn a_crate_outside_the_table_is_named() {
    let expected = "  tapline-extra is in no row; the table is in xtask/src/layers.rs";
    assert_eq!(stranger(crate_("tapline-extra")).as_deref(), Some(expected));
}

#[test]
fn the_table_has_one_row_for_each_kind_and_allows_only_kinds_it_knows() {
    for row in TABLE {
        assert_eq!(TABLE.iter().filter(|other| other.kind == row.kind).count(), 1, "{}", row.kind);
        for used in row.may_use {
            assert!(rule(used).is_some(), "{} may use {used}, which has no row", row.kind);
        }
    }
}

#[test]
fn the_table_has_no_cycle() {
    fn visit(kind: &str, path: &mut Vec<String>) {
        assert!(!path.iter().any(|above| above == kind), "{} -> {kind}", path.join(" -> "));
        path.push(kind.to_owned());
        for used in rule(kind).unwrap().may_use {
            visit(used, path);
        }
        path.pop();
    }
    for row in TABLE {
        visit(row.kind, &mut Vec::new());
    }
}
