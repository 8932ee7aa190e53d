use std::sync::Arc;

use semver::{Version, VersionReq};

use crate::hook::Mode;
use crate::id::PluginId;
use crate::manifest::HookKind;

/// Why a registration was refused; nothing of it has been published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// The id is taken.
    #[error("plugin `{plugin}` is registered already")]
    Duplicate {
        /// The plugin.
        plugin: PluginId,
    },
    /// There is nothing that could be replaced.
    #[error("plugin `{plugin}` is not registered")]
    NotRegistered {
        /// The plugin.
        plugin: PluginId,
    },
    /// A point was declared before.
    #[error("hook point `{point}` of `{second}` was declared by `{first}` before")]
    PointTaken {
        /// The point.
        point: Arc<str>,
        /// Who declared it.
        first: Arc<str>,
        /// Who declares it again.
        second: Arc<str>,
    },
    /// There is a hook point around the requests to an extension point.
    #[error("`{extension_point}` is wrapped by `{first}`, and cannot be wrapped by `{second}` too")]
    WrappedTwice {
        /// The extension point.
        extension_point: Arc<str>,
        /// The hook point around it.
        first: Arc<str>,
        /// The hook point that was to be around it.
        second: Arc<str>,
    },
    /// A contribution was made before.
    #[error("`{key}` at `{point}` is contributed by both `{first}` and `{second}`")]
    ContributionTaken {
        /// The extension point.
        point: Arc<str>,
        /// The key.
        key: Arc<str>,
        /// Who contributes it.
        first: PluginId,
        /// Who contributes it, too.
        second: PluginId,
    },
    /// Two hooks want to stand in for the same core operation.
    #[error(
        "`{first}` and `{second}` both replace the core operation of `{point}`; one has to say that it overrides the other"
    )]
    TwoReplacements {
        /// The point.
        point: Arc<str>,
        /// Who replaces it.
        first: PluginId,
        /// Who replaces it, too.
        second: PluginId,
    },
    /// A hook does not fit its point.
    #[error("hook `{hook}` of plugin `{plugin}` does not fit `{point}`: {misfit}")]
    Misfit {
        /// The point.
        point: Arc<str>,
        /// The plugin.
        plugin: PluginId,
        /// The hook.
        hook: Arc<str>,
        /// What does not fit.
        misfit: Misfit,
    },
    /// The constraints of the hooks of a point, or the dependencies of plugins, contradict each other.
    #[error("no order satisfies {subject}: {}", cycles.join("; "))]
    Cycle {
        /// What cannot be ordered.
        subject: String,
        /// Each cycle with its reasons.
        cycles: Vec<String>,
    },
}

/// What of a hook does not fit its point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misfit {
    /// A native hook was made for other types.
    #[error("it was made for other types")]
    Types,
    /// The point does not take the kind.
    #[error("a point of mode {mode} takes {}, and it is of kind {kind}", taken.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Kind {
        /// The point's mode.
        mode: Mode,
        /// The kinds that the point takes.
        taken: Vec<HookKind>,
        /// The hook's kind.
        kind: HookKind,
    },
    /// The point has another version.
    #[error("it was written for version {wanted}, and the point has {found}")]
    Version {
        /// The versions that would do.
        wanted: VersionReq,
        /// The point's version.
        found: Version,
    },
    /// Calls would go on without it, and the point does not allow that.
    #[error("no hook of this point may be skipped when it fails")]
    Skips,
    /// It would call `next` more than once, and the point does not allow that.
    #[error("the point is not repeating, and the hook calls `next` more than once")]
    Repeats,
    /// It declares what makes no sense for its kind.
    #[error("{0}")]
    Declaration(String),
    /// Its plugin may reach a place that none of its points has.
    #[error("the plugin reaches for `{path}`; {reason}")]
    Path {
        /// The path.
        path: String,
        /// Why nothing is there.
        reason: String,
    },
}
