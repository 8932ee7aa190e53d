//! Spans that plugins tell of their own work, each when it has ended.
//!
//! Nothing is kept of them here: a span that never ends is never told. What a plugin says places its spans among those
//! of the one call that it is answering, and nowhere else; whose they are is what the host says.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::trace::{SpanContext, SpanId};
use tapline_pdk::prelude::*;
use tapline_pdk::roles::Usage;

/// A span of a plugin's own work.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Told {
    /// Tells it from the others of the same call.
    id: String,
    /// The one that it is part of, by its id; the node or the request around the call when it is absent.
    #[serde(default)]
    parent: Option<String>,
    /// What has been done.
    pub(crate) name: String,
    /// In milliseconds since the beginning of 1970.
    begun: f64,
    /// In milliseconds since the beginning of 1970.
    ended: f64,
    /// What it was, if it is one of the conventions: `chat`, `execute_tool`, …
    #[serde(default)]
    pub(crate) operation: Option<String>,
    /// Who makes the model.
    #[serde(default)]
    pub(crate) provider: Option<String>,
    /// The model that was asked for.
    #[serde(default)]
    pub(crate) model: Option<String>,
    /// The model that answered.
    #[serde(default)]
    pub(crate) response_model: Option<String>,
    #[serde(default)]
    pub(crate) finish_reason: Option<String>,
    #[serde(default)]
    pub(crate) usage: Option<Usage>,
    /// Content: what was given.
    #[serde(default)]
    pub(crate) input: Option<Value>,
    /// Content: what came of it.
    #[serde(default)]
    pub(crate) output: Option<Value>,
    #[serde(default)]
    pub(crate) error: Option<ToldError>,
    /// What else is to be known, and is no content.
    #[serde(default)]
    pub(crate) attributes: BTreeMap<String, Value>,
}

/// Why it failed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToldError {
    pub(crate) code: String,
    /// Content.
    #[serde(default)]
    pub(crate) message: String,
}

/// What is wanted of a caller, so that it can spare itself what is not.
#[derive(Debug, Serialize)]
pub(crate) struct Wanted {
    /// Spans inside of the call that it is answering.
    pub(crate) spans: bool,
    /// What was given and answered, too.
    pub(crate) content: bool,
}

impl Told {
    /// When it began and ended.
    ///
    /// # Errors
    /// When it ended before it began, or one of the two is no time.
    pub(crate) fn times(&self) -> Result<(SystemTime, SystemTime)> {
        let time = |milliseconds: f64| {
            let microseconds = (milliseconds >= 0.0).then(|| (milliseconds * 1e3).round() as u64)?;
            SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(microseconds))
        };
        let times = time(self.begun).zip(time(self.ended)).filter(|(begun, ended)| begun <= ended);
        times.ok_or_else(|| {
            let message =
                "`begun` and `ended` are milliseconds since the beginning of 1970, one after the other";
            Failure::new("invalid-request", message)
        })
    }

    /// Its id, which nobody but this plugin can have inside of what is around the call.
    pub(crate) fn span_id(&self, around: &SpanContext, plugin: &str) -> SpanId {
        span_id(around, plugin, &self.id)
    }

    /// The id of what it is part of.
    pub(crate) fn parent_id(&self, around: &SpanContext, plugin: &str) -> SpanId {
        let parent = self.parent.as_deref();
        parent.map_or_else(|| around.span_id(), |parent| span_id(around, plugin, parent))
    }
}

fn span_id(around: &SpanContext, plugin: &str, id: &str) -> SpanId {
    let mut hasher = DefaultHasher::new();
    (around.trace_id().to_bytes(), around.span_id().to_bytes(), plugin, id).hash(&mut hasher);
    // Zero is no id.
    SpanId::from(hasher.finish().max(1))
}

/// How many spans may be told in a second, all plugins together: fewer than there are places for spans that wait, so that
/// no plugin can take those of nodes and requests.
#[derive(Debug)]
pub(crate) struct Pace {
    second: Instant,
    told: u32,
}

/// So many spans.
const A_SECOND: u32 = 4096;

impl Default for Pace {
    fn default() -> Self {
        Self { second: Instant::now(), told: 0 }
    }
}

impl Pace {
    /// Whether one more is within it.
    pub(crate) fn takes(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.second) >= Duration::from_secs(1) {
            *self = Self { second: now, told: 0 };
        }
        self.told = self.told.saturating_add(1);
        self.told <= A_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_without_end_are_taken_at_a_bounded_pace() {
        let mut pace = Pace::default();
        let begin = pace.second;
        let taken = |pace: &mut Pace, now| (0..3 * A_SECOND).filter(|_| pace.takes(now)).count();
        assert_eq!(taken(&mut pace, begin), A_SECOND as usize);
        assert_eq!(taken(&mut pace, begin + Duration::from_millis(999)), 0);
        assert_eq!(taken(&mut pace, begin + Duration::from_secs(1)), A_SECOND as usize);
    }
}
