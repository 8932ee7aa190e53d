//! Components written by hand, which reach for things in ways that no tool would write.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

use std::fs;

use tempfile::TempDir;

const MANIFEST: &str = "[plugin]\nid = 'x'\nversion = '1.0.0'\nhost = '^1'\nruntime = 'wasm'\n";

/// A module whose `init` does nothing, in the text format.
pub const INNOCENT: &str =
    r#"(memory (export "memory") 1) (func (export "init") (result i32) (i32.const 1024))"#;

/// A component with this module, whose exports `init` and `memory` it needs. Before it may stand other definitions, with
/// which it is instantiated.
///
/// # Panics
/// When the text is no component.
#[must_use]
pub fn component(before: &str, module: &str, instantiation: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (import "tapline:plugin/types@1.0.0" (instance $types
                (type $record (record (field "code" string) (field "message" string) (field "details" (option string))))
                (export "failure" (type (eq $record)))))
            (alias export $types "failure" (type $failure))
            {before}
            (core module $module
                {module}
                (func (export "nothing") (result i32) (i32.const 1024)))
            (core instance $code (instantiate $module {instantiation}))
            (alias core export $code "memory" (core memory $memory))
            (func $init (result (result (error $failure)))
                (canon lift (core func $code "init") (memory $memory)))
            (func $nothing (result (result (error $failure)))
                (canon lift (core func $code "nothing") (memory $memory)))
            (instance $lifecycle
                (export "init" (func $init)) (export "start" (func $nothing)) (export "stop" (func $nothing)))
            (export "tapline:plugin/lifecycle@1.0.0" (instance $lifecycle)))"#
    );
    wat::parse_str(text).unwrap()
}

/// A component whose `init` makes so many handles.
#[must_use]
pub fn handles(count: u32) -> Vec<u8> {
    let resource = "(type $thing (resource (rep i32))) (core func $new (canon resource.new $thing))";
    let module = format!(
        r#"(import "host" "new" (func $new (param i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "init") (result i32) (local $count i32)
            (loop $more
                (drop (call $new (local.get $count)))
                (local.set $count (i32.add (local.get $count) (i32.const 1)))
                (br_if $more (i32.lt_u (local.get $count) (i32.const {count}))))
            (i32.const 1024))"#
    );
    component(resource, &module, r#"(with "host" (instance (export "new" (func $new))))"#)
}

/// A package of the plugin `x` with this component.
///
/// # Panics
/// When there is no place for temporary files.
#[must_use]
pub fn package(component: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plugin.toml"), MANIFEST).unwrap();
    fs::write(folder.path().join("plugin.wasm"), component).unwrap();
    folder
}
