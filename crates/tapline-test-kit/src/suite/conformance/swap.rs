//! Versions that take each other's place while calls go on.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use script::Step;
use tapline::core::{HookKind, Restart, Topic, TopicPattern};
use tapline::host::{Delivery, HostBuilder, PluginState, Queueing, Settled, Supervision, SwapError, Swapped};
use tapline::{Drain, Host, PluginId, Value};

use crate::suite::bench::Bench;
use crate::suite::scripted::{Scripted, Subject, hook};

fn id(name: &str) -> PluginId {
    PluginId::new(name).unwrap()
}

/// A plugin that says its version.
fn versioned(major: u64) -> Scripted {
    let say = Step::Set(i64::try_from(major).unwrap().into());
    Scripted::new("a").calls("gate").version(major, 0).method("version", [say])
}

/// A plugin that counts, and hands over how far it has come.
fn counting(major: u64) -> Scripted {
    versioned(major).with_state().method("count", [Step::Count]).method("break", [Step::Break])
}

fn dependent() -> Scripted {
    Scripted::new("b").needs("a").calls("a").method("ask", [Step::Call("a".into(), "version".into())])
}

/// A plugin whose hook adds a word.
fn adding(major: u64, word: &str) -> Scripted {
    versioned(major).hook(hook("p", HookKind::Before, "add"), [Step::Input(word.into())])
}

fn wait() -> Step {
    Step::Call("gate".into(), "wait".into())
}

async fn version<S: Subject>(bench: &Bench<S>) -> Option<i64> {
    bench.ask("a", "version").await.unwrap().as_i64()
}

async fn count<S: Subject>(bench: &Bench<S>) -> Option<i64> {
    bench.ask("a", "count").await.unwrap().as_i64()
}

fn trial(seconds: u64, faults: usize) -> impl FnOnce(HostBuilder) -> HostBuilder {
    let trial = Duration::from_secs(seconds);
    move |host| host.supervision(Supervision { trial, trial_faults: faults, ..Supervision::default() })
}

fn reason(settled: Settled) -> String {
    let Settled::RolledBack { reason } = settled else { return format!("{settled:?}") };
    reason
}

pub async fn w01_a_swap_puts_another_version_in_place_and_leaves_its_dependents_alone(subject: impl Subject) {
    let bench = Bench::new(subject);
    bench.load([versioned(1), dependent()]).await;
    let lives = bench.incarnation("b");
    let swapped = bench.swap(versioned(2)).await.unwrap();
    let Swapped { plugin, from, to, .. } = &swapped;
    assert_eq!((plugin, from.major, to.major), (&id("a"), 1, 2));
    assert_eq!(bench.ask("b", "ask").await.unwrap().as_i64(), Some(2));
    assert_eq!((bench.incarnation("b"), bench.host.state(&id("b"))), (lives, PluginState::Active));
    let versions =
        bench.host.plugins().iter().map(|info| info.manifest.plugin.version.major).collect::<Vec<_>>();
    assert_eq!(versions, [2, 1]);
    assert_eq!(swapped.settled().await, Settled::Kept(Drain::Drained));
}

pub async fn w02_grants_that_grow_are_refused_until_somebody_agrees(subject: impl Subject) {
    let bench = Bench::new(subject);
    bench.load([versioned(1)]).await;
    let more = || versioned(2).publishes("a.more").calls("b");
    let refused = bench.swap(more()).await.unwrap_err();
    let SwapError::GrantedMore { more: new, .. } = &refused else { panic!("{refused}") };
    assert_eq!(*new, ["call `b`", "publish `a.more`"]);
    let text = "plugin `a` asks for more than the version that runs: call `b`, publish `a.more`";
    assert_eq!(refused.to_string(), text);
    assert_eq!(version(&bench).await, Some(1));
    bench.swap_as(more(), tapline::Load::accept_more).await.unwrap();
    assert_eq!(version(&bench).await, Some(2));
    // To ask for less is nothing that anybody has to agree to.
    bench.swap(versioned(3)).await.unwrap();
    assert_eq!(version(&bench).await, Some(3));
}

pub async fn w03_a_version_that_refuses_at_any_step_changes_nothing(subject: impl Subject) {
    let bench = Bench::new(subject);
    bench.load([counting(1), dependent()]).await;
    assert_eq!(count(&bench).await, Some(1));
    let lives = (bench.incarnation("a"), bench.incarnation("b"));
    let broken = || [Step::Break];
    let fails = || [Step::Fail("no".into())];
    let refusing = [
        (counting(2).refuses("not today"), "plugin `a` did not start"),
        (counting(2).at("start", fails()), "plugin `a` did not start"),
        (counting(2).at("start", broken()), "plugin `a` did not start"),
        (counting(2).with_health().at("health", fails()), "plugin `a` is not well"),
        (counting(2).with_health().at("health", broken()), "plugin `a` is not well"),
        (
            counting(2).at("import", fails()),
            "plugin `a` did not take over the state of the version that runs",
        ),
        (
            counting(2).at("import", broken()),
            "plugin `a` did not take over the state of the version that runs",
        ),
    ];
    for (refusing, expected) in refusing {
        assert_eq!(bench.swap(refusing).await.unwrap_err().to_string(), expected);
        assert_eq!(version(&bench).await, Some(1), "{expected}");
    }
    assert_eq!((bench.incarnation("a"), bench.incarnation("b")), lives);
    assert_eq!(count(&bench).await, Some(2));
    bench.swap(counting(2).with_health().at("export", fails())).await.unwrap();
    let refused = bench.swap(counting(3)).await.unwrap_err();
    assert_eq!(refused.to_string(), "plugin `a` did not hand over its state");
    assert_eq!((version(&bench).await, count(&bench).await), (Some(2), Some(3)));
}

pub async fn w04_a_version_that_does_not_fit_changes_nothing(subject: impl Subject) {
    let bench = Bench::new(subject);
    let not_loaded = bench.swap(versioned(1)).await.unwrap_err();
    assert_eq!(not_loaded.to_string(), "plugin `a` is not loaded, and no version of it can be swapped");
    bench.load([versioned(1).offers("chat", 0), dependent().needs_version("a", "^1")]).await;
    bench.load([Scripted::new("talks").needs_capability("chat"), Scripted::new("x").seen_as("x")]).await;
    for (refused, expected) in [
        (versioned(2).offers("chat", 0), "version 2.0.0 of plugin `a` is not what `b` need"),
        (versioned(1), "version 1.0.0 of plugin `a` is not what `talks` need"),
        (
            versioned(1).offers("chat", 0).needs("nobody"),
            "plugin `a` needs `nobody *`, and there is no such plugin",
        ),
        (versioned(1).offers("chat", 0).seen_as("x"), "`x` at `seen` is contributed by both `a` and `x`"),
    ] {
        let refused = bench.swap(refused).await.unwrap_err().to_string();
        assert_eq!(refused, expected);
        assert_eq!(bench.ask("b", "ask").await.unwrap().as_i64(), Some(1));
    }
    assert!(bench.host.block(&id("a")).await.is_err());
    let blocked = bench.swap(versioned(1).offers("chat", 0)).await.unwrap_err();
    assert_eq!(blocked.to_string(), "plugin `a` is blocked by the application");
    let bench = Bench::new(subject);
    bench
        .load([versioned(1).restart(Restart::Temporary).method("exit", [Step::ExitWith("lost".into())])])
        .await;
    bench.ask("a", "exit").await.unwrap();
    let failed = bench.swap(versioned(2)).await.unwrap_err();
    assert_eq!(failed.to_string(), "plugin `a` is failed, and can be reloaded, but not swapped");
}

pub async fn w05_a_hook_is_not_skipped_by_a_call_that_began_before_a_swap(subject: impl Subject) {
    let bench = Bench::new(subject);
    let (point, gate) = (bench.point(), bench.gate());
    let outer = hook("p", HookKind::Before, "outer");
    let outer =
        tapline::core::HookDeclaration { priority: tapline::core::Priority::new(10).unwrap(), ..outer };
    bench.load([Scripted::new("outer").calls("gate").hook(outer, [wait()]), adding(1, "one")]).await;
    let mut before = Box::pin(bench.call(&point));
    while gate.asked().is_empty() {
        assert!(before.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    let swapped = bench.swap(adding(2, "two")).await.unwrap();
    gate.open(2);
    let after = bench.call(&point).await.unwrap();
    assert_eq!(before.await.unwrap(), ["one", "core"]);
    assert_eq!(after, ["two", "core"]);
    assert_eq!(swapped.settled().await, Settled::Kept(Drain::Drained));
}

pub async fn w06_state_is_handed_over_and_no_change_of_it_is_lost(subject: impl Subject) {
    const CALLERS: usize = 8;
    const CALLS: usize = 50;
    let bench = Arc::new(Bench::new(subject));
    bench.load([counting(1)]).await;
    let callers = (0..CALLERS).map(|_| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move {
            let mut seen = Vec::new();
            for _ in 0..CALLS {
                seen.push(count(&bench).await.unwrap());
                tokio::task::yield_now().await;
            }
            seen
        })
    });
    let callers: Vec<_> = callers.collect();
    for major in 2..20 {
        bench.swap(counting(major)).await.unwrap();
    }
    let mut seen = Vec::new();
    for caller in callers {
        seen.extend(caller.await.unwrap());
    }
    seen.sort_unstable();
    let expected: Vec<_> = (1..=i64::try_from(CALLERS * CALLS).unwrap()).collect();
    assert_eq!(seen, expected, "every call counted once, and none twice");
    assert_eq!(version(&bench).await, Some(19));
}

pub async fn w07_calls_that_wait_for_their_turn_are_answered_by_the_version_that_has_the_state(
    subject: impl Subject,
) {
    let bench = Bench::new(subject);
    let (point, gate) = (bench.point(), bench.gate());
    let plugin = |major, word: &str| {
        let add = hook("p", HookKind::Before, "add");
        let well = Step::Call("gate".into(), "well".into());
        let health = if major == 1 { vec![] } else { vec![well] };
        let plugin = counting(major).with_health().at("health", health);
        plugin.method("wait", [wait()]).hook(add, [Step::Input(word.into())])
    };
    bench.load([plugin(1, "one")]).await;
    let mut holding = Box::pin(bench.ask("a", "wait"));
    assert!(holding.as_mut().now_or_never().is_none());
    gate.has_come(1).await;
    let mut earlier = Box::pin(count(&bench));
    assert!(earlier.as_mut().now_or_never().is_none());
    let mut swap = Box::pin(bench.swap(plugin(2, "two")));
    assert!(swap.as_mut().now_or_never().is_none());
    gate.has_come(2).await;
    // It is well, and comes to wait for its turn.
    bench.settle().await;
    let (mut hooked, mut later) = (Box::pin(bench.call(&point)), Box::pin(version(&bench)));
    assert!(hooked.as_mut().now_or_never().is_none() && later.as_mut().now_or_never().is_none());
    gate.open(1);
    assert_eq!((holding.await.unwrap(), earlier.await), ("wait".into(), Some(1)));
    swap.await.unwrap();
    assert_eq!((hooked.await.unwrap(), later.await), (vec!["two".into(), "core".into()], Some(2)));
    assert_eq!(count(&bench).await, Some(2));
}

pub async fn w08_the_version_before_is_stopped_when_the_trial_is_over(subject: impl Subject) {
    let stopping = |major| versioned(major).at("stop", [Step::Call("gate".into(), "stopped".into())]);
    for (seconds, stops_at_once) in [(10, false), (0, true)] {
        let bench = Bench::with(subject, trial(seconds, 3));
        let gate = bench.gate();
        bench.load([stopping(1)]).await;
        let swapped = bench.swap(stopping(2)).await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(gate.asked().len(), usize::from(stops_at_once));
        assert_eq!(swapped.settled().await, Settled::Kept(Drain::Drained));
        assert_eq!(gate.asked(), ["stopped"]);
        assert_eq!(version(&bench).await, Some(2));
    }
    // Yet another version ends the trial of the one that it takes the place of.
    let bench = Bench::with(subject, trial(10, 3));
    let gate = bench.gate();
    bench.load([stopping(1)]).await;
    let first = bench.swap(stopping(2)).await.unwrap();
    let begun = tokio::time::Instant::now();
    bench.swap(stopping(3)).await.unwrap();
    assert_eq!(first.settled().await, Settled::Kept(Drain::Drained));
    assert_eq!((begun.elapsed(), gate.asked().len()), (Duration::ZERO, 1));
}

pub async fn w09_a_version_that_breaks_too_often_on_trial_is_taken_back_with_what_it_knows(
    subject: impl Subject,
) {
    let bench = Bench::with(subject, trial(60, 2));
    bench.load([versioned(1).method("break", [Step::Break]), dependent()]).await;
    let lives = bench.incarnation("b");
    let topics = TopicPattern::new("host.plugins.a").unwrap();
    let mut events = bench.host.subscribe(topics, Queueing::default());
    let swapped = bench.swap(versioned(2).method("break", [Step::Break])).await.unwrap();
    for _ in 0..3 {
        assert_eq!(version(&bench).await, Some(2));
        assert_eq!(bench.ask("a", "break").await.unwrap_err(), "fault");
    }
    assert_eq!(reason(swapped.settled().await), "it broke 3 times");
    assert_eq!(version(&bench).await, Some(1));
    assert_eq!(bench.host.state(&id("a")), PluginState::Active);
    let told = std::iter::from_fn(|| events.next().now_or_never().flatten());
    let told = told.filter_map(|delivery| match delivery {
        Delivery::Event(event) => event.payload.get("rolled_back").cloned(),
        Delivery::Lagged { .. } => None,
    });
    let told = told.last().unwrap();
    assert_eq!(told.get("from").and_then(Value::as_str), Some("2.0.0"));
    if !subject.is_native() {
        // A pool has no life of its own, and nobody was started again.
        assert_eq!(bench.incarnation("b"), lives);
    }
    // And it can be tried again.
    bench.swap(versioned(3)).await.unwrap();
    assert_eq!(version(&bench).await, Some(3));

    let bench = Bench::with(subject, trial(60, 0));
    bench.load([counting(1)]).await;
    assert_eq!(count(&bench).await, Some(1));
    let swapped = bench.swap(counting(2)).await.unwrap();
    assert_eq!(count(&bench).await, Some(2));
    assert_eq!(bench.ask("a", "break").await.unwrap_err(), "fault");
    assert_eq!(reason(swapped.settled().await), "it broke 1 times");
    assert_eq!(version(&bench).await, Some(1));
}

pub async fn w10_a_version_that_ends_on_trial_is_taken_back_with_the_state_of_the_hand_over(
    subject: impl Subject,
) {
    let bench = Bench::new(subject);
    bench.load([counting(1)]).await;
    assert_eq!(count(&bench).await, Some(1));
    let swapped = bench.swap(counting(2).restart(Restart::Temporary)).await.unwrap();
    assert_eq!(count(&bench).await, Some(2));
    assert_eq!(bench.ask("a", "break").await.unwrap_err(), "fault");
    assert_eq!(reason(swapped.settled().await), "it is failed");
    assert_eq!((version(&bench).await, count(&bench).await), (Some(1), Some(2)));
}

pub async fn w11_after_the_trial_a_version_stays_however_it_does(subject: impl Subject) {
    let bench = Bench::with(subject, trial(1, 0));
    bench.load([counting(1)]).await;
    let swapped = bench.swap(counting(2)).await.unwrap();
    assert_eq!(swapped.settled().await, Settled::Kept(Drain::Drained));
    assert_eq!(bench.ask("a", "break").await.unwrap_err(), "fault");
    assert_eq!(version(&bench).await, Some(2));
}

pub async fn w12_an_unload_ends_the_version_before_too(subject: impl Subject) {
    let bench = Bench::new(subject);
    let gate = bench.gate();
    let stopping = |major| versioned(major).at("stop", [Step::Call("gate".into(), "stopped".into())]);
    bench.load([stopping(1)]).await;
    let swapped = bench.swap(stopping(2)).await.unwrap();
    assert_eq!(bench.host.unload("a").await.unwrap(), Drain::Drained);
    assert_eq!(gate.asked().len(), 2);
    assert_eq!(swapped.settled().now_or_never().unwrap(), Settled::Kept(Drain::Drained));
    assert_eq!(bench.ask("a", "version").await.unwrap_err(), "no-such-contribution");
}

pub async fn w13_no_event_is_lost_or_taken_twice(subject: impl Subject) {
    let bench = Bench::new(subject);
    let gate = bench.gate();
    let listening = |major: u64| {
        let heard = Step::Call("gate".into(), format!("heard-{major}"));
        versioned(major).with_state().listens("a.>", 64, [heard])
    };
    bench.load([listening(1)]).await;
    let publish = |host: &Host| host.publish(Topic::new("a.x").unwrap(), Value::Null);
    for major in 2..12 {
        for _ in 0..3 {
            assert_eq!(publish(&bench.host), 1);
        }
        bench.swap(listening(major)).await.unwrap();
    }
    gate.has_come(30).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(gate.asked().len(), 30);
}

pub async fn w14_calls_that_do_not_end_within_the_time_to_drain_are_ended(subject: impl Subject) {
    let bench = Bench::new(subject);
    let gate = bench.gate();
    let waiting = |major| {
        let wait = Step::CallWithin(600_000, "gate".into(), "wait".into());
        versioned(major).method("wait", [wait])
    };
    bench.load([waiting(1)]).await;
    let ask = async {
        gate.has_come(1).await;
        let swapped = bench.swap(waiting(2)).await.unwrap();
        assert_eq!(version(&bench).await, Some(2));
        swapped.settled().await
    };
    let (answer, settled) = tokio::join!(bench.ask("a", "wait"), ask);
    assert_eq!((answer.unwrap_err().as_str(), settled), ("target-died", Settled::Kept(Drain::Forced)));
}

pub async fn w14_a_version_that_does_not_come_to_hand_over_its_state_stays(subject: impl Subject) {
    let bench = Bench::with(subject, |host| host.drain(Duration::from_secs(1)));
    let gate = bench.gate();
    bench.load([counting(1).method("wait", [wait()])]).await;
    let swap = async {
        gate.has_come(1).await;
        let busy = bench.swap(counting(2)).await.unwrap_err();
        assert_eq!(busy.to_string(), "plugin `a` is busy, and did not come to hand over its state");
        gate.open(1);
    };
    let (answer, ()) = tokio::join!(bench.ask("a", "wait"), swap);
    assert_eq!((answer.unwrap(), version(&bench).await), ("wait".into(), Some(1)));
    let inside = tapline::core::within_plugin(&id("a"), bench.swap(counting(2))).await.unwrap_err();
    assert_eq!(inside.to_string(), "plugin `a` cannot hand over its state from inside itself");
    let inside = tapline::core::in_lifecycle(bench.swap(counting(2))).await.unwrap_err();
    assert!(matches!(inside, SwapError::Refused(_)));
}

pub async fn w14_a_version_that_cannot_come_back_leaves_the_new_one_in_place(subject: impl Subject) {
    let bench = Bench::with(subject, trial(60, 0));
    bench.load([versioned(1).seen_as("x")]).await;
    let swapped = bench.swap(versioned(2).method("break", [Step::Break])).await.unwrap();
    bench.load([Scripted::new("x").seen_as("x")]).await;
    assert_eq!(bench.ask("a", "break").await.unwrap_err(), "fault");
    let Settled::Stuck { obstacle, .. } = swapped.settled().await else { panic!("it came back") };
    assert_eq!(obstacle, "`x` at `seen` is contributed by both `a` and `x`");
    assert_eq!(version(&bench).await, Some(2));
}

pub async fn w15_quarantine_is_not_inherited(subject: impl Subject) {
    let bench = Bench::with(subject, |host| {
        host.supervision(Supervision { restarts: 100, ..Supervision::default() })
    });
    let point = bench.point();
    let add = || hook("p", HookKind::Before, "add");
    bench.load([versioned(1).hook(add(), [Step::Break])]).await;
    for _ in 0..5 {
        assert!(bench.call(&point).await.is_err());
    }
    bench.settled("a").await;
    assert_eq!(bench.host.state(&id("a")), PluginState::Degraded);
    bench.swap(versioned(2).hook(add(), [Step::Input("two".into())])).await.unwrap();
    assert_eq!(bench.call(&point).await.unwrap(), ["two", "core"]);
    assert_eq!(bench.host.state(&id("a")), PluginState::Active);
}
