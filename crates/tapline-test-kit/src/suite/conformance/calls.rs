//! Plugins that call each other.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use futures_util::FutureExt as _;
use script::Step;
use tapline::core::TopicPattern;
use tapline::host::{Delivery, PluginHealth, PluginState, Queueing};
use tapline::{Drain, PluginId, Policy};
use tokio::time::Instant;

use crate::suite::bench::Bench;
use crate::suite::scripted::{Scripted, Subject};

/// Plugins that all may call the gate: what one of them does for another it does with what both may.
fn plugin(id: &str) -> Scripted {
    Scripted::new(id).calls("gate")
}

/// A plugin whose method `ask` calls a method of another one.
fn asking(id: &str, target: &str, method: &str) -> Scripted {
    plugin(id).calls(target).method("ask", [Step::Call(target.into(), method.into())])
}

pub async fn plugins_call_each_other_by_id_and_by_capability(subject: impl Subject) {
    let bench = Bench::new(subject);
    let answering = |id: &str, rank| {
        let set = Step::Set(id.into());
        plugin(id).offers("chat", rank).method("who", [set]).method("caller", [Step::Caller])
    };
    bench.load([answering("first", 1), answering("second", 2)]).await;
    bench.load([asking("by-id", "first", "who"), asking("by-capability", "capability:chat", "who")]).await;
    bench.load([asking("named", "first", "caller")]).await;
    assert_eq!(bench.ask("by-id", "ask").await.unwrap(), "first".into());
    assert_eq!(bench.ask("by-capability", "ask").await.unwrap(), "second".into());
    bench.host.unload("second").await.unwrap();
    assert_eq!(bench.ask("by-capability", "ask").await.unwrap(), "first".into());
    assert_eq!(bench.ask("named", "ask").await.unwrap(), "named".into());
    assert_eq!(bench.ask("first", "caller").await.unwrap(), tapline::Value::Null);
}

pub async fn c02_a_call_that_nobody_answers_to_fails_at_once_and_says_why(subject: impl Subject) {
    let begun = Instant::now();
    for (target, method, code) in [
        ("nobody", "x", "no-such-plugin"),
        ("capability:nothing", "x", "no-provider"),
        ("there", "x", "no-such-method"),
    ] {
        let bench = Bench::new(subject);
        bench.load([plugin("there").method("who", []), asking("a", target, method)]).await;
        assert_eq!(bench.ask("a", "ask").await.unwrap_err(), code);
    }
    let bench = Bench::new(subject);
    let step = Step::Call("there".into(), "who".into());
    bench.load([plugin("there").method("who", []), plugin("a").method("ask", [step])]).await;
    assert_eq!(bench.ask("a", "ask").await.unwrap_err(), "denied");
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

pub async fn c03_a_call_ends_at_its_deadline_and_at_that_of_the_calls_around_it(subject: impl Subject) {
    let bench = Bench::new(subject);
    let _gate = bench.gate();
    let within = |milliseconds, target: &str, method: &str| {
        Step::CallWithin(milliseconds, target.into(), method.into())
    };
    bench
        .load([
            plugin("inner").method("ask", [within(60_000, "gate", "wait")]),
            plugin("outer")
                .calls("inner")
                .method("ask", [within(2_000, "inner", "ask")])
                .method("ask-default", [Step::Call("inner".into(), "ask".into())]),
        ])
        .await;
    for (method, seconds) in [("ask", 2), ("ask-default", 5)] {
        let begun = Instant::now();
        assert_eq!(bench.ask("outer", method).await.unwrap_err(), "deadline-exceeded");
        assert_eq!(begun.elapsed(), Duration::from_secs(seconds));
    }
}

pub async fn c04_a_call_into_a_plugin_that_dies_fails_at_once(subject: impl Subject) {
    let bench = Bench::new(subject);
    let gate = bench.gate();
    let target = asking("target", "gate", "wait").method("exit", [Step::ExitWith("lost".into())]);
    bench.load([target, asking("caller", "target", "ask")]).await;
    let begun = Instant::now();
    let end = async {
        gate.has_come(1).await;
        bench.ask("target", "exit").await
    };
    let (answer, _) = tokio::join!(bench.ask("caller", "ask"), end);
    assert_eq!((answer.unwrap_err().as_str(), begun.elapsed()), ("target-died", Duration::ZERO));
}

pub async fn c06_a_call_that_is_given_up_leaves_the_queue_or_comes_to_its_end(subject: impl Subject) {
    let bench = Bench::new(subject);
    let gate = bench.gate();
    let one = asking("one", "gate", "wait").method("count", [Step::Count]).one_instance();
    bench.load([one]).await;
    let mut running = Box::pin(bench.ask("one", "ask"));
    assert!(running.as_mut().now_or_never().is_none());
    gate.has_come(1).await;
    let mut queued = Box::pin(bench.ask("one", "count"));
    assert!(queued.as_mut().now_or_never().is_none());
    drop(queued);
    drop(running);
    let mut next = Box::pin(bench.ask("one", "count"));
    assert!(next.as_mut().now_or_never().is_none());
    gate.open(1);
    // The one that ran has ended well, and the one that waited has never run.
    assert_eq!(next.await.unwrap().as_i64(), Some(1));
    let one = PluginId::new("one").unwrap();
    let health = PluginHealth { state: PluginState::Active, incarnation: 1, late_answers: 1 };
    assert_eq!(bench.host.health(&one), Some(health));
}

pub async fn c06_a_call_that_is_given_up_comes_to_its_end_before_its_plugin_stops(subject: impl Subject) {
    let bench = Bench::new(subject);
    let gate = bench.gate();
    let gate_call = |method: &str| Step::Call("gate".into(), method.into());
    let steps = [gate_call("wait"), gate_call("done")];
    bench.load([plugin("one").method("ask", steps).at("stop", [gate_call("stop")]).one_instance()]).await;
    let mut running = Box::pin(bench.ask("one", "ask"));
    assert!(running.as_mut().now_or_never().is_none());
    gate.has_come(1).await;
    drop(running);
    let open = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        gate.open(1);
    };
    let (drain, ()) = tokio::join!(bench.host.unload("one"), open);
    assert_eq!(
        (drain.unwrap(), gate.asked()),
        (Drain::Drained, ["wait", "done", "stop"].map(Into::into).to_vec())
    );
}

pub async fn c06_an_unload_that_is_forced_begins_no_call_that_waits_for_its_turn(subject: impl Subject) {
    let bench = Bench::new(subject);
    let gate = bench.gate();
    let within = Step::CallWithin(60_000, "gate".into(), "wait".into());
    bench.load([plugin("one").method("ask", [within]).one_instance()]).await;
    let unload = async {
        gate.has_come(1).await;
        bench.host.unload("one").await
    };
    let (running, queued, drain) = tokio::join!(bench.ask("one", "ask"), bench.ask("one", "ask"), unload);
    assert_eq!((running.unwrap_err().as_str(), queued.unwrap_err().as_str()), ("target-died", "not-active"));
    assert_eq!((drain.unwrap(), gate.asked().len()), (Drain::Forced, 1));
}

pub async fn c08_whoever_has_given_a_call_up_does_not_wait_for_it(subject: impl Subject) {
    let bench = Bench::new(subject);
    let gate = bench.gate();
    let gate_call = |method: &str| Step::Call("gate".into(), method.into());
    let back = Step::Call("a".into(), "who".into());
    let a = plugin("a").calls("a").calls("b").method("who", [Step::Set("a".into())]);
    let a = a
        .method("ask", [Step::CallWithin(1_000, "b".into(), "ask".into())])
        .method("wait", [gate_call("wait")]);
    let b = plugin("b").calls("a").method("ask", [gate_call("wait"), back, gate_call("answered")]);
    bench.load([a.one_instance(), b.one_instance()]).await;
    assert_eq!(bench.ask("a", "ask").await.unwrap_err(), "deadline-exceeded");
    let go_on = async {
        gate.has_come(2).await;
        gate.open(1);
        tokio::time::sleep(Duration::from_secs(1)).await;
        gate.open(1);
    };
    let (waited, ()) = tokio::join!(bench.ask("a", "wait"), go_on);
    assert!(waited.is_ok());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(gate.asked(), ["wait", "wait", "answered"]);
}

pub async fn calls_of_one_instance_wait_until_it_has_begun(subject: impl Subject) {
    let bench = Bench::new(subject);
    let gate = bench.gate();
    let begins = [Step::Call("gate".into(), "wait".into())];
    let one = plugin("one").method("count", [Step::Count]).at("start", begins).one_instance();
    let open = async {
        gate.has_come(1).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        gate.open(1);
    };
    let early = async {
        gate.has_come(1).await;
        bench.ask("one", "count").await
    };
    let (loaded, count, ()) = tokio::join!(bench.try_load([one]), early, open);
    assert!(loaded.is_ok());
    assert_eq!(count.unwrap().as_i64(), Some(1));
    assert_eq!(bench.ask("one", "count").await.unwrap().as_i64(), Some(2));
}

pub async fn one_instance_answers_one_call_after_the_other_and_keeps_its_state(subject: impl Subject) {
    let bench = Bench::new(subject);
    bench.load([plugin("one").method("count", [Step::Count]).one_instance()]).await;
    let counts = futures_util::future::join_all((0..20).map(|_| bench.ask("one", "count"))).await;
    let counts: Vec<_> = counts.into_iter().map(|count| count.unwrap().as_i64().unwrap()).collect();
    assert_eq!(counts, (1..=20).collect::<Vec<_>>());
}

pub async fn c08_two_plugins_that_would_wait_for_each_other_do_not(subject: impl Subject) {
    let bench = Bench::new(subject);
    let gate = bench.gate();
    let waiting = |id: &str, other: &str| {
        let steps = [Step::Call("gate".into(), "wait".into()), Step::Call(other.into(), "who".into())];
        let who = Step::Set(id.into());
        plugin(id).calls(other).calls(id).method("ask", steps).method("who", [who]).one_instance()
    };
    bench.load([waiting("a", "b"), waiting("b", "a")]).await;
    let go_on = async {
        gate.has_come(2).await;
        gate.open(2);
    };
    let begun = Instant::now();
    let (a, b, ()) = tokio::join!(bench.ask("a", "ask"), bench.ask("b", "ask"), go_on);
    let (refused, answered) = if a.is_err() { (a, b) } else { (b, a) };
    assert_eq!(refused.unwrap_err(), "deadlock");
    assert!(answered.is_ok());
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

pub async fn a43_a_plugin_that_is_called_again_from_its_own_call_is_told_the_path(subject: impl Subject) {
    let bench = Bench::new(subject);
    bench.load([asking("a", "b", "ask").calls("a").one_instance(), asking("b", "a", "ask")]).await;
    let request = tapline::core::Request::new("plugin", "a", "ask", tapline::Value::Null);
    let refused = bench.host.request(request).await.unwrap_err().to_failure();
    assert_eq!(refused.code(), "deadlock");
    assert_eq!(refused.message(), "plugins would wait for each other: a → a");
}

pub async fn a41_a_plugin_gets_no_more_done_through_another_than_alone(subject: impl Subject) {
    let a = |topic: &str| TopicPattern::new(topic).unwrap();
    let publish = || [Step::Publish("a.secret".into())];
    let plugins = || {
        [
            plugin("high").publishes("a.secret").method("tell", publish()),
            asking("low", "high", "tell"),
            asking("equal", "high", "tell").publishes("a.>"),
        ]
    };
    let bench = Bench::new(subject);
    let mut told = bench.host.subscribe(a("a.secret"), Queueing::default());
    bench.load(plugins()).await;
    assert_eq!(bench.ask("low", "ask").await.unwrap_err(), "denied");
    assert!(told.next().now_or_never().is_none());
    assert!(bench.ask("equal", "ask").await.is_ok());
    assert!(bench.ask("high", "tell").await.is_ok());
    assert!(matches!(told.next().await, Some(Delivery::Event(_))));

    let [high, low, _] = plugins();
    let policy = Policy::default()
        .allow_publish(a("a.>"))
        .allow_call("plugin/*".parse().unwrap())
        .allow_call("nobody".parse().unwrap());
    let own = policy.clone().allow_own_authority(PluginId::new("high").unwrap());
    let bench = Bench::with(subject, |host| host.policy(own));
    bench.load([high.clone().with_own_authority(), low]).await;
    assert!(bench.ask("low", "ask").await.is_ok());
    let bench = Bench::with(subject, |host| host.policy(policy));
    let loaded = bench.try_load([high.with_own_authority()]).await;
    match loaded {
        Ok(_) => assert!(subject.is_native()),
        Err(error) => {
            assert!(!subject.is_native() && error.to_string().contains("with its own grants"), "{error}");
        }
    }
}

pub async fn a_cast_waits_for_nothing_and_fails_alone(subject: impl Subject) {
    let bench = Bench::new(subject);
    let gate = bench.gate();
    let cast = |method: &str| [Step::Cast("target".into(), method.into())];
    let caller = plugin("caller").calls("target").method("wait", cast("ask")).method("fail", cast("fail"));
    let caller = caller.method("lost", [Step::Cast("nobody".into(), "x".into())]);
    let target = asking("target", "gate", "wait").method("fail", [Step::Fail("no".into())]);
    bench.load([target, caller]).await;
    assert!(bench.ask("caller", "wait").await.is_ok());
    gate.has_come(1).await;
    assert!(bench.ask("caller", "fail").await.is_ok());
    assert_eq!(bench.ask("caller", "lost").await.unwrap_err(), "no-such-plugin");
    gate.open(1);
}

pub async fn a_plugin_waits_as_long_as_it_says_and_no_longer_than_its_caller(subject: impl Subject) {
    let bench = Bench::new(subject);
    let sleeper = plugin("sleeper").method("nap", [Step::Sleep(1_000)]).method("sleep", [Step::Sleep(9_000)]);
    bench.load([sleeper, asking("caller", "sleeper", "sleep")]).await;
    let begun = Instant::now();
    assert!(bench.ask("sleeper", "nap").await.is_ok());
    assert_eq!(begun.elapsed(), Duration::from_secs(1));
    assert_eq!(bench.ask("caller", "ask").await.unwrap_err(), "deadline-exceeded");
    assert_eq!(begun.elapsed(), Duration::from_secs(1 + 5));
}
