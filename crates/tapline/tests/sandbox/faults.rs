//! A plugin that breaks harms its own layer and nothing else.

use tapline::core::HookKind;
use tapline::{CallError, Fault, HookError, HookPoint};

use crate::support::{Probed, host, probe, words};

fn fault(error: &HookError) -> &Fault {
    match error.cause() {
        CallError::Fault(fault) => fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_trap_fails_its_layer_and_the_next_call_gets_a_fresh_instance() {
    let probed = Probed::new().await;
    assert_eq!(probed.told("count").await.unwrap(), "1");
    assert_eq!(probed.told("count").await.unwrap(), "2");
    let error = probed.told("trap").await.unwrap_err();
    assert!(matches!(fault(&error), Fault::Trap { .. }), "{error:?}");
    let layer = error.layer().unwrap();
    assert_eq!((&*layer.plugin, &*layer.hook, layer.kind), ("probe", "act", HookKind::Around));
    probed.assert_fresh().await;
}

#[tokio::test]
async fn a_trap_leaves_the_outer_layers_of_the_same_plugin_alive() {
    let host = host();
    let point: HookPoint<Vec<String>, Vec<String>> = host.hook_point("trace").unwrap();
    host.load(probe()).await.unwrap();
    // `late` recovers from whatever comes out of the hooks inside it.
    let hook = point.before("broken", |_| panic!("a native hook panics"));
    let hook = hook.priority(tapline::core::Priority::new(90).unwrap());
    host.join(&tapline::PluginId::new("native").unwrap(), vec![hook]).unwrap();
    let answer = point.call(Vec::new(), |input| async { Ok(input) }).await.unwrap();
    assert_eq!(answer, words(&["recovered", "fault", "outer out"]));
}

#[tokio::test]
async fn an_error_on_purpose_is_no_fault_and_keeps_the_instance() {
    let probed = Probed::new().await;
    assert_eq!(probed.told("count").await.unwrap(), "1");
    let error = probed.told("fail").await.unwrap_err();
    assert_eq!(error.to_failure().code(), "told-to");
    assert_eq!(probed.told("count").await.unwrap(), "2");
}

#[tokio::test]
async fn calling_next_a_second_time_is_refused_in_the_sandbox_too() {
    let probed = Probed::new().await;
    let error = probed.told("twice").await.unwrap_err();
    assert_eq!(error.to_failure().code(), "already-called");
}

#[tokio::test]
async fn an_around_hook_that_neither_calls_next_nor_answers_breaks_the_contract() {
    let probed = Probed::new().await;
    let error = probed.told("neither").await.unwrap_err();
    assert!(matches!(fault(&error), Fault::Contract { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_of_the_wrong_type_is_an_error_of_the_layer_that_gave_it() {
    let probed = Probed::new().await;
    let error = probed.told("wrong type").await.unwrap_err();
    assert!(matches!(fault(&error), Fault::Contract { .. }), "{error:?}");
    assert_eq!(&*error.layer().unwrap().plugin, "probe");
}

#[tokio::test]
async fn an_instance_whose_call_was_dropped_is_never_entered_again() {
    let probed = Probed::new().await;
    assert_eq!(probed.told("count").await.unwrap(), "1");
    let point: HookPoint<bool, bool> = probed.host.hook_point("other").unwrap();
    drop(point);
    let stuck = probed.host.request(tapline::core::Request::new("echo", "probe", "handle", "spin".into()));
    tokio::select! {
        biased;
        _ = stuck => panic!("it does not end by itself"),
        () = tokio::task::yield_now() => {}
    }
    probed.assert_fresh().await;
}

#[tokio::test(start_paused = true)]
async fn a_trapped_instance_is_never_entered_again_in_a_hundred_thousand_calls() {
    let probed = Probed::new().await;
    for _ in 0..100 {
        for call in 1..1000 {
            assert_eq!(probed.told("count").await.unwrap(), call.to_string());
        }
        assert!(matches!(fault(&probed.told("trap").await.unwrap_err()), Fault::Trap { .. }));
        // Breaks that lie so far apart put nobody into quarantine.
        tokio::time::advance(std::time::Duration::from_secs(61)).await;
    }
}
