//! Hooks: their order, how they nest, what errors do, and the five modes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(missing_docs, reason = "the names are the promises")]

use std::time::Duration;

use futures_util::FutureExt as _;
use tapline::core::{
    HookDeclaration, HookKind, HookState, LayerName, On, PointDeclaration, Priority, TopicPattern,
};
use tapline::host::{Delivery, Queueing};
use tapline::{CallError, Drain, Failure, HookPoint, Value};

use crate::suite::bench::{Bench, Words};
use crate::suite::scripted::{Scripted, Subject, hook};
use script::Step;

fn words(words: &[&str]) -> Words {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn at(mut declaration: HookDeclaration, priority: u8) -> HookDeclaration {
    declaration.priority = Priority::new(priority).unwrap();
    declaration
}

fn on(mut declaration: HookDeclaration, on: On) -> HookDeclaration {
    declaration.on = on;
    declaration
}

/// A before hook that adds its plugin's name.
fn before(id: &str) -> Scripted {
    Scripted::new(id).hook(hook("p", HookKind::Before, "x"), before_steps(id))
}

fn before_steps(id: &str) -> [Step; 1] {
    [Step::Input(id.into())]
}

fn around_steps(id: &str) -> [Step; 3] {
    [Step::Input(format!("{id} in")), Step::Next, Step::Output(format!("{id} out"))]
}

fn around(id: &str) -> Scripted {
    Scripted::new(id).hook(hook("p", HookKind::Around, "x"), around_steps(id))
}

pub async fn h01_hooks_of_one_priority_stand_in_the_order_of_their_plugins_dependencies(
    subject: impl Subject,
) {
    let plugins = || [before("a").needs("c"), before("b").needs("a"), before("c")];
    let mut orders = Vec::new();
    for turn in 0..3 {
        // A host of its own each time, as after a restart.
        let bench = Bench::new(subject);
        let point = bench.point();
        let mut plugins = plugins();
        plugins.rotate_left(turn);
        bench.load(plugins).await;
        orders.push(bench.call(&point).await.unwrap());
        orders.push(bench.call(&point).await.unwrap());
    }
    assert!(orders.iter().all(|order| *order == words(&["c", "a", "b", "core"])), "{orders:?}");
}

pub async fn h02_priorities_order_hooks(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let plugin = |id: &str, priority| {
        Scripted::new(id)
            .hook(at(hook("p", HookKind::Before, "x"), priority), before_steps(&priority.to_string()))
    };
    bench.load([plugin("a", 10), plugin("b", 5), plugin("c", 8)]).await;
    assert_eq!(bench.call(&point).await.unwrap(), words(&["5", "8", "10", "core"]));
}

pub async fn h03_constraints_hold_and_the_rest_keeps_its_order(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let plugin = |id: &str, priority, others: &[&str]| {
        let mut declaration = at(hook("p", HookKind::Before, "x"), priority);
        declaration.before = others.iter().map(|other| (*other).into()).collect();
        Scripted::new(id).hook(declaration, before_steps(id))
    };
    bench
        .load([
            plugin("a", 50, &[]),
            plugin("b", 50, &["a"]),
            plugin("c", 50, &["a", "b"]),
            plugin("d", 50, &["b"]),
            plugin("e", 20, &[]),
            plugin("f", 30, &[]),
        ])
        .await;
    assert_eq!(bench.call(&point).await.unwrap(), words(&["e", "f", "c", "d", "b", "a", "core"]));
}

pub async fn h04_a_constraint_that_matches_nothing_is_explained(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let mut declaration = hook("p", HookKind::Before, "x");
    declaration.before.push("nope".into());
    bench.load([before("a"), Scripted::new("b").hook(declaration, before_steps("b")), before("c")]).await;
    assert_eq!(bench.call(&point).await.unwrap(), words(&["a", "b", "c", "core"]));
    assert_eq!(bench.host.explain("p").unwrap().unmatched, ["b/x before nope"]);
}

pub async fn h05_a_cycle_of_constraints_is_refused_and_changes_nothing(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let plugin = |id: &str, other: &str| {
        let mut declaration = hook("p", HookKind::Before, "x");
        declaration.before.push(other.into());
        Scripted::new(id).hook(declaration, before_steps(id))
    };
    bench.load([plugin("a", "b")]).await;
    let generation = bench.host.registry().generation();
    let error = bench.try_load([before("c"), plugin("b", "a")]).await.unwrap_err();
    assert_eq!(error.to_string(), "no order satisfies the hooks of `p`: a/x before b/x before a/x");
    assert_eq!(bench.host.registry().generation(), generation);
    assert_eq!(bench.call(&point).await.unwrap(), words(&["a", "core"]));
}

pub async fn h06_a_hook_cannot_stand_before_itself(subject: impl Subject) {
    for itself in ["a", "a/x"] {
        let bench = Bench::new(subject);
        let _point = bench.point();
        let mut declaration = hook("p", HookKind::Before, "x");
        declaration.before.push(itself.into());
        let error =
            bench.try_load([Scripted::new("a").hook(declaration, before_steps("a"))]).await.unwrap_err();
        assert_eq!(error.to_string(), "no order satisfies the hooks of `p`: a/x before a/x");
    }
}

pub async fn h08_before_around_after_nest_by_position(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let plugin = Scripted::new("a")
        .hook(at(hook("p", HookKind::Before, "b"), 10), [Step::Input("before".into())])
        .hook(at(hook("p", HookKind::Around, "a"), 20), around_steps("around"))
        .hook(at(hook("p", HookKind::After, "c"), 30), [Step::Output("after".into())]);
    bench.load([plugin]).await;
    let expected = ["before", "around in", "core", "after", "around out"];
    assert_eq!(bench.call(&point).await.unwrap(), words(&expected));
}

pub async fn h09_two_plugins_nest_two_deep_and_leave_in_the_mirror_of_their_entry(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let plugin = |id: &str, priority| {
        let word = |what: &str| format!("{id} {what}");
        Scripted::new(id)
            .hook(at(hook("p", HookKind::Before, "b"), priority), [Step::Input(word("before"))])
            .hook(at(hook("p", HookKind::Around, "a"), priority), around_steps(id))
            .hook(at(hook("p", HookKind::After, "c"), priority), [Step::Output(word("after"))])
    };
    bench.load([plugin("inner", 60), plugin("outer", 40)]).await;
    let expected = [
        "outer before",
        "outer in",
        "inner before",
        "inner in",
        "core",
        "inner after",
        "inner out",
        "outer after",
        "outer out",
    ];
    assert_eq!(bench.call(&point).await.unwrap(), words(&expected));
}

pub async fn h10_a_finished_call_goes_outward_through_the_outer_layers(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let after = |id: &str, priority| {
        Scripted::new(id).hook(at(hook("p", HookKind::After, "x"), priority), [Step::Output(id.into())])
    };
    let finishing = Scripted::new("finishing").hook(
        at(hook("p", HookKind::Before, "x"), 50),
        [Step::Set(Value::from(vec!["short".into()])), Step::Finish],
    );
    bench.load([after("outer", 10), finishing, after("inner", 90)]).await;
    let answer =
        point.call(Words::new(), |_| async { Err(Failure::new("entered", "the core is entered").into()) });
    assert_eq!(answer.await.unwrap(), words(&["short", "outer"]));
}

fn name(plugin: &str, hook: &str, kind: HookKind) -> LayerName {
    LayerName { point: "p".into(), plugin: plugin.into(), hook: hook.into(), kind }
}

pub async fn h11_an_around_hook_may_do_without_next_and_the_trace_names_it(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let cached = Scripted::new("b")
        .hook(hook("p", HookKind::Around, "x"), [Step::Set(Value::from(vec!["cached".into()]))]);
    bench.load([around("a"), cached, around("c")]).await;
    let (answer, trace) =
        point.call_traced(Words::new(), |_| async { Err(Failure::new("no", "entered").into()) }).await;
    assert_eq!(answer.unwrap(), words(&["cached", "a out"]));
    assert_eq!(trace.answered_by(), Some(name("b", "x", HookKind::Around)));
    let entered: Vec<_> = trace.entries().iter().map(|entry| entry.layer.plugin.to_string()).collect();
    assert_eq!(entered, ["a", "b", "b"]);
}

pub async fn h12_next_is_called_once_unless_the_point_repeats(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let retrying = |id: &str, point: &str, repeats| {
        let mut declaration = hook(point, HookKind::Around, "x");
        declaration.repeats = repeats;
        Scripted::new(id).hook(declaration, [Step::Retry(3)])
    };
    bench.load([retrying("a", "p", false)]).await;
    let error = bench.call_failing(&point).await.unwrap_err();
    assert_eq!(error.to_failure().code(), "already-called");
    let error = bench.try_load([retrying("b", "p", true)]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "hook `x` of plugin `b` does not fit `p`: the point is not repeating, and the hook calls `next` more than once"
    );

    let repeating: HookPoint<Words, Words> =
        bench.host.hook_point(PointDeclaration::new("r").repeating()).unwrap();
    bench.load([retrying("c", "r", true)]).await;
    let mut failures = 2;
    let core = |_| {
        let answer = if failures == 0 {
            Ok(words(&["third"]))
        } else {
            Err(Failure::new("not-yet", "not yet").into())
        };
        failures -= i32::from(failures > 0);
        std::future::ready(answer)
    };
    assert_eq!(repeating.call_again(Words::new(), core).await.unwrap(), words(&["third"]));
}

pub async fn h13_an_around_hook_changes_the_inner_result(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point: HookPoint<i64, i64> = bench.host.hook_point("p").unwrap();
    bench.load([Scripted::new("a").hook(hook("p", HookKind::Around, "x"), [Step::Next, Step::Double])]).await;
    assert_eq!(point.call(0, |_| async { Ok(21) }).await.unwrap(), 42);
}

pub async fn h14_four_arounds_are_entered_in_order_and_left_in_reverse(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    bench.load(["1", "2", "3", "4"].map(|id| around(&format!("a{id}")))).await;
    let expected = ["a1 in", "a2 in", "a3 in", "a4 in", "core", "a4 out", "a3 out", "a2 out", "a1 out"];
    assert_eq!(bench.call(&point).await.unwrap(), words(&expected));
}

pub async fn h15_an_error_skips_after_success_and_tells_after_error_and_after_always(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let noting = |outcome| [Step::Note("error.code".into()), Step::Note(outcome)];
    let plugin = Scripted::new("a")
        .hook(on(hook("p", HookKind::After, "success"), On::Success), noting("output.0".into()))
        .seen_as("success");
    let others = [(On::Error, "error"), (On::Always, "always")].map(|(outcome, id)| {
        Scripted::new(id)
            .hook(on(hook("p", HookKind::After, "x"), outcome), noting("output.0".into()))
            .seen_as(id)
    });
    bench.load([plugin].into_iter().chain(others)).await;
    let error = bench.call_failing(&point).await.unwrap_err();
    assert_eq!((error.layer(), error.to_failure().code()), (None, "core"));
    let noted = Value::from(vec!["core".into(), Value::Null]);
    assert_eq!(bench.seen("success").await, Value::from(Vec::new()));
    assert_eq!((bench.seen("error").await, bench.seen("always").await), (noted.clone(), noted.clone()));
    bench.call(&point).await.unwrap();
    let noted_success = [Value::Null, "core".into()];
    assert_eq!(bench.seen("success").await, Value::from(noted_success.to_vec()));
    assert_eq!(bench.seen("error").await, noted);
    let all = noted.as_array().unwrap().iter().chain(&noted_success).cloned().collect::<Vec<_>>();
    assert_eq!(bench.seen("always").await, Value::from(all));
}

pub async fn h16_an_outer_around_recovers_from_an_inner_failure(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let inner =
        Scripted::new("b").hook(hook("p", HookKind::Around, "x"), [Step::Next, Step::Fail("late".into())]);
    let recovers = [Step::NextOrNot, Step::Set(Value::from(vec!["recovered".into()]))];
    bench.load([Scripted::new("a").hook(hook("p", HookKind::Around, "x"), recovers), inner]).await;
    assert_eq!(bench.call(&point).await.unwrap(), words(&["recovered"]));
}

pub async fn h17_a_failure_on_entry_unwinds_the_entered_layers_alone(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let noting = |id: &str, priority| {
        let declaration = at(on(hook("p", HookKind::After, "x"), On::Always), priority);
        Scripted::new(id).hook(declaration, [Step::Note("error.code".into())]).seen_as(id)
    };
    let failing =
        Scripted::new("failing").hook(at(hook("p", HookKind::Before, "x"), 50), [Step::Fail("no".into())]);
    bench.load([noting("outer", 10), failing, noting("inner", 90)]).await;
    assert_eq!(bench.call(&point).await.unwrap_err().to_failure().code(), "no");
    assert_eq!(bench.seen("outer").await, Value::from(vec!["no".into()]));
    assert_eq!(bench.seen("inner").await, Value::from(Vec::new()));
}

pub async fn h18_the_first_error_is_kept_and_the_second_stands_beside_it(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let declaration = on(hook("p", HookKind::After, "x"), On::Always);
    bench.load([Scripted::new("a").hook(declaration, [Step::Fail("second".into())])]).await;
    let error = bench.call_failing(&point).await.unwrap_err();
    assert_eq!(error.to_failure().code(), "core");
    let [second] = error.suppressed() else { panic!("{error:?}") };
    assert_eq!(
        (second.to_failure().code(), second.layer()),
        ("second", Some(&name("a", "x", HookKind::After)))
    );
}

pub async fn h19_a_break_is_an_error_of_its_layer_and_the_host_lives(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    bench.load([around("a"), Scripted::new("b").hook(hook("p", HookKind::Before, "x"), [Step::Break])]).await;
    let error = bench.call(&point).await.unwrap_err();
    assert!(matches!(error.cause(), CallError::Fault(_)), "{error:?}");
    assert_eq!(error.layer(), Some(&name("b", "x", HookKind::Before)));
    bench.host.unload("b").await.unwrap();
    assert_eq!(bench.call(&point).await.unwrap(), words(&["a in", "core", "a out"]));
}

pub async fn h21_an_error_names_point_plugin_hook_and_kind_once(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    bench
        .load([
            around("a"),
            Scripted::new("b").hook(hook("p", HookKind::Before, "x"), [Step::Fail("no".into())]),
        ])
        .await;
    let error = bench.call(&point).await.unwrap_err();
    assert_eq!(error.to_string(), "before hook `x` of plugin `b` at `p`");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "it was told to fail");
}

fn answering(id: &str, steps: impl Into<Vec<Step>>) -> Scripted {
    Scripted::new(id).hook(hook("p", HookKind::Answer, "x"), steps)
}

pub async fn h22_the_first_answer_wins_and_names_its_plugin(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.host.first_point::<i64, i64>("p").unwrap();
    let third = answering("c", [Step::Break]);
    bench.load([answering("a", []), answering("b", [Step::Set(1_i64.into())]), third]).await;
    let answer = point.call(&0).await.unwrap().unwrap();
    assert_eq!((&*answer.by.plugin, answer.value), ("b", 1));
}

pub async fn h23_without_an_answer_there_is_none(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.host.first_point::<i64, i64>("p").unwrap();
    assert_eq!(point.call(&0).await.unwrap(), None);
    bench.load([answering("a", []), answering("b", [])]).await;
    assert_eq!(point.call(&0).await.unwrap(), None);
}

pub async fn h25_collect_keeps_order_and_names_plugins(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.host.collect_point::<i64, i64>("p").unwrap();
    let plugins = [
        answering("c", [Step::Set(3_i64.into())]),
        answering("b", []),
        answering("a", [Step::Set(1_i64.into())]),
    ];
    bench.load(plugins).await;
    let answers = point.call(&0).await.unwrap();
    let answers: Vec<_> = answers.iter().map(|answer| (&*answer.by.plugin, answer.value)).collect();
    assert_eq!(answers, [("a", 1), ("c", 3)]);
}

pub async fn h26_a_filter_keeps_a_value_or_replaces_it_by_null_too(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.host.filter_point::<Value>("p").unwrap();
    bench.load([answering("a", [])]).await;
    assert_eq!(point.call("kept".into()).await.unwrap(), "kept".into());
    bench.load([answering("b", [Step::Set("new".into())])]).await;
    assert_eq!(point.call("kept".into()).await.unwrap(), "new".into());
    bench.load([answering("c", [Step::Set(Value::Null)])]).await;
    assert_eq!(point.call("kept".into()).await.unwrap(), Value::Null);
}

pub async fn h28_a_failing_observer_is_told_and_disturbs_nobody(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.host.notify_point::<i64>("p").unwrap();
    let noting = answering("b", [Step::Note("input".into())]).seen_as("b");
    bench.load([answering("a", [Step::Fail("no".into())]), noting]).await;
    point.call(&7).await;
    assert_eq!(bench.seen("b").await, Value::from(vec![7_i64.into()]));
    assert_eq!(bench.events(), ["a/x failed"]);
}

pub async fn h36_an_unload_waits_for_the_call_inside_and_lets_no_later_one_in(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    bench.load([around("a")]).await;
    let (inside, go_on) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
    let running = point.call(Words::new(), |input| async {
        inside.notify_one();
        go_on.notified().await;
        Ok(input)
    });
    let unloading = async {
        inside.notified().await;
        let mut unload = Box::pin(bench.host.unload("a"));
        // It hides the plugin, and waits.
        assert!(tokio::time::timeout(Duration::from_secs(1), &mut unload).await.is_err());
        let later = bench.call(&point).await.unwrap();
        go_on.notify_one();
        (later, unload.await.unwrap())
    };
    let (running, (later, drain)) = tokio::join!(running, unloading);
    assert_eq!((running.unwrap(), later), (words(&["a in", "a out"]), words(&["core"])));
    assert_eq!(drain, Drain::Drained);
}

pub async fn h36_an_unload_that_is_forced_ends_the_call_and_still_stops_the_plugin(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let mut stops = bench.host.subscribe(TopicPattern::new("a.stopped").unwrap(), Queueing::default());
    let plugin = around("a").publishes("a.>").at("stop", [Step::Publish("a.stopped".into())]);
    bench.load([plugin]).await;
    let endless = point.call(Words::new(), |_| std::future::pending());
    let (answer, drain) = tokio::join!(endless, bench.host.unload("a"));
    assert_eq!(drain.unwrap(), Drain::Forced);
    assert_eq!(answer.unwrap_err().to_failure().code(), "target-died");
    // It is another instance that is told: the one whose call was ended is never entered again.
    assert!(matches!(stops.next().now_or_never(), Some(Some(Delivery::Event(_)))));
}

pub async fn h38_a_dropped_call_tells_the_layers_that_it_entered(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let noting = |id: &str, outcome, priority| {
        let declaration = at(on(hook("p", HookKind::After, "x"), outcome), priority);
        Scripted::new(id).hook(declaration, [Step::Note("error.code".into())]).seen_as(id)
    };
    let around = Scripted::new("around").hook(at(hook("p", HookKind::Around, "x"), 50), [Step::Next]);
    bench
        .load([
            noting("outer", On::Always, 10),
            around,
            noting("inner", On::Always, 90),
            noting("error", On::Error, 90),
        ])
        .await;
    let inside = tokio::sync::Notify::new();
    let call = point.call(Words::new(), |_| async {
        inside.notify_one();
        std::future::pending().await
    });
    tokio::select! {
        _ = call => unreachable!("it never ends"),
        () = inside.notified() => {}
    }
    // The layers are told in tasks of their own.
    let told = Value::from(vec!["cancelled".into()]);
    for id in ["outer", "inner"] {
        while bench.seen(id).await != told {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(bench.seen("error").await, Value::from(Vec::new()));
}

pub async fn h41_a_second_replacement_is_refused_unless_it_overrides(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let replacing = |id: &str, overrides: &[&str]| {
        let mut declaration = hook("p", HookKind::Replace, "x");
        declaration.overrides = overrides.iter().map(|other| other.parse().unwrap()).collect();
        Scripted::new(id).hook(declaration, [Step::Set(Value::from(vec![id.into()]))])
    };
    bench.load([replacing("a", &[])]).await;
    let error = bench.try_load([replacing("b", &[])]).await.unwrap_err();
    assert!(error.to_string().starts_with("`a` and `b` both replace the core operation of `p`"), "{error}");
    assert_eq!(bench.call(&point).await.unwrap(), words(&["a"]));

    bench.load([replacing("b", &["a"])]).await;
    assert_eq!(bench.call(&point).await.unwrap(), words(&["b"]));
    let states: Vec<_> = bench.host.explain("p").unwrap().hooks.iter().map(|hook| hook.state).collect();
    assert_eq!(states, [HookState::Active, HookState::Shadowed]);
    bench.host.unload("b").await.unwrap();
    assert_eq!(bench.call(&point).await.unwrap(), words(&["a"]));
}

pub async fn h42_layers_run_around_a_replacement(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let instead = Scripted::new("a")
        .hook(hook("p", HookKind::Replace, "x"), [Step::Set(Value::from(vec!["new".into()]))]);
    let after = Scripted::new("c").hook(hook("p", HookKind::After, "x"), [Step::Output("after".into())]);
    bench.load([instead, before("b"), after, around("d")]).await;
    assert_eq!(bench.call(&point).await.unwrap(), words(&["new", "d out", "after"]));
}

pub async fn h47_a_removed_observer_is_not_told(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.host.collect_point::<i64, String>("p").unwrap();
    bench.load(["o1", "o2"].map(|id| answering(id, [Step::Set(id.into())]))).await;
    let told = async || {
        let answers = point.call(&0).await.unwrap();
        answers.into_iter().map(|answer| answer.value).collect::<Vec<_>>()
    };
    bench.host.unload("o1").await.unwrap();
    assert_eq!(told().await, ["o2"]);
    bench.host.unload("o2").await.unwrap();
    assert!(told().await.is_empty());
}

pub async fn h51_the_fifth_break_within_a_minute_quarantines_the_hook(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let failing = Scripted::new("a").hook(hook("p", HookKind::Before, "x"), [Step::Fail("no".into())]);
    bench.load([failing]).await;
    for _ in 0..100 {
        assert_eq!(bench.call(&point).await.unwrap_err().to_failure().code(), "no");
    }
    bench.host.unload("a").await.unwrap();

    let breaking = Scripted::new("b").hook(hook("p", HookKind::Before, "x"), [Step::Break]);
    bench.load([breaking]).await;
    for _ in 0..4 {
        assert_eq!(bench.call(&point).await.unwrap_err().to_failure().code(), "fault");
    }
    let state = || bench.host.explain("p").unwrap().hooks[0].state;
    assert_eq!((state(), bench.events().is_empty()), (HookState::Active, true));
    bench.call(&point).await.unwrap_err();
    assert_eq!((state(), bench.events()), (HookState::Quarantined, vec!["b/x quarantined".to_owned()]));
    for _ in 0..3 {
        assert_eq!(bench.call(&point).await.unwrap_err().to_failure().code(), "quarantined");
    }
    assert_eq!(bench.events().len(), 1);
    assert_eq!(bench.host.explain("p").unwrap().hooks[0].calls, 5);
}
