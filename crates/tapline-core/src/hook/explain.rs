use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::hook::declaration::PointInfo;
use crate::hook::error::LayerName;
use crate::hook::stats::LayerStats;
use crate::manifest::Priority;

/// One hook in its place.
#[derive(Debug, Clone)]
pub struct HookInfo {
    /// Point, plugin, hook and kind.
    pub name: LayerName,
    /// Its priority.
    pub priority: Priority,
    /// What it has cost so far.
    pub stats: Arc<LayerStats>,
}

/// Why the hooks of a point stand where they stand, and how they fare.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The point's dotted name.
    pub id: Arc<str>,
    /// What is known of the point; `None` when nobody has declared it and hooks wait for it.
    pub point: Option<PointInfo>,
    /// Its hooks: those that are entered in calling order, then the others.
    pub hooks: Vec<ExplainedHook>,
    /// Selectors that match nothing, as `plugin/hook before selector`.
    pub unmatched: Vec<String>,
}

/// One hook of an [`Explanation`].
#[derive(Debug, Clone, Serialize)]
pub struct ExplainedHook {
    /// Its place in the chain from the outside, counted from 1; `None` when it has none, as its state says.
    pub position: Option<usize>,
    /// The plugin.
    pub plugin: Arc<str>,
    /// The hook.
    pub hook: Arc<str>,
    /// What it does.
    pub kind: crate::manifest::HookKind,
    /// Its priority.
    pub priority: Priority,
    /// Why it stands after the one before it, or is not entered.
    pub why: String,
    /// Whether it is entered.
    pub state: HookState,
    /// How many calls have left it.
    pub calls: u64,
    /// How many of them with an error of its own.
    pub errors: u64,
    /// The time of its own that half of the calls did not exceed, in nanoseconds.
    pub p50: Option<u64>,
    /// The time of its own that 99 of a hundred calls did not exceed, in nanoseconds.
    pub p99: Option<u64>,
}

/// Whether a hook is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HookState {
    /// It is entered.
    Active,
    /// Another replace hook has taken its place.
    Shadowed,
    /// Nobody has declared its point.
    Pending,
    /// It broke too often.
    Quarantined,
    /// The operator has disabled it.
    Disabled,
}

impl fmt::Display for HookState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Active => "active",
            Self::Shadowed => "shadowed",
            Self::Pending => "pending",
            Self::Quarantined => "quarantined",
            Self::Disabled => "disabled",
        })
    }
}

/// One line for the point, and one for each hook.
impl fmt::Display for Explanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.headline())?;
        for hook in &self.hooks {
            let place = hook.position.map_or_else(|| "-".to_owned(), |position| position.to_string());
            let ExplainedHook { plugin, hook: name, kind, priority, why, state, .. } = hook;
            write!(formatter, "\n{place:>3}. {plugin}/{name} ({kind}, priority {priority}): {why}")?;
            if *state != HookState::Active {
                write!(formatter, " [{state}]")?;
            }
        }
        for selector in &self.unmatched {
            write!(formatter, "\n     {selector}: matches nothing")?;
        }
        Ok(())
    }
}

impl Explanation {
    /// The point in a line.
    #[must_use]
    pub fn headline(&self) -> String {
        match &self.point {
            Some(PointInfo { id, version, owner, mode, .. }) => {
                format!("{id} {version} ({mode}, of {owner})")
            }
            None => format!("{} (declared by nobody)", self.id),
        }
    }
}
