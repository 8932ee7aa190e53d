//! Random hook programs give the same with our points as with Tapable and with pluggy, where their semantics coincide.
//!
//! They coincide in the order by stages, where equal ones keep the order in which they are written (Tapable registers
//! in it, pluggy in its reverse but for those that are to be last, and our plugins have ids in it); in the first answer; in values that are threaded;
//! in answers that are collected; and in how wrappers nest, fail and recover. They do not in constraints among hooks:
//! Tapable's `before` moves the one hook that says it, and ours gives the smallest order that satisfies all of them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tapline::core::Priority;
use tapline::{CallError, Failure, Hook, Host, PluginId, Value};

const PROGRAMS: usize = 400;

/// A program as all of us read it.
type Program = Value;

/// Where the peers are.
#[expect(clippy::disallowed_methods, reason = "the test runner says where they are")]
fn peers() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers");
    std::env::var("TAPLINE_PEERS").map_or_else(|_| beside(), PathBuf::from)
}

fn object<const N: usize>(entries: [(&'static str, Value); N]) -> Value {
    Value::from_iter(entries)
}

fn none_or_set() -> impl Strategy<Value = Value> {
    prop_oneof![Just("none".into()), (0..9_i64).prop_map(|n| object([("set", n.into())]))]
}

fn threaded() -> impl Strategy<Value = Value> {
    prop_oneof![
        none_or_set(),
        Just(object([("set", Value::Null)])),
        (0..9_i64).prop_map(|n| object([("add", n.into())])),
    ]
}

fn wrapping() -> impl Strategy<Value = Value> {
    let doing = |what: &'static str, key: &'static str| {
        (0..9_i64).prop_map(move |n| {
            let argument = if key == "code" { format!("e{n}").into() } else { n.into() };
            object([("do", what.into()), (key, argument)])
        })
    };
    prop_oneof![
        doing("pass", "n"),
        doing("add", "n"),
        doing("fail-before", "code"),
        doing("fail-after", "code"),
        doing("recover", "n"),
    ]
}

fn programs(kind: &'static str, does: impl Strategy<Value = Value> + 'static) -> Vec<Program> {
    let hook = (-1..=1_i64, does).prop_map(|(stage, does)| object([("stage", stage.into()), ("does", does)]));
    let core = prop_oneof![
        (0..9_i64).prop_map(|n| object([("set", n.into())])),
        Just(object([("fail", "core".into())])),
    ];
    let program = (prop::collection::vec(hook, 0..9), core).prop_map(move |(hooks, core)| {
        object([("kind", kind.into()), ("hooks", hooks.into()), ("core", core), ("input", 5_i64.into())])
    });
    // The same programs every time, so that a failure comes back.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    (0..PROGRAMS).map(|_| program.new_tree(&mut runner).unwrap().current()).collect()
}

fn plugin(index: usize) -> PluginId {
    format!("p{index:03}").parse().unwrap()
}

/// Joins one hook for each of the program, under ids in the order in which they are written.
fn join(host: &Host, program: &Program, hook: impl Fn(usize, &Value) -> Hook) {
    for (index, declared) in program.get("hooks").unwrap().as_array().unwrap().iter().enumerate() {
        let stage = declared.get("stage").unwrap().as_i64().unwrap();
        let priority = Priority::new(u8::try_from(50 + stage * 10).unwrap()).unwrap();
        let hook = hook(index, declared.get("does").unwrap()).priority(priority);
        host.join(&plugin(index), vec![hook]).unwrap();
    }
}

/// The hooks that were called, told by the observers that they are to all of us.
#[derive(Clone, Default)]
struct Called(std::sync::Arc<std::sync::Mutex<Vec<Value>>>);

impl Called {
    fn note(&self, index: usize) {
        self.0.lock().unwrap().push(index.into());
    }

    fn value(&self) -> Value {
        self.0.lock().unwrap().clone().into()
    }
}

fn answered(value: Value, called: &Called) -> Value {
    object([("value", value), ("called", called.value())])
}

async fn ours(program: &Program) -> Value {
    let (host, called) = (Host::builder().build(), Called::default());
    let input = program.get("input").unwrap().clone();
    let answer = |does: &Value| does.get("set").cloned();
    match program.get("kind").unwrap().as_str().unwrap() {
        kind @ ("order" | "collect") => {
            let point = host.collect_point::<Value, Value>("p").unwrap();
            join(&host, program, |index, does| {
                let (called, answer) = (called.clone(), answer(does));
                point.answer("x", move |_| {
                    called.note(index);
                    Ok(answer.clone())
                })
            });
            let answers = point.call(&input).await.unwrap();
            let value = if kind == "order" {
                Value::Null
            } else {
                answers.into_iter().map(|answer| answer.value).collect()
            };
            answered(value, &called)
        }
        "first" => {
            let point = host.first_point::<Value, Value>("p").unwrap();
            join(&host, program, |index, does| {
                let (called, answer) = (called.clone(), answer(does));
                point.answer("x", move |_| {
                    called.note(index);
                    Ok(answer.clone())
                })
            });
            let answer = point.call(&input).await.unwrap();
            answered(answer.map_or("none".into(), |answer| answer.value), &called)
        }
        "filter" => {
            let point = host.filter_point::<Value>("p").unwrap();
            join(&host, program, |index, does| {
                let (called, does) = (called.clone(), does.clone());
                point.answer("x", move |value: &Value| {
                    called.note(index);
                    let added = does.get("add").and_then(Value::as_i64);
                    let sum = added.map(|added| (value.as_i64().unwrap_or(0) + added).into());
                    Ok(sum.or_else(|| does.get("set").cloned()))
                })
            });
            answered(point.call(input).await.unwrap(), &called)
        }
        _ => wrapped(&host, program).await,
    }
}

async fn wrapped(host: &Host, program: &Program) -> Value {
    let point = host.hook_point::<i64, i64>("p").unwrap();
    let hooks = program.get("hooks").unwrap().as_array().unwrap();
    for (index, hook) in hooks.iter().enumerate() {
        let does = hook.get("does").unwrap().clone();
        let hook = point.around("x", move |input, next| {
            let does = does.clone();
            Box::pin(async move {
                let n = does.get("n").and_then(Value::as_i64).unwrap_or(0);
                let failed =
                    || Failure::new(does.get("code").and_then(Value::as_str).unwrap_or("none"), "it failed");
                let what = does.get("do").and_then(Value::as_str).unwrap_or_default();
                if what == "fail-before" {
                    return Err(failed().into());
                }
                match (next.call(input).await, what) {
                    (Ok(output), "add") => Ok(output + n),
                    (Ok(_), "fail-after") => Err(failed().into()),
                    (Err(_), "recover") => Ok(n),
                    (outcome, _) => outcome,
                }
            })
        });
        host.join(&plugin(index), vec![hook]).unwrap();
    }
    let core = program.get("core").unwrap();
    let core = match core.get("set").and_then(Value::as_i64) {
        Some(output) => Ok(output),
        None => Err(CallError::from(Failure::new("core", "the core failed"))),
    };
    match point.call(5, |_| async { core }).await {
        Ok(output) => answered(output.into(), &Called::default()),
        Err(error) => object([("error", error.to_failure().code().into())]),
    }
}

/// What a peer makes of programs; `None` when it is not on this machine.
#[expect(clippy::disallowed_methods, reason = "the peers are programs of their own")]
fn theirs(program: &Path, arguments: &[PathBuf], programs: &[Program]) -> Option<Vec<Value>> {
    let modules = peers().join("node_modules");
    let mut peer = Command::new(program)
        .args(arguments)
        .env("NODE_PATH", modules)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let input = Value::from(programs.to_vec()).to_json();
    let mut stdin = peer.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = peer.wait_with_output().unwrap();
    writer.join().unwrap().ok()?;
    assert!(output.status.success(), "the peer failed: {}", output.status);
    let answers = Value::from_json(std::str::from_utf8(&output.stdout).unwrap()).unwrap();
    Some(answers.as_array().unwrap().to_vec())
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(name)
}

async fn compare(peer: &str, programs: Vec<Program>) {
    let theirs = match peer {
        "tapable" if peers().join("node_modules/tapable").is_dir() => {
            theirs(Path::new("node"), &[script("tapable.js")], &programs)
        }
        "pluggy" => theirs(&peers().join("python/bin/python"), &[script("pluggy.py")], &programs),
        _ => None,
    };
    let Some(theirs) = theirs else {
        println!("skipped: {peer} is not there; `cargo xtask setup --install` brings it");
        return;
    };
    let mut differences = String::new();
    for (program, theirs) in programs.iter().zip(&theirs) {
        let ours = ours(program).await;
        if ours != *theirs {
            let _ = writeln!(differences, "{program}\n  ours   {ours}\n  theirs {theirs}");
        }
    }
    assert_eq!(theirs.len(), programs.len());
    assert!(differences.is_empty(), "{differences}");
}

#[tokio::test]
async fn stages_order_hooks_as_in_tapable_and_pluggy() {
    for peer in ["tapable", "pluggy"] {
        compare(peer, programs("order", none_or_set())).await;
    }
}

#[tokio::test]
async fn the_first_answer_wins_as_in_tapable_and_pluggy() {
    for peer in ["tapable", "pluggy"] {
        compare(peer, programs("first", none_or_set())).await;
    }
}

#[tokio::test]
async fn values_are_threaded_as_in_tapable() {
    compare("tapable", programs("filter", threaded())).await;
}

#[tokio::test]
async fn answers_are_collected_as_in_pluggy() {
    compare("pluggy", programs("collect", none_or_set())).await;
}

#[tokio::test]
async fn wrappers_nest_fail_and_recover_as_in_pluggy() {
    compare("pluggy", programs("wrap", wrapping())).await;
}
