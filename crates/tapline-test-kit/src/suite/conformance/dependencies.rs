//! Dependencies and lives: the order in which plugins start, what is missing, what becomes of those that need it, and
//! that a plugin which ends leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(missing_docs, reason = "the names are the promises")]

use tapline::core::{HookKind, Topic, TopicPattern};
use tapline::host::{Delivery, Queueing, StartReport};
use tapline::{Drain, UnloadError, Value};

use crate::suite::bench::Bench;
use crate::suite::scripted::{Scripted, Subject, hook};
use script::Step;

fn plugin(id: &str) -> Scripted {
    Scripted::new(id)
}

fn loaded<S>(bench: &Bench<S>) -> Vec<String> {
    bench.host.plugins().iter().map(|info| info.manifest.plugin.id.to_string()).collect()
}

fn failures(report: &StartReport) -> Vec<String> {
    report.failures().map(ToString::to_string).collect()
}

pub async fn d01_what_a_plugin_needs_starts_before_it(subject: impl Subject) {
    let bench = Bench::new(subject);
    bench.load([plugin("p1").needs("p2"), plugin("p2")]).await;
    assert_eq!(loaded(&bench), ["p2", "p1"]);
}

pub async fn d02_the_order_is_the_same_however_plugins_are_listed(subject: impl Subject) {
    for turn in 0..5 {
        let bench = Bench::new(subject);
        let mut plugins = vec![
            plugin("d").needs("b"),
            plugin("a").needs("c"),
            plugin("c"),
            plugin("b"),
            plugin("e").may_need("a"),
        ];
        plugins.rotate_left(turn);
        bench.load(plugins).await;
        assert_eq!(loaded(&bench), ["b", "c", "a", "d", "e"]);
    }
}

pub async fn d03_what_is_missing_is_named_and_the_others_load(subject: impl Subject) {
    let bench = Bench::new(subject);
    let plugins = [plugin("p1").needs("p2").needs("p3"), plugin("other")];
    let missing = |needed: &str| format!("plugin `p1` needs `{needed} *`, and there is no such plugin");
    let error = bench.try_load(plugins.clone()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{}; {}", missing("p2"), missing("p3")));
    assert!(loaded(&bench).is_empty());
    let report = bench.boot(plugins.map(|plugin| (plugin, true))).await.unwrap();
    assert_eq!(loaded(&bench), ["other"]);
    assert_eq!(failures(&report), [format!("{}; {}", missing("p2"), missing("p3"))]);
}

pub async fn d04_a_wrong_version_names_what_is_needed_what_is_there_and_who_asks(subject: impl Subject) {
    let bench = Bench::new(subject);
    let error = bench.try_load([plugin("p1").needs_version("p2", "^2"), plugin("p2")]).await.unwrap_err();
    assert_eq!(error.to_string(), "plugin `p1` needs `p2 ^2`, and there is 1.0.0");
    bench.load([plugin("p2").version(2, 3)]).await;
    bench.load([plugin("p1").needs_version("p2", "^2")]).await;
}

pub async fn d05_a_cycle_is_printed_with_who_needs_whom(subject: impl Subject) {
    let bench = Bench::new(subject);
    let circle = [plugin("p1").needs("p2"), plugin("p2").needs("p3"), plugin("p3").needs("p1")];
    let error = bench.try_load(circle.clone()).await.unwrap_err();
    assert_eq!(error.to_string(), "plugins need each other: p2 needs p3 needs p1 needs p2");
    let with_another = circle.into_iter().chain([plugin("other")]).map(|plugin| (plugin, true));
    let report = bench.boot(with_another).await.unwrap();
    assert_eq!((loaded(&bench), failures(&report).len()), (vec!["other".to_owned()], 3));
}

pub async fn d08_an_optional_dependency_orders_and_does_not_bind(subject: impl Subject) {
    let bench = Bench::new(subject);
    bench.load([plugin("a").may_need("z"), plugin("z")]).await;
    assert_eq!(loaded(&bench), ["z", "a"]);
    bench.load([plugin("b").may_need("absent")]).await;
    let failing = [(plugin("c").may_need("fails"), false), (plugin("fails").refuses("not today"), true)];
    let report = bench.boot(failing).await.unwrap();
    assert_eq!(failures(&report), ["plugin `fails` did not start: not today"]);
    assert_eq!(loaded(&bench), ["z", "a", "b", "c"]);
    bench.host.unload("z").await.unwrap();
    assert_eq!(loaded(&bench), ["a", "b", "c"]);
}

pub async fn d10_the_other_provider_is_taken_when_the_higher_ranked_one_conflicts(subject: impl Subject) {
    let there = [plugin("high").offers("chat", 2), plugin("low").offers("chat", 1)];
    let bench = Bench::new(subject);
    bench.try_choose([plugin("a").needs_capability("chat")], there.clone()).await.unwrap();
    assert_eq!(loaded(&bench), ["high", "a"]);

    let bench = Bench::new(subject);
    let asked = [plugin("a").needs_capability("chat"), plugin("b").conflicts_with("high")];
    bench.try_choose(asked, there).await.unwrap();
    assert_eq!(loaded(&bench), ["b", "low", "a"]);
    let refused = bench.try_load([plugin("high")]).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "plugins `b` and `high 1.0.0` cannot be loaded together: `conflicts` of `b` names `high *`"
    );
}

pub async fn d14_ranges_that_no_version_satisfies_name_both_who_ask(subject: impl Subject) {
    let bench = Bench::new(subject);
    let asked = [plugin("a").needs_version("x", "^1"), plugin("b").needs_version("x", "^2")];
    let there = [plugin("x"), plugin("x").version(2, 0)];
    let refused = bench.try_choose(asked.clone(), there.clone()).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "no version of `x` will do for all who ask for it: `a` needs `x ^1` and `b` needs `x ^2`, \
         and there are 1.0.0 and 2.0.0"
    );
    assert!(loaded(&bench).is_empty());
    let [_, b] = asked;
    bench.try_choose([b], there).await.unwrap();
    assert_eq!(loaded(&bench), ["x", "b"]);
}

pub async fn d16_a_failure_blocks_its_dependents_and_is_named_as_their_root(subject: impl Subject) {
    let bench = Bench::new(subject);
    let plugins =
        [plugin("c").needs("b"), plugin("b").needs("a"), plugin("a").refuses("not today"), plugin("other")];
    let report = bench.boot(plugins.map(|plugin| (plugin, true))).await.unwrap();
    assert_eq!(
        failures(&report),
        [
            "plugin `a` did not start: not today",
            "plugin `b` is left out, because `a` is: b needs a",
            "plugin `c` is left out, because `a` is: c needs b needs a",
        ]
    );
    assert_eq!(loaded(&bench), ["other"]);
}

pub async fn d17_an_unload_is_refused_or_takes_the_dependents_along(subject: impl Subject) {
    let bench = Bench::new(subject);
    let plugins = [plugin("a"), plugin("b").needs("a"), plugin("c").needs("b"), plugin("d").may_need("a")];
    bench.load(plugins).await;
    let refused = bench.host.unload("a").await.unwrap_err();
    assert_eq!(refused, UnloadError::Needed { plugin: "a".into(), dependents: vec!["b".into()] });
    let ended = bench.host.unload_with_dependents("a").await.unwrap();
    let ended: Vec<_> = ended.iter().map(|(id, drain)| (id.as_str(), *drain)).collect();
    assert_eq!(ended, [("c", Drain::Drained), ("b", Drain::Drained), ("a", Drain::Drained)]);
    assert_eq!(loaded(&bench), ["d"]);
    let unknown = bench.host.unload_with_dependents("a").await.unwrap_err();
    assert_eq!(unknown, UnloadError::NotLoaded("a".into()));
}

pub async fn l02_an_optional_plugin_fails_alone_and_a_required_one_ends_the_start_up(subject: impl Subject) {
    let bench = Bench::new(subject);
    let plugins = |is_optional| [(plugin("a"), false), (plugin("fails").refuses("not today"), is_optional)];
    let report = bench.boot(plugins(true)).await.unwrap();
    assert_eq!((loaded(&bench), report.plugins.len()), (vec!["a".to_owned()], 2));
    bench.host.unload("a").await.unwrap();

    let failed = bench.boot(plugins(false)).await.unwrap_err();
    assert_eq!(failed.to_string(), "plugin `fails` did not start: not today");
    assert_eq!(failed.0.plugins.len(), 2);
    assert!(loaded(&bench).is_empty());
    bench.load([plugin("a")]).await;
}

pub async fn l02_a_start_up_that_is_given_up_comes_to_its_end_all_the_same(subject: impl Subject) {
    let bench = Bench::new(subject);
    let mut boot = Box::pin(bench.boot([(plugin("a"), false), (plugin("b").needs("a"), false)]));
    assert!(futures_util::FutureExt::now_or_never(boot.as_mut()).is_none());
    // It has begun by then, and read its packages.
    tokio::task::yield_now().await;
    drop(boot);
    while loaded(&bench) != ["a", "b"] {
        tokio::task::yield_now().await;
    }
}

/// A plugin that joins in, answers, hears and publishes when it ends, so that everything of it can be looked for.
fn everywhere(id: &str) -> Scripted {
    plugin(id)
        .hook(hook("p", HookKind::Before, "x"), [Step::Input(id.into())])
        .listens("a.x", 9, [])
        .publishes("a.>")
        .offers("being there", 0)
        .seen_as(id)
}

fn assert_gone<S>(bench: &Bench<S>, id: &str) {
    let registry = bench.host.registry();
    assert!(registry.hooks("p").unwrap().is_empty());
    assert!(registry.contribution("seen", id).is_none());
    assert!(registry.offers("being there").is_empty());
    assert_eq!(bench.host.publish(Topic::new("a.x").unwrap(), Value::Null), 0);
    assert!(loaded(bench).is_empty());
}

pub async fn l05_a_plugin_that_is_unloaded_twice_at_once_is_stopped_once(subject: impl Subject) {
    let bench = Bench::new(subject);
    let mut stops = bench.host.subscribe(TopicPattern::new("a.stopped").unwrap(), Queueing::default());
    bench.load([plugin("a").publishes("a.>").at("stop", [Step::Publish("a.stopped".into())])]).await;
    let (one, other) = tokio::join!(bench.host.unload("a"), bench.host.unload("a"));
    assert_eq!((one, other), (Ok(Drain::Drained), Err(UnloadError::NotLoaded("a".into()))));
    assert!(matches!(stops.next().await, Some(Delivery::Event(_))));
    assert!(futures_util::FutureExt::now_or_never(stops.next()).is_none());
}

pub async fn l06_a_plugin_that_breaks_while_it_stops_is_gone_all_the_same(subject: impl Subject) {
    for step in [Step::Break, Step::Fail("no".into())] {
        let bench = Bench::new(subject);
        let _point = bench.point();
        bench.load([everywhere("a").at("stop", [step])]).await;
        assert_eq!(bench.host.unload("a").await.unwrap(), Drain::Drained);
        assert_gone(&bench, "a");
        bench.load([everywhere("a")]).await;
    }
}

pub async fn l09_a_plugin_that_failed_is_reached_by_nobody(subject: impl Subject) {
    for failing in [everywhere("a").refuses("not today"), everywhere("a").at("start", [Step::Break])] {
        let bench = Bench::new(subject);
        let _point = bench.point();
        assert!(bench.try_load([failing.clone()]).await.is_err());
        assert_gone(&bench, "a");
        bench.boot([(failing, true)]).await.unwrap();
        assert_gone(&bench, "a");
    }
}
