use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tapline_core::{Limits, PluginId};

use crate::builder::DRAIN;
use crate::file::read_file;
use crate::mistake::{Mistake, decoded};
use crate::policy::Policy;
use crate::supervisor::Supervision;

mod policy;
mod read;
mod reference;
mod secrets;

pub(crate) use secrets::Redactor;
pub use secrets::{SecretError, Secrets};

use reference::Reference;

/// What an operator decides about the plugins of an application: the content of `tapline.toml`.
#[derive(Debug, Clone)]
pub struct Settings {
    folders: Vec<PathBuf>,
    blocked: BTreeSet<PluginId>,
    policy: Policy,
    limits: Limits,
    supervision: Supervision,
    drain: Duration,
    audit: Option<PathBuf>,
    secrets: Vec<Reference>,
    needs_walls: bool,
}

/// A file larger than this holds no settings.
const LARGEST: u64 = 4 << 20;

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read {}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file says what it may not say: all of it, in the order of the file.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Invalid(Vec<Mistake>),
}

impl Settings {
    /// The name of the file.
    pub const FILE: &str = "tapline.toml";

    /// The tables of the file, and the keys of each; the keys of `secrets` are names of the operator's own.
    pub const KEYS: [(&str, &[&str]); 6] = [
        ("plugins", &["folders", "blocked"]),
        (
            "policy",
            &[
                "call",
                "own_authority",
                "publish",
                "subscribe",
                "fs",
                "clock",
                "random",
                "network",
                "processes",
                "walls",
                "http",
                "secrets",
                "plugins",
                "deny",
            ],
        ),
        ("limits", &["memory", "cpu", "wall", "calls", "input", "output", "log", "events", "handles"]),
        ("supervision", &["restarts", "within", "strategy", "drain", "trial", "trial_faults"]),
        ("audit", &["file"]),
        ("secrets", &[]),
    ];

    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or with all that is wrong in it.
    pub fn read(file: &Path) -> Result<Self, SettingsError> {
        let bytes = read_file(file, LARGEST)
            .map_err(|source| SettingsError::Unreadable { file: file.into(), source })?;
        let text = decoded(file, bytes).map_err(|mistake| SettingsError::Invalid(vec![mistake]))?;
        Self::parse(file, &text)
    }

    /// Reads settings that are at hand as text, as if they stood in `file`: it is named in mistakes, and folders are
    /// looked for beside it.
    ///
    /// # Errors
    /// With all that is wrong in them.
    pub fn parse(file: &Path, text: &str) -> Result<Self, SettingsError> {
        read::settings(file, text).map_err(SettingsError::Invalid)
    }

    /// Reads the file `tapline.toml` that stands beside another file; where there is none, everything is as it is
    /// unless said.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn beside(file: &Path) -> Result<Self, SettingsError> {
        match Self::read(&file.with_file_name(Self::FILE)) {
            Err(SettingsError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            read => read,
        }
    }

    /// The folders whose packages are there for whoever needs them.
    #[must_use]
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// The plugins that are not loaded.
    #[must_use]
    pub const fn blocked(&self) -> &BTreeSet<PluginId> {
        &self.blocked
    }

    /// What sandboxed plugins may be granted at most.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether plugins that are processes run behind walls or not at all.
    #[must_use]
    pub const fn needs_walls(&self) -> bool {
        self.needs_walls
    }

    /// What each plugin may use at most.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How often plugins are started again, what a restart takes along, and how long a new version is on trial.
    #[must_use]
    pub const fn supervision(&self) -> Supervision {
        self.supervision
    }

    /// How long an unloaded plugin may take to finish its calls.
    #[must_use]
    pub const fn drain(&self) -> Duration {
        self.drain
    }

    /// The file that takes a line for each privileged act; `None` when nothing is written.
    #[must_use]
    pub fn audit(&self) -> Option<&Path> {
        self.audit.as_deref()
    }

    /// Whether they say where the value of a secret is.
    #[must_use]
    pub fn names_secret(&self, name: &str) -> bool {
        self.secrets.iter().any(|reference| reference.name == name)
    }

    /// Reads the values of all secrets, once: `variable` looks up a variable of the environment.
    ///
    /// # Errors
    /// Every secret whose value is not there or cannot be used, at the place where the settings name it.
    pub fn secrets(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Secrets, SettingsError> {
        let (mut values, mut mistakes) = (Vec::new(), Vec::new());
        for reference in &self.secrets {
            match reference.value(&variable) {
                Ok(value) => values.push((reference.name.as_str(), value)),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        if mistakes.is_empty() { Ok(Secrets::of(values)) } else { Err(SettingsError::Invalid(mistakes)) }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            folders: Vec::new(),
            blocked: BTreeSet::new(),
            policy: Policy::default(),
            limits: Limits::default(),
            supervision: Supervision::default(),
            drain: DRAIN,
            audit: None,
            secrets: Vec::new(),
            needs_walls: true,
        }
    }
}

#[cfg(test)]
mod tests;
