use std::path::{Path, PathBuf};
use std::sync::Arc;

use tapline_core::{Grants, Manifest, NativePlugin, Package, Value};

use crate::error::HostError;
use crate::loader::Loader;

/// A plugin to be loaded: where it is, and how it is to be started.
#[derive(Debug, Clone)]
pub struct Load {
    source: Source,
    config: Value,
    narrowed: Option<Grants>,
    pub(crate) is_optional: bool,
}

#[derive(Debug, Clone)]
enum Source {
    Folder(PathBuf),
    Native(NativePlugin),
}

impl Load {
    /// A package in a folder.
    #[must_use]
    pub fn folder(folder: impl AsRef<Path>) -> Self {
        Self {
            source: Source::Folder(folder.as_ref().to_owned()),
            config: Value::Null,
            narrowed: None,
            is_optional: false,
        }
    }

    /// A plugin that is linked in.
    #[must_use]
    pub const fn native(plugin: NativePlugin) -> Self {
        Self { source: Source::Native(plugin), config: Value::Null, narrowed: None, is_optional: false }
    }

    /// Lets a [start-up](crate::Host::boot) go on without it.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    /// What it is called before its manifest has been read.
    pub(crate) fn name(&self) -> String {
        match &self.source {
            Source::Folder(folder) => folder.display().to_string(),
            Source::Native(_) => "(native plugin)".to_owned(),
        }
    }

    /// Starts it with this configuration.
    #[must_use]
    pub fn config(mut self, config: Value) -> Self {
        self.config = config;
        self
    }

    /// Grants it no more than this.
    #[must_use]
    pub fn narrow(mut self, grants: Grants) -> Self {
        self.narrowed = Some(grants);
        self
    }

    pub(crate) fn read(self) -> Result<Readied, HostError> {
        let (manifest, artifact) = match self.source {
            Source::Folder(folder) => {
                let package = Loader::read(&folder)?;
                (Arc::clone(&package.manifest), Artifact::Package(package))
            }
            Source::Native(plugin) => {
                (Arc::new(Loader::native(&plugin)?), Artifact::Native(Arc::new(plugin)))
            }
        };
        Ok(Readied { manifest, artifact, config: self.config, narrowed: self.narrowed })
    }
}

/// A plugin whose manifest has been read.
pub(crate) struct Readied {
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) artifact: Artifact,
    pub(crate) config: Value,
    pub(crate) narrowed: Option<Grants>,
}

/// What a runtime loads.
pub(crate) enum Artifact {
    Package(Package),
    Native(Arc<NativePlugin>),
}
