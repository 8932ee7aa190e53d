use serde_json::{Value, json};
use tapline::Host;
use tapline::host::PluginInfo;

use crate::summary::milliseconds;

/// What a plugin has cost in a run, and what of it was cut off by its limits.
pub(crate) fn cost(host: &Host, plugin: &PluginInfo) -> Value {
    let mut cost = json!({
        "calls": plugin.stats.calls(), "errors": plugin.stats.errors(),
        "milliseconds": milliseconds(plugin.stats.own_time()),
        "dropped_lines": plugin.usage.dropped_lines(), "refused_events": plugin.usage.refused_events(),
    });
    // Of a native plugin nobody knows more.
    if let Some(figures) = host.figures(plugin.manifest.id()) {
        cost["computed_milliseconds"] = milliseconds(figures.computed).into();
        cost["memory"] = figures.memory.0.into();
        cost["most_memory"] = figures.most_memory.0.into();
        cost["taken"] = figures.taken.0.into();
        cost["left"] = figures.left.0.into();
    }
    cost
}
