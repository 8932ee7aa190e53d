//! What an honest plugin notices of a hostile neighbour: calls at a steady rate that take about 30 % of one core, alone,
//! and beside each hostile plugin in turn.
//!
//! Aims stand beside the figures: no honest error, a 99th percentile at most twice the one alone, and no hostile call that
//! lasts longer than its limit and a tick of 5 ms. The honest calls have a thread of their own, as an application's do.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tapline::core::{METHODS, Request, TopicPattern};
use tapline::{Host, HostBuilder, Load, PluginId, Policy, Value, WasmRuntime};
use tapline_test_kit::{guest, handwritten};
use tokio::runtime::{Builder, Handle};

/// How long each pair runs.
const RUN: Duration = Duration::from_secs(3);
/// The part of one core that the honest calls take.
const LOAD: f64 = 0.3;
/// What an honest call carries there and back, in bytes.
const BODY: usize = 20_000;

/// The limit of a hostile call on computing, and a tick.
const CPU: Duration = Duration::from_millis(55);

/// The hostile ways, and the longest that one call may last where it would never end by itself.
const WAYS: [(&str, Option<Duration>); 10] = [
    ("spin", Some(CPU)),
    ("host_calls", Some(CPU)),
    ("grow", Some(CPU)),
    ("handles", None),
    ("trap", None),
    ("recurse", Some(CPU)),
    ("events", Some(CPU)),
    ("log", Some(CPU)),
    ("errors", None),
    ("stop", None),
];

/// What the honest calls have seen.
struct Seen {
    errors: usize,
    /// In order.
    latencies: Vec<Duration>,
}

fn main() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let host = runtime.block_on(async {
        let host = host().build();
        host.load(Load::folder(guest("probe"))).await.unwrap();
        host
    });
    let every = cost(runtime.handle(), &host).div_f64(LOAD);
    println!("an honest call every {} µs, which is {:.0} % of a core", every.as_micros(), LOAD * 100.0);
    println!("beside         calls  errors    p50 µs    p99 µs   ratio   hostile calls   longest ms");
    let alone = honest(runtime.handle(), &host, every);
    row("nobody", &alone, &alone);
    println!();
    for (way, limit) in WAYS {
        let is_over = Arc::new(AtomicBool::new(false));
        let hostile = runtime.spawn(harm(host.clone(), way, Arc::clone(&is_over)));
        let seen = honest(runtime.handle(), &host, every);
        is_over.store(true, Ordering::Relaxed);
        let (calls, longest) = runtime.block_on(hostile).unwrap();
        row(way, &seen, &alone);
        let is_late = limit.is_some_and(|limit| longest > limit);
        println!(
            "{calls:>16} {:>12.1}{}",
            longest.as_secs_f64() * 1e3,
            if is_late { "  too late" } else { "" }
        );
        // Whatever the hostile plugin has left behind is gone before the next one comes.
        thread::sleep(Duration::from_millis(200));
    }
    runtime.block_on(host.shut_down()).unwrap();
}

fn host() -> HostBuilder {
    let policy = Policy::default().allow_publish(TopicPattern::new("flood").unwrap());
    Host::builder().runtime(WasmRuntime::new().unwrap()).policy(policy)
}

/// What an honest call costs when nothing else runs.
fn cost(runtime: &Handle, host: &Host) -> Duration {
    const CALLS: u32 = 20_000;
    let call = || runtime.block_on(host.request(request())).unwrap();
    (0..CALLS).for_each(|_| drop(call()));
    let begun = Instant::now();
    (0..CALLS).for_each(|_| drop(call()));
    begun.elapsed() / CALLS
}

fn request() -> Request {
    Request::new("echo", "probe", "handle", Value::from("x".repeat(BODY)))
}

/// Makes honest calls at a steady rate, whatever comes of them. Each is timed from when it was due, so that a call that
/// holds up the next ones counts for all of them.
fn honest(runtime: &Handle, host: &Host, every: Duration) -> Seen {
    let (mut errors, mut latencies) = (0, Vec::new());
    let begun = Instant::now();
    let mut due = begun;
    while due < begun + RUN {
        wait_until(due);
        errors += usize::from(runtime.block_on(host.request(request())).is_err());
        latencies.push(due.elapsed());
        due += every;
    }
    latencies.sort();
    Seen { errors, latencies }
}

/// Sleeps while there is time for it, and then looks at the clock, which is more exact.
fn wait_until(due: Instant) {
    const INEXACT: Duration = Duration::from_micros(100);
    let left = due.saturating_duration_since(Instant::now());
    if left > INEXACT {
        thread::sleep(left.checked_sub(INEXACT).unwrap_or_default());
    }
    while Instant::now() < due {
        std::hint::spin_loop();
    }
}

/// Does harm until it is over; says how many calls that were, and how long the longest stayed inside.
async fn harm(host: Host, way: &'static str, is_over: Arc<AtomicBool>) -> (u64, Duration) {
    let folder = match way {
        "handles" => Some(handwritten::package(&handwritten::handles(1_000_000))),
        _ => None,
    };
    let load = || match &folder {
        Some(folder) => Load::folder(folder.path()),
        None => {
            let config = Value::from_iter([("never_stops", Value::from(way == "stop"))]);
            Load::folder(guest("hostile")).config(config)
        }
    };
    let mut calls = 0;
    let mut longest = Duration::ZERO;
    if matches!(way, "handles" | "stop") {
        while !is_over.load(Ordering::Relaxed) {
            let begun = Instant::now();
            // A million handles are made when it is loaded, and it is not loaded for it.
            if host.load(load()).await.is_ok() {
                let _ = host.unload("hostile").await;
            }
            longest = longest.max(begun.elapsed());
            calls += 1;
        }
        return (calls, longest);
    }
    let id = host.load(load()).await.unwrap();
    while !is_over.load(Ordering::Relaxed) {
        let answer = host.request(Request::new(METHODS, "hostile", way, Value::Null)).await;
        calls += 1;
        longest = longest.max(info(&host, &id).unwrap_or_default());
        // Who breaks is held back, longer each time; here it comes again at once.
        if answer.is_err_and(|error| error.cause().is_fault()) {
            let _ = host.unload(id.as_str()).await;
            host.load(load()).await.unwrap();
        }
        tokio::task::yield_now().await;
    }
    let _ = host.unload(id.as_str()).await;
    (calls, longest)
}

/// The longest that a call of a plugin has taken.
fn info(host: &Host, id: &PluginId) -> Option<Duration> {
    host.plugins().into_iter().find(|info| info.manifest.id() == id)?.stats.percentile(100.0)
}

fn row(beside: &str, seen: &Seen, alone: &Seen) {
    let at = |seen: &Seen, part: f64| seen.latencies[((seen.latencies.len() - 1) as f64 * part) as usize];
    let (p50, p99) = (at(seen, 0.5).as_secs_f64() * 1e6, at(seen, 0.99).as_secs_f64() * 1e6);
    let ratio = p99 / (at(alone, 0.99).as_secs_f64() * 1e6);
    print!("{beside:<12} {:>7} {:>7} {p50:>9.0} {p99:>9.0} {ratio:>7.2}", seen.latencies.len(), seen.errors);
}
