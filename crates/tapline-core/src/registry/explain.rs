//! Why the hooks of a point stand where they stand: told from the same placing that made the chain.

use std::sync::Arc;
use std::time::Duration;

use super::staging::{Candidate, Edge, EdgeBy, Newcomers, Placed, candidates, load_order, place};
use super::{HookRules, Point, Registration};
use crate::hook::{ExplainedHook, Explanation, HookState, Watch};

pub(super) fn explain(
    point: &Point,
    registrations: &[Arc<Registration>],
    rules: &HookRules,
    watch: &Arc<Watch>,
) -> Option<Explanation> {
    // What is registered has been placed before, so it can be placed again.
    let loaded = load_order(registrations).ok()?;
    let placed = place(point, &loaded, rules, &Newcomers::None).ok()?;
    let mut hooks = Vec::new();
    for (position, candidate) in placed.active.iter().enumerate() {
        let why = match position.checked_sub(1) {
            _ if candidate.is_replacement() => "innermost: it stands in for the operation".into(),
            None => format!("outermost, at priority {}", candidate.hook().declaration.priority),
            Some(before) => why(&placed, &placed.active[before], candidate),
        };
        hooks.push(explained(candidate, Some(position + 1), why, HookState::Active, watch));
    }
    for shadowed in &placed.shadowed {
        let why = "another replace hook has taken its place".into();
        hooks.push(explained(shadowed, None, why, HookState::Shadowed, watch));
    }
    for disabled in &placed.disabled {
        hooks.push(explained(
            disabled,
            None,
            "the operator has disabled it".into(),
            HookState::Disabled,
            watch,
        ));
    }
    let (id, info) = (Arc::clone(&point.info.id), (*point.info).clone());
    Some(Explanation { id, point: Some(info), hooks, unmatched: unmatched(&placed) })
}

/// The hooks that wait for a point that nobody has declared; `None` when there are none.
pub(super) fn pending(
    id: &str,
    registrations: &[Arc<Registration>],
    watch: &Arc<Watch>,
) -> Option<Explanation> {
    let waiting: Vec<_> = candidates(&load_order(registrations).ok()?)
        .filter(|candidate| *candidate.hook().declaration.point == *id)
        .map(|candidate| {
            explained(&candidate, None, "nobody has declared its point".into(), HookState::Pending, watch)
        })
        .collect();
    (!waiting.is_empty()).then(|| Explanation {
        id: id.into(),
        point: None,
        hooks: waiting,
        unmatched: Vec::new(),
    })
}

fn explained(
    candidate: &Candidate<'_>,
    position: Option<usize>,
    why: String,
    state: HookState,
    watch: &Arc<Watch>,
) -> ExplainedHook {
    let layer = candidate.placed(watch).layer;
    let is_quarantined = state == HookState::Active && layer.quarantine.is_closed();
    let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    ExplainedHook {
        position,
        plugin: layer.name.plugin,
        hook: layer.name.hook,
        kind: layer.name.kind,
        priority: candidate.hook().declaration.priority,
        why,
        state: if is_quarantined { HookState::Quarantined } else { state },
        calls: layer.stats.calls(),
        errors: layer.stats.errors(),
        p50: layer.stats.percentile(50.0).map(nanoseconds),
        p99: layer.stats.percentile(99.0).map(nanoseconds),
    }
}

/// Why a hook stands after the one before it.
fn why(placed: &Placed<'_>, before: &Candidate<'_>, candidate: &Candidate<'_>) -> String {
    let held = placed.edges.iter().filter(|edge| edge.later.is(candidate));
    if let Some(edge) = held.clone().find(|edge| edge.earlier.is(before)) {
        return said(edge);
    }
    let (earlier, later) = (before.sort_key(), candidate.sort_key());
    if earlier < later {
        return by_key(before, candidate);
    }
    // It would have stood further out, and was held back by the last of those that it has to stand after.
    let place = |edge: &&Edge<'_>| placed.active.iter().position(|active| active.is(&edge.earlier));
    held.max_by_key(place).map_or_else(|| by_key(before, candidate), said)
}

fn said(edge: &Edge<'_>) -> String {
    let (earlier, later) = (edge.earlier.label(), edge.later.label());
    match edge.by {
        EdgeBy::Before(selector) => format!("`{earlier}` stands before `{selector}`"),
        EdgeBy::After(selector) => format!("`{later}` stands after `{selector}`"),
        EdgeBy::Operator => format!("the operator puts `{earlier}` before `{later}`"),
    }
}

fn by_key(before: &Candidate<'_>, candidate: &Candidate<'_>) -> String {
    let (earlier, later) = (&before.hook().declaration, &candidate.hook().declaration);
    if earlier.priority != later.priority {
        return format!("priority {} comes after {}", later.priority, earlier.priority);
    }
    let (one, other) = (&before.registration.plugin, &candidate.registration.plugin);
    if one == other {
        return format!("its plugin declares it after `{}`", earlier.name);
    }
    let Registration { depends_on, may_depend_on, .. } = candidate.registration;
    if depends_on.contains(one) || may_depend_on.contains(one) {
        return format!("at the same priority, `{other}` depends on `{one}`");
    }
    format!("at the same priority, `{other}` is loaded after `{one}`")
}

fn unmatched(placed: &Placed<'_>) -> Vec<String> {
    let mut unmatched = Vec::new();
    for candidate in &placed.active {
        let declaration = &candidate.hook().declaration;
        let selectors = declaration.before.iter().map(|selector| ("before", selector));
        let selectors = selectors.chain(declaration.after.iter().map(|selector| ("after", selector)));
        for (word, selector) in selectors {
            let others = placed.active.iter().filter(|other| !other.is(candidate));
            if others.into_iter().all(|other| !other.is_named_by(selector)) {
                unmatched.push(format!("{} {word} {selector}", candidate.label()));
            }
        }
    }
    unmatched
}
