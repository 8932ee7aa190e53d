//! Hook calls that cross a boundary. Beside each time stands what the call allocates.
//!
//! A call is polled to its end without a runtime, and its core operation does nothing.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]

use divan::{AllocProfiler, Bencher};
use tapline::{CallError, Load, Payload, Value};
use tapline_benches::{Plugged, finish};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// The hooks of a native plugin that is written against the PDK: a boundary, and no sandbox.
#[divan::bench(args = [1, 4])]
fn plugin_around(bencher: Bencher<'_, '_>, hooks: usize) {
    plugged(
        bencher,
        &Plugged::new(relay(hooks), Load::native(tapline_pdk::native::<relay::Relay>())),
        &1_i64,
    );
}

#[divan::bench(args = [1, 4])]
fn sandboxed_around(bencher: Bencher<'_, '_>, hooks: usize) {
    plugged(bencher, &Plugged::sandboxed(relay(hooks)), &1_i64);
}

/// A hook that reads one small field of an input of so many bytes.
#[divan::bench(args = [1 << 10, 1 << 20])]
fn sandboxed_around_large(bencher: Bencher<'_, '_>, bytes: usize) {
    let body = Value::from("x".repeat(bytes));
    let input = Value::from_iter([("small", Value::from(true)), ("body", body)]);
    plugged(bencher, &Plugged::sandboxed("relay-field"), &input);
}

/// The name of the point at which the guest has that many hooks.
fn relay(hooks: usize) -> &'static str {
    if hooks == 1 { "relay-one" } else { "relay" }
}

fn plugged<T: Payload + Clone>(bencher: Bencher<'_, '_>, plugged: &Plugged<T>, input: &T) {
    let _entered = plugged.runtime.enter();
    finish(plugged.point.call(input.clone(), core)).unwrap();
    let bencher = bencher.with_inputs(|| input.clone());
    bencher.bench_local_values(|input| finish(plugged.point.call(input, core)));
}

async fn core<T>(input: T) -> Result<T, CallError> {
    Ok(input)
}
