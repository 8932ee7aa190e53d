//! Plugins that end and are started again.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use futures_util::FutureExt as _;
use script::Step;
use tapline::core::{HookKind, Restart};
use tapline::host::{HostBuilder, PLUGIN_CHANGED, PluginState, Strategy, Supervision};
use tapline::{PluginId, UnloadError, Value};

use crate::suite::bench::Bench;
use crate::suite::scripted::{Scripted, Subject, hook};

/// A plugin that ends in each way, and says how often it was asked since.
fn mortal(id: &str) -> Scripted {
    let calls_gate = || Step::Call("gate".into(), "wait".into());
    Scripted::new(id)
        .calls("gate")
        .method("count", [Step::Count])
        .method("exit", [Step::Exit])
        .method("exit-with", [Step::ExitWith("lost".into())])
        .method("break", [Step::Break])
        .method("wait", [calls_gate()])
        .method("wait-and-exit", [calls_gate(), Step::ExitWith("lost".into())])
}

fn id(name: &str) -> PluginId {
    PluginId::new(name).unwrap()
}

const fn restarts(restarts: usize, seconds: u64) -> Supervision {
    Supervision {
        restarts,
        within: Duration::from_secs(seconds),
        strategy: Strategy::RestForDependents,
        trial: Duration::ZERO,
        trial_faults: 0,
    }
}

fn supervised(supervision: Supervision) -> impl FnOnce(HostBuilder) -> HostBuilder {
    move |host| host.supervision(supervision)
}

pub async fn s01_a_plugin_is_started_again_as_its_rule_says(subject: impl Subject) {
    let endings = ["exit", "exit-with", "break"];
    for (rule, restarted) in [
        (Restart::Permanent, &endings[..]),
        (Restart::Transient, &endings[1..]),
        (Restart::Temporary, &[][..]),
    ] {
        for ending in endings {
            let bench = Bench::new(subject);
            bench.load([mortal("a").one_instance().restart(rule)]).await;
            assert_eq!(bench.ask("a", "count").await.unwrap().as_i64(), Some(1));
            assert_eq!(bench.ask("a", "count").await.unwrap().as_i64(), Some(2));
            let _ = bench.ask("a", ending).await;
            let state = bench.settled("a").await;
            if restarted.contains(&ending) {
                assert_eq!((state, bench.incarnation("a")), (PluginState::Active, 2), "{rule:?} {ending}");
                assert_eq!(bench.ask("a", "count").await.unwrap().as_i64(), Some(1));
            } else {
                let over = if ending == "exit" { PluginState::Stopped } else { PluginState::Failed };
                assert_eq!(state, over, "{rule:?} {ending}");
                assert_eq!(bench.ask("a", "count").await.unwrap_err(), "not-active");
            }
        }
    }
}

pub async fn s01_a_plugin_that_ends_itself_while_it_begins_has_ended(subject: impl Subject) {
    let ends = |step| mortal("a").restart(Restart::Temporary).at("start", [step]);
    for (step, over) in
        [(Step::Exit, PluginState::Stopped), (Step::ExitWith("lost".into()), PluginState::Failed)]
    {
        let bench = Bench::new(subject);
        bench.load([ends(step)]).await;
        assert_eq!(bench.host.state(&id("a")), over);
        assert_eq!(bench.ask("a", "count").await.unwrap_err(), "not-active");
    }
}

pub async fn s06_a_dependent_is_started_when_all_that_it_needs_have_been(subject: impl Subject) {
    let bench = Bench::new(subject);
    let one = |id| mortal(id).one_instance();
    bench.load([one("a"), one("b"), mortal("c").needs("a").needs("b")]).await;
    for _ in 0..2 {
        let _ = bench.ask("a", "break").await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let _ = bench.ask("b", "break").await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    let states = ["a", "b", "c"].map(|plugin| bench.host.state(&id(plugin)));
    assert_eq!(states, [PluginState::Backoff, PluginState::Active, PluginState::Backoff]);
    assert_eq!(
        (bench.settled("a").await, bench.settled("c").await),
        (PluginState::Active, PluginState::Active)
    );
}

pub async fn s06_a_restart_takes_dependents_along_and_nobody_else(subject: impl Subject) {
    let plugins = || {
        [
            mortal("a").one_instance(),
            mortal("b").needs("a"),
            mortal("c").needs("b"),
            mortal("d").may_need("a"),
            mortal("e"),
        ]
    };
    let incarnations = |bench: &Bench<_>| ["a", "b", "c", "d", "e"].map(|plugin| bench.incarnation(plugin));
    let bench = Bench::new(subject);
    bench.load(plugins()).await;
    let _ = bench.ask("a", "break").await;
    assert_eq!(bench.settled("c").await, PluginState::Active);
    assert_eq!(incarnations(&bench), [2, 2, 2, 1, 1]);

    let one_for_one = Supervision { strategy: Strategy::OneForOne, ..Supervision::default() };
    let bench = Bench::with(subject, supervised(one_for_one));
    bench.load(plugins()).await;
    let _ = bench.ask("a", "break").await;
    assert_eq!(bench.settled("a").await, PluginState::Active);
    assert_eq!(incarnations(&bench), [2, 1, 1, 1, 1]);
}

pub async fn s07_one_restart_too_many_within_the_window_is_the_last(subject: impl Subject) {
    let bench = Bench::with(subject, supervised(restarts(2, 10)));
    bench.load([mortal("a").one_instance()]).await;
    for _ in 0..3 {
        assert_eq!(bench.settled("a").await, PluginState::Active);
        let _ = bench.ask("a", "break").await;
    }
    assert_eq!(bench.settled("a").await, PluginState::Quarantined);
    assert_eq!(bench.ask("a", "count").await.unwrap_err(), "quarantined");

    let bench = Bench::with(subject, supervised(restarts(2, 10)));
    bench.load([mortal("a").one_instance()]).await;
    for _ in 0..9 {
        let _ = bench.ask("a", "break").await;
        assert_eq!(bench.settled("a").await, PluginState::Active);
        // Never more than two within ten seconds.
        tokio::time::sleep(Duration::from_millis(5001)).await;
    }
}

pub async fn s08_a_start_that_fails_counts_and_is_tried_again_until_it_is_too_many(subject: impl Subject) {
    let bench = Bench::with(subject, supervised(restarts(3, 60)));
    let gate = bench.gate();
    bench.load([mortal("a").one_instance().at("start", [Step::Call("gate".into(), "start".into())])]).await;
    gate.refuse("start");
    let _ = bench.ask("a", "break").await;
    assert_eq!(bench.settled("a").await, PluginState::Quarantined);
    assert_eq!(gate.asked(), ["start", "start", "start", "start"]);
}

pub async fn s13_a_plugin_that_waits_to_be_started_again_can_be_unloaded(subject: impl Subject) {
    let bench = Bench::new(subject);
    let gate = bench.gate();
    bench.load([mortal("a").one_instance().at("start", [Step::Call("gate".into(), "start".into())])]).await;
    for _ in 0..2 {
        let _ = bench.ask("a", "break").await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(bench.host.state(&id("a")), PluginState::Backoff);
    let (waiting, unloaded) = tokio::join!(bench.ask("a", "count"), bench.host.unload("a"));
    assert_eq!((waiting.unwrap_err().as_str(), unloaded.is_ok()), ("not-active", true));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((bench.host.state(&id("a")), gate.asked().len()), (PluginState::Absent, 2));
}

pub async fn s13_a_plugin_that_is_unloaded_while_it_is_being_blocked_stays_gone(subject: impl Subject) {
    let bench = Bench::new(subject);
    let gate = bench.gate();
    let topic = tapline::core::TopicPattern::new("host.plugins.b").unwrap();
    let mut states = bench.host.subscribe(topic, tapline::host::Queueing::default());
    let lingers = mortal("b").needs("a").at("stop", [Step::Call("gate".into(), "wait".into())]);
    bench.load([mortal("a").one_instance().restart(Restart::Temporary), lingers]).await;
    let _ = bench.ask("a", "break").await;
    gate.has_come(1).await;
    bench.host.unload("b").await.unwrap();
    gate.open(1);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let mut last = None;
    while let Some(Some(tapline::host::Delivery::Event(event))) = states.next().now_or_never() {
        last = event.payload.get("state").and_then(|state| state.as_str().map(ToOwned::to_owned));
    }
    assert_eq!(last.as_deref(), Some("absent"));
}

pub async fn calls_wait_until_the_plugin_has_been_started_again(subject: impl Subject) {
    let bench = Bench::new(subject);
    bench.load([mortal("a").one_instance()]).await;
    for _ in 0..2 {
        let _ = bench.ask("a", "break").await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(bench.host.state(&id("a")), PluginState::Backoff);
    assert_eq!(bench.ask("a", "count").await.unwrap().as_i64(), Some(1));
}

pub async fn s15_what_an_earlier_incarnation_says_is_ignored(subject: impl Subject) {
    let bench = Bench::with(subject, supervised(restarts(1, 60)));
    let gate = bench.gate();
    bench.load([mortal("a")]).await;
    let end_both = async {
        gate.has_come(2).await;
        gate.open(2);
    };
    let (_, _, ()) = tokio::join!(bench.ask("a", "wait-and-exit"), bench.ask("a", "wait-and-exit"), end_both);
    // Both end the plugin, and it was one life of it: two restarts would be too many.
    assert_eq!((bench.settled("a").await, bench.incarnation("a")), (PluginState::Active, 2));
}

pub async fn s15_a_late_break_of_an_earlier_incarnation_leaves_the_later_one_alone(subject: impl Subject) {
    let bench = Bench::new(subject);
    let gate = bench.gate();
    let waits = [Step::Call("gate".into(), "wait".into()), Step::Break];
    bench.load([mortal("a").method("wait-and-break", waits)]).await;
    let mut late = Box::pin(bench.ask("a", "wait-and-break"));
    while gate.asked().is_empty() {
        assert!(late.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    let _ = bench.ask("a", "break").await;
    assert_eq!(bench.settled("a").await, PluginState::Active);
    assert_eq!(bench.ask("a", "count").await.unwrap().as_i64(), Some(1));
    gate.open(1);
    assert!(late.await.is_err());
    assert_eq!(bench.ask("a", "count").await.unwrap().as_i64(), Some(2));
}

pub async fn s19_calls_inside_a_plugin_that_dies_fail_at_once(subject: impl Subject) {
    let bench = Bench::new(subject);
    let gate = bench.gate();
    bench.load([mortal("a")]).await;
    let begun = tokio::time::Instant::now();
    let end = async {
        gate.has_come(2).await;
        bench.ask("a", "exit-with").await
    };
    let (one, other, _) = tokio::join!(bench.ask("a", "wait"), bench.ask("a", "wait"), end);
    assert_eq!((one.unwrap_err().as_str(), other.unwrap_err().as_str()), ("target-died", "target-died"));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

pub async fn a61_a_plugin_that_breaks_at_every_call_is_quarantined_and_its_guard_fails_closed(
    subject: impl Subject,
) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let guard = hook("p", HookKind::Before, "guard");
    bench.load([mortal("a").hook(guard, [Step::Input("a".into())]), mortal("b").needs("a")]).await;
    assert_eq!(bench.call(&point).await.unwrap(), ["a", "core"]);
    for _ in 0..6 {
        assert_eq!(bench.ask("a", "break").await.unwrap_err(), "fault");
    }
    assert_eq!(bench.settled("a").await, PluginState::Quarantined);
    let refused = bench.call(&point).await.unwrap_err();
    assert_eq!(refused.to_failure().code(), "quarantined");
    assert!(refused.to_string().contains("`a`"), "{refused}");
    let blocked = PluginState::Blocked { root: id("a") };
    while bench.host.state(&id("b")) != blocked {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.ask("b", "count").await.unwrap_err(), "blocked");

    assert_eq!(bench.host.restart(&id("a")).await.unwrap(), PluginState::Active);
    assert_eq!(bench.call(&point).await.unwrap(), ["a", "core"]);
    assert_eq!(bench.ask("b", "count").await.unwrap().as_i64(), Some(1));
    let unknown = bench.host.restart(&id("nobody")).await;
    assert_eq!(unknown.unwrap_err(), UnloadError::NotLoaded("nobody".into()));
}

pub async fn what_becomes_of_a_plugin_is_published(subject: impl Subject) {
    let bench = Bench::new(subject);
    let topics = tapline::core::TopicPattern::new("host.plugins.*").unwrap();
    let mut states = bench.host.subscribe(topics, tapline::host::Queueing::default());
    bench.load([mortal("a").one_instance()]).await;
    let _ = bench.ask("a", "break").await;
    assert_eq!(bench.settled("a").await, PluginState::Active);
    bench.host.unload("a").await.unwrap();
    let mut seen = Vec::new();
    while seen.last().is_none_or(|last| last != "absent") {
        let Some(tapline::host::Delivery::Event(event)) = states.next().await else { break };
        seen.push(event.payload.get("state").unwrap().as_str().unwrap().to_owned());
    }
    assert_eq!(seen, ["active", "backoff", "active", "stopping", "absent"]);
}

pub async fn hooks_are_told_what_becomes_of_another_plugin(subject: impl Subject) {
    let bench = Bench::new(subject);
    let mut told = hook(PLUGIN_CHANGED, HookKind::Answer, "told");
    told.when.insert("plugin".into(), "a".into());
    bench.load([Scripted::new("b").hook(told, [Step::Note("input.state".into())]).seen_as("b")]).await;
    bench.load([mortal("a").one_instance()]).await;
    let _ = bench.ask("a", "break").await;
    assert_eq!(bench.settled("a").await, PluginState::Active);
    bench.host.unload("a").await.unwrap();
    let states = ["active", "backoff", "active", "stopping", "absent"];
    let expected: Value = states.into_iter().map(Value::from).collect();
    while bench.seen("b").await != expected {
        tokio::task::yield_now().await;
    }
}

pub async fn a_plugin_whose_need_fails_while_it_is_being_loaded_is_blocked(subject: impl Subject) {
    let bench = Bench::new(subject);
    let failing = mortal("a").restart(Restart::Temporary).at("start", [Step::ExitWith("lost".into())]);
    bench.load([failing, mortal("b").needs("a")]).await;
    assert_eq!(bench.host.state(&id("a")), PluginState::Failed);
    assert_eq!(bench.host.state(&id("b")), PluginState::Blocked { root: id("a") });
}

pub async fn what_start_asks_for_may_come_back_to_the_plugin_when_it_starts_again_too(subject: impl Subject) {
    let bench = Bench::new(subject);
    let ask = |target: &str, method: &str| [Step::Call(target.into(), method.into())];
    let a = mortal("a").calls("b").calls("a").at("start", ask("b", "ask"));
    bench.load([a, mortal("b").calls("a").method("ask", ask("a", "count"))]).await;
    let begun = tokio::time::Instant::now();
    let _ = bench.ask("a", "exit-with").await;
    assert_eq!(bench.settled("a").await, PluginState::Active);
    assert!(begun.elapsed() < Duration::from_millis(10));
}

pub async fn what_the_host_says_of_plugins_nobody_else_can_say(subject: impl Subject) {
    let topics = |topic: &str| tapline::core::TopicPattern::new(topic).unwrap();
    let policy = tapline::Policy::default()
        .allow_publish(topics(">"))
        .allow_call("plugin/*".parse().unwrap())
        .allow_call("nobody".parse().unwrap());
    let bench = Bench::with(subject, |host| host.policy(policy));
    let liar = mortal("a").publishes(">").method("lie", [Step::Publish("host.plugins.b".into())]);
    bench.load([liar]).await;
    assert_eq!(bench.ask("a", "lie").await.unwrap_err(), "denied");
    bench.host.unload("a").await.unwrap();
    // Nothing is kept of what is gone.
    let mut states = bench.host.subscribe(topics("host.plugins.*"), tapline::host::Queueing::default());
    assert!(futures_util::FutureExt::now_or_never(states.next()).is_none());
}
