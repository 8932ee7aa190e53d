use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::call_error::CallError;
use crate::failure::{Failure, Fault};
use crate::hook::Layer;
use crate::manifest::HookKind;

/// Why a hook call gave no output: the first error, where it arose, and what went wrong while it was unwound.
#[derive(Clone)]
pub struct HookError(Box<Inner>);

#[derive(Clone)]
struct Inner {
    origin: Origin,
    cause: CallError,
    suppressed: Vec<HookError>,
}

/// Where an error arose.
#[derive(Debug, Clone)]
enum Origin {
    /// Nobody has said yet.
    Unknown,
    Core,
    Layer(LayerName),
}

/// The place of a hook: point, plugin, hook and kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerName {
    /// The hook point.
    pub point: Arc<str>,
    /// The plugin that joined in there.
    pub plugin: Arc<str>,
    /// The hook's name.
    pub hook: Arc<str>,
    /// What it does.
    pub kind: HookKind,
}

impl HookError {
    /// The hook in which the error arose; `None` when it arose in the core operation.
    #[must_use]
    pub fn layer(&self) -> Option<&LayerName> {
        match &self.0.origin {
            Origin::Layer(layer) => Some(layer),
            Origin::Unknown | Origin::Core => None,
        }
    }

    /// What the hook or the core operation answered.
    #[must_use]
    pub fn cause(&self) -> &CallError {
        &self.0.cause
    }

    /// What went wrong afterwards, while outer layers were told of this error.
    #[must_use]
    pub fn suppressed(&self) -> &[Self] {
        &self.0.suppressed
    }

    /// The error in the form that is handed to a plugin.
    #[must_use]
    pub fn to_failure(&self) -> Failure {
        self.0.cause.to_failure()
    }

    /// Names the layer in which the error arose, unless it came from further in and was passed on. A fault counts
    /// against the layer.
    pub(crate) fn arisen_in(mut self, layer: &Layer) -> Self {
        if self.is_unplaced() {
            self.0.origin = Origin::Layer(layer.name.clone());
            if self.0.cause.is_fault() {
                layer.fault();
            }
        }
        self
    }

    /// Whether nobody has said yet where it arose.
    pub(crate) fn is_unplaced(&self) -> bool {
        matches!(self.0.origin, Origin::Unknown)
    }

    /// An error of the operation that hooks surround: no hook that passes it on will be named for it.
    #[must_use]
    pub fn arisen_in_core(cause: CallError) -> Self {
        let mut error = Self::from(cause);
        error.0.origin = Origin::Core;
        error
    }

    pub(crate) fn suppress(mut self, later: Self) -> Self {
        self.0.suppressed.push(later);
        self
    }
}

impl<E: Into<CallError>> From<E> for HookError {
    fn from(cause: E) -> Self {
        Self(Box::new(Inner { origin: Origin::Unknown, cause: cause.into(), suppressed: Vec::new() }))
    }
}

impl From<HookError> for Failure {
    fn from(error: HookError) -> Self {
        error.to_failure()
    }
}

/// Names the layer; the cause is the source. An error of the core operation speaks for itself.
impl fmt::Display for HookError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layer() {
            Some(layer) => fmt::Display::fmt(layer, formatter),
            None => fmt::Display::fmt(&self.0.cause, formatter),
        }
    }
}

impl fmt::Display for LayerName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { point, plugin, hook, kind } = self;
        write!(formatter, "{kind} hook `{hook}` of plugin `{plugin}` at `{point}`")
    }
}

impl fmt::Debug for HookError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("HookError");
        debug.field("origin", &self.0.origin).field("cause", &self.0.cause);
        debug.field("suppressed", &self.0.suppressed).finish()
    }
}

impl Error for HookError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self.layer() {
            Some(_) => Some(&self.0.cause),
            None => self.0.cause.source(),
        }
    }
}

/// A contract fault, for an answer that is not what its hook point takes.
pub(crate) fn contract(message: impl fmt::Display) -> HookError {
    Fault::Contract { message: message.to_string() }.into()
}
