//! Limits that hold for every kind of plugin, for all that it does together.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    missing_docs,
    reason = "a test fails by panicking"
)]

use script::Step;
use tapline::core::TopicPattern;
use tapline::host::Queueing;
use tapline::{Drain, Limits};

use crate::suite::bench::Bench;
use crate::suite::scripted::{Scripted, Subject};

pub async fn no_more_calls_are_inside_a_plugin_than_its_limit(subject: impl Subject) {
    let limits = Limits { calls: 2, ..Limits::default() };
    let bench = Bench::with(subject, |host| host.limits(limits));
    let gate = bench.gate();
    let waits = Scripted::new("a").calls("gate").method("wait", [Step::Call("gate".into(), "wait".into())]);
    bench.load([waits.method("no", [])]).await;
    let (first, second) = (bench.ask("a", "wait"), bench.ask("a", "wait"));
    let others = async {
        gate.has_come(2).await;
        let mut third = std::pin::pin!(bench.ask("a", "no"));
        // It waits for one of them to leave.
        let is_waiting = tokio::select! {
            biased;
            answer = &mut third => panic!("{answer:?}"),
            () = bench.settle() => true,
        };
        gate.open(2);
        third.await.unwrap();
        is_waiting
    };
    let (first, second, is_waiting) = tokio::join!(first, second, others);
    first.unwrap();
    second.unwrap();
    assert!(is_waiting);
    assert_eq!(bench.incarnation("a"), 1);
}

pub async fn a50_a_flood_of_events_is_cut_off_and_counted(subject: impl Subject) {
    let limits = Limits { events: 3, ..Limits::default() };
    let bench = Bench::with(subject, |host| host.limits(limits));
    let mut heard = bench.host.subscribe(TopicPattern::new("a.flood").unwrap(), Queueing::default());
    let floods = vec![Step::Publish("a.flood".into()); 1000];
    bench.load([Scripted::new("a").publishes("a.flood").method("flood", floods)]).await;
    assert_eq!(bench.ask("a", "flood").await.unwrap_err(), "too-many");
    let info = bench.host.plugins().into_iter().find(|info| info.manifest.id().as_str() == "a").unwrap();
    assert_eq!(info.usage.refused_events(), 1);
    for _ in 0..3 {
        heard.next().await.unwrap();
    }
}

pub async fn a44_a_plugin_that_hangs_is_interrupted_at_the_deadline_of_its_caller(subject: impl Subject) {
    let bench = Bench::new(subject);
    let _gate = bench.gate();
    let hangs = Scripted::new("b").calls("gate").method("hang", [Step::Call("gate".into(), "wait".into())]);
    let calls = Scripted::new("a").calls("b").calls("gate");
    bench.load([hangs, calls.method("ask", [Step::CallWithin(50, "b".into(), "hang".into())])]).await;
    assert_eq!(bench.ask("a", "ask").await.unwrap_err(), "deadline-exceeded");
    // Nothing is inside it any more.
    assert_eq!(bench.host.unload("b").await.unwrap(), Drain::Drained);
}
