//! Components that no tool would write: they reach for what limits are about in ways of their own.

use tapline::core::Bytes;
use tapline::{CallError, Fault, Host, HostError, Limits, Load, WasmRuntime};
use tapline_test_kit::handwritten::{INNOCENT, component, handles, package};

use crate::support::host;

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
