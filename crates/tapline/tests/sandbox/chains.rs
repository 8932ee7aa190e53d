//! Chains through sandboxed and native hooks, in both directions.

use tapline::core::Priority;
use tapline::{Failure, HookPoint, Host, PluginId};

use crate::support::{host, probe, words};

type Words = Vec<String>;

fn native_around(point: &HookPoint<Words, Words>, name: &'static str, priority: u8) -> tapline::Hook {
    let hook = point.around(name, move |mut input: Words, next| {
        Box::pin(async move {
            input.push(format!("{name} in"));
            let mut output = next.call(input).await?;
            output.push(format!("{name} out"));
            Ok(output)
        })
    });
    hook.priority(Priority::new(priority).unwrap())
}

async fn traced(
    host: &Host,
    point: &HookPoint<Words, Words>,
    hooks: &[(&'static str, u8)],
    input: &[&str],
) -> Words {
    let hooks = hooks.iter().map(|(name, priority)| native_around(point, name, *priority)).collect();
    host.join(&PluginId::new("native").unwrap(), hooks).unwrap();
    let core = |mut input: Words| async move {
        input.push("core".to_owned());
        Ok(input)
    };
    point.call(words(input), core).await.unwrap()
}

#[tokio::test]
async fn a_chain_runs_through_native_and_sandboxed_hooks_of_every_kind_by_priority() {
    let host = host();
    let point = host.hook_point("trace").unwrap();
    host.load(probe()).await.unwrap();
    // The probe stands at 20 (around), 30 (before), 40 (after) and 80 (around).
    let told = traced(&host, &point, &[("first", 10), ("middle", 50)], &[]).await;
    let expected = [
        "first in",
        "outer in",
        "before",
        "middle in",
        "inner in",
        "core",
        "inner out",
        "middle out",
        "after",
        "outer out",
        "first out",
    ];
    assert_eq!(told, words(&expected));
}

#[tokio::test]
async fn a_sandboxed_before_hook_ends_a_call_that_outer_hooks_of_both_kinds_still_see() {
    let host = host();
    let point = host.hook_point("trace").unwrap();
    host.load(probe()).await.unwrap();
    let told = traced(&host, &point, &[("first", 10), ("middle", 50)], &["finish"]).await;
    assert_eq!(told, words(&["finished", "outer out", "first out"]));
}

#[tokio::test]
async fn a_sandboxed_after_hook_recovers_from_the_error_of_a_native_operation() {
    let host = host();
    let point: HookPoint<Words, Words> = host.hook_point("trace").unwrap();
    host.load(probe()).await.unwrap();
    let answer =
        point.call(Words::new(), |_| async { Err(Failure::new("broken", "it is broken").into()) }).await;
    assert_eq!(answer.unwrap(), words(&["recovered", "broken", "outer out"]));
}

#[tokio::test]
async fn a_sandboxed_replace_hook_stands_in_for_the_operation() {
    let host = host();
    let point: HookPoint<i64, i64> = host.hook_point("replaced").unwrap();
    host.load(probe()).await.unwrap();
    let answer =
        point.call(21, |_| async { Err(Failure::new("not-me", "the operation has run").into()) }).await;
    assert_eq!(answer.unwrap(), 42);
}

#[tokio::test]
async fn many_calls_are_inside_one_plugin_at_once() {
    let host = host();
    let point: HookPoint<Words, Words> = host.hook_point("trace").unwrap();
    host.load(probe()).await.unwrap();
    let gate = tokio::sync::Barrier::new(4);
    let calls = (0..4).map(|_| {
        point.call(Words::new(), |input| async {
            // Nobody goes on before all are inside.
            gate.wait().await;
            Ok(input)
        })
    });
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.unwrap().last().unwrap(), "outer out");
    }
}
