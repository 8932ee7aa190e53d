//! What a request to a model costs beside the model: by plain http, through the provider `openai` in its sandbox, by a
//! node `chat` in a run, and by plain http through LiteLLM's proxy; all of them ask the same server, in turns.
//!
//! The server says how long it has kept a request, and what is shown is what was waited beyond that.
//! `cargo xtask bench provider` brings LiteLLM; without it, the others stand alone.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]

use std::sync::Arc;
use std::time::Duration;

use tapline::core::BoxFuture;
use tapline_benches::{Model, Proxy};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

#[path = "provider/hosted.rs"]
mod hosted;
#[path = "provider/plain.rs"]
mod plain;

use hosted::{Node, Provider, engine};
use plain::Plain;

/// Each figure is measured in so many turns with those of the others, and the lowest counts.
const TURNS: usize = 3;
/// How long the model thinks.
const THINKS: Duration = Duration::from_millis(100);
/// So many are at once, and each of them asks so often, one time after the other.
const LOADS: [(usize, usize); 3] = [(1, 40), (50, 12), (500, 6)];
const AIM: &str = "0.2 ms added to plain http, one at once";

/// What is waited for.
#[derive(Clone, Copy)]
enum Until {
    Whole,
    FirstToken,
}

/// A way to ask the model.
trait Way: Send + Sync {
    /// Asks, and tells how long it has taken, and how long the model says that it has kept the request.
    fn ask(&self, until: Until) -> BoxFuture<'static, (Duration, Duration)>;
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let model = Model::start(THINKS);
    let proxy = Proxy::start(&model.host());
    if proxy.is_none() {
        println!("skipped: LiteLLM is not there; `cargo xtask bench provider` brings it");
    }
    let engine = runtime.block_on(engine(&model.host()));
    let ways: [Option<Arc<dyn Way>>; 4] = [
        Some(Arc::new(Plain::new(&model.host()))),
        Some(Arc::new(Provider(engine.host().clone()))),
        Some(Arc::new(Node::new(engine))),
        proxy.as_ref().map(|proxy| Arc::new(Plain::new(proxy.host())) as Arc<dyn Way>),
    ];
    println!(
        "{:<26}{:>12}{:>12}{:>12}{:>12}{:>10}",
        "ms, p50", "plain http", "provider", "chat node", "LiteLLM", "ratio"
    );
    println!("{:<26}{:>12}{:>12}{:>12}{:>12}", "", "", "adds", "adds", "adds");
    for (until, what) in [(Until::Whole, "whole answer"), (Until::FirstToken, "first token")] {
        for (at_once, times) in LOADS {
            print!("{:<26}", format!("{what}, {at_once} at once"));
            show(&runtime, &ways, until, (at_once, times));
        }
    }
    println!("aim: {AIM}");
}

/// Measures in turns, and prints the lowest of each.
fn show(runtime: &Runtime, ways: &[Option<Arc<dyn Way>>; 4], until: Until, load: (usize, usize)) {
    let mut lowest = [None; 4];
    for _ in 0..TURNS {
        for (way, lowest) in ways.iter().zip(&mut lowest) {
            let Some(way) = way else { continue };
            let figure = runtime.block_on(median(way, until, load));
            *lowest = Some(lowest.map_or(figure, |before: f64| before.min(figure)));
        }
    }
    let plain = lowest[0].unwrap();
    print!("{plain:>12.2}");
    let added = lowest.map(|figure| figure.map(|figure| figure - plain));
    for added in &added[1..] {
        match added {
            Some(added) => print!("{added:>12.2}"),
            None => print!("{:>12}", "–"),
        }
    }
    match (added[1], added[3]) {
        (Some(ours), Some(theirs)) => println!("{:>9.1}x", theirs / ours),
        _ => println!(),
    }
}

/// Milliseconds beyond the model, of all that were asked; those at once begin one after the other while the model thinks.
async fn median(way: &Arc<dyn Way>, until: Until, (at_once, times): (usize, usize)) -> f64 {
    let mut askers = JoinSet::new();
    for place in 0..at_once {
        let way = Arc::clone(way);
        askers.spawn(async move {
            tokio::time::sleep(THINKS.mul_f64(place as f64 / at_once as f64)).await;
            // The first is for the connection.
            way.ask(until).await;
            let mut beyond = Vec::new();
            for _ in 0..times {
                let (took, kept) = way.ask(until).await;
                beyond.push(took.saturating_sub(kept));
            }
            beyond
        });
    }
    let mut all: Vec<_> = askers.join_all().await.into_iter().flatten().collect();
    all.sort_unstable();
    all[all.len() / 2].as_secs_f64() * 1e3
}

/// What the model says of how long it has kept a request.
fn nanoseconds(text: &str) -> Duration {
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}
