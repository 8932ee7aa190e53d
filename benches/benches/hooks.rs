//! Calls of a hook point. Beside each time stands what the call allocates.
//!
//! A call is polled to its end without a runtime, and its core operation does nothing.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]

use divan::{AllocProfiler, Bencher, black_box};
use tapline::{CallError, Hook, HookPoint, Host, Load, Payload, Step, Value};
use tapline_benches::{Plugged, finish};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// What a call costs that no hook point is around.
#[divan::bench]
fn core_alone(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| finish(core(black_box(1_i64))));
}

#[divan::bench]
fn empty_point(bencher: Bencher<'_, '_>) {
    native(bencher, 0, |point, name| point.before(name, |_| Ok(Step::Proceed)));
}

#[divan::bench(args = [1, 5])]
fn native_before(bencher: Bencher<'_, '_>, hooks: usize) {
    native(bencher, hooks, |point, name| {
        point.before(name, |input| {
            *input += 1;
            Ok(Step::Proceed)
        })
    });
}

#[divan::bench(args = [1, 5])]
fn native_around(bencher: Bencher<'_, '_>, hooks: usize) {
    native(bencher, hooks, |point, name| point.around(name, |input, next| next.call(input)));
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

fn native(bencher: Bencher<'_, '_>, hooks: usize, hook: impl Fn(&HookPoint<i64, i64>, &str) -> Hook) {
    let host = Host::builder().build();
    let point = host.hook_point("native").unwrap();
    let hooks = (0..hooks).map(|place| hook(&point, &format!("hook-{place}"))).collect();
    host.join(&"bench".parse().unwrap(), hooks).unwrap();
    finish(point.call(1, core)).unwrap();
    bencher.bench_local(|| finish(point.call(black_box(1), core)));
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
