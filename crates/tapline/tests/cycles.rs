//! Plugins that come and go leave nothing behind: no memory, no threads, no tasks, no open files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(target_os = "linux")]

use peak_alloc::PeakAlloc;
use tapline::{Drain, HookPoint, Host, Load, WasmRuntime};
use tapline_test_kit::Held;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const CYCLES: usize = 10_000;
/// By then everything that is made once has been made.
const WARM: usize = 200;
/// What maps and queues that have grown may keep, in bytes.
const SLACK: usize = 64 << 10;

/// Loads a plugin, calls it, and unloads it, many times.
async fn come_and_go(load: impl Fn() -> Load) {
    let host = Host::builder().runtime(WasmRuntime::new().unwrap()).build();
    let point: HookPoint<i64, i64> = host.hook_point("relay-one").unwrap();
    let mut warm = None;
    for cycle in 0..CYCLES {
        if cycle == WARM {
            warm = Some(Held::now(ALLOCATOR.current_usage()));
        }
        let id = host.load(load()).await.unwrap();
        assert_eq!(point.call(7, |input| async move { Ok(input) }).await.unwrap(), 7);
        assert_eq!(host.unload(id.as_str()).await.unwrap(), Drain::Drained);
    }
    let (warm, end) = (warm.unwrap(), Held::now(ALLOCATOR.current_usage()));
    assert!(end.bytes <= warm.bytes + SLACK, "{warm:?} {end:?}");
    assert!(end.resident <= warm.resident + (8 << 20), "{warm:?} {end:?}");
    // A thread that compiled may have ended since.
    assert!(end.threads <= warm.threads, "{warm:?} {end:?}");
    assert_eq!((end.files, end.tasks), (warm.files, warm.tasks), "{warm:?} {end:?}");
}

// One test, because what a process holds is that of all its tests.
#[tokio::test]
async fn ten_thousand_native_and_ten_thousand_sandboxed_plugins_come_and_go() {
    come_and_go(|| Load::native(tapline_pdk::native::<relay::Relay>())).await;
    let folder = tapline_test_kit::guest("relay");
    come_and_go(|| Load::folder(&folder)).await;
}
