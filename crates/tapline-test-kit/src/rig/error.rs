use tapline::core::{CallTargetError, ConfiguredHostError, NameError, RegisterError, TopicError};
use tapline::host::{ManifestError, SecretError};
use tapline::{HostError, UnloadError};

/// Why a rig does not stand.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RigError {
    /// The manifest or the component cannot be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The plugin was not loaded.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The plugin was not unloaded.
    #[error(transparent)]
    Unload(#[from] UnloadError),
    /// A hook or an answer does not fit.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// There is no sandbox on this machine.
    #[error("there is no sandbox")]
    Sandbox(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A test answers for what cannot be called.
    #[error(transparent)]
    Target(#[from] CallTargetError),
    /// An id that is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A topic that is none.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// A value that cannot be kept secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A host of the manifest is to come from the configuration, and does not.
    #[error(transparent)]
    Configured(#[from] ConfiguredHostError),
    /// A test answers for a capability.
    #[error("`{target}` cannot be answered for: answer for the plugin that offers it")]
    NotAnswerable {
        /// What it answers for.
        target: String,
    },
}
