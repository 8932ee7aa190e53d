use std::path::{Path, PathBuf};
use std::sync::Arc;

use tapline_core::{Grants, Manifest, NativePlugin, Package, PluginId, Value};

use crate::digest::Digest;
use crate::error::HostError;
use crate::loader::Loader;
use crate::resolver::Standing;

/// A plugin to be loaded: where it is, and how it is to be started.
#[derive(Debug, Clone)]
pub struct Load {
    source: Source,
    config: Value,
    narrowed: Option<Grants>,
    expected: Option<Digest>,
    has_own_authority: bool,
    pub(crate) accepts_more: bool,
    pub(crate) standing: Standing,
}

#[derive(Debug, Clone)]
enum Source {
    Folder(PathBuf),
    Package(Package),
    Native(NativePlugin),
}

impl Load {
    /// A package in a folder.
    #[must_use]
    pub fn folder(folder: impl AsRef<Path>) -> Self {
        Self::new(Source::Folder(folder.as_ref().to_owned()))
    }

    /// A package that is at hand, as [`Loader::read_files`] gives it.
    #[must_use]
    pub const fn package(package: Package) -> Self {
        Self::new(Source::Package(package))
    }

    /// A plugin that is linked in.
    #[must_use]
    pub const fn native(plugin: NativePlugin) -> Self {
        Self::new(Source::Native(plugin))
    }

    const fn new(source: Source) -> Self {
        Self {
            source,
            config: Value::Null,
            narrowed: None,
            expected: None,
            has_own_authority: false,
            accepts_more: false,
            standing: Standing::Required,
        }
    }

    /// Lets a [start-up](crate::Host::boot) go on without it.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.standing = Standing::Wanted;
        self
    }

    /// Loads it only when another plugin needs it.
    #[must_use]
    pub const fn available(mut self) -> Self {
        self.standing = Standing::Available;
        self
    }

    /// Loads it only when another plugin needs it, and then rather than another version: it was taken before.
    #[must_use]
    pub const fn locked(mut self) -> Self {
        self.standing = Standing::Locked;
        self
    }

    /// What it is called before its manifest has been read.
    pub(crate) fn name(&self) -> String {
        match &self.source {
            Source::Folder(folder) => folder.display().to_string(),
            Source::Package(package) => package.manifest.id().to_string(),
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

    /// Lets it answer calls with its own grants where its manifest asks for it, whatever the
    /// [policy](crate::Policy::allow_own_authority) says of its id: the application vouches for this very package.
    #[must_use]
    pub const fn own_authority(mut self) -> Self {
        self.has_own_authority = true;
        self
    }

    /// Lets a [swap](crate::Host::swap) grant it more than the version has that runs: somebody has agreed to it.
    #[must_use]
    pub const fn accept_more(mut self) -> Self {
        self.accepts_more = true;
        self
    }

    /// Reads a plugin that is asked for, and of others the manifest alone.
    pub(crate) fn read(self) -> Result<Readied, HostError> {
        let is_asked_for = matches!(self.standing, Standing::Required | Standing::Wanted);
        let (manifest, artifact) = match &self.source {
            Source::Folder(folder) if is_asked_for => {
                let package = Loader::read_as(folder, self.expected)?;
                (Arc::clone(&package.manifest), Artifact::Package(package))
            }
            Source::Folder(folder) => {
                let artifact = Artifact::Unread(folder.clone());
                (Arc::new(Loader::manifest(folder)?), artifact)
            }
            Source::Package(package) => (Arc::clone(&package.manifest), Artifact::Package(package.clone())),
            Source::Native(plugin) => {
                (Arc::new(Loader::native(plugin)?), Artifact::Native(Arc::new(plugin.clone())))
            }
        };
        Ok(self.readied(manifest, artifact))
    }

    /// Refuses a package whose files are not those of this digest.
    #[must_use]
    pub const fn expect(mut self, digest: Digest) -> Self {
        self.expected = Some(digest);
        self
    }

    pub(crate) fn readied(self, manifest: Arc<Manifest>, artifact: Artifact) -> Readied {
        let Self { config, narrowed, has_own_authority, standing, .. } = self;
        Readied { manifest, artifact, config, narrowed, has_own_authority, standing, needs: Vec::new() }
    }
}

/// A plugin whose manifest has been read.
#[derive(Clone)]
pub(crate) struct Readied {
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) artifact: Artifact,
    pub(crate) config: Value,
    pub(crate) narrowed: Option<Grants>,
    /// Whether the application vouches for it.
    pub(crate) has_own_authority: bool,
    pub(crate) standing: Standing,
    /// The plugins that were chosen to meet its needs.
    pub(crate) needs: Vec<PluginId>,
}

/// What a runtime loads.
#[derive(Clone)]
pub(crate) enum Artifact {
    Package(Package),
    /// A package that is read when it is started.
    Unread(PathBuf),
    Native(Arc<NativePlugin>),
}
