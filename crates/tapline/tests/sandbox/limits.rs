//! A limit that is declared is enforced, for the plugin in total, and on nobody else.

use std::time::Duration;

use tapline::core::{Bytes, Request};
use tapline::{CallError, Fault, HookError, Host, Limits, WasmRuntime};

use crate::support::{Probed, host, probe, text};

#[track_caller]
fn fault(error: &HookError) -> Fault {
    match error.cause() {
        CallError::Fault(fault) => fault.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a56_an_endless_loop_is_stopped_at_its_cpu_budget() {
    let probed = Probed::new().await;
    let limit = Duration::from_millis(100);
    assert_eq!(fault(&probed.told("spin").await.unwrap_err()), Fault::Cpu { limit });
    assert_eq!(fault(&probed.told("spin after next").await.unwrap_err()), Fault::Cpu { limit });
    probed.assert_fresh().await;
}

#[tokio::test]
async fn a58_memory_beyond_the_cap_is_never_taken() {
    let probed = Probed::new().await;
    assert_eq!(fault(&probed.told("allocate").await.unwrap_err()), Fault::Memory { limit: Bytes(16 << 20) });
    probed.assert_fresh().await;
}

#[tokio::test]
async fn recursion_without_end_is_a_trap_and_not_the_end_of_the_process() {
    let probed = Probed::new().await;
    assert!(matches!(fault(&probed.told("recurse").await.unwrap_err()), Fault::Trap { .. }));
    probed.assert_fresh().await;
}

#[tokio::test]
async fn time_spent_in_next_is_not_the_plugins_own() {
    let limits =
        Limits { cpu: Duration::from_millis(40), wall: Duration::from_millis(200), ..Limits::default() };
    let host = Host::builder().runtime(WasmRuntime::new().unwrap()).limits(limits).build();
    let point: tapline::HookPoint<String, String> = host.hook_point("do").unwrap();
    host.load(probe()).await.unwrap();
    let answer = point.call("count".to_owned(), |input| async {
        // Busy, as the inner layer of somebody else may be, for longer than either limit.
        let entered = std::time::Instant::now();
        while entered.elapsed() < Duration::from_millis(300) {
            tokio::task::yield_now().await;
        }
        Ok(input)
    });
    assert_eq!(answer.await.unwrap(), "1");
}

#[tokio::test]
async fn the_cap_on_memory_is_that_of_all_instances_together_and_whoever_comes_later_waits() {
    let limits = Limits { memory: Bytes(3 << 20), ..Limits::default() };
    let host = Host::builder().runtime(WasmRuntime::new().unwrap()).limits(limits).build();
    let point: tapline::HookPoint<String, String> = host.hook_point("do").unwrap();
    host.load(probe()).await.unwrap();
    // Each call holds an instance until no other can come in.
    let (inside, most) = (std::sync::atomic::AtomicUsize::new(0), std::sync::atomic::AtomicUsize::new(0));
    let calls = (0..16).map(|_| {
        point.call("count".to_owned(), |input| async {
            let now = 1 + inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            most.fetch_max(now, std::sync::atomic::Ordering::SeqCst);
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
            Ok(input)
        })
    });
    for answer in futures_util::future::join_all(calls).await {
        answer.unwrap();
    }
    let most = most.into_inner();
    assert!((1..16).contains(&most), "{most} instances fit into 3 MiB");
}

#[tokio::test]
async fn a_call_that_lies_inside_another_of_a_full_plugin_does_not_wait_for_it() {
    let limits = Limits { calls: 1, ..Limits::default() };
    let host = Host::builder().runtime(WasmRuntime::new().unwrap()).limits(limits).build();
    let point: tapline::HookPoint<String, String> = host.hook_point("do").unwrap();
    host.load(probe()).await.unwrap();
    let answer = point.call("count".to_owned(), |input| async {
        let error = point.call(input, |input| async { Ok(input) }).await.unwrap_err();
        assert!(matches!(error.cause(), CallError::Exhausted { .. }), "{error:?}");
        Ok("refused".to_owned())
    });
    answer.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_keeps_its_whole_budget_while_its_neighbour_is_stopped_at_its_own() {
    let host = host();
    host.load(probe()).await.unwrap();
    let spin = tokio::spawn(host.request(Request::new("echo", "probe", "handle", text("spin"))));
    let mut answered = 0;
    while !spin.is_finished() {
        let echo = host.request(Request::new("echo", "probe", "handle", text("hello"))).await;
        assert_eq!(echo.unwrap(), text("hello"));
        answered += 1;
        tokio::task::yield_now().await;
    }
    assert!(matches!(fault(&spin.await.unwrap().unwrap_err()), Fault::Cpu { .. }));
    assert!(answered > 0);
}
