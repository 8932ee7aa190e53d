use std::sync::Arc;

use semver::Version;
use tapline_core::PluginId;

use crate::dependents::with_dependents;
use crate::error::HostError;
use crate::host::Host;
use crate::load::{Load, Readied};
use crate::loaded::Loaded;
use crate::resolver::Standing;
use crate::shared::{Shared, manifests};

/// A plugin that another version has taken the place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reloaded {
    /// The plugin.
    pub plugin: PluginId,
    /// The version before.
    pub from: Version,
    /// The version that runs now.
    pub to: Version,
    /// All that were started for it, in their order: the plugin, those that need it, and those that it needs anew.
    pub started: Vec<PluginId>,
}

/// Why a plugin was not put in the place of another version of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// No version of it is loaded.
    #[error("plugin `{0}` is not loaded, and cannot be loaded again")]
    NotLoaded(PluginId),
    /// The caller is inside one of the plugins that would end.
    #[error("plugin `{0}` cannot wait for its own end from inside itself")]
    WouldDeadlock(PluginId),
    /// It cannot be loaded beside those that stay, or is not granted what it asks for, or its artifact is broken.
    /// Nothing has been touched.
    #[error(transparent)]
    Refused(#[from] HostError),
    /// It did not start, and the version before runs again, with those that need it.
    #[error("plugin `{plugin}` was rolled back to {version}")]
    RolledBack {
        /// The plugin.
        plugin: PluginId,
        /// The version that runs again.
        version: Version,
        /// Why the other one did not start.
        source: HostError,
    },
    /// It did not start, and the version before did not start again: neither runs, nor those that need it.
    #[error("plugin `{plugin}` is lost: {version} did not start again ({rollback})")]
    Lost {
        /// The plugin.
        plugin: PluginId,
        /// The version before.
        version: Version,
        /// Why the other one did not start.
        source: HostError,
        /// Why the version before did not start again.
        rollback: HostError,
    },
}

impl Host {
    /// Puts another version of a plugin, or the same one read anew, in the place of the one that runs. Those that need it
    /// are ended before it and started after it, with the configuration that they had. When it does not start, all are
    /// brought back as they were. Dropping the future does not keep it from coming to its end.
    ///
    /// Where those that need it can go on as they are, [`swap`](Self::swap) does it without a pause.
    ///
    /// # Errors
    /// When it is refused, and then nothing has been touched; or when it did not start, with what was done about it.
    pub async fn reload(&self, load: Load) -> Result<Reloaded, ReloadError> {
        if tapline_core::is_in_lifecycle() {
            return Err(HostError::WouldDeadlock.into());
        }
        let readied = Arc::new(load.read()?);
        let id = readied.manifest.id().clone();
        let leaving = self.shared().with_dependents(&id);
        if let Some(inside) = leaving.iter().find(|one| tapline_core::is_inside(one.id())) {
            return Err(ReloadError::WouldDeadlock(inside.id().clone()));
        }
        let host = self.clone();
        let reloaded = tokio::spawn(async move { host.exchange(readied).await });
        // It ends in a panic only when the runtime does.
        reloaded.await.unwrap_or(Err(ReloadError::NotLoaded(id)))
    }

    async fn exchange(&self, readied: Arc<Readied>) -> Result<Reloaded, ReloadError> {
        let shared = self.shared();
        let _change = shared.change.lock().await;
        let id = readied.manifest.id().clone();
        let leaving = shared.with_dependents(&id);
        let before = leaving.iter().find(|one| *one.id() == id);
        let before = before.ok_or_else(|| ReloadError::NotLoaded(id.clone()))?;
        let from = before.info.manifest.plugin.version.clone();
        let chosen = self.chosen(&readied, &leaving)?;
        shared.rehearse(&chosen).await?;
        for loaded in leaving.iter().rev() {
            shared.end(loaded).await;
        }
        let to = readied.manifest.plugin.version.clone();
        let source = match shared.bring_in(chosen).await {
            Ok(started) => return Ok(Reloaded { plugin: id, from, to, started }),
            Err(error) => error,
        };
        let back = leaving.iter().map(|one| Arc::clone(&one.readied)).collect();
        match shared.bring_in(back).await {
            Ok(_) => Err(ReloadError::RolledBack { plugin: id, version: from, source }),
            Err(rollback) => Err(ReloadError::Lost { plugin: id, version: from, source, rollback }),
        }
    }

    /// What is to be started: the plugin, those that have left for it, and whatever they need besides.
    fn chosen(&self, readied: &Readied, leaving: &[Loaded]) -> Result<Vec<Arc<Readied>>, HostError> {
        let ids = leaving.iter().map(|one| one.id().clone()).collect();
        let dependents = leaving.iter().filter(|one| one.id() != readied.manifest.id());
        let dependents = dependents.map(|one| (*one.readied).clone());
        let mut asked_for: Vec<_> = dependents.chain([readied.clone()]).collect();
        for one in &mut asked_for {
            one.standing = Standing::Required;
        }
        let blocked =
            asked_for.iter().map(|one| one.manifest.id()).find(|id| self.shared().blocked().contains(*id));
        if let Some(plugin) = blocked.cloned() {
            return Err(HostError::Blocked { plugin });
        }
        Ok(self.choose(asked_for, &ids)?.into_iter().map(Arc::new).collect())
    }
}

impl Shared {
    /// A plugin and those that cannot be there without it, in the order in which they were started.
    fn with_dependents(&self, id: &PluginId) -> Vec<Loaded> {
        let plugins = self.plugins();
        let ids = with_dependents(&manifests(&plugins), id);
        plugins.iter().filter(|loaded| ids.contains(loaded.id())).cloned().collect()
    }

    /// Does all that can be done without running code of the plugins, so that what is wrong is known before others end.
    async fn rehearse(&self, chosen: &[Arc<Readied>]) -> Result<(), HostError> {
        for one in chosen {
            let (grants, limits) = self.allowed(one)?;
            self.load_artifact(&one.artifact, &grants, &limits).await?;
        }
        Ok(())
    }
}
