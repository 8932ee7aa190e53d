//! Events: who hears them, what is lost, and who may.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(missing_docs, reason = "the names are the promises")]

use tapline::core::{HookKind, Topic};
use tapline::{HostError, Value};

use crate::suite::bench::Bench;
use crate::suite::scripted::{Native, Scripted, Subject, hook};
use script::Step;

fn topic(topic: &str) -> Topic {
    Topic::new(topic).unwrap()
}

fn event(topic: &str, payload: impl Into<Value>) -> Value {
    Value::from_iter([("topic", topic.into()), ("payload", payload.into())])
}

/// Notes what it hears, and tells it under its own name.
fn hearing(id: &str, topics: &str, capacity: usize) -> Scripted {
    Scripted::new(id).listens(topics, capacity, [Step::Note("input".into())]).seen_as(id)
}

/// Waits until a plugin has noted so many things.
async fn heard<S: Subject>(bench: &Bench<S>, id: &str, count: usize) -> Vec<Value> {
    loop {
        let seen = bench.seen(id).await;
        let seen = seen.as_array().unwrap();
        if seen.len() >= count {
            return seen.to_vec();
        }
        tokio::task::yield_now().await;
    }
}

pub async fn b01_a_plugin_hears_the_topics_that_it_subscribed_to_and_no_others(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.host.notify_point::<i64>("p").unwrap();
    let publishing = Scripted::new("publishing").publishes("a.>").hook(
        hook("p", HookKind::Answer, "x"),
        [Step::Publish("a.two".into()), Step::Publish("a.b.c".into())],
    );
    bench.load([hearing("one", "a.*", 9), hearing("all", "a.>", 9), publishing]).await;
    assert_eq!(bench.host.publish(topic("a.one"), 1_i64.into()), 2);
    assert_eq!(bench.host.publish(topic("b.one"), 1_i64.into()), 0);
    point.call(&0).await;
    let one = [event("a.one", 1_i64), event("a.two", "hello")];
    assert_eq!(heard(&bench, "one", 2).await, one);
    assert_eq!(heard(&bench, "all", 3).await, [&one[..], &[event("a.b.c", "hello")]].concat());
}

pub async fn b04_a_full_queue_tells_a_plugin_what_it_lost(subject: impl Subject) {
    let bench = Bench::new(subject);
    bench.load([hearing("a", "a.x", 1)]).await;
    for number in 1..=3_i64 {
        bench.host.publish(topic("a.x"), number.into());
    }
    let lost = Value::from_iter([("missed", Value::from(2_i64))]);
    assert_eq!(heard(&bench, "a", 2).await, [lost, event("a.x", 3_i64)]);
}

pub async fn b06_no_event_reaches_a_plugin_that_was_unloaded(subject: impl Subject) {
    let bench = Bench::new(subject);
    bench.load([hearing("a", "a.x", 9)]).await;
    assert_eq!(bench.host.publish(topic("a.x"), Value::Null), 1);
    bench.host.unload("a").await.unwrap();
    assert_eq!(bench.host.publish(topic("a.x"), Value::Null), 0);
    // A plugin that is loaded again hears what comes from then on.
    bench.load([hearing("a", "a.x", 9)]).await;
    assert_eq!(bench.host.publish(topic("a.x"), 7_i64.into()), 1);
    assert_eq!(heard(&bench, "a", 1).await, [event("a.x", 7_i64)]);
}

pub async fn a48_a_topic_that_was_not_granted_is_not_published(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.host.collect_point::<i64, i64>("p").unwrap();
    let publishing = Scripted::new("a")
        .publishes("a.mine")
        .hook(hook("p", HookKind::Answer, "x"), [Step::Publish("a.shutdown".into())]);
    bench.load([publishing]).await;
    let error = point.call(&0).await.unwrap_err();
    assert_eq!(error.to_failure().code(), "denied");
    assert!(error.to_failure().message().contains("may not publish `a.shutdown`"), "{error:?}");
}

pub async fn a49_a_subscription_that_was_not_granted_refuses_the_plugin(subject: impl Subject) {
    let bench = Bench::new(subject);
    let loaded = bench.try_load([hearing("a", ">", 9)]).await;
    if std::any::TypeId::of::<Native>() == std::any::Any::type_id(&subject) {
        // A native plugin is part of the application, and is granted what it asks for.
        loaded.unwrap();
        return;
    }
    let HostError::Denied(denied) = loaded.unwrap_err() else { panic!("another error") };
    assert_eq!(
        denied[0].to_string(),
        "plugin `a` may not subscribe to `>`: the policy does not allow these events"
    );
    assert_eq!(bench.host.publish(topic("a.x"), Value::Null), 0);
}

pub async fn a_listener_that_fails_or_breaks_hears_the_next_event(subject: impl Subject) {
    let bench = Bench::new(subject);
    let failing = [Step::Fail("no".into())];
    bench.load([Scripted::new("fails").listens("a.x", 9, failing), hearing("b", "a.x", 9)]).await;
    bench.load([Scripted::new("breaks").listens("a.x", 9, [Step::Break])]).await;
    for number in 0..3_i64 {
        assert_eq!(bench.host.publish(topic("a.x"), number.into()), 3);
    }
    assert_eq!(heard(&bench, "b", 3).await.len(), 3);
    assert_eq!(bench.host.publish(topic("a.x"), Value::Null), 3);
}
