//! Native hook calls beside those of Tapable and pluggy, measured one after the other in one run: nanoseconds a call,
//! the ratio to ours, and what a call of ours allocates.
//!
//! `cargo xtask setup --install` brings the peers; one that is not there is left out, and said to be.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use tapline::core::Priority;
use tapline::{Hook, HookPoint, Host, PluginId, Step};
use tapline_benches::{finish, peers, time};

type MakeHook<'a> = &'a dyn Fn(&HookPoint<i64, i64>, &str) -> Hook;

struct Ours {
    nanoseconds: f64,
    allocations: u64,
}

fn main() {
    let ours = ours();
    let tapable = peer("tapable", Path::new("node"), "tapable.js");
    let pluggy = peer("pluggy", &peers().join("python/bin/python"), "pluggy.py");
    println!(
        "{:<12}{:>10}{:>8}{:>12}{:>9}{:>12}{:>9}",
        "hooks", "ours ns", "allocs", "tapable ns", "ratio", "pluggy ns", "ratio"
    );
    for (name, ours) in &ours {
        let beside = |peer: &BTreeMap<String, f64>| match peer.get(*name) {
            Some(theirs) => format!("{theirs:>12.1}{:>8.1}x", theirs / ours.nanoseconds),
            None => format!("{:>12}{:>9}", "-", ""),
        };
        let Ours { nanoseconds, allocations } = ours;
        println!("{name:<12}{nanoseconds:>10.1}{allocations:>8}{}{}", beside(&tapable), beside(&pluggy));
    }
    println!("\nexplain on a chain of 100: {:.0} µs", explain_a_hundred() / 1e3);
}

fn ours() -> Vec<(&'static str, Ours)> {
    let before = |point: &HookPoint<i64, i64>, name: &str| {
        point.before(name, |value| {
            *value += 1;
            Ok(Step::Proceed)
        })
    };
    let around = |point: &HookPoint<i64, i64>, name: &str| point.around(name, |value, next| next.call(value));
    let scenarios: [(_, usize, MakeHook<'_>); 8] = [
        ("empty", 0, &before),
        ("sync 1", 1, &before),
        ("sync 5", 5, &before),
        ("sync 20", 20, &before),
        ("async 1", 1, &around),
        ("async 5", 5, &around),
        ("wrapper 1", 1, &around),
        ("wrapper 5", 5, &around),
    ];
    scenarios.into_iter().map(|(name, count, hook)| (name, measure(count, hook))).collect()
}

fn measure(count: usize, hook: MakeHook<'_>) -> Ours {
    let (_host, point) = chain(count, hook);
    let call = || {
        let answer = finish(point.call(black_box(1), |value| async move { Ok(value) }));
        black_box(answer.unwrap());
    };
    // The first calls make what is made once.
    (0..256).for_each(|_| call());
    let allocations = allocation_counter::measure(call).count_total;
    Ours { nanoseconds: time(call), allocations }
}

fn chain(count: usize, hook: MakeHook<'_>) -> (Host, HookPoint<i64, i64>) {
    let host = Host::builder().build();
    let point = host.hook_point("point").unwrap();
    for index in 0..count {
        let plugin: PluginId = format!("p{index}").parse().unwrap();
        host.join(&plugin, vec![hook(&point, "hook")]).unwrap();
    }
    (host, point)
}

fn explain_a_hundred() -> f64 {
    let (host, _point) = chain(100, &|point, name| {
        let hook = point.before(name, |_| Ok(Step::Proceed));
        hook.priority(Priority::new(40).unwrap()).after("#none")
    });
    time(|| drop(black_box(host.explain("point"))))
}

/// What a peer measures of itself; nothing when it is not there.
#[expect(clippy::disallowed_methods, reason = "the peers are programs of their own")]
fn peer(name: &str, program: &Path, script: &str) -> BTreeMap<String, f64> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers").join(script);
    let output = Command::new(program).arg(script).env("NODE_PATH", peers().join("node_modules")).output();
    match output {
        Ok(output) if output.status.success() => serde_json::from_slice(&output.stdout).unwrap(),
        _ => {
            println!("skipped: {name} is not there; `cargo xtask setup --install` brings it");
            BTreeMap::new()
        }
    }
}
