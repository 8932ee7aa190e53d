use std::time::Duration;

use tapline::pipeline::{Budget, OnError, Rules, Step};

/// The rules of a step, each in a few words.
pub(super) fn rules(step: &Step) -> Vec<String> {
    let when = step.when.as_ref().map(|when| format!("when {}", one_line(when.source())));
    let map = step.map.as_ref().map(|map| match map.parallel {
        1 => "map".to_owned(),
        parallel => format!("map parallel {parallel}"),
    });
    let repeat = step
        .repeat
        .as_ref()
        .map(|repeat| format!("while {}, at most {} times", one_line(repeat.condition.source()), repeat.max));
    let around = [when, map, repeat].into_iter().flatten();
    around.chain(of_each_time(&step.rules)).chain(on_error(&step.on_error)).collect()
}

fn of_each_time(rules: &Rules) -> impl Iterator<Item = String> {
    let said = |name: &'static str| move |duration| format!("{name} {}", time(duration));
    let once = [
        rules.retry.map(|retry| format!("retry {}", retry.max)),
        rules.timeout.run.map(said("timeout")),
        rules.timeout.idle.map(said("idle timeout")),
        rules.cache.map(said("cache")),
        rules.rate_limit.as_ref().map(|limit| format!("rate limit {} in {}", limit.calls, time(limit.per))),
        rules.output_schema.as_ref().map(|_| "output schema".to_owned()),
    ];
    let validators = rules.validate.iter().map(|used| format!("validate {}", used.validator));
    let budget = amounts(&rules.budget).map(|amount| format!("budget {amount}"));
    once.into_iter().flatten().chain(validators).chain(budget)
}

fn on_error(on_error: &OnError) -> Option<String> {
    match on_error {
        OnError::Fail => None,
        OnError::Continue => Some("on error continue".to_owned()),
        OnError::Skip => Some("on error skip".to_owned()),
        OnError::Fallback(_) => Some("on error fallback".to_owned()),
        OnError::DeadLetter(file) => Some(format!("on error to {}", file.display())),
    }
}

/// What may be used up.
pub(super) fn amounts(budget: &Budget) -> impl Iterator<Item = String> {
    let tokens = budget.tokens.map(|tokens| format!("tokens {tokens}"));
    tokens.into_iter().chain(budget.cost.map(|cost| format!("cost {cost}")))
}

pub(super) fn time(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}

fn one_line(expression: &str) -> String {
    expression.split_whitespace().collect::<Vec<_>>().join(" ")
}
