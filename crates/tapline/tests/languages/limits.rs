use std::time::Duration;

use tapline::core::Bytes;
use tapline::{CallError, Fault, HookError, HostBuilder, Limits};

use crate::errors::{Pal, pal};

const CPU: Duration = Duration::from_millis(300);
const MEMORY: Bytes = Bytes(48 << 20);

fn narrow(host: HostBuilder) -> HostBuilder {
    host.limits(Limits { cpu: CPU, memory: MEMORY, ..Limits::default() })
}

/// Has the guest of each language do harm; after it, the guest works as before.
async fn each(method: &str, check: impl Fn(&HookError)) {
    for language in ["python", "javascript"] {
        let Some(pal) = pal(language, narrow).await else { return };
        check(&pal.error(method).await);
        pal.assert_well().await;
    }
}

fn fault(error: &HookError) -> &Fault {
    match error.cause() {
        CallError::Fault(fault) => fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a56_a_loop_in_another_language_is_stopped_at_its_cpu_budget() {
    each("loop", |error| assert_eq!(*fault(error), Fault::Cpu { limit: CPU })).await;
}

#[tokio::test]
async fn a56_a_loop_that_catches_all_exceptions_is_stopped_too() {
    each("swallow", |error| assert_eq!(*fault(error), Fault::Cpu { limit: CPU })).await;
}

#[tokio::test]
async fn recursion_without_end_in_another_language_ends_its_instance() {
    each("recurse", |error| assert!(matches!(fault(error), Fault::Trap { .. }), "{error:?}")).await;
}

#[tokio::test]
async fn data_that_is_nested_without_end_ends_no_more_than_its_instance() {
    // Whether memory, time or the stack is used up first is the language's.
    each("descend", |error| {
        fault(error);
    })
    .await;
}

#[tokio::test]
async fn a58_memory_beyond_the_cap_is_never_taken_in_another_language() {
    each("allocate", |error| assert_eq!(*fault(error), Fault::Memory { limit: MEMORY })).await;
}

#[tokio::test]
async fn a_huge_exception_is_told_in_short() {
    for language in ["python", "javascript"] {
        let wide = |host: HostBuilder| host.limits(Limits { memory: Bytes(256 << 20), ..Limits::default() });
        let Some(pal) = pal(language, wide).await else { return };
        let message = fault(&pal.error("throw").await).to_string();
        assert!(message.contains("Error: xxx") && message.len() < 8 << 10, "{} bytes", message.len());
    }
    // Where there is not even the memory to tell it, the instance ends for that.
    each("throw", |error| assert!(fault(error).to_string().len() < 8 << 10)).await;
}

#[tokio::test]
async fn others_are_served_while_a_plugin_in_another_language_loops() {
    let (Some(looping), Some(other)) = (pal("python", narrow).await, pal("javascript", narrow).await) else {
        return;
    };
    // Both share this thread.
    let served = async |other: &Pal| {
        for _ in 0..100 {
            other.assert_well().await;
        }
    };
    let (error, ()) = tokio::join!(looping.error("loop"), served(&other));
    assert_eq!(*fault(&error), Fault::Cpu { limit: CPU });
}
