use futures_util::FutureExt as _;

use super::*;
use crate::call_error::CallError;
use crate::driver::manual::Manual;
use crate::hook::Hook;
use crate::hook::Step;
use crate::manifest::{HookDeclaration, HookKind, Priority};
use crate::plugin::BoxFuture;
use crate::value::Value;

fn id(name: &str) -> PluginId {
    PluginId::new(name).unwrap()
}

/// `plugin/hook priority`, and what else is asked for: `<selector` to stand before, `>selector` to stand after.
fn registration(point: &HookPoint<String, String>, text: &str) -> Registration {
    let mut words = text.split(' ');
    let (plugin, name) = words.next().unwrap().split_once('/').unwrap();
    let priority = Priority::new(words.next().unwrap().parse().unwrap()).unwrap();
    let hook = point.before(name, |_| Ok(Step::Proceed)).priority(priority);
    let mut registration = Registration::new(id(plugin));
    let hook = words.fold(hook, |hook, word| match word.split_at(1) {
        ("<", selector) => hook.before(selector),
        (">", selector) => hook.after(selector),
        ("#", tag) => hook.declared(|declaration| declaration.tags.push(tag.into())),
        ("?", wanted) => {
            registration.may_depend_on.push(id(wanted));
            hook
        }
        (_, needed) => {
            registration.depends_on.push(id(needed));
            hook
        }
    });
    registration.hook(hook)
}

fn order(texts: &[&str]) -> Result<Vec<String>, RegisterError> {
    let registry = Registry::new(Manual::new());
    let point = registry.hook_point("p", "test").unwrap();
    registry.register(texts.iter().map(|text| registration(&point, text)).collect())?;
    let hooks = registry.hooks("p").unwrap().into_iter();
    Ok(hooks.map(|hook| format!("{}/{}", hook.name.plugin, hook.name.hook)).collect())
}

#[track_caller]
fn check(texts: &[&str], expected: &[&str]) {
    assert_eq!(order(texts).unwrap(), expected);
    let reversed: Vec<_> = texts.iter().copied().rev().collect();
    assert_eq!(order(&reversed).unwrap(), expected, "in whatever order they are registered");
}

#[test]
fn hooks_stand_by_priority_then_dependencies_then_names() {
    check(&["a/x 60", "b/x 40"], &["b/x", "a/x"]);
    check(&["b/x 50", "a/x 50"], &["a/x", "b/x"]);
    check(&["a/x 50 @b", "b/x 50"], &["b/x", "a/x"]);
    check(&["a/x 40 @b", "b/x 50"], &["a/x", "b/x"]);
}

#[test]
fn what_a_plugin_can_do_without_orders_unless_that_closes_a_circle() {
    check(&["a/x 50 ?b", "b/x 50"], &["b/x", "a/x"]);
    check(&["a/x 50 ?b", "b/x 50 @a"], &["a/x", "b/x"]);
    check(&["a/x 50 ?b", "b/x 50 ?a"], &["b/x", "a/x"]);
    let registry = Registry::new(Manual::new());
    let point = registry.hook_point("p", "test").unwrap();
    registry.register(vec![registration(&point, "a/x 50 ?b"), registration(&point, "b/x 50")]).unwrap();
    let explained = format!("{:?}", registry.explain("p").unwrap());
    assert!(explained.contains("at the same priority, `a` depends on `b`"), "{explained}");
}

#[test]
fn constraints_beat_priorities_and_selectors_without_a_match_mean_nothing() {
    check(&["a/x 10 >b", "b/x 90"], &["b/x", "a/x"]);
    check(&["a/x 10", "b/x 90 <a/x"], &["b/x", "a/x"]);
    check(&["a/x 10 >#guard", "b/x 90 #guard"], &["b/x", "a/x"]);
    check(&["a/x 10 >nobody >b/y >#none", "b/x 90"], &["a/x", "b/x"]);
}

#[test]
fn a_tag_does_not_name_the_hook_that_carries_it() {
    check(&["a/x 10 >#guard #guard", "b/x 90 #guard"], &["b/x", "a/x"]);
}

#[test]
fn a_cycle_is_printed_and_changes_nothing() {
    let registry = Registry::new(Manual::new());
    let point = registry.hook_point("p", "test").unwrap();
    registry.register(vec![registration(&point, "a/x 50 <b"), registration(&point, "c/x 50")]).unwrap();
    let generation = registry.generation();
    let error = registry.register(vec![registration(&point, "d/x 50"), registration(&point, "b/y 50 <a/x")]);
    assert_eq!(
        error.unwrap_err().to_string(),
        "no order satisfies the hooks of `p`: a/x before b/y before a/x"
    );
    assert_eq!(registry.generation(), generation);
    assert_eq!(registry.hooks("p").unwrap().len(), 2);
    let error = order(&["a/x 50 @b", "b/x 50 @a"]).unwrap_err();
    assert_eq!(error.to_string(), "no order satisfies the dependencies of the plugins: a before b before a");
}

struct Silent;

impl Handler for Silent {
    fn handle<'a>(
        &'a self,
        _: &'a Arc<str>,
        request: Value,
        _: crate::stream::Origin,
    ) -> BoxFuture<'a, Result<Value, CallError>> {
        Box::pin(std::future::ready(Ok(request)))
    }
}

fn contribution(plugin: &str) -> Registration {
    let mut registration = Registration::new(id(plugin));
    let (point, key) = ("nodes".into(), "map".into());
    registration.contributions.push(Contribution::new(point, key, id(plugin), Arc::new(Silent)));
    registration
}

#[test]
fn contributions_are_found_by_point_and_by_the_plugin_that_makes_them() {
    let registry = Registry::new(Manual::new());
    registry.register(vec![contribution("a"), Registration::new(id("b"))]).unwrap();
    let names =
        |found: Vec<Arc<Contribution>>| found.iter().map(|one| one.name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(registry.contributions("nodes")), ["nodes/map"]);
    assert_eq!(names(registry.contributions_of(&id("a"))), ["nodes/map"]);
    assert!(registry.contributions_of(&id("b")).is_empty());
}

#[test]
fn what_does_not_fit_is_refused_whole() {
    let registry = Registry::new(Manual::new());
    let point: HookPoint<String, String> = registry.hook_point("p", "test").unwrap();
    let other: HookPoint<bool, bool> = registry.hook_point("q", "test").unwrap();
    let replace = |plugin: &str| {
        Registration::new(id(plugin)).hook(point.replace("instead", |input| std::future::ready(Ok(input))))
    };
    let mut misplaced = other.before("x", |_| Ok(Step::Proceed));
    misplaced.declaration.point = "p".into();
    let refused = [
        (
            vec![replace("a"), replace("b")],
            "`a` and `b` both replace the core operation of `p`; one has to say that it overrides the other",
        ),
        (vec![contribution("a"), contribution("b")], "`map` at `nodes` is contributed by both `a` and `b`"),
        (vec![Registration::new(id("a")), Registration::new(id("a"))], "plugin `a` is registered already"),
        (
            vec![Registration::new(id("a")).hook(misplaced)],
            "hook `x` of plugin `a` does not fit `p`: it was made for other types",
        ),
    ];
    for (registrations, expected) in refused {
        let generation = registry.generation();
        let fits = registration(&point, "fits/x 50");
        let all = [fits].into_iter().chain(registrations).collect();
        assert_eq!(registry.register(all).unwrap_err().to_string(), expected);
        assert_eq!((registry.generation(), registry.hooks("p").unwrap().len()), (generation, 0));
        assert!(registry.contributions("nodes").is_empty());
    }
}

#[test]
fn a_point_is_declared_once_and_takes_the_hooks_that_waited_for_it() {
    let registry = Registry::new(Manual::new());
    let _other: HookPoint<bool, bool> = registry.hook_point("q", "first").unwrap();
    let declaration = HookDeclaration::new("p", "x", HookKind::Before);
    let typed = Hook { declaration, body: registry_hook_body() };
    registry.register(vec![Registration::new(id("a")).hook(typed)]).unwrap();
    assert_eq!(registry.pending(), [(id("a"), "x".into(), "p".into())]);
    let error = registry.hook_point::<bool, bool>("p", "second").unwrap_err();
    assert_eq!(error.to_string(), "hook `x` of plugin `a` does not fit `p`: it was made for other types");
    let _point: HookPoint<String, String> = registry.hook_point("p", "second").unwrap();
    assert!(registry.pending().is_empty());
    let error = registry.hook_point::<bool, bool>("q", "second").unwrap_err();
    assert_eq!(error.to_string(), "hook point `q` of `second` was declared by `first` before");
}

fn registry_hook_body() -> crate::hook::HookBody {
    let elsewhere: HookPoint<String, String> =
        Registry::new(Manual::new()).hook_point("p", "elsewhere").unwrap();
    elsewhere.before("x", |_| Ok(Step::Proceed)).body
}

#[test]
fn a_removed_plugin_is_drained_when_the_last_call_has_left_it() {
    let registry = Registry::new(Manual::new());
    let point: HookPoint<String, String> = registry.hook_point("p", "test").unwrap();
    let hook = |point: &HookPoint<String, String>| {
        point.around("x", |input, next| Box::pin(async move { Ok(next.call(input).await? + " around") }))
    };
    registry.register(vec![Registration::new(id("a")).hook(hook(&point))]).unwrap();
    let (release, released) = futures_util::future::abortable(std::future::pending::<()>());
    let release = (release, released);
    let mut call = Box::pin(point.call(String::new(), |input| async move {
        let _ = release.0.await;
        Ok(input + "core")
    }));
    assert!(call.as_mut().now_or_never().is_none());
    let gate = registry.remove(&id("a")).unwrap();
    assert_eq!(gate.inside(), 1);
    assert!(gate.drained().now_or_never().is_none());
    let later = point.call(String::new(), |input| async { Ok(input + "core") });
    assert_eq!(later.now_or_never().unwrap().unwrap(), "core");
    registry.register(vec![Registration::new(id("a")).hook(hook(&point))]).unwrap();
    release.1.abort();
    assert_eq!(call.now_or_never().unwrap().unwrap(), "core around");
    assert!(gate.drained().now_or_never().is_some());
    assert!(registry.remove(&id("b")).is_none());
}

#[test]
fn a_gate_lets_nobody_in_once_it_is_closed() {
    let gate = Arc::new(Gate::default());
    let pass = gate.enter().unwrap();
    gate.close();
    assert!(gate.enter().is_none());
    let mut drained = Box::pin(gate.drained());
    assert!(drained.as_mut().now_or_never().is_none());
    drop(pass);
    assert!(drained.now_or_never().is_some());
}

/// A plugin whose hook says its version.
fn saying(point: &HookPoint<Vec<i64>, Vec<i64>>, version: i64) -> Registration {
    let hook = point.around("say", move |mut input, next| {
        input.push(version);
        next.call(input)
    });
    Registration::new(id("a")).hook(hook)
}

#[test]
fn a_call_that_began_before_a_replacement_still_enters_what_was_replaced() {
    let registry = Registry::new(Manual::new());
    let point = registry.hook_point::<Vec<i64>, Vec<i64>>("p", "test").unwrap();
    let go_on = Arc::new(event_listener::Event::<()>::new());
    let outer = {
        let go_on = Arc::clone(&go_on);
        point.around("outer", move |input, next| {
            let listening = go_on.listen();
            Box::pin(async move {
                listening.await;
                next.call(input).await
            })
        })
    };
    let outer = outer.priority(Priority::new(10).unwrap());
    registry.register(vec![Registration::new(id("outer")).hook(outer), saying(&point, 1)]).unwrap();
    let call = || Box::pin(point.call(Vec::new(), |input| async move { Ok(input) }));
    let mut before = call();
    assert!(before.as_mut().now_or_never().is_none());

    let removal = registry.replace(saying(&point, 2)).unwrap();
    assert!(removal.drained().now_or_never().is_none(), "a call can still come");
    let mut after = call();
    assert!(after.as_mut().now_or_never().is_none());
    go_on.notify(usize::MAX);
    assert_eq!(before.now_or_never().unwrap().unwrap(), [1]);
    assert_eq!(after.now_or_never().unwrap().unwrap(), [2]);
    assert!(removal.drained().now_or_never().is_some());
    assert_eq!(removal.inside(), 0);
}

#[test]
fn a_replacement_that_does_not_fit_changes_nothing() {
    let registry = Registry::new(Manual::new());
    let point = registry.hook_point::<Vec<i64>, Vec<i64>>("p", "test").unwrap();
    registry.register(vec![saying(&point, 1), contribution("b")]).unwrap();
    let generation = registry.generation();
    let taken = Registration { contributions: contribution("a").contributions, ..saying(&point, 2) };
    let error = registry.replace(taken).unwrap_err();
    assert_eq!(error.to_string(), "`map` at `nodes` is contributed by both `a` and `b`");
    let error = registry.replace(Registration::new(id("x"))).unwrap_err();
    assert_eq!(error.to_string(), "plugin `x` is not registered");
    assert_eq!(registry.generation(), generation);
}
