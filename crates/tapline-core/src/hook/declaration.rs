use std::fmt;
use std::sync::Arc;

use semver::Version;
use serde::Serialize;

use crate::manifest::{HookKind, OnFailure};
use crate::value::Value;

/// What the owner of a hook point says of it; [`PointInfo`] is what is known of it afterwards.
///
/// A name alone is enough: `host.hook_point("greet")`.
#[derive(Debug, Clone)]
pub struct PointDeclaration {
    pub(crate) id: Arc<str>,
    pub(crate) version: Version,
    pub(crate) kinds: Option<Vec<HookKind>>,
    pub(crate) skips: bool,
    pub(crate) repeats: bool,
    pub(crate) context: Vec<(Arc<str>, Value)>,
}

/// How the hooks of a point work together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Around a core operation: kinds before, after, around and replace.
    Chain,
    /// A value goes through all hooks; each may put another one in its place.
    Filter,
    /// The first answer wins.
    First,
    /// All answers, in order.
    Collect,
    /// All are told, and nothing comes back.
    Notify,
}

/// What is known of a hook point without its types.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PointInfo {
    /// Its dotted name.
    pub id: Arc<str>,
    /// Its version, which a hook may ask for by a range.
    pub version: Version,
    /// Who declared it.
    pub owner: Arc<str>,
    /// How its hooks work together.
    pub mode: Mode,
    /// The kinds of hooks that it takes.
    pub kinds: Vec<HookKind>,
    /// Whether a hook may say that its failure is skipped.
    pub skips: bool,
    /// Whether an around hook may call `next` more than once.
    pub repeats: bool,
    /// The JSON Schema of its context, by the names at which it begins: what plugins can be granted.
    pub context: Vec<(Arc<str>, Value)>,
}

impl PointDeclaration {
    /// A point of version 1.0.0 that takes every kind of its mode and leaves failure policies to its hooks.
    #[must_use]
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        let version = Version::new(1, 0, 0);
        Self { id: id.into(), version, kinds: None, skips: true, repeats: false, context: Vec::new() }
    }

    /// Says which version of the point this is; a hook that asks for another one is refused.
    #[must_use]
    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Takes hooks of these kinds alone.
    #[must_use]
    pub fn kinds(mut self, kinds: impl Into<Vec<HookKind>>) -> Self {
        self.kinds = Some(kinds.into());
        self
    }

    /// Refuses hooks that would be skipped when they fail: for points where a guard must not disappear.
    #[must_use]
    pub const fn without_skipping(mut self) -> Self {
        self.skips = false;
        self
    }

    /// Lets around hooks that say `repeats` call `next` more than once: for retries.
    #[must_use]
    pub const fn repeating(mut self) -> Self {
        self.repeats = true;
        self
    }

    /// Names a further place at which the context of its calls begins, and its JSON Schema.
    #[must_use]
    pub fn context(mut self, name: &str, schema: Value) -> Self {
        self.context.push((name.into(), schema));
        self
    }

    pub(crate) fn into_info(self, owner: &str, mode: Mode, input: Value, output: Value) -> PointInfo {
        let Self { id, version, kinds, skips, repeats, context: further } = self;
        let kinds = kinds.unwrap_or_else(|| mode.kinds().to_vec());
        let error = Value::Bool(true);
        let mut context = vec![("input".into(), input), ("output".into(), output), ("error".into(), error)];
        context.extend(further);
        PointInfo { id, version, owner: owner.into(), mode, kinds, skips, repeats, context }
    }
}

impl From<&str> for PointDeclaration {
    fn from(id: &str) -> Self {
        Self::new(id)
    }
}

impl Mode {
    /// The kinds of hooks that make sense at points of this mode.
    #[must_use]
    pub const fn kinds(self) -> &'static [HookKind] {
        match self {
            Self::Chain => &[HookKind::Before, HookKind::After, HookKind::Around, HookKind::Replace],
            Self::Filter | Self::First | Self::Collect | Self::Notify => &[HookKind::Answer],
        }
    }
}

impl PointInfo {
    /// Whether a hook may do this when it fails.
    #[must_use]
    pub fn allows(&self, on_failure: OnFailure) -> bool {
        self.skips || on_failure == OnFailure::Fail
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Chain => "chain",
            Self::Filter => "filter",
            Self::First => "first",
            Self::Collect => "collect",
            Self::Notify => "notify",
        })
    }
}
