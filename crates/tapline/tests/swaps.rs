//! Versions that change a thousand times while four threads call: no call is lost, none is answered by a version that it
//! could not have met, and nothing is left behind.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(target_os = "linux")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use peak_alloc::PeakAlloc;
use tapline::core::{HookKind, METHODS, Request, TopicPattern};
use tapline::host::Settled;
use tapline::{Drain, HookPoint, Host, Policy, Value, WasmRuntime};
use tapline_test_kit::{Held, Native, Sandboxed, Scripted, Step, Subject, Words, hook};
use tempfile::TempDir;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const THREADS: usize = 4;
const SWAPS: i64 = 1_000;
/// By then everything that is made once has been made.
const WARM: i64 = 200;
/// What maps and queues that have grown may keep, in bytes.
const SLACK: usize = 256 << 10;

/// A plugin whose versions take each other's place.
struct Changing<S> {
    subject: S,
    folder: TempDir,
    has_state: bool,
    host: Host,
    point: HookPoint<Words, Words>,
    /// The version that was in place when somebody last looked.
    current: AtomicI64,
    /// The latest version that may be in place.
    coming: AtomicI64,
    /// How many calls have counted.
    counted: AtomicI64,
    is_over: AtomicBool,
}

impl<S: Subject> Changing<S> {
    fn new(subject: S, has_state: bool) -> Arc<Self> {
        let policy = Policy::default()
            .allow_call("nobody".parse().unwrap())
            .allow_publish(TopicPattern::new("a.>").unwrap());
        let host = Host::builder().runtime(WasmRuntime::new().unwrap()).policy(policy).build();
        let point = host.hook_point("p").unwrap();
        Arc::new(Self {
            subject,
            folder: TempDir::new().unwrap(),
            has_state,
            host,
            point,
            current: AtomicI64::new(0),
            coming: AtomicI64::new(0),
            counted: AtomicI64::new(0),
            is_over: AtomicBool::new(false),
        })
    }

    fn version(&self, version: i64) -> tapline::Load {
        let say = hook("p", HookKind::Before, "say");
        let plugin = Scripted::new("a")
            .hook(say, [Step::Input(version.to_string())])
            .method("tell", [Step::Set(version.into())])
            .method("count", [Step::Count]);
        let plugin = if self.has_state { plugin.with_state() } else { plugin };
        self.subject.load(&plugin, &self.folder)
    }

    async fn ask(&self, method: &str) -> i64 {
        let request = Request::new(METHODS, "a", method, Value::Null);
        self.host.request(request).await.unwrap().as_i64().unwrap()
    }

    /// Calls a hook, a method, and one that counts, until it is over.
    async fn hammer(self: Arc<Self>) {
        while !self.is_over.load(Ordering::SeqCst) {
            let earliest = self.current.load(Ordering::SeqCst);
            let words = self.point.call(Words::new(), |words| async move { Ok(words) }).await.unwrap();
            assert_eq!(words.len(), 1, "the hook was entered once: {words:?}");
            self.check(earliest, words[0].parse().unwrap());

            let earliest = self.current.load(Ordering::SeqCst);
            let answer = self.ask("tell").await;
            self.check(earliest, answer);

            self.ask("count").await;
            self.counted.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
        }
    }

    #[track_caller]
    fn check(&self, earliest: i64, answered: i64) {
        let latest = self.coming.load(Ordering::SeqCst);
        assert!((earliest..=latest).contains(&answered), "{answered} is not in {earliest}..={latest}");
    }

    /// Changes the version so many times while calls go on, and tells what is held then.
    async fn change(self: &Arc<Self>, times: i64) -> Held {
        self.is_over.store(false, Ordering::SeqCst);
        let callers: Vec<_> = (0..THREADS).map(|_| tokio::spawn(Arc::clone(self).hammer())).collect();
        let mut swaps = Vec::new();
        for _ in 0..times {
            let version = self.coming.fetch_add(1, Ordering::SeqCst) + 1;
            swaps.push(self.host.swap(self.version(version)).await.unwrap());
            self.current.store(version, Ordering::SeqCst);
        }
        self.is_over.store(true, Ordering::SeqCst);
        for caller in callers {
            caller.await.unwrap();
        }
        // The last one is on trial.
        swaps.pop();
        for swapped in swaps {
            assert_eq!(swapped.settled().await, Settled::Kept(Drain::Drained));
        }
        Held::now(ALLOCATOR.current_usage())
    }
}

async fn thousand_times(subject: impl Subject, has_state: bool) {
    let changing = Changing::new(subject, has_state);
    changing.host.load(changing.version(0)).await.unwrap();
    let warm = changing.change(WARM).await;
    let end = changing.change(SWAPS).await;
    if has_state {
        let counted = changing.counted.load(Ordering::SeqCst);
        assert_eq!(changing.ask("count").await, counted + 1, "no change of the state was lost");
    }
    assert!(end.bytes <= warm.bytes + SLACK, "{warm:?} {end:?}");
    assert!(end.resident <= warm.resident + (16 << 20), "{warm:?} {end:?}");
    // A thread that compiled and rests may have ended meanwhile.
    assert!(end.threads <= warm.threads && end.files <= warm.files, "{warm:?} {end:?}");
    // A task has told how it came out a moment before it is over.
    assert!(end.tasks <= warm.tasks + THREADS, "{warm:?} {end:?}");
    assert_eq!(changing.host.unload("a").await.unwrap(), Drain::Drained);
}

// One test, because what a process holds is that of all its tests.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn versions_change_a_thousand_times_under_the_calls_of_four_threads() {
    for has_state in [false, true] {
        thousand_times(Native, has_state).await;
        thousand_times(Sandboxed, has_state).await;
    }
}
