//! What the manager of plugins costs: loading many at once, publishing to many, and calls from one to another; beside
//! the channels of tokio, measured one after the other in one run.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]

use std::future::Future;
use std::hint::black_box;
use std::time::Instant;

use script::Step;
use tapline::core::{METHODS, Request, Topic, TopicPattern};
use tapline::host::Queueing;
use tapline::{Host, Load, NativePlugin, Value};
use tapline_benches::time;
use tapline_test_kit::{Bench, Native, Sandboxed, Scripted, Subject};
use tokio::runtime::Runtime;
use tokio::sync::{broadcast, mpsc, oneshot};

/// So many calls are made within one request, so that the request itself counts little.
const CALLS: usize = 100;
/// So often plugins are loaded together; the median counts.
const LOADS: usize = 11;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!("read, resolve, order, start and publish native plugins, each needing up to three others");
    for count in [10, 100, 1000] {
        println!("{count:>6} plugins{:>10.2} ms", load(&runtime, count));
    }
    println!("\n{:<28}{:>10}{:>12}{:>9}", "publish an event to", "ours ns", "broadcast", "ratio");
    for count in [1, 10, 1000] {
        row(&format!("{count} subscriptions"), publish(count), broadcast(count));
    }
    let actor = actor(&runtime);
    println!("\n{:<28}{:>10}{:>12}{:>9}", "a call from plugin to plugin", "ours ns", "channels", "ratio");
    row("native", calls(&runtime, Native, |plugin| plugin), actor);
    row("native, one instance", calls(&runtime, Native, Scripted::one_instance), actor);
    row("sandboxed", calls(&runtime, Sandboxed, |plugin| plugin), actor);
    row("sandboxed, one instance", calls(&runtime, Sandboxed, Scripted::one_instance), actor);
}

fn row(name: &str, ours: f64, theirs: f64) {
    println!("{name:<28}{ours:>10.0}{theirs:>12.0}{:>8.1}x", theirs / ours);
}

/// Milliseconds to load so many plugins together.
fn load(runtime: &Runtime, count: usize) -> f64 {
    let mut times: Vec<_> = (0..LOADS)
        .map(|_| {
            let host = Host::builder().build();
            let loads: Vec<_> = (0..count).map(native).collect();
            let begun = Instant::now();
            runtime.block_on(host.load_all(loads)).unwrap();
            begun.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[LOADS / 2]
}

fn native(index: usize) -> Load {
    let needs = [1, 7, 31].into_iter().filter(|step| step <= &index);
    let needs: Vec<_> = needs.map(|step| format!("{{ id = 'p{}', version = '^1' }}", index - step)).collect();
    let manifest = format!(
        "[plugin]\nid = 'p{index}'\nversion = '1.0.0'\nhost = '^1'\nruntime = 'native'\ndepends_on = [{}]\n",
        needs.join(", ")
    );
    Load::native(NativePlugin { manifest: manifest.into(), ..tapline_pdk::native::<script::Script>() })
}

fn publish(count: usize) -> f64 {
    let host = Host::builder().build();
    let topic = Topic::new("a.b").unwrap();
    let subscribe = |_| host.subscribe(TopicPattern::new("a.*").unwrap(), Queueing::default());
    let _subscriptions: Vec<_> = (0..count).map(subscribe).collect();
    time(|| {
        black_box(host.publish(topic.clone(), Value::Null));
    })
}

fn broadcast(count: usize) -> f64 {
    let (sender, _) = broadcast::channel::<(Topic, Value)>(256);
    let topic = Topic::new("a.b").unwrap();
    let _receivers: Vec<_> = (0..count).map(|_| sender.subscribe()).collect();
    time(|| drop(black_box(sender.send((topic.clone(), Value::Null)))))
}

/// Nanoseconds of one call from a plugin to another.
fn calls<S: Subject>(runtime: &Runtime, subject: S, target: fn(Scripted) -> Scripted) -> f64 {
    let bench = Bench::new(subject);
    let call = Step::Call("target".into(), "who".into());
    let asking = |id: &str, count| Scripted::new(id).calls("target").method("ask", vec![call.clone(); count]);
    let target = target(Scripted::new("target").method("who", [Step::Set(Value::Bool(true))]));
    runtime.block_on(bench.load([target, asking("many", CALLS), asking("none", 0)]));
    let ask = |plugin: &str| {
        let request = Request::new(METHODS, plugin, "ask", Value::Null);
        runtime.block_on(bench.host.request(request)).unwrap();
    };
    let of = |plugin: &str| time(|| ask(plugin));
    (of("many") - of("none")) / CALLS as f64
}

/// Nanoseconds of one request to a task that answers them one after the other.
fn actor(runtime: &Runtime) -> f64 {
    let (sender, mut receiver) = mpsc::channel::<(Value, oneshot::Sender<Value>)>(64);
    runtime.spawn(async move {
        while let Some((request, answer)) = receiver.recv().await {
            let _ = answer.send(request);
        }
    });
    let ask = || -> Box<dyn Future<Output = Value> + Unpin> {
        let sender = sender.clone();
        Box::new(Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            sender.send((Value::Bool(true), answer)).await.unwrap();
            answered.await.unwrap()
        }))
    };
    let many = || {
        runtime.block_on(async {
            for _ in 0..CALLS {
                black_box(ask().await);
            }
        })
    };
    time(many) / CALLS as f64
}
