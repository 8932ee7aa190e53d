use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;

use super::{Boundary, Hook, HookError, HookPoint, LayerName, Outcome, Step};
use crate::call::Call;
use crate::call_error::CallError;
use crate::context::{CallContext, Level, Services};
use crate::driver::manual::Manual;
use crate::failure::{Failure, Fault};
use crate::grants::{ContextGrants, Grants};
use crate::id::PluginId;
use crate::manifest::{HookDeclaration, HookKind, On, OnFailure};
use crate::path::PathSet;
use crate::payload::Payload;
use crate::plugin::{BoxFuture, Flow};
use crate::registry::{Registration, Registry};
use crate::topic::Event;
use crate::value::{Object, Value};

/// A point from text to text, whose core adds ` core`.
struct Bench {
    registry: Arc<Registry>,
    point: HookPoint<String, String>,
}

fn id(name: &str) -> PluginId {
    PluginId::new(name).unwrap()
}

impl Bench {
    fn new() -> Self {
        let registry = Registry::new(Manual::new());
        let point = registry.hook_point("p", "test").unwrap();
        Self { registry, point }
    }

    fn with(hooks: impl IntoIterator<Item = (&'static str, fn(&HookPoint<String, String>) -> Hook)>) -> Self {
        let bench = Self::new();
        let hooks =
            hooks.into_iter().map(|(plugin, hook)| Registration::new(id(plugin)).hook(hook(&bench.point)));
        bench.registry.register(hooks.collect()).unwrap();
        bench
    }

    fn call(&self) -> Outcome<String> {
        self.call_around(|input| Ok(input + " core"))
    }

    fn call_around(&self, core: impl FnOnce(String) -> Result<String, Failure> + Send) -> Outcome<String> {
        self.point
            .call("in".to_owned(), |input| std::future::ready(core(input).map_err(CallError::from)))
            .now_or_never()
            .unwrap()
    }
}

type Point = HookPoint<String, String>;
type MakeHook = fn(&Point) -> Hook;

fn before(point: &Point) -> Hook {
    point.before("before", |input| {
        input.push_str(" before");
        Ok(Step::Proceed)
    })
}

fn after(point: &Point) -> Hook {
    let hook = point.after("after", |outcome| match outcome {
        Ok(output) => Ok(output + " after"),
        Err(error) => Ok(format!("recovered from {}", error.to_failure().code())),
    });
    hook.on(On::Always)
}

fn around(point: &Point) -> Hook {
    point.around("around", |input, next| Box::pin(async move { Ok(next.call(input + " >").await? + " <") }))
}

fn replace(point: &Point) -> Hook {
    point.replace("replace", |input| std::future::ready(Ok(input + " instead")))
}

fn fails(point: &Point) -> Hook {
    point.before("fails", |_| Err(Failure::new("no", "it says no")))
}

fn core_fails(_: String) -> Result<String, Failure> {
    Err(Failure::new("broken", "the core is broken").with_details(Value::from(7_i64)))
}

#[track_caller]
fn check(bench: &Bench, expected: &str) {
    assert_eq!(bench.call().unwrap(), expected);
}

#[test]
fn each_kind_stands_where_its_plugin_stands() {
    check(&Bench::new(), "in core");
    check(&Bench::with([("a", before as MakeHook)]), "in before core");
    check(&Bench::with([("a", after as MakeHook), ("b", around), ("c", before)]), "in > before core < after");
    check(&Bench::with([("a", around as MakeHook), ("b", after), ("c", before)]), "in > before core after <");
    check(&Bench::with([("a", replace as MakeHook), ("b", around), ("c", after)]), "in > instead after <");
}

#[test]
fn a_before_hook_that_finishes_the_call_is_the_innermost() {
    fn finishes(point: &Point) -> Hook {
        point.before("finishes", |_| Ok(Step::Finish("short".into())))
    }
    let bench = Bench::with([("a", after as MakeHook), ("b", finishes), ("c", after), ("d", around)]);
    assert_eq!(bench.call_around(|_| unreachable!("the core is entered")).unwrap(), "short after");
}

#[test]
fn an_around_hook_may_do_without_next() {
    fn cached(point: &Point) -> Hook {
        point.around("cached", |_, _| Box::pin(async { Ok("cached".to_owned()) }))
    }
    let bench = Bench::with([("a", around as MakeHook), ("b", cached)]);
    assert_eq!(bench.call_around(|_| unreachable!("the core is entered")).unwrap(), "cached <");
}

#[test]
fn an_error_of_the_core_belongs_to_nobody_who_passes_it_on() {
    let passes = |point: &Point| point.after("passes", |outcome| outcome).on(On::Always);
    let bench = Bench::with([("a", around as MakeHook), ("b", passes), ("c", around)]);
    let error = bench.call_around(core_fails).unwrap_err();
    assert_eq!(error.layer(), None);
    assert_eq!(error.to_string(), "the core is broken");
    assert_eq!((error.to_failure().code(), error.to_failure().details()), ("broken", &Value::from(7_i64)));
}

#[test]
fn an_after_hook_recovers_from_an_error_further_in() {
    let bench = Bench::with([("a", around as MakeHook), ("b", after), ("c", fails)]);
    assert_eq!(bench.call().unwrap(), "recovered from no <");
}

fn name(plugin: &str, hook: &str, kind: HookKind) -> LayerName {
    LayerName { point: "p".into(), plugin: plugin.into(), hook: hook.into(), kind }
}

#[test]
fn an_error_names_the_hook_in_which_it_arose_once() {
    let bench = Bench::with([("a", around as MakeHook), ("b", fails)]);
    let error = bench.call().unwrap_err();
    assert_eq!(error.layer(), Some(&name("b", "fails", HookKind::Before)));
    assert_eq!(error.to_string(), "before hook `fails` of plugin `b` at `p`");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "it says no");
}

/// Hooks that panic, each at another moment.
fn panicking() -> Vec<(HookKind, MakeHook)> {
    vec![
        (HookKind::Before, |point| point.before("x", |_| panic!("boom"))),
        (HookKind::After, |point| point.after("x", |_| panic!("boom")).on(On::Always)),
        (HookKind::Around, |point| point.around("x", |_, _| panic!("boom"))),
        (HookKind::Around, |point| point.around("x", |_, _| Box::pin(async { panic!("boom") }))),
        (HookKind::Around, |point| {
            point.around("x", |input, next| {
                Box::pin(async move {
                    next.call(input).await?;
                    panic!("boom")
                })
            })
        }),
        (HookKind::Replace, |point| {
            point.replace("x", |input: String| -> std::future::Ready<_> {
                assert!(input.is_empty(), "boom");
                std::future::ready(Ok(input))
            })
        }),
        (HookKind::Replace, |point| point.replace("x", |_| async { panic!("boom") })),
    ]
}

#[test]
fn a_panic_is_an_error_of_that_layer_alone() {
    for (kind, hook) in panicking() {
        let error = Bench::with([("a", around as MakeHook), ("b", hook)]).call().unwrap_err();
        assert_eq!(error.layer(), Some(&name("b", "x", kind)));
        assert!(
            matches!(error.cause(), CallError::Fault(Fault::Panic { message }) if message == "boom"),
            "{error:?}"
        );
    }
}

#[test]
fn a_hook_that_may_be_skipped_is_as_if_it_were_not_there() {
    for (kind, hook) in panicking() {
        let bench = Bench::new();
        let registration = Registration::new(id("a")).hook(hook(&bench.point).skip_on_failure());
        bench.registry.register(vec![registration]).unwrap();
        assert_eq!(bench.call().unwrap(), "in core", "{kind}");
        let error = bench.call_around(core_fails).unwrap_err();
        assert_eq!((error.layer(), error.to_failure().code()), (None, "broken"), "{kind}");
    }
}

#[test]
fn what_breaks_while_an_error_is_unwound_stands_beside_it() {
    fn breaks_after_next(point: &Point) -> Hook {
        point.around("x", |input, next| {
            Box::pin(async move {
                let _ = next.call(input).await;
                panic!("boom")
            })
        })
    }
    for hook in [breaks_after_next as MakeHook, |point| point.after("x", |_| panic!("boom")).on(On::Always)] {
        let error =
            Bench::with([("a", around as MakeHook), ("b", hook)]).call_around(core_fails).unwrap_err();
        assert_eq!((error.layer(), error.to_failure().code()), (None, "broken"));
        let [later] = error.suppressed() else { panic!("{error:?}") };
        assert_eq!(later.layer().unwrap().plugin.as_ref(), "b");
    }
}

#[test]
fn a_hook_is_entered_only_for_the_calls_that_it_asked_for() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Job(String);
    impl Payload for Job {
        fn fact(&self, name: &str) -> Option<&str> {
            (name == "type").then_some(&self.0)
        }
    }
    let registry = Registry::new(Manual::new());
    let point: HookPoint<Job, String> = registry.hook_point("p", "test").unwrap();
    let hook = point.after("after", |outcome| Ok(outcome? + "!")).when("type", "llm");
    registry.register(vec![Registration::new(id("a")).hook(hook)]).unwrap();
    for (kind, expected) in [("llm", "llm!"), ("map", "map")] {
        let answer = point.call(Job(kind.into()), |job: Job| async { Ok(job.0) });
        assert_eq!(answer.now_or_never().unwrap().unwrap(), expected);
    }
}

/// A hook behind a boundary that is there.
struct Scripted {
    seen: Mutex<Vec<Option<Value>>>,
    run: fn(Arc<CallContext>) -> BoxFuture<'static, Result<Flow, CallError>>,
}

struct Nothing;

impl Services for Nothing {
    fn audit(&self, _: &crate::audit::Act<'_>) {}

    fn log(&self, _: &PluginId, _: Level, _: &str) {}

    fn publish(&self, _: &Event) -> Result<usize, Failure> {
        Ok(0)
    }

    fn call(&self, call: Call, _: Option<Duration>) -> BoxFuture<'static, Result<Value, CallError>> {
        let error = CallError::NoSuchPlugin { plugin: call.target.to_string() };
        Box::pin(std::future::ready(Err(error)))
    }

    fn cast(&self, call: Call) -> Result<(), CallError> {
        Err(CallError::NoSuchPlugin { plugin: call.target.to_string() })
    }

    fn time(&self) -> Duration {
        Duration::ZERO
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

impl Boundary for Scripted {
    fn context(&self, root: Object) -> Arc<CallContext> {
        self.seen.lock().unwrap().push(root.get("output").cloned());
        let paths = PathSet::new(["input", "output"]).unwrap();
        let grants =
            Grants { context: ContextGrants { read: paths.clone(), write: paths }, ..Grants::default() };
        Arc::new(CallContext::new(id("b"), Arc::new(grants), Arc::new(Nothing), root))
    }

    fn enter<'a>(&'a self, context: &'a Arc<CallContext>) -> BoxFuture<'a, Result<Flow, CallError>> {
        (self.run)(Arc::clone(context))
    }
}

#[track_caller]
fn cross(
    kind: HookKind,
    on_failure: OnFailure,
    core: fn(String) -> Result<String, Failure>,
    run: fn(Arc<CallContext>) -> BoxFuture<'static, Result<Flow, CallError>>,
) -> Outcome<String> {
    let bench = Bench::new();
    let declaration = HookDeclaration { on_failure, ..HookDeclaration::new("p", "x", kind) };
    let hook = Hook::boundary(declaration, Arc::new(Scripted { seen: Mutex::default(), run }));
    bench.registry.register(vec![Registration::new(id("b")).hook(hook)]).unwrap();
    bench.call_around(core)
}

fn core_works(input: String) -> Result<String, Failure> {
    Ok(input + " core")
}

#[test]
fn a_boundary_that_breaks_is_skipped_or_named_whatever_its_kind() {
    let kinds = [HookKind::Before, HookKind::After, HookKind::Around, HookKind::Replace];
    for kind in kinds {
        let breaks = |_| -> BoxFuture<'static, _> {
            Box::pin(async { Err(Fault::Trap { message: "boom".into() }.into()) })
        };
        assert_eq!(cross(kind, OnFailure::Skip, core_works, breaks).unwrap(), "in core", "{kind}");
        let error = cross(kind, OnFailure::Fail, core_works, breaks).unwrap_err();
        assert_eq!(error.layer(), Some(&name("b", "x", kind)));
    }
}

#[test]
fn an_answer_against_the_contract_counts_as_a_failure_of_the_hook() {
    let wrong_type = |context: Arc<CallContext>| -> BoxFuture<'static, _> {
        Box::pin(async move {
            context.set("output", Value::from(17_i64))?;
            Ok(Flow::Finish)
        })
    };
    for kind in [HookKind::Before, HookKind::After, HookKind::Around, HookKind::Replace] {
        let error = cross(kind, OnFailure::Fail, core_works, wrong_type).unwrap_err();
        assert!(matches!(error.cause(), CallError::Fault(Fault::Contract { .. })), "{kind} {error:?}");
        assert_eq!(error.layer(), Some(&name("b", "x", kind)));
        assert_eq!(cross(kind, OnFailure::Skip, core_works, wrong_type).unwrap(), "in core", "{kind}");
    }
}

#[test]
fn a_boundary_that_breaks_after_an_inner_error_does_not_hide_it() {
    let error = cross(HookKind::Around, OnFailure::Fail, core_fails, |context| {
        Box::pin(async move {
            let _ = context.next().await;
            Err(Fault::Trap { message: "boom".into() }.into())
        })
    })
    .unwrap_err();
    assert_eq!((error.layer(), error.to_failure().code()), (None, "broken"));
    assert!(matches!(error.suppressed(), [HookError { .. }]));
}

#[test]
fn a_boundary_may_answer_for_an_inner_error_in_its_own_words() {
    let error = cross(HookKind::Around, OnFailure::Fail, core_fails, |context| {
        Box::pin(async move {
            let inner = context.next().await.unwrap_err();
            Err(Failure::new("mine", format!("sorry: {inner}")).into())
        })
    })
    .unwrap_err();
    assert_eq!(error.layer(), Some(&name("b", "x", HookKind::Around)));
    assert_eq!(error.to_failure().message(), "sorry: the core is broken");
}

#[test]
fn a_next_that_was_dropped_before_it_began_has_not_been_called() {
    let output = cross(HookKind::Around, OnFailure::Fail, core_works, |context| {
        Box::pin(async move {
            let mut dropped = Box::pin(context.next());
            assert!(dropped.as_mut().now_or_never().is_none());
            drop(dropped);
            context.next().await?;
            Ok(Flow::Proceed)
        })
    });
    assert_eq!(output.unwrap(), "in core");
}

#[test]
fn a_next_among_other_futures_is_woken_by_its_answer() {
    let output = cross(HookKind::Around, OnFailure::Fail, core_works, |context| {
        Box::pin(async move {
            // It polls only those of its futures that were woken.
            let mut waiting = futures_util::stream::FuturesUnordered::from_iter([context.next()]);
            futures_util::StreamExt::next(&mut waiting).await.unwrap()?;
            Ok(Flow::Proceed)
        })
    });
    assert_eq!(output.unwrap(), "in core");
}

#[test]
fn next_is_for_around_hooks_and_for_one_call() {
    let error = cross(HookKind::Before, OnFailure::Fail, core_works, |context| {
        Box::pin(async move {
            context.next().await?;
            Ok(Flow::Proceed)
        })
    });
    assert_eq!(error.unwrap_err().to_failure().code(), "no-next");
    let error = cross(HookKind::Around, OnFailure::Fail, core_works, |context| {
        Box::pin(async move {
            context.next().await?;
            context.next().await?;
            Ok(Flow::Proceed)
        })
    });
    assert_eq!(error.unwrap_err().to_failure().code(), "already-called");
}

#[test]
fn the_future_of_a_call_is_small_enough_to_be_moved() {
    let bench = Bench::new();
    let call = bench.point.call(String::new(), |input| async { Ok(input) });
    let chain = bench.point.0.current().unwrap();
    let mut core = crate::hook::chain::Many(|input| async { Ok::<String, CallError>(input) });
    let run = chain.run(0, String::new(), &mut core, None);
    let (call, run) = (size_of_val(&call), size_of_val(&run));
    assert!(call <= 128 && run <= 1024, "{call} and {run} bytes");
}
