use tapline_core::PluginId;
use tapline_host::{Ask, ResolveError};

use super::Choice;
use super::asks::Necessity;

/// A reason for which a plugin that the pipeline asks for is left out.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// For whom the pipeline asks.
    pub(crate) whom: PluginId,
    pub(crate) necessity: Necessity,
    pub(crate) reason: ResolveError,
}

impl Choice {
    /// All reasons for which something is left out, each once, those of what the pipeline cannot do without first.
    pub(crate) fn refusals(&self) -> Vec<Refusal> {
        let mut all: Vec<_> = self
            .resolution
            .left_out
            .iter()
            .filter_map(|left_out| Some((self.asker(left_out.place)?, &left_out.reasons)))
            .flat_map(|(asker, reasons)| {
                let (whom, necessity) = (&asker.whom, asker.necessity());
                told(reasons).map(move |reason| Refusal { whom: whom.clone(), necessity, reason })
            })
            .collect();
        all.sort_by(|one, other| (one.necessity, &one.whom).cmp(&(other.necessity, &other.whom)));
        let mut told: Vec<Refusal> = Vec::new();
        for refusal in all {
            let is_told = |earlier: &Refusal| {
                earlier.reason == refusal.reason
                    || (earlier.whom == refusal.whom && earlier.necessity < refusal.necessity)
            };
            if !told.iter().any(is_told) {
                told.push(refusal);
            }
        }
        told
    }

    /// A text about the chosen, in which the askers are the pipeline.
    pub(crate) fn in_words(&self, text: &str) -> String {
        self.askers.iter().fold(text.to_owned(), |text, asker| {
            let name = asker.manifest.id().as_str();
            if !text.contains(name) {
                return text;
            }
            let (plugin, quoted) = (format!("plugin `{name}`"), format!("`{name}`"));
            [&*plugin, &*quoted, name].iter().fold(text, |text, form| text.replace(form, "the pipeline"))
        })
    }

    /// What can be done about a reason, and where.
    pub(crate) fn way_out(&self, reason: &ResolveError) -> Option<String> {
        let ResolveError::NoVersion { id, asks, .. } = reason else { return reason.hint() };
        if !self.is_asking(asks) {
            return reason.hint();
        }
        let others = asks.iter().filter_map(|ask| match ask {
            Ask::Plugin { plugin, .. } if !self.is_asker(plugin) => Some(format!("`{plugin}`")),
            _ => None,
        });
        let others = others.collect::<Vec<_>>().join(" or ");
        Some(format!(
            "add a version of `{id}` that all of them accept, or change its `version` under `plugins`, or `depends_on` of {others}"
        ))
    }

    /// Whether the pipeline is among those who ask.
    pub(crate) fn is_asking(&self, asks: &[Ask]) -> bool {
        asks.iter().any(|ask| matches!(ask, Ask::Plugin { plugin, .. } if self.is_asker(plugin)))
    }

    fn is_asker(&self, id: &PluginId) -> bool {
        self.askers.iter().any(|asker| asker.manifest.id() == id)
    }
}

/// The reasons, without what they say of the asker alone: that the pipeline needs what it asks for is no news.
fn told(reasons: &[ResolveError]) -> impl Iterator<Item = ResolveError> {
    let is_alone = reasons.len() == 1;
    reasons.iter().filter_map(move |reason| match reason {
        ResolveError::Blocked { path, .. } => match path.get(1..) {
            Some([plugin, rest @ ..]) if !rest.is_empty() || is_alone => {
                Some(ResolveError::Blocked { plugin: plugin.clone(), path: path[1..].to_vec() })
            }
            _ => None,
        },
        reason => Some(reason.clone()),
    })
}
