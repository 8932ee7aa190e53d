//! Answers that are read while they are made.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    missing_docs,
    reason = "a test fails by panicking"
)]

use futures_util::FutureExt as _;
use script::Step;
use tapline::Value;
use tapline::core::{METHODS, Request};

use crate::suite::bench::Bench;
use crate::suite::scripted::{Scripted, Subject};

fn ask(plugin: &str) -> Request {
    Request::new(METHODS, plugin, "tell", Value::Null)
}

fn telling(id: &str, pieces: usize) -> Scripted {
    let pieces = (0..pieces).map(|piece| Step::Emit(Value::from(piece as u64)));
    Scripted::new(id).method("tell", pieces.chain([Step::Set("all".into())]).collect::<Vec<_>>())
}

pub async fn pieces_of_an_answer_come_in_order_and_then_the_whole(subject: impl Subject) {
    let bench = Bench::new(subject);
    bench.load([telling("a", 100)]).await;
    let (mut pieces, answer) = bench.host.request_streamed(ask("a"));
    let reading = async {
        let mut read = Vec::new();
        while let Some(piece) = pieces.next().await {
            read.push(piece);
        }
        read
    };
    let (read, answer) = tokio::join!(reading, answer);
    assert_eq!(answer.unwrap(), "all".into());
    assert_eq!(read, (0..100_u64).map(Value::from).collect::<Vec<_>>());
}

pub async fn who_makes_pieces_waits_for_who_reads_them(subject: impl Subject) {
    let bench = Bench::new(subject);
    bench.load([telling("a", 100)]).await;
    let (mut pieces, answer) = bench.host.request_streamed(ask("a"));
    let mut answer = Box::pin(answer);
    assert!(answer.as_mut().now_or_never().is_none());
    for _ in 0..subject.turns() {
        tokio::task::yield_now().await;
        assert!(answer.as_mut().now_or_never().is_none());
    }
    let waiting = std::iter::from_fn(|| pieces.next().now_or_never().flatten()).count();
    assert!((1..100).contains(&waiting), "{waiting}");
    drop(pieces);
    let error = answer.await.unwrap_err().to_failure();
    assert_eq!(error.code(), "reader-gone");
}

pub async fn a_plugin_whose_answer_nobody_reads_along_is_told(subject: impl Subject) {
    let bench = Bench::new(subject);
    bench.load([telling("a", 1), Scripted::new("b").method("tell", [Step::Streamed])]).await;
    assert_eq!(bench.ask("a", "tell").await.unwrap_err(), "not-streamed");
    assert_eq!(bench.ask("b", "tell").await.unwrap(), false.into());
    let (_pieces, answer) = bench.host.request_streamed(ask("b"));
    assert_eq!(answer.await.unwrap(), true.into());
}

pub async fn who_is_called_for_an_answer_adds_no_pieces_to_it(subject: impl Subject) {
    let bench = Bench::new(subject);
    let outer =
        Scripted::new("outer").calls("inner").method("tell", [Step::Call("inner".into(), "tell".into())]);
    bench.load([telling("inner", 1), outer]).await;
    let (mut pieces, answer) = bench.host.request_streamed(ask("outer"));
    assert_eq!(answer.await.unwrap_err().to_failure().code(), "not-streamed");
    assert_eq!(pieces.next().await, None);
}

pub async fn who_passes_an_answer_on_passes_on_its_pieces(subject: impl Subject) {
    let bench = Bench::new(subject);
    let relay = Step::Relay("inner".into(), "tell".into());
    let outer = Scripted::new("outer").calls("inner").method("tell", [Step::Emit("begun".into()), relay]);
    bench.load([telling("inner", 2), outer]).await;
    let (mut pieces, answer) = bench.host.request_streamed(ask("outer"));
    assert_eq!(answer.await.unwrap(), "all".into());
    let read = [pieces.next().await, pieces.next().await, pieces.next().await, pieces.next().await];
    assert_eq!(read, [Some("begun".into()), Some(0_u64.into()), Some(1_u64.into()), None]);
    assert_eq!(bench.ask("inner", "tell").await.unwrap_err(), "not-streamed");
}
