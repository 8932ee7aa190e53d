//! Components that no tool would write: they reach for what limits are about in ways of their own.

use std::fs;

use tapline::{CallError, Fault, Host, HostError, Limits, Load, WasmRuntime};
use tempfile::TempDir;

use tapline::core::Bytes;

use crate::support::host;

const MANIFEST: &str = "[plugin]\nid = 'x'\nversion = '1.0.0'\nhost = '^1'\nruntime = 'wasm'\n";

/// A component whose `init` does something, with definitions of its own before it.
fn component(before: &str, module: &str, instantiation: &str) -> Vec<u8> {
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

const INNOCENT: &str = r#"(memory (export "memory") 1) (func (export "init") (result i32) (i32.const 1024))"#;

fn package(component: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plugin.toml"), MANIFEST).unwrap();
    fs::write(folder.path().join("plugin.wasm"), component).unwrap();
    folder
}

async fn load(component: &[u8], limits: Limits) -> Result<(), CallError> {
    let host = Host::builder().runtime(WasmRuntime::new().unwrap()).limits(limits).build();
    match host.load(Load::folder(package(component).path())).await {
        Ok(_) => Ok(()),
        Err(HostError::Start { source, .. }) => Err(source),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_component_that_does_nothing_runs() {
    load(&component("", INNOCENT, ""), Limits::default()).await.unwrap();
}

#[tokio::test]
async fn a59_a_million_handles_are_stopped_at_the_limit() {
    let resource = "(type $thing (resource (rep i32))) (core func $new (canon resource.new $thing))";
    let handles = |count: u32| {
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
    };
    load(&handles(100), Limits { handles: 100, ..Limits::default() }).await.unwrap();
    let error = load(&handles(1_000_000), Limits { handles: 100, ..Limits::default() }).await.unwrap_err();
    assert!(
        matches!(&error, CallError::Fault(Fault::Trap { message }) if message.contains("handle")),
        "{error:?}"
    );
}

#[tokio::test]
async fn two_memories_do_not_double_the_allowance() {
    let limit = Bytes(3 << 20);
    let limits = || Limits { memory: limit, ..Limits::default() };
    // 32 pages are two mebibytes.
    let one = INNOCENT.replace(r#""memory") 1"#, r#""memory") 32"#);
    load(&component("", &one, ""), limits()).await.unwrap();
    let in_two_modules =
        component("(core module $other (memory 32)) (core instance (instantiate $other))", &one, "");
    let error = load(&in_two_modules, limits()).await.unwrap_err();
    assert!(matches!(error, CallError::Fault(Fault::Memory { limit: told }) if told == limit), "{error:?}");
    // A module with two memories is not even loaded.
    let in_one_module = component("", &format!("{one} (memory 32)"), "");
    let error = host().load(Load::folder(package(&in_one_module).path())).await.unwrap_err();
    assert!(error.to_string().contains("memories count of 2"), "{error}");
}

#[tokio::test]
async fn tables_count_as_memory() {
    let module = format!("{INNOCENT} (table 20000 funcref)");
    let error =
        load(&component("", &module, ""), Limits { memory: Bytes(128 << 10), ..Limits::default() }).await;
    assert!(matches!(error, Err(CallError::Fault(Fault::Memory { .. }))), "{error:?}");
    load(&component("", &module, ""), Limits { memory: Bytes(1 << 20), ..Limits::default() }).await.unwrap();
}

#[tokio::test]
async fn a_module_that_loops_while_it_is_instantiated_is_stopped() {
    let module = format!("{INNOCENT} (func $loop (loop $again (br $again))) (start $loop)");
    let cpu = std::time::Duration::from_millis(50);
    let error = load(&component("", &module, ""), Limits { cpu, ..Limits::default() }).await;
    assert!(matches!(error, Err(CallError::Fault(Fault::Cpu { limit })) if limit == cpu), "{error:?}");
}
