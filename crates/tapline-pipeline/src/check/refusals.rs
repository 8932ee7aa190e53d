use std::ops::Range;

use tapline_core::PluginId;
use tapline_host::{Ask, ResolveError};

use super::plugins::Plugins;
use crate::choice::{Necessity, Refusal};
use crate::diagnostic::{Code, Diagnostic, Severity};

impl Plugins<'_> {
    /// Why a plugin that the pipeline asks for is left out, where the file asks for it.
    pub(super) fn refusal(&self, refusal: &Refusal) -> Diagnostic {
        let range = self.place(refusal).unwrap_or(0..0);
        let (message, hint) = self.worded(&refusal.reason);
        let severity = match refusal.necessity {
            Necessity::Required => Severity::Error,
            Necessity::Optional => Severity::Warning,
        };
        Diagnostic::error(self.draft.source(), Code::MissingDependency, &range, message)
            .maybe_hint(hint)
            .severity(severity)
    }

    /// The entry of who says what stands in the way, or of the one that is left out, or else its first node.
    fn place(&self, refusal: &Refusal) -> Option<Range<usize>> {
        let whom = &refusal.whom;
        let (first, key, last): (&PluginId, _, Vec<&PluginId>) = match &refusal.reason {
            ResolveError::Missing { plugin, needed, .. }
            | ResolveError::WrongVersion { plugin, needed, .. } => (plugin, None, vec![needed]),
            ResolveError::NoVersion { id, asks, .. } if self.choice.is_asking(asks) => {
                (id, Some("version"), asking(asks))
            }
            ResolveError::NoVersion { asks, .. } => (whom, None, asking(asks)),
            ResolveError::Conflict { plugin, other, .. } => (whom, None, vec![plugin, other]),
            _ => (whom, None, Vec::new()),
        };
        let callers = std::iter::successors(Some(whom), |id| self.choice.caller(id));
        let callers: Vec<_> = callers.collect();
        let entry = |id: &&PluginId| self.entry(id.as_str(), None);
        let named = self.entry(first.as_str(), key).or_else(|| callers.iter().find_map(entry));
        let named = named.or_else(|| last.iter().find_map(entry));
        named.or_else(|| callers.iter().find_map(|id| self.first_use(id.as_str())))
    }

    fn worded(&self, reason: &ResolveError) -> (String, Option<String>) {
        match reason {
            ResolveError::Missing { plugin, needed, .. } => (
                format!("plugin `{plugin}` needs plugin `{needed}`, which does not take part"),
                Some(self.missing_hint(plugin.as_str(), needed.as_str())),
            ),
            ResolveError::WrongVersion { plugin, needed, wanted, found } if found.len() == 1 => (
                format!("plugin `{plugin}` needs plugin `{needed}` in `{wanted}`, and {} is here", found[0]),
                Some(format!("use a version of `{needed}` that both accept")),
            ),
            ResolveError::NoProvider { plugin, capability, wanted, offered } if offered.is_empty() => (
                format!(
                    "plugin `{plugin}` needs capability {capability} in `{wanted}`, which no plugin that takes part offers"
                ),
                Some("name a plugin that offers it under `plugins`, with its `path`".to_owned()),
            ),
            reason => (self.choice.in_words(&reason.to_string()), self.choice.way_out(reason)),
        }
    }

    fn missing_hint(&self, name: &str, wanted: &str) -> String {
        match self.draft.plugins.get(wanted) {
            _ if self.is_blocked(wanted) => {
                format!("the operator has blocked `{wanted}`; disable `{name}` too")
            }
            Some(entry) if entry.enabled => format!("see what is wrong with `{wanted}`"),
            Some(_) => format!("enable `{wanted}`, or disable `{name}` too"),
            None => format!(
                "name `{wanted}` under `plugins`, with its `path`; `tapline plugin install` fetches packages"
            ),
        }
    }
}

/// The plugins that ask.
fn asking(asks: &[Ask]) -> Vec<&PluginId> {
    let plugins = asks.iter().filter_map(|ask| match ask {
        Ask::Plugin { plugin, .. } => Some(plugin),
        Ask::Application(_) => None,
    });
    plugins.collect()
}
