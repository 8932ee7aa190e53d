//! What only native code can try: registration from inside a call, futures that outlive each other, deadlines.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(missing_docs, reason = "the names are the promises")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tapline::core::{
    BoxFuture, Contribution, Handler, HookRules, HookState, METHODS, On, Origin, Priority, Request,
};
use tapline::{CallError, Hook, HookPoint, Host, Load, PluginId, Step as Flow, UnloadError};

use crate::suite::bench::{Bench, Words};

fn id(name: &str) -> PluginId {
    PluginId::new(name).unwrap()
}

fn at(hook: Hook, priority: u8) -> Hook {
    hook.priority(Priority::new(priority).unwrap())
}

/// A before hook that adds a word.
fn word(point: &HookPoint<Words, Words>, word: &'static str) -> Hook {
    point.before("x", move |words| {
        words.push(word.into());
        Ok(Flow::Proceed)
    })
}

async fn call(point: &HookPoint<Words, Words>) -> Words {
    point.call(Words::new(), |words| async { Ok(words) }).await.unwrap()
}

fn bench() -> (Host, HookPoint<Words, Words>) {
    let host = Host::builder().build();
    let point = host.hook_point("p").unwrap();
    (host, point)
}

pub async fn h30_the_first_in_order_wins_though_a_later_one_is_done_before_it() {
    let host = Host::builder().build();
    let point = host.first_point::<i64, String>("p").unwrap();
    let after = |name: &str, seconds| {
        let answer = name.to_owned();
        point.slow_answer(name, move |_| {
            let answer = answer.clone();
            Box::pin(async move {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                Ok(Some(answer))
            })
        })
    };
    host.join(&id("a"), vec![after("slow", 9)]).unwrap();
    host.join(&id("b"), vec![after("fast", 1)]).unwrap();
    let answer = point.call_at_once(&0).await.unwrap().unwrap();
    assert_eq!((&*answer.by.plugin, answer.value.as_str()), ("a", "slow"));
}

pub async fn h31_what_a_hook_registers_within_a_call_belongs_to_the_next_one() {
    let (host, point) = bench();
    let (inner_host, inner_point) = (host.clone(), point.clone());
    let registering = point.before("x", move |_| {
        // The second time the names are taken.
        let _ = inner_host.join(&id("first"), vec![at(word(&inner_point, "first"), 10)]);
        let _ = inner_host.join(&id("last"), vec![at(word(&inner_point, "last"), 90)]);
        Ok(Flow::Proceed)
    });
    host.join(&id("registering"), vec![registering]).unwrap();
    assert_eq!(call(&point).await, Words::new());
    assert_eq!(call(&point).await, ["first", "last"]);
}

pub async fn h32_a_hook_that_removes_itself_keeps_nobody_from_running() {
    let (host, point) = bench();
    let registry = Arc::clone(host.registry());
    let removing = point.before("x", move |_| {
        drop(registry.remove(&id("b")));
        Ok(Flow::Proceed)
    });
    host.join(&id("a"), vec![at(word(&point, "early"), 10)]).unwrap();
    host.join(&id("b"), vec![at(removing, 20)]).unwrap();
    host.join(&id("c"), vec![at(word(&point, "late"), 30)]).unwrap();
    host.join(&id("d"), vec![at(word(&point, "later"), 40)]).unwrap();
    assert_eq!(call(&point).await, ["early", "late", "later"]);
    assert_eq!(host.registry().hooks("p").unwrap().len(), 3);
}

pub async fn h33_a_hook_that_is_removed_by_an_earlier_one_is_not_run_in_this_call() {
    let (host, point) = bench();
    let registry = Arc::clone(host.registry());
    let removing = point.before("x", move |_| {
        drop(registry.remove(&id("b")));
        Ok(Flow::Proceed)
    });
    host.join(&id("a"), vec![at(removing, 10)]).unwrap();
    host.join(&id("b"), vec![at(word(&point, "removed"), 20)]).unwrap();
    host.join(&id("c"), vec![at(word(&point, "there"), 30)]).unwrap();
    assert_eq!(call(&point).await, ["there"]);
}

pub async fn h38_a_dropped_call_tells_native_layers_from_the_inside_out() {
    struct Told(&'static str, Arc<Mutex<Vec<String>>>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(format!("{} dropped", self.0));
        }
    }
    let (host, point) = bench();
    let told = Arc::new(Mutex::new(Vec::new()));
    let after = |name: &'static str, on, priority| {
        let told = Arc::clone(&told);
        let hook = point.after(name, move |outcome| {
            let error = outcome.as_ref().err().map(|error| error.to_failure().code().to_owned());
            told.lock().unwrap().push(format!("{name} {}", error.unwrap_or_default()));
            outcome
        });
        at(hook.on(on), priority)
    };
    let noticed = Arc::clone(&told);
    let around = point.around("around", move |input, next| {
        let dropped = Told("around", Arc::clone(&noticed));
        Box::pin(async move {
            let answer = next.call(input).await;
            drop(dropped);
            answer
        })
    });
    let hooks = vec![
        after("outer", On::Always, 10),
        after("error", On::Error, 20),
        at(around, 50),
        after("success", On::Success, 80),
        after("inner", On::Always, 90),
    ];
    host.join(&id("a"), hooks).unwrap();
    let mut pending = Box::pin(point.call(Words::new(), |_| std::future::pending()));
    assert!(futures_util::FutureExt::now_or_never(pending.as_mut()).is_none());
    drop(pending);
    assert_eq!(*told.lock().unwrap(), ["inner cancelled", "around dropped", "outer cancelled"]);
}

pub async fn a_call_ends_at_its_deadline_and_calls_inside_it_inherit_it() {
    let (host, point) = bench();
    let inner: HookPoint<Words, Words> = host.hook_point("inner").unwrap();
    let told = Arc::new(Mutex::new(None));
    let noticed = Arc::clone(&told);
    let after = point.after("x", move |outcome| {
        *noticed.lock().unwrap() = outcome.as_ref().err().map(|error| error.to_failure().code().to_owned());
        outcome
    });
    host.join(&id("a"), vec![after.on(On::Always)]).unwrap();
    let begun = tokio::time::Instant::now();
    let call = point.call_within(Duration::from_secs(3), Words::new(), |words| async {
        // The inner call may take longer than the outer one allows.
        let core = |_| async {
            let left = tapline::core::deadline().unwrap() - tokio::time::Instant::now().into_std();
            assert_eq!(left, Duration::from_secs(3));
            std::future::pending().await
        };
        inner.call_within(Duration::from_secs(9), words, core).await.map_err(|error| error.cause().clone())
    });
    let error = call.await.unwrap_err();
    assert!(
        matches!(error.cause(), CallError::DeadlineExceeded { limit, .. } if *limit == Duration::from_secs(3))
    );
    assert_eq!(begun.elapsed(), Duration::from_secs(3));
    assert_eq!(told.lock().unwrap().as_deref(), Some("cancelled"));
}

pub async fn a_hook_cannot_wait_for_its_own_removal() {
    let (host, point) = bench();
    let answer = Arc::new(Mutex::new(None));
    let script = tapline_pdk::native::<script::Script>();
    host.load(Load::native(tapline::NativePlugin { manifest: manifest("a"), ..script })).await.unwrap();
    let (inner_host, noticed) = (host.clone(), Arc::clone(&answer));
    let removing = point.around("x", move |input, next| {
        let (host, noticed) = (inner_host.clone(), Arc::clone(&noticed));
        Box::pin(async move {
            let unloaded = host.unload("b").await;
            *noticed.lock().unwrap() = Some(unloaded);
            next.call(input).await
        })
    });
    host.join(&id("b"), vec![removing]).unwrap();
    call(&point).await;
    assert_eq!(answer.lock().unwrap().take(), Some(Err(UnloadError::WouldDeadlock("b".into()))));
}

fn manifest(id: &str) -> std::borrow::Cow<'static, str> {
    format!("[plugin]\nid = '{id}'\nversion = '1.0.0'\nhost = '^1'\nruntime = 'native'\n").into()
}

pub async fn calls_of_the_same_point_are_nested_sixteen_deep_and_no_deeper() {
    let (host, point) = bench();
    let inner = point.clone();
    let nested = point.around("x", move |mut words: Words, _| {
        let inner = inner.clone();
        Box::pin(async move {
            words.push("deeper".into());
            inner.call(words, |words| async { Ok(words) }).await
        })
    });
    host.join(&id("a"), vec![nested]).unwrap();
    let error = point.call(Words::new(), |words| async { Ok(words) }).await.unwrap_err();
    let CallError::DepthExceeded { path } = error.cause() else { panic!("{error:?}") };
    assert_eq!(path.iter().filter(|call| *call == "p").count(), 17);
    assert_eq!(path[..3], ["p", "(a)", "p"]);
}

pub async fn the_operator_disables_orders_and_picks() {
    let (host, point) = bench();
    for (name, plugin) in [("a", "a"), ("b", "b"), ("c", "c")] {
        host.join(&id(plugin), vec![word(&point, name)]).unwrap();
    }
    let rules = HookRules {
        disabled: vec!["b".into()],
        order: vec![("c".into(), "a".into())],
        ..HookRules::default()
    };
    host.set_hook_rules(rules).unwrap();
    assert_eq!(call(&point).await, ["c", "a"]);
    let explained = host.explain("p").unwrap().to_string();
    assert_eq!(
        explained,
        "p 1.0.0 (chain, of application)\n  1. c/x (before, priority 50): outermost, at priority 50\n  2. a/x (before, \
         priority 50): the operator puts `c/x` before `a/x`\n  -. b/x (before, priority 50): the operator has disabled \
         it [disabled]"
    );
    host.set_hook_rules(HookRules::default()).unwrap();
    assert_eq!(call(&point).await, ["a", "b", "c"]);
}

pub async fn a_refused_load_leaves_the_hooks_of_another_with_its_name_alone() {
    let (host, point) = bench();
    host.join(&id("guard"), vec![word(&point, "guarded")]).unwrap();
    let script = tapline_pdk::native::<script::Script>();
    let load = Load::native(tapline::NativePlugin { manifest: manifest("guard"), ..script });
    assert!(host.load(load).await.is_err());
    assert_eq!(call(&point).await, ["guarded"]);
}

pub async fn replacements_come_back_when_the_one_that_overrode_them_leaves() {
    let (host, point) = bench();
    let replacing = |name: &'static str, overrides: &[&str]| {
        let hook = point.replace("x", move |_| std::future::ready(Ok(vec![name.to_owned()])));
        hook.declared(|declaration| declaration.overrides = overrides.iter().map(|other| id(other)).collect())
    };
    host.join(&id("a"), vec![replacing("a", &[])]).unwrap();
    host.join(&id("b"), vec![replacing("b", &["a"])]).unwrap();
    host.join(&id("c"), vec![replacing("c", &["b", "a"])]).unwrap();
    assert_eq!(call(&point).await, ["c"]);
    drop(host.registry().remove(&id("c")));
    assert_eq!(call(&point).await, ["b"]);

    // Two that do not know of each other, once the one that overrode both has left: the first in order stays.
    host.join(&id("d"), vec![replacing("d", &["b", "e"])]).unwrap();
    host.join(&id("e"), vec![replacing("e", &[])]).unwrap();
    drop(host.registry().remove(&id("b")));
    drop(host.registry().remove(&id("d")));
    assert_eq!(call(&point).await, ["a"]);
    let state = |place: usize| host.explain("p").unwrap().hooks[place].clone();
    assert_eq!(
        (state(0).why.as_str(), &*state(1).plugin),
        ("innermost: it stands in for the operation", "e")
    );
    host.join(&id("f"), vec![word(&point, "f")]).unwrap();
    assert_eq!(call(&point).await, ["a"]);
}

pub async fn a_panic_of_the_operation_is_no_fault_of_the_hooks_around_it() {
    let (host, point) = bench();
    host.join(&id("a"), vec![point.around("x", |input, next| next.call(input))]).unwrap();
    for _ in 0..9 {
        let error = point.call(Words::new(), |_| async { panic!("the operation") }).await.unwrap_err();
        assert_eq!((error.layer(), error.to_failure().code()), (None, "fault"));
    }
    assert_eq!(call(&point).await, Words::new());
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Job(String);

impl tapline::Payload for Job {
    fn fact(&self, name: &str) -> Option<&str> {
        (name == "type").then_some(&self.0)
    }
}

pub async fn a_quarantined_hook_fails_only_the_calls_that_it_is_for() {
    let host = Host::builder().build();
    let point: HookPoint<Job, String> = host.hook_point("p").unwrap();
    let breaking = point.before("x", |_| panic!("it breaks")).when("type", "llm");
    host.join(&id("a"), vec![breaking]).unwrap();
    let call = async |kind: &str| point.call(Job(kind.into()), |job| async { Ok(job.0) }).await;
    for _ in 0..5 {
        assert_eq!(call("llm").await.unwrap_err().to_failure().code(), "fault");
    }
    assert_eq!(call("llm").await.unwrap_err().to_failure().code(), "quarantined");
    assert_eq!(call("map").await.unwrap(), "map");
}

/// A plugin whose one hook rests in `next`.
fn resting(id: &str) -> Load {
    let steps = tapline::Value::from_iter([("x", tapline::Value::from(vec!["next".into()]))]);
    let config = tapline::Value::from_iter([("hooks", steps)]);
    let hook = "[[hook]]\nname = 'x'\npoint = 'p'\nkind = 'around'\n";
    let manifest = format!("{}{hook}", manifest(id)).into();
    let script = tapline_pdk::native::<script::Script>();
    Load::native(tapline::NativePlugin { manifest, ..script }).config(config)
}

pub async fn a_hook_that_rests_in_next_is_ended_by_a_forced_unload() {
    let host = Host::builder().drain(Duration::from_secs(1)).build();
    let point: HookPoint<Words, Words> = host.hook_point("p").unwrap();
    host.load(resting("a")).await.unwrap();
    let endless = point.call(Words::new(), |_| std::future::pending());
    let (answer, drain) = tokio::join!(endless, host.unload("a"));
    assert_eq!(drain.unwrap(), tapline::Drain::Forced);
    assert_eq!(answer.unwrap_err().to_failure().code(), "target-died");
}

pub async fn a_before_hook_that_is_skipped_has_changed_nothing() {
    let (host, point) = bench();
    let half = point.before("x", |words: &mut Words| {
        words.push("half".into());
        Err(tapline::Failure::new("no", "it fails half way"))
    });
    host.join(&id("a"), vec![half.skip_on_failure()]).unwrap();
    assert_eq!(call(&point).await, Words::new());
}

/// Notes what it is told to do, and does not begin when its manifest says so.
fn lifecycle(name: &str, told: &Arc<Mutex<Vec<String>>>) -> Load {
    static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());
    struct Noting(String);
    impl tapline::core::NativeInstance for Noting {
        fn call(
            self: Arc<Self>,
            operation: tapline::core::Operation,
            _: Arc<tapline::core::CallContext>,
        ) -> BoxFuture<'static, Result<tapline::core::Flow, CallError>> {
            Box::pin(async move {
                TOLD.lock().unwrap().push(format!("{} {operation:?}", self.0));
                if self.0 == "fails" {
                    return Err(tapline::Failure::new("no", "it does not begin").into());
                }
                Ok(tapline::core::Flow::Proceed)
            })
        }
    }
    let init: tapline::core::InitFn = |context| {
        Box::pin(async move {
            let name = context.plugin().to_string();
            Ok(Arc::new(Noting(name)) as Arc<dyn tapline::core::NativeInstance>)
        })
    };
    told.lock().unwrap().clone_from(&TOLD.lock().unwrap());
    Load::native(tapline::NativePlugin { manifest: manifest(name), init })
}

pub async fn a_plugin_that_began_is_stopped_when_a_later_one_does_not_begin() {
    let host = Host::builder().build();
    let told = Arc::default();
    let loads = vec![lifecycle("begins", &told), lifecycle("fails", &told)];
    assert!(host.load_all(loads).await.is_err());
    lifecycle("begins", &told);
    assert_eq!(*told.lock().unwrap(), ["begins Start", "fails Start", "begins Stop"]);
    assert!(!host.registry().has(&id("begins")) && !host.registry().has(&id("fails")));
}

/// Writes words where a number belongs, and passes on whatever `next` answers.
mod misfit {
    use tapline_pdk::prelude::*;

    pub(super) struct Misfit;

    #[plugin(id = "misfit", version = "1.0.0", requires = { context = { write = ["input"] } })]
    impl Misfit {
        #[init]
        fn init() -> Result<Self> {
            Ok(Self)
        }

        #[hook(point = "p", kind = "around")]
        async fn x(&self, context: &Context) -> Result<()> {
            context.write("input", "words")?;
            context.next().await
        }
    }
}

pub async fn an_input_that_does_not_fit_is_the_fault_of_the_hook_that_set_it() {
    let host = Host::builder().build();
    let point: HookPoint<i64, i64> = host.hook_point("p").unwrap();
    let outer = at(point.around("x", |input, next| next.call(input)), 10);
    host.join(&id("outer"), vec![outer]).unwrap();
    host.load(Load::native(tapline_pdk::native::<misfit::Misfit>())).await.unwrap();
    for _ in 0..5 {
        let error = point.call(1, |input| async move { Ok(input) }).await.unwrap_err();
        assert_eq!((&*error.layer().unwrap().plugin, error.to_failure().code()), ("misfit", "fault"));
    }
    let states: Vec<_> = host.explain("p").unwrap().hooks.iter().map(|hook| hook.state).collect();
    assert_eq!(states, [HookState::Active, HookState::Quarantined]);
}

pub async fn an_extension_point_is_wrapped_once() {
    let host = Host::builder().build();
    host.wrap("node", "node.execute").unwrap();
    let error = host.wrap("node", "node.run").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`node` is wrapped by `node.execute`, and cannot be wrapped by `node.run` too"
    );
}

/// A plugin that asks another one, and one that never answers.
mod calling {
    use std::sync::atomic::{AtomicBool, Ordering};

    use tapline_pdk::prelude::*;

    pub(super) struct Asks;

    #[plugin(id = "asks", version = "1.0.0", requires = { call = ["seen/*"], context = { read = ["input"] } })]
    impl Asks {
        #[init]
        fn init() -> Result<Self> {
            Ok(Self)
        }

        #[hook(point = "p", kind = "answer")]
        async fn x(&self, context: &Context) -> Result<Option<Value>> {
            let whom: String = context.read("input")?;
            context.call(&format!("seen/{whom}"), "handle", &()).await.map(Some)
        }
    }

    pub(super) static WAS_ENDED: AtomicBool = AtomicBool::new(false);

    struct Ended;

    impl Drop for Ended {
        fn drop(&mut self) {
            WAS_ENDED.store(true, Ordering::SeqCst);
        }
    }

    pub(super) struct Hangs;

    #[plugin(id = "hangs", version = "1.0.0")]
    impl Hangs {
        #[init]
        fn init() -> Result<Self> {
            Ok(Self)
        }

        #[provides(point = "seen", key = "hangs")]
        async fn hangs(&self, _context: &Context) -> Result<Value> {
            let _ended = Ended;
            std::future::pending().await
        }
    }
}

async fn ask(whom: &str) -> (String, Duration) {
    let host = Host::builder().build();
    let point = host.first_point::<String, tapline::Value>("p").unwrap();
    host.load(Load::native(tapline_pdk::native::<calling::Asks>())).await.unwrap();
    host.load(Load::native(tapline_pdk::native::<calling::Hangs>())).await.unwrap();
    let begun = tokio::time::Instant::now();
    let error = point.call(&whom.to_owned()).await.unwrap_err();
    (error.to_failure().code().to_owned(), begun.elapsed())
}

pub async fn c02_a_call_of_what_nobody_contributes_fails_at_once() {
    assert_eq!(ask("nobody").await, ("no-such-contribution".to_owned(), Duration::ZERO));
}

pub async fn c03_a_call_that_hangs_ends_at_its_deadline_and_ends_what_was_called() {
    assert_eq!(ask("hangs").await, ("deadline-exceeded".to_owned(), Duration::from_secs(5)));
    assert!(calling::WAS_ENDED.load(std::sync::atomic::Ordering::SeqCst));
}

/// A plugin that never comes to the end of its `stop`.
mod lingering {
    use tapline_pdk::prelude::*;

    pub(super) struct Lingers;

    #[plugin(id = "lingers", version = "1.0.0", limits = { wall = "7s" })]
    impl Lingers {
        #[init]
        fn init() -> Result<Self> {
            Ok(Self)
        }

        #[stop]
        async fn stop(&self) -> Result<()> {
            std::future::pending().await
        }
    }
}

pub async fn l07_a_plugin_that_hangs_while_it_stops_is_ended_at_its_wall_time() {
    let host = Host::builder().build();
    host.load(Load::native(tapline_pdk::native::<lingering::Lingers>())).await.unwrap();
    let begun = tokio::time::Instant::now();
    assert_eq!(host.unload("lingers").await.unwrap(), tapline::Drain::Drained);
    assert_eq!(begun.elapsed(), Duration::from_secs(7));
    host.load(Load::native(tapline_pdk::native::<lingering::Lingers>())).await.unwrap();
}

/// A plugin of which one call hangs, and that counts how often it was made and stopped.
mod counted {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tapline_pdk::prelude::*;

    pub(super) static MADE: AtomicUsize = AtomicUsize::new(0);
    pub(super) static STOPPED: AtomicUsize = AtomicUsize::new(0);

    pub(super) struct Counted;

    #[plugin(id = "counted", version = "1.0.0", limits = { wall = "60s" })]
    impl Counted {
        #[init]
        fn init() -> Result<Self> {
            MADE.fetch_add(1, Ordering::SeqCst);
            Ok(Self)
        }

        #[method]
        async fn hang(&self, _context: &Context) -> Result<Value> {
            std::future::pending().await
        }

        #[stop]
        async fn stop(&self) -> Result<()> {
            STOPPED.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }
}

pub async fn an_unload_that_is_forced_stops_the_state_that_was_there() {
    use std::sync::atomic::Ordering;

    let host = Host::builder().build();
    host.load(Load::native(tapline_pdk::native::<counted::Counted>())).await.unwrap();
    let hang = Request::new(METHODS, "counted", "hang", tapline::Value::Null);
    let (_, drain) = tokio::join!(host.request(hang), host.unload("counted"));
    assert_eq!(drain.unwrap(), tapline::Drain::Forced);
    let counts = [&counted::MADE, &counted::STOPPED].map(|count| count.load(Ordering::SeqCst));
    assert_eq!(counts, [1, 1]);
}

pub async fn a_plugin_that_breaks_while_it_is_being_loaded_is_not_loaded() {
    let bench = Bench::new(crate::Native);
    let gate = bench.gate();
    let wait = script::Step::Call("gate".into(), "wait".into());
    let plugin = crate::Scripted::new("a").calls("gate").at("start", [wait]);
    let break_it = async {
        gate.has_come(1).await;
        bench.ask("a", "break").await
    };
    let (loaded, _) = tokio::join!(bench.try_load([plugin.method("break", [script::Step::Break])]), break_it);
    assert_eq!(loaded.unwrap_err().to_string(), "plugin `a` did not start");
    assert!(bench.host.plugins().is_empty());
}

/// A plugin whose state panics when it is dropped.
mod dropping {
    use tapline_pdk::prelude::*;

    pub(super) struct Drops;

    impl Drop for Drops {
        #[expect(clippy::panic, reason = "that is what it is for")]
        fn drop(&mut self) {
            panic!("it breaks when it is dropped");
        }
    }

    #[plugin(id = "drops", version = "1.0.0")]
    impl Drops {
        #[init]
        fn init() -> Result<Self> {
            Ok(Self)
        }

        #[method]
        fn lose(&self, context: &Context) -> Result<()> {
            context.exit_with(Failure::new("lost", "it cannot go on"));
            Ok(())
        }
    }
}

pub async fn a_state_that_panics_when_it_is_dropped_keeps_nobody_from_going_on() {
    let host = Host::builder().build();
    let drops = host.load(Load::native(tapline_pdk::native::<dropping::Drops>())).await.unwrap();
    let lose = Request::new("plugin", "drops", "lose", tapline::Value::Null);
    host.request(lose).await.unwrap();
    while host.state(&drops) != tapline::host::PluginState::Active {
        tokio::task::yield_now().await;
    }
    assert_eq!(host.health(&drops).unwrap().incarnation, 2);
    assert_eq!(host.unload("drops").await.unwrap(), tapline::Drain::Drained);
}

/// A method of the application that loads and unloads plugins.
struct Changes(Host);

impl Handler for Changes {
    fn handle<'a>(
        &'a self,
        method: &'a Arc<str>,
        _: tapline::Value,
        _: Origin,
    ) -> BoxFuture<'a, Result<tapline::Value, CallError>> {
        Box::pin(async move {
            let refused = match &**method {
                "load" => self.0.load_all(Vec::new()).await.unwrap_err().to_string(),
                "boot" => self.0.boot(Vec::new()).await.unwrap_err().to_string(),
                _ => self.0.unload("other").await.unwrap_err().to_string(),
            };
            Err(tapline::Failure::new("refused", refused).into())
        })
    }
}

pub async fn a_plugin_that_begins_or_ends_cannot_have_others_loaded_or_unloaded() {
    let bench = Bench::new(crate::Native);
    let changes = Arc::new(Changes(bench.host.clone()));
    let contribution = Contribution::new(METHODS.into(), "gate".into(), id("gate"), changes);
    bench.host.contribute(&id("gate"), vec![contribution]).unwrap();
    for (method, doing) in [("load", "loaded"), ("boot", "loaded"), ("unload", "unloaded")] {
        let step = script::Step::Call("gate".into(), method.into());
        let refused = bench.try_load([crate::Scripted::new("a").calls("gate").at("start", [step])]).await;
        let cause = std::error::Error::source(&refused.unwrap_err()).unwrap().to_string();
        let told = format!(
            "plugins cannot be {doing} by code that begins or ends a plugin: each would wait for the other"
        );
        assert_eq!(cause, told);
    }
}

pub async fn as_much_time_as_can_be_written_is_as_good_as_no_limit() {
    let limits = tapline::core::Limits { wall: Duration::MAX, ..Default::default() };
    let bench = Bench::with(crate::Native, |host| host.limits(limits));
    let gate = bench.gate();
    let wait = script::Step::CallWithin(u64::MAX, "gate".into(), "wait".into());
    bench.load([crate::Scripted::new("a").calls("gate").method("ask", [wait])]).await;
    let go_on = async {
        gate.has_come(1).await;
        gate.open(1);
    };
    let (answer, ()) = tokio::join!(bench.ask("a", "ask"), go_on);
    assert!(answer.is_ok());
}
