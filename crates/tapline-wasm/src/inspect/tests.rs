use wit_parser::{Resolve, WorldItem};

use super::*;

/// The names and docs of the interfaces that the contract lets a plugin import.
fn imports() -> Vec<(String, String)> {
    let mut resolve = Resolve::default();
    let contract = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/v1/plugin.wit");
    let package = resolve.push_file(contract).unwrap();
    let world = resolve.select_world(&[package], Some("imports")).unwrap();
    let imports = resolve.worlds[world].imports.values().filter_map(|item| match item {
        WorldItem::Interface { id, .. } => Some(&resolve.interfaces[*id]),
        _ => None,
    });
    let described = |docs: &wit_parser::Docs| docs.contents.clone().unwrap_or_default();
    imports.map(|one| (one.name.clone().unwrap(), described(&one.docs))).collect()
}

#[test]
fn what_the_contract_says_of_grants_is_what_the_host_links() {
    let requires = [
        ("requires.call", "call = ['a']"),
        ("requires.events", "events = { publish = ['a'] }"),
        ("requires.fs", "fs = [{ path = 'data:', mode = 'r' }]"),
        ("requires.clock", "clock = 'coarse'"),
        ("requires.random", "random = true"),
        ("requires.http", "http = [{ hosts = ['a.example'], methods = ['GET'], paths = ['/*'] }]"),
    ];
    let mut granted = 0;
    for (interface, says) in imports() {
        let named = requires.iter().find(|(key, _)| says.contains(&format!("Granted under `{key}`")));
        let Some((_, grant)) = named else {
            assert!(may_import(&interface, &Grants::default()), "{interface}: {says}");
            continue;
        };
        assert!(!may_import(&interface, &Grants::default()), "{interface}");
        assert!(may_import(&interface, &toml::from_str(grant).unwrap()), "{interface}");
        granted += 1;
    }
    assert_eq!(granted, requires.len());
}
