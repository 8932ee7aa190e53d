//! Loading, unloading and loading again while the host runs.

use tapline::{Drain, HookPoint, HostError, Load, UnloadError, Value};
use tapline_test_kit::guest;

use crate::support::{host, probe, text};

async fn greet(point: &HookPoint<Value, String>) -> String {
    let person = Value::from_iter([("name", " Ada ".into())]);
    let core = |person: Value| async move {
        Ok(format!("Hello, {}", person.get("name").and_then(Value::as_str).unwrap_or_default()))
    };
    point.call(person, core).await.unwrap()
}

#[tokio::test]
async fn a_plugin_is_loaded_unloaded_and_loaded_in_another_version_while_the_host_runs() {
    let host = host();
    let point = host.hook_point("greet").unwrap();
    assert_eq!(greet(&point).await, "Hello,  Ada ");
    host.load(Load::folder(guest("cheer-1"))).await.unwrap();
    assert_eq!(greet(&point).await, "Hello,  Ada !");
    assert_eq!(host.unload("cheer").await.unwrap(), Drain::Drained);
    assert_eq!(greet(&point).await, "Hello,  Ada ");
    host.load(Load::folder(guest("cheer-2"))).await.unwrap();
    assert_eq!(greet(&point).await, "Hello, Ada! Hip, hip, hooray!");
}

#[tokio::test]
async fn a_plugin_that_refuses_to_start_leaves_nothing_behind() {
    let host = host();
    let point: HookPoint<String, String> = host.hook_point("do").unwrap();
    let generation = host.registry().generation();
    let config = Value::from_iter([("refuse", text("not today"))]);
    let error = host.load(probe().config(config)).await.unwrap_err();
    let HostError::Start { plugin, source } = &error else { panic!("{error:?}") };
    assert_eq!((plugin.as_str(), source.to_string().as_str()), ("probe", "not today"));
    assert_eq!(host.registry().generation(), generation);
    assert!(host.plugins().is_empty());
    let answer = point.call("trap".to_owned(), |input| async { Ok(input) }).await;
    assert_eq!(answer.unwrap(), "trap");
    host.load(probe()).await.unwrap();
}

#[tokio::test]
async fn a_plugin_that_breaks_while_it_starts_is_refused() {
    let config = Value::from_iter([("trap", true.into())]);
    let error = host().load(probe().config(config)).await.unwrap_err();
    assert!(matches!(error, HostError::Start { source: tapline::CallError::Fault(_), .. }), "{error:?}");
}

#[tokio::test]
async fn a_configuration_with_an_unknown_key_is_refused_by_name() {
    let config = Value::from_iter([("colour", true.into())]);
    let HostError::Start { source, .. } = host().load(probe().config(config)).await.unwrap_err() else {
        panic!()
    };
    assert!(source.to_string().starts_with("unknown field `colour`"), "{source}");
}

#[tokio::test]
async fn the_same_plugin_is_not_loaded_twice() {
    let host = host();
    host.load(probe()).await.unwrap();
    let error = host.load(probe()).await.unwrap_err();
    assert_eq!(error.to_string(), "there are two plugins `probe`: 1.0.0 and 1.0.0");
    assert_eq!(host.plugins().len(), 1);
    assert_eq!(host.unload("nobody").await.unwrap_err(), UnloadError::NotLoaded("nobody".into()));
}

#[tokio::test]
async fn what_an_unloaded_plugin_contributed_is_gone() {
    let host = host();
    let request = || tapline::core::Request::new("echo", "probe", "handle", text("hello"));
    host.load(probe()).await.unwrap();
    assert_eq!(host.request(request()).await.unwrap(), text("hello"));
    host.unload("probe").await.unwrap();
    assert_eq!(host.request(request()).await.unwrap_err().to_failure().code(), "no-such-contribution");
}

#[tokio::test]
async fn a_call_that_is_inside_a_plugin_ends_well_though_the_plugin_is_unloaded_meanwhile() {
    let host = host();
    let point: HookPoint<String, String> = host.hook_point("do").unwrap();
    host.load(probe()).await.unwrap();
    let (inside, go_on) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
    let call = point.call("count".to_owned(), |input| async {
        inside.notify_one();
        go_on.notified().await;
        Ok(input)
    });
    let unload = async {
        inside.notified().await;
        let unload = host.unload("probe");
        go_on.notify_one();
        unload.await
    };
    let (answer, drain) = tokio::join!(call, unload);
    assert_eq!((answer.unwrap().as_str(), drain.unwrap()), ("1", Drain::Drained));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_call_is_lost_while_plugins_come_and_go() {
    const CHANGES: usize = 200;
    let host = host();
    let point = host.hook_point("greet").unwrap();
    let is_over = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let callers: Vec<_> = (0..3)
        .map(|_| {
            let (point, is_over) = (point.clone(), std::sync::Arc::clone(&is_over));
            tokio::spawn(async move {
                let mut seen = std::collections::BTreeSet::new();
                while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                    seen.insert(greet(&point).await);
                    tokio::task::yield_now().await;
                }
                seen
            })
        })
        .collect();
    for change in 0..CHANGES {
        let version = ["cheer-1", "cheer-2"][change % 2];
        host.load(Load::folder(guest(version))).await.unwrap();
        // Somebody meets each version at least once.
        let met = greet(&point).await;
        assert!(met.ends_with(["!", "hooray!"][change % 2]), "{met}");
        assert_eq!(host.unload("cheer").await.unwrap(), Drain::Drained);
    }
    is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    let whole = ["Hello,  Ada ", "Hello,  Ada !", "Hello, Ada! Hip, hip, hooray!"];
    for caller in callers {
        // A call that failed would have ended its task, and one that met half a plugin would say something else.
        for greeting in caller.await.unwrap() {
            assert!(whole.contains(&greeting.as_str()), "{greeting}");
        }
    }
}
