//! However threads interleave, a hook that was removed and drained is not run, and no call sees half a change.
//!
//! `cargo test -p tapline-core --features shuttle --test interleavings`

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Instant;

use shuttle::future::block_on;
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::sync::atomic::{AtomicBool, Ordering};
use shuttle::{Config, Runner, thread};
use tapline_core::{BoxFuture, Driver, Hook, HookPoint, PluginId, Registration, Registry, Step};

struct Timeless;

impl Driver for Timeless {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, _: Instant) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }

    fn spawn(&self, _: BoxFuture<'static, ()>) {}
}

type Point = HookPoint<Vec<i64>, Vec<i64>>;

fn bench() -> (Arc<Registry>, Point) {
    let registry = Registry::new(Arc::new(Timeless));
    let point = registry.hook_point("p", "test").unwrap();
    (registry, point)
}

fn plugin(name: &str, hooks: Vec<Hook>) -> Registration {
    hooks.into_iter().fold(Registration::new(PluginId::new(name).unwrap()), Registration::hook)
}

fn call(point: &Point) -> Vec<i64> {
    block_on(point.call(Vec::new(), |input| async { Ok(input) })).unwrap()
}

/// Hooks of every kind, none of which may run once its plugin is drained.
fn watched(point: &Point, is_drained: &Arc<AtomicBool>) -> Vec<Hook> {
    let check = |is_drained: &Arc<AtomicBool>| {
        let is_drained = Arc::clone(is_drained);
        move || assert!(!is_drained.load(Ordering::SeqCst), "a hook ran after its plugin was drained")
    };
    let (before, after, around) = (check(is_drained), check(is_drained), check(is_drained));
    let before = point.before("before", move |_| {
        before();
        Ok(Step::Proceed)
    });
    let around = point.around("around", move |input, next| {
        around();
        next.call(input)
    });
    let after = point.after("after", move |outcome| {
        after();
        outcome
    });
    vec![before, around, after]
}

/// Tries many schedules: random ones, and such as find bugs that need few switches at the right places.
fn check(test: fn()) {
    let mut config = Config::new();
    config.stack_size = 1 << 20;
    config.silence_warnings = true;
    Runner::new(RandomScheduler::new(3_000), config.clone()).run(test);
    Runner::new(PctScheduler::new(3, 3_000), config).run(test);
}

#[test]
fn no_hook_runs_after_its_plugin_was_drained() {
    check(|| {
        let (registry, point) = bench();
        let is_drained = Arc::new(AtomicBool::new(false));
        registry.register(vec![plugin("a", watched(&point, &is_drained))]).unwrap();
        let callers = [point.clone(), point.clone()].map(|point| thread::spawn(move || drop(call(&point))));
        let registrar = {
            let (registry, point) = (Arc::clone(&registry), point.clone());
            thread::spawn(move || {
                let hook = point.before("x", |_| Ok(Step::Proceed));
                registry.register(vec![plugin("b", vec![hook])]).unwrap();
            })
        };
        let removal = registry.remove(&PluginId::new("a").unwrap()).unwrap();
        block_on(removal.drained());
        is_drained.store(true, Ordering::SeqCst);
        for thread in callers.into_iter().chain([registrar]) {
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_call_sees_all_that_was_registered_together_or_nothing_of_it() {
    check(|| {
        let (registry, point) = bench();
        let adding = |number: i64| {
            point.around("x", move |mut input: Vec<i64>, next| {
                input.push(number);
                next.call(input)
            })
        };
        let plugins = vec![plugin("a", vec![adding(1)]), plugin("b", vec![adding(2)])];
        let caller = {
            let point = point.clone();
            thread::spawn(move || call(&point))
        };
        registry.register(plugins).unwrap();
        let seen = caller.join().unwrap();
        assert!(seen.is_empty() || seen == [1, 2], "{seen:?}");
        assert_eq!(call(&point), [1, 2]);
    });
}

#[test]
fn no_call_skips_a_hook_that_is_replaced_and_no_replaced_hook_runs_after_it_was_drained() {
    check(|| {
        let (registry, point) = bench();
        let is_drained = Arc::new(AtomicBool::new(false));
        let saying = |point: &Point, number: i64, is_drained: &Arc<AtomicBool>| {
            let mut hooks = watched(point, is_drained);
            hooks.push(point.before("say", move |input| {
                input.push(number);
                Ok(Step::Proceed)
            }));
            plugin("a", hooks)
        };
        registry.register(vec![saying(&point, 1, &is_drained)]).unwrap();
        let callers = [point.clone(), point.clone()].map(|point| thread::spawn(move || call(&point)));
        let never = Arc::new(AtomicBool::new(false));
        let removal = registry.replace(saying(&point, 2, &never)).unwrap();
        assert_eq!(call(&point), [2]);
        block_on(removal.drained());
        is_drained.store(true, Ordering::SeqCst);
        for thread in callers {
            let seen = thread.join().unwrap();
            assert!(seen == [1] || seen == [2], "{seen:?}");
        }
    });
}
