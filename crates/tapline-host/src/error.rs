use tapline_core::{CallError, ConfiguredHostError, Denied, LoadError, PluginId, RegisterError, RuntimeKind};

use crate::loader::ManifestError;
use crate::resolver::ResolveError;

/// Why plugins were not loaded; none of those asked for together has been.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// A package cannot be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The plugins do not fit together.
    #[error("{}", joined(.0))]
    Resolve(Vec<ResolveError>),
    /// A plugin asks for more than the policy allows.
    #[error("{}", joined(.0))]
    Denied(Vec<Denied>),
    /// A plugin asks for a host or a secret that its configuration should name.
    #[error("plugin `{plugin}` is not configured as it has to be")]
    ConfiguredHost {
        /// The plugin.
        plugin: PluginId,
        /// What is wrong with the configuration.
        source: ConfiguredHostError,
    },
    /// The host was built without a runtime of this kind.
    #[error("plugin `{plugin}` is of kind {kind}, and this host has no runtime for it")]
    NoRuntime {
        /// The plugin.
        plugin: PluginId,
        /// Its kind.
        kind: RuntimeKind,
    },
    /// The plugin's artifact was refused.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The plugin refused to start, or broke.
    #[error("plugin `{plugin}` did not start")]
    Start {
        /// The plugin.
        plugin: PluginId,
        /// What it answered.
        source: CallError,
    },
    /// The caller runs inside of the beginning or the end of a plugin, which the load would wait for.
    #[error("plugins cannot be loaded by code that begins or ends a plugin: each would wait for the other")]
    WouldDeadlock,
    /// The application has blocked the plugin, and cannot have it loaded again.
    #[error("plugin `{plugin}` is blocked by the application")]
    Blocked {
        /// The plugin.
        plugin: PluginId,
    },
    /// Somebody unloaded the plugin while it was being loaded.
    #[error("plugin `{plugin}` was unloaded while it was being loaded")]
    Unloaded {
        /// The plugin.
        plugin: PluginId,
    },
    /// What the plugin brings does not fit.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The plugin joins a hook point, or contributes to an extension point, that nobody has declared.
    #[error("{}", .0.join("; "))]
    NoSuchPoint(Vec<String>),
}

/// Why a plugin was not unloaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnloadError {
    /// There is no such plugin.
    #[error("plugin `{0}` is not loaded")]
    NotLoaded(String),
    /// The caller is inside the plugin itself, and would wait for its own end.
    #[error("plugin `{0}` cannot wait for its own end from inside itself")]
    WouldDeadlock(String),
    /// The caller runs inside of the beginning or the end of a plugin, which the unload would wait for.
    #[error("plugins cannot be unloaded by code that begins or ends a plugin: each would wait for the other")]
    InLifecycle,
    /// Others need it.
    #[error("plugin `{plugin}` is needed by {}", dependents.join(", "))]
    Needed {
        /// The plugin.
        plugin: String,
        /// Who needs it.
        dependents: Vec<String>,
    },
}

fn joined<T: ToString>(errors: &[T]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
