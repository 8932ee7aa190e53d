use wit_component::{StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve};

use super::*;

const WIT: &str = "
    package test:guest;
    interface around { around: func(hook: string) -> result<_, string>; }
    interface before { before: func(hook: string); }
    world with-around { export around; }
    world with-before { import before; }
";

/// A core module that exports `around`, and carries the metadata of a second world that it makes no use of.
fn module() -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("guest.wit", WIT).unwrap();
    let used = resolve.select_world(&[package], Some("with-around")).unwrap();
    let unused = resolve.select_world(&[package], Some("with-before")).unwrap();
    let mut module = dummy_module(&resolve, used, ManglingAndAbi::Standard32);
    for world in [used, unused] {
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    }
    module
}

fn with_manifest(mut module: Vec<u8>, manifest: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    module.extend([0, 1 + length(SECTION) + length(manifest), length(SECTION)]);
    module.extend(SECTION.bytes().chain(manifest.bytes()));
    module
}

#[test]
fn the_manifest_leaves_the_module_and_nothing_else_does() {
    let module = with_manifest(module(), "[plugin]\n");

    let (manifest, rest) = take_section(&module).unwrap();

    assert_eq!(manifest, b"[plugin]\n");
    assert_eq!(rest, self::module());
}

#[test]
fn a_component_has_no_import_of_a_world_that_the_guest_does_not_use() {
    let module = with_manifest(module(), "[plugin]\n");

    let component = Built::from_core_module(&module).unwrap();

    assert_eq!(component.manifest, "[plugin]\n");
    let decoded = wit_component::decode(component.component().unwrap()).unwrap();
    let (_, world) = decoded.resolve().worlds.iter().next().unwrap();
    assert_eq!((world.imports.len(), world.exports.len()), (0, 1));
}

#[test]
fn the_same_module_becomes_the_same_component() {
    let module = with_manifest(module(), "[plugin]\n");

    let [one, other] =
        [(), ()].map(|()| Built::from_core_module(&module).unwrap().component().unwrap().to_vec());

    assert_eq!(one, other);
}

#[test]
fn a_module_without_a_manifest_is_refused() {
    let error = Built::from_core_module(&module()).unwrap_err();

    let expected = "nothing in it declares a plugin: an `impl` block under `#[plugin]` does";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn two_manifests_in_one_module_are_refused() {
    let module = with_manifest(with_manifest(module(), "[plugin]\n"), "[plugin]\n");

    let error = Built::from_core_module(&module).unwrap_err();

    assert!(format!("{error:#}").contains("duplicate key"), "{error:#}");
}

#[test]
fn a_truncated_module_is_refused() {
    let module = with_manifest(module(), "[plugin]\n");

    let error = Built::from_core_module(&module[..module.len() - 3]).unwrap_err();

    assert!(error.to_string().starts_with("the core module: "), "{error}");
}
