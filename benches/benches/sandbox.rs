//! What a sandboxed plugin costs beside one of Extism, figure by figure in one run: each is measured in turns, ours and
//! theirs, and the lowest of each counts, because other programs on a machine only ever add to it.
//!
//! `cargo xtask bench sandbox` builds the program that measures Extism; without it, our figures stand alone.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]

use std::hint::black_box;
use std::time::Duration;

use tapline::host::Supervision;
use tapline::{CallError, Host, Load, Payload, Value, WasmRuntime};
use tapline_benches::{
    Bare, Figure, Peer, Plugged, figure, figure_of_batches, figure_of_each, figure_of_threads, finish,
    of_each, peers,
};
use tapline_test_kit::guest;
use wasm_encoder::{
    CodeSection, Encode as _, Function, FunctionSection, Module, ModuleSection, TypeSection, ValType,
};

const TURNS: usize = 3;
/// Memory that was given back once is not asked for again.
const ONCE: usize = 1;
/// So many instances tell what one needs.
const IDLE: usize = 50;
/// What the component is filled up to that tells what loading a large one takes.
const LARGE: usize = 2 << 20;

/// A figure of ours, what the peer calls its own, and what we aim at.
struct Row<'a> {
    name: &'static str,
    peer: Option<&'static str>,
    ours: &'a dyn Fn() -> Figure,
    aim: &'static str,
}

fn main() {
    let mut peer = Peer::start(&peers().join("extism/release/extism-peer"), None);
    if peer.is_none() {
        println!("skipped: Extism is not there; `cargo xtask bench sandbox` builds it");
    }
    let (small, large) = (Bare::new(<[u8]>::to_vec), Bare::new(filled));
    let wasm = WasmRuntime::new().unwrap();
    let plugin = small.load(&wasm);
    let fresh = || figure(|| drop(small.start(&plugin)));
    let (compiled, cached, large) =
        (|| load_compiling(&small), || load_cached(&small), || load_cached(&large));
    let idle = || of_each(IDLE, || small.start(&plugin));
    let hops = [16, 10 << 10, 1 << 20].map(|bytes| move || hop(bytes, 1));
    let both = || hop(16, 2);
    let rows = [
        Row { name: "a call that does nothing", peer: Some("call"), ours: &call, aim: "" },
        Row { name: "a hop, 16 B", peer: Some("hop 16 1"), ours: &hops[0], aim: "2 µs, 5x" },
        Row { name: "a hop, 10 KiB", peer: Some("hop 10240 1"), ours: &hops[1], aim: "as at 16 B" },
        Row { name: "a hop, 1 MiB", peer: Some("hop 1048576 1"), ours: &hops[2], aim: "as at 16 B, 500x" },
        Row { name: "a hop, 16 B, two threads", peer: Some("hop 16 2"), ours: &both, aim: "" },
        Row { name: "a fresh instance", peer: Some("instance"), ours: &fresh, aim: "20x" },
        Row { name: "a load that compiles", peer: Some("load"), ours: &compiled, aim: "" },
        Row { name: "a load from the disk", peer: Some("load cached"), ours: &cached, aim: "" },
        Row { name: "the same, 2 MiB", peer: None, ours: &large, aim: "1 ms" },
        Row { name: "a swap", peer: None, ours: &swap, aim: "" },
    ];
    println!("{:<26}{:>12}{:>9}{:>12}{:>9}{:>10}  aim", "µs", "ours", "spread", "Extism", "spread", "ratio");
    let memory = Row { name: "an idle instance, KiB", peer: Some("memory"), ours: &idle, aim: "" };
    show(&memory, ONCE, 1024.0, &mut peer);
    rows.iter().for_each(|row| show(row, TURNS, 1e3, &mut peer));
}

/// Measures in turns, and prints the lowest of each in a unit of so many.
fn show(row: &Row<'_>, turns: usize, unit: f64, peer: &mut Option<Peer>) {
    let mut measured = Vec::new();
    for _ in 0..turns {
        let theirs = row.peer.and_then(|name| Some(peer.as_mut()?.measure(name).unwrap()));
        measured.push(((row.ours)(), theirs));
    }
    let lowest =
        |figures: Vec<Figure>| figures.into_iter().min_by(|one, other| one.value.total_cmp(&other.value));
    let ours = lowest(measured.iter().map(|(ours, _)| *ours).collect()).unwrap();
    let beside = match lowest(measured.iter().filter_map(|(_, theirs)| *theirs).collect()) {
        Some(theirs) => {
            let ratio = theirs.value / ours.value;
            format!("{:>12.1}{:>9.1}{ratio:>9.1}x", theirs.value / unit, theirs.spread / unit)
        }
        None => format!("{:>12}{:>9}{:>10}", "-", "", ""),
    };
    println!("{:<26}{:>12.1}{:>9.1}{beside}  {}", row.name, ours.value / unit, ours.spread / unit, row.aim);
}

/// Another version of a plugin is put in its place, from the package in its folder to the end of the one before.
fn swap() -> Figure {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let supervision = Supervision { trial: Duration::ZERO, ..Supervision::default() };
    let host = Host::builder().runtime(WasmRuntime::new().unwrap()).supervision(supervision).build();
    let relay = || Load::folder(guest("relay"));
    runtime.block_on(host.load(relay())).unwrap();
    figure(|| drop(runtime.block_on(host.swap(relay())).unwrap()))
}

/// A hook that calls `next`, and nothing else.
fn call() -> Figure {
    let plugged = Plugged::sandboxed("relay-one");
    figure_of_batches(calls(&plugged, 1_i64))
}

/// A hook that reads a text of five letters from a context of so many bytes, and changes it.
fn hop(bytes: usize, threads: usize) -> Figure {
    let body = Value::from("x".repeat(bytes.saturating_sub(26)));
    let input = Value::from_iter([("text", Value::from("hello")), ("body", body)]);
    let plugged = Plugged::sandboxed("relay-text");
    let changed = {
        let _entered = plugged.runtime.enter();
        finish(plugged.point.call(input.clone(), core)).unwrap()
    };
    assert_eq!(changed.as_object().and_then(|it| it.get("text")).and_then(Value::as_str), Some("jello"));
    let mut threads: Vec<_> = (0..threads).map(|_| calls(&plugged, input.clone())).collect();
    match &mut threads[..] {
        [alone] => figure_of_batches(alone),
        all => figure_of_threads(all),
    }
}

/// Calls the point as often as it is told.
fn calls<T: Payload + Clone>(plugged: &Plugged<T>, input: T) -> impl FnMut(u32) {
    move |calls| {
        let _entered = plugged.runtime.enter();
        for _ in 0..calls {
            black_box(finish(plugged.point.call(input.clone(), core)).unwrap());
        }
    }
}

async fn core<T>(input: T) -> Result<T, CallError> {
    Ok(input)
}

/// With an engine that has seen nothing yet, up to the first instance.
fn load_compiling(bare: &Bare) -> Figure {
    figure_of_each(|| WasmRuntime::new().unwrap(), |wasm| bare.start(&bare.load(wasm)))
}

/// As [`load_compiling`], of what has been compiled before.
fn load_cached(bare: &Bare) -> Figure {
    let folder = tempfile::tempdir().unwrap();
    let open = || WasmRuntime::builder().cache(folder.path()).build().unwrap();
    drop(bare.load(&open()));
    figure_of_each(open, |wasm| bare.start(&bare.load(wasm)))
}

/// The component with one more module in it, which nobody enters, of as much code as is missing.
fn filled(component: &[u8]) -> Vec<u8> {
    const FUNCTIONS: usize = 1000;
    let (mut types, mut functions, mut code) =
        (TypeSection::new(), FunctionSection::new(), CodeSection::new());
    types.ty().function([ValType::I32], [ValType::I32]);
    for _ in 0..FUNCTIONS {
        functions.function(0);
        let mut function = Function::new([]);
        let mut instructions = function.instructions();
        instructions.local_get(0);
        for _ in 0..(LARGE / FUNCTIONS / 8) {
            instructions.i32_const(77).i32_mul().i32_const(99).i32_xor();
        }
        instructions.end();
        code.function(&function);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    let mut filled = component.to_vec();
    filled.push(1);
    ModuleSection(&module).encode(&mut filled);
    filled
}
