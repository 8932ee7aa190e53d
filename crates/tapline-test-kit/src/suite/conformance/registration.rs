//! Registration: all of a plugin or nothing of it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(missing_docs, reason = "the names are the promises")]

use futures_util::FutureExt as _;
use tapline::core::{HookKind, HookState, PointDeclaration, RegisterError};
use tapline::host::PluginState;
use tapline::{Host, HostError, PluginId, Value};

use crate::suite::bench::{Bench, Words};
use crate::suite::scripted::{Scripted, Subject, hook};
use script::Step;

fn word(id: &str) -> Scripted {
    Scripted::new(id).hook(hook("p", HookKind::Before, "x"), [Step::Input(id.into())])
}

/// All that can be seen of what is registered.
fn registered(host: &Host) -> (u64, Vec<String>, Vec<String>, Vec<String>) {
    let registry = host.registry();
    let hooks = registry.points().into_iter().flat_map(|point| registry.hooks(&point.id).unwrap());
    (
        registry.generation(),
        hooks.map(|hook| hook.name.to_string()).collect(),
        registry.contributions("seen").iter().map(|one| format!("{one:?}")).collect(),
        host.plugins().iter().map(|plugin| plugin.manifest.plugin.id.to_string()).collect(),
    )
}

pub async fn r01_the_same_id_twice_leaves_the_first_working(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    bench.load([word("a")]).await;
    let error = bench.try_load([word("a").version(2, 0)]).await.unwrap_err();
    assert_eq!(error.to_string(), "there are two plugins `a`: 1.0.0 and 2.0.0");
    assert_eq!(bench.call(&point).await.unwrap(), ["a", "core"]);
}

pub async fn r02_one_bad_hook_among_five_registers_nothing(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let mut plugin = Scripted::new("a").seen_as("a");
    for name in ["one", "two", "three", "four"] {
        plugin = plugin.hook(hook("p", HookKind::Before, name), [Step::Input(name.into())]);
    }
    let before = registered(&bench.host);
    let error = bench.try_load([plugin.hook(hook("p", HookKind::Answer, "bad"), [])]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "hook `bad` of plugin `a` does not fit `p`: a point of mode chain takes before, after, around, replace, and it \
         is of kind answer"
    );
    assert_eq!(registered(&bench.host), before);
    assert_eq!(bench.call(&point).await.unwrap(), ["core"]);
}

pub async fn r03_an_unknown_point_is_pending_and_listed_with_suggestions(subject: impl Subject) {
    let bench = Bench::new(subject);
    let _point = bench.host.hook_point::<Words, Words>("node.execute").unwrap();
    let misspelt = Scripted::new("a").hook(hook("node.excute", HookKind::Before, "x"), []);
    let mut optional = hook("elsewhere", HookKind::Before, "y");
    optional.optional = true;
    bench.load([misspelt, Scripted::new("b").hook(optional, [])]).await;
    let HostError::NoSuchPoint(pending) = bench.host.check_pending().unwrap_err() else { panic!() };
    assert_eq!(
        pending,
        [
            "hook `x` of plugin `a` joins `node.excute`, which nobody has declared (did you mean `node.execute`?)"
        ]
    );
}

pub async fn r04_a_hook_that_came_first_is_live_when_its_point_appears(subject: impl Subject) {
    let bench = Bench::new(subject);
    bench.load([word("a"), Scripted::new("b").hook(hook("q", HookKind::Answer, "x"), [])]).await;
    assert!(bench.host.check_pending().is_err());
    let waiting = bench.host.explain("p").unwrap();
    assert_eq!((waiting.point, waiting.hooks[0].state), (None, HookState::Pending));
    let point = bench.point();
    assert_eq!(bench.call(&point).await.unwrap(), ["a", "core"]);
    // It is verified then: a point that the waiting hook does not fit is not declared.
    let error = bench.host.hook_point::<Words, Words>("q").unwrap_err();
    assert!(matches!(error, RegisterError::Misfit { .. }), "{error}");
    bench.host.first_point::<i64, i64>("q").unwrap();
    bench.host.check_pending().unwrap();
}

pub async fn r06_a_blocked_plugin_is_disabled_and_no_error(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let id = PluginId::new("a").unwrap();
    bench.host.block(&id).await.unwrap();
    assert_eq!(bench.try_load([word("a"), word("b")]).await.unwrap(), [PluginId::new("b").unwrap()]);
    assert_eq!(bench.host.state(&id), PluginState::Disabled);
    assert_eq!(bench.call(&point).await.unwrap(), ["b", "core"]);
    bench.host.unblock(&id);
    bench.load([word("a")]).await;
    assert_eq!(bench.host.state(&id), PluginState::Active);
    assert_eq!(bench.call(&point).await.unwrap(), ["a", "b", "core"]);
    bench.host.block(&id).await.unwrap();
    assert_eq!(bench.host.state(&id), PluginState::Disabled);
    assert_eq!(bench.call(&point).await.unwrap(), ["b", "core"]);
}

pub async fn r10_a_capability_is_looked_up_by_rank_then_version_then_load_order(subject: impl Subject) {
    let bench = Bench::new(subject);
    let offering = |id: &str, rank| Scripted::new(id).offers("search", rank).seen_as(id);
    let plugins = [
        offering("d", 0),
        offering("c", 0),
        offering("newer", 0).version(1, 2),
        offering("ranked", 10).version(0, 1),
        offering("last", -1).version(9, 0),
    ];
    bench.load(plugins).await;
    let order = || {
        let offers = bench.host.registry().offers("search");
        offers.iter().map(|offer| offer.plugin.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(order(), ["ranked", "newer", "c", "d", "last"]);
    let first = || bench.host.registry().contribution_by_capability("seen", "search").unwrap().key.clone();
    assert_eq!(&*first(), "ranked");
    bench.host.unload("ranked").await.unwrap();
    assert_eq!(&*first(), "newer");
    assert!(bench.host.registry().contribution_by_capability("elsewhere", "search").is_none());
}

pub async fn what_a_plugin_reaches_is_held_against_the_schema_of_its_points(subject: impl Subject) {
    let bench = Bench::new(subject);
    let declaration = PointDeclaration::new("p").context("node", Value::Bool(true));
    let _point = bench.host.hook_point::<Words, Words>(declaration).unwrap();
    let reaching = |id: &str, path: &str| word(id).reaches(&[path]);
    for (path, expected) in [
        ("input.first", "at `p`, `input` is an array, and `first` is no place in one"),
        ("input.0.name", "at `p`, `input.0` is of type string"),
        ("inptu", "the context of `p` begins with input, output, error, node"),
    ] {
        let error = bench.try_load([reaching("a", path)]).await.unwrap_err().to_string();
        assert_eq!(
            error,
            format!("hook `x` of plugin `a` does not fit `p`: the plugin reaches for `{path}`; {expected}")
        );
    }
    bench.load([reaching("a", "input.0"), reaching("b", "input.*"), reaching("c", "node.id")]).await;
}

pub async fn nothing_is_left_behind_by_a_load_that_was_refused_at_any_step(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    let _other = bench.host.first_point::<i64, i64>("q").unwrap();
    bench.load([word("there").seen_as("there")]).await;
    let before = registered(&bench.host);
    let mut priority = hook("p", HookKind::Before, "x");
    priority.before.push("bad".into());
    let mut version = hook("p", HookKind::Before, "x");
    version.version = "^2".parse().unwrap();
    let bad = || Scripted::new("bad");
    let refused = [
        ("resolve", bad().needs("nobody")),
        ("start", bad().refuses("not today")),
        ("duplicate contribution", bad().seen_as("there")),
        ("kind", bad().hook(hook("q", HookKind::Before, "x"), [])),
        ("cycle", bad().hook(priority, [])),
        ("version of the point", bad().hook(version, [])),
        ("path", word("bad").reaches(&["nowhere"])),
    ];
    for (step, plugin) in refused {
        // A good one is loaded with it, before it and after it.
        let loaded = bench.try_load([word("a").seen_as("a"), plugin, word("z").seen_as("z")]).await;
        assert!(loaded.is_err(), "{step}");
        assert_eq!(registered(&bench.host), before, "{step}");
        assert_eq!(bench.call(&point).await.unwrap(), ["there", "core"], "{step}");
    }
}

pub async fn nothing_is_left_behind_by_a_load_that_was_dropped_at_any_moment(subject: impl Subject) {
    let bench = Bench::new(subject);
    let point = bench.point();
    // What is made once, and on other threads, has been made.
    bench.load([word("warm")]).await;
    bench.host.unload("warm").await.unwrap();
    // What is started in a process takes thousands of polls.
    let moments = (0..64).chain((6..).map(|power| 1 << power));
    for moment in moments {
        let mut load = Box::pin(bench.try_load([word("a").seen_as("a"), word("b")]));
        let mut polls = 0;
        let done = loop {
            if polls == moment {
                break None;
            }
            if let Some(done) = load.as_mut().now_or_never() {
                break Some(done);
            }
            polls += 1;
            tokio::task::yield_now().await;
        };
        drop(load);
        let Some(done) = done else {
            let (_, hooks, contributions, plugins) = registered(&bench.host);
            assert!(
                hooks.is_empty() && contributions.is_empty() && plugins.is_empty(),
                "{moment}: {hooks:?}"
            );
            continue;
        };
        done.unwrap();
        assert_eq!(bench.call(&point).await.unwrap(), ["a", "b", "core"]);
        break;
    }
}
