//! Runs over http: `tapline serve` as it was last built by `cargo build --release -p tapline-cli`, beside FastAPI with
//! LangGraph in it, both asked by `wrk` from the same machine, in turns.
//!
//! `cargo xtask bench serve` brings LangGraph; without it, ours stands alone.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]

use std::time::Duration;

#[path = "serve/load.rs"]
mod load;
#[path = "serve/server.rs"]
mod server;

use load::{Answers, Way, has_wrk};
use server::Server;

/// Each figure is measured in so many turns with those of the others, and the best counts.
const TURNS: usize = 3;
/// So many connections are at once.
const LOADS: [u32; 3] = [1, 50, 500];
/// So often a server is started.
const STARTS: usize = 7;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let Some(ours) = Server::tapline(folder.path()) else {
        println!("skipped: `tapline` is not there; build it by `cargo build --release -p tapline-cli`");
        return;
    };
    println!("at rest: {:.1} MiB, ready after {:.0} ms", ours.resident(), milliseconds(ours.ready));
    starts();
    if !has_wrk() {
        println!("skipped: `wrk` is not there; `cargo xtask setup --install` brings it");
        return;
    }
    let theirs = Server::langgraph(folder.path());
    let mut ways = ways(&ours);
    ways.extend(theirs.iter().flat_map(peers));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // It wants one, though nothing here is encrypted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ways.iter().for_each(|way| runtime.block_on(way.check()));
    println!("{:<26}{:>12}{:>14}{:>12}", "", "connections", "answers/s", "p99, ms");
    for connections in LOADS {
        show(&ways, connections);
    }
    println!("after all of them: {:.1} MiB", ours.resident());
}

fn ways(server: &Server) -> Vec<Way<'_>> {
    let (quick, kept) =
        (r#"{"pipeline":"quick","inputs":{"n":41}}"#, r#"{"pipeline":"kept","inputs":{"n":41}}"#);
    let path = "/v1/runs?wait=true";
    let answer = r#""outputs":{"n":42}"#;
    vec![
        Way { name: "ours, no run", server, path: "/health/live", body: None, answer: "" },
        Way { name: "ours, durability: none", server, path, body: Some(quick), answer },
        Way { name: "ours, with a journal", server, path, body: Some(kept), answer },
    ]
}

fn peers(server: &Server) -> [Way<'_>; 3] {
    let body = Some(r#"{"n":41}"#);
    let answer = r#"{"n":42}"#;
    [
        Way { name: "FastAPI, no run", server, path: "/health/live", body: None, answer: "" },
        Way { name: "LangGraph", server, path: "/quick", body, answer },
        Way { name: "LangGraph, checkpoints", server, path: "/kept", body, answer },
    ]
}

/// Measures in turns, and prints the best of each.
fn show(ways: &[Way<'_>], connections: u32) {
    let mut best: Vec<Option<Answers>> = vec![None; ways.len()];
    for _ in 0..TURNS {
        for (way, best) in ways.iter().zip(&mut best) {
            let Some(now) = way.load(connections) else { continue };
            let before = best.unwrap_or(now);
            *best = Some(Answers { rate: now.rate.max(before.rate), p99: now.p99.min(before.p99) });
        }
    }
    for (way, best) in ways.iter().zip(&best) {
        if let Some(Answers { rate, p99 }) = best {
            println!("{:<26}{connections:>12}{rate:>14.0}{p99:>12.2}", way.name);
        }
    }
}

/// Shows how long it takes until a server is ready, by the number of plugins that it uses.
fn starts() {
    for plugins in [0, 100] {
        let folder = tempfile::tempdir().unwrap();
        // The first start compiles.
        let Some(first) = Server::with_plugins(folder.path(), plugins).map(|server| server.ready) else {
            println!("skipped: a server with {plugins} plugins did not start");
            continue;
        };
        let again = (0..STARTS).filter_map(|_| Server::with_plugins(folder.path(), plugins));
        let mut again: Vec<_> = again.map(|server| (server.ready, server.resident())).collect();
        again.sort_by_key(|(ready, _)| *ready);
        let (ready, resident) = again[again.len() / 2];
        println!(
            "{plugins} plugins: ready after {:.0} ms, {:.0} ms the first time; {resident:.1} MiB",
            milliseconds(ready),
            milliseconds(first)
        );
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
