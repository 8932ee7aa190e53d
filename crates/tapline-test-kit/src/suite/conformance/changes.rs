//! Plugins that come and go while others do.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    missing_docs,
    reason = "a test fails by panicking"
)]

use script::Step;
use tapline::host::{PluginState, ReloadError, Reloaded};
use tapline::{Drain, HostError, PluginId};

use crate::suite::bench::Bench;
use crate::suite::scripted::{Scripted, Subject};

fn id(name: &str) -> PluginId {
    PluginId::new(name).unwrap()
}

fn waiting(moment: &str) -> Scripted {
    Scripted::new("a").calls("gate").at(moment, [Step::Call("gate".into(), "wait".into())])
}

pub async fn l08_a_plugin_that_is_unloaded_while_it_starts_turns_back(subject: impl Subject) {
    let bench = Bench::new(subject);
    let gate = bench.gate();
    let unload = async {
        gate.has_come(1).await;
        bench.host.unload("a").await
    };
    let plugins = [waiting("start"), Scripted::new("b")];
    let (loaded, unloaded) = tokio::join!(bench.try_load(plugins), unload);
    let error = loaded.unwrap_err();
    assert!(matches!(&error, HostError::Unloaded { plugin } if plugin.as_str() == "a"), "{error}");
    assert_eq!(unloaded.unwrap(), Drain::Drained);
    assert_eq!((bench.host.state(&id("a")), bench.host.plugins().len()), (PluginState::Absent, 0));
    gate.open(1);
    bench.load([waiting("start")]).await;
}

pub async fn l08_a_plugin_that_is_loaded_while_it_stops_starts_after_it(subject: impl Subject) {
    let bench = Bench::new(subject);
    let gate = bench.gate();
    bench.load([waiting("stop")]).await;
    let load = async {
        gate.has_come(1).await;
        assert_eq!(bench.host.state(&id("a")), PluginState::Stopping);
        let loading = bench.try_load([Scripted::new("a").version(2, 0)]);
        gate.open(1);
        loading.await
    };
    let (unloaded, loaded) = tokio::join!(bench.host.unload("a"), load);
    assert_eq!((unloaded.unwrap(), loaded.unwrap()), (Drain::Drained, vec![id("a")]));
    assert_eq!(bench.host.plugins()[0].manifest.plugin.version.major, 2);
}

/// A plugin that says its version.
fn versioned(major: u64) -> Scripted {
    let say = Step::Set(i64::try_from(major).unwrap().into());
    Scripted::new("a").version(major, 0).method("version", [say])
}

fn dependent() -> Scripted {
    Scripted::new("b").needs("a").calls("a").method("ask", [Step::Call("a".into(), "version".into())])
}

async fn version<S: Subject>(bench: &Bench<S>) -> Option<i64> {
    bench.ask("b", "ask").await.unwrap().as_i64()
}

pub async fn a_reload_puts_another_version_in_its_place_and_takes_its_dependents_along(
    subject: impl Subject,
) {
    let bench = Bench::new(subject);
    bench.load([versioned(1), dependent(), Scripted::new("c").may_need("a")]).await;
    let reloaded = bench.reload(versioned(2)).await.unwrap();
    let versions = [semver::Version::new(1, 0, 0), semver::Version::new(2, 0, 0)];
    let [from, to] = versions;
    assert_eq!(reloaded, Reloaded { plugin: id("a"), from, to, started: vec![id("a"), id("b")] });
    assert_eq!(version(&bench).await, Some(2));
    assert!(matches!(bench.reload(Scripted::new("x")).await.unwrap_err(), ReloadError::NotLoaded(_)));
}

pub async fn a_reload_that_is_refused_touches_nothing(subject: impl Subject) {
    let bench = Bench::new(subject);
    bench.load([versioned(1), dependent().needs_version("a", "^1")]).await;
    let lives = bench.incarnation("b");
    for refused in [versioned(2), versioned(1).needs("nobody")] {
        let refused = bench.reload(refused).await;
        assert!(matches!(refused, Err(ReloadError::Refused(_))), "{refused:?}");
    }
    if !subject.is_native() {
        let refused = bench.reload(versioned(1).publishes("forbidden.topic")).await;
        assert!(matches!(refused, Err(ReloadError::Refused(_))), "{refused:?}");
    }
    assert_eq!((version(&bench).await, bench.incarnation("b")), (Some(1), lives));
    // Others need it, so it stays, and is blocked all the same.
    assert!(bench.host.block(&id("a")).await.is_err());
    let blocked = bench.reload(versioned(1)).await.unwrap_err();
    assert_eq!(blocked.to_string(), "plugin `a` is blocked by the application");
    assert_eq!(version(&bench).await, Some(1));
}

pub async fn a_reload_that_fails_brings_back_the_version_before_and_its_dependents(subject: impl Subject) {
    let bench = Bench::new(subject);
    bench.load([versioned(1), dependent()]).await;
    let failing = [versioned(2).refuses("not today"), versioned(2).at("start", [Step::Break])];
    for failing in failing {
        let error = bench.reload(failing).await.unwrap_err();
        assert_eq!(error.to_string(), "plugin `a` was rolled back to 1.0.0");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, "plugin `a` did not start");
        assert_eq!(version(&bench).await, Some(1));
    }
    let dependent = dependent();
    let error = bench.reload(dependent.refuses("not today")).await.unwrap_err();
    assert!(matches!(error, ReloadError::RolledBack { .. }));
    assert_eq!(version(&bench).await, Some(1));
}
