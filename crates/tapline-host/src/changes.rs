//! How plugins come and go.

use std::collections::BTreeSet;
use std::sync::Arc;

use tapline_core::PluginId;
use tokio::sync::OwnedMutexGuard;

use crate::error::{HostError, UnloadError};
use crate::host::Host;
use crate::load::{Load, Readied};
use crate::loaded::{Drain, Loaded};
use crate::shared::{Loading, Shared};
use crate::supervisor::PluginState;

impl Host {
    /// Loads one plugin. One that is blocked is not loaded, and its [`state`](Self::state) says so.
    ///
    /// # Errors
    /// As [`load_all`](Self::load_all).
    pub async fn load(&self, load: Load) -> Result<PluginId, HostError> {
        let readied = load.read()?;
        let id = readied.manifest.id().clone();
        self.load_readied(vec![readied]).await?;
        Ok(id)
    }

    /// Loads plugins together, and those that they need of the ones that are available: reads, chooses, orders, grants,
    /// starts and publishes them, all or none. The ids of those that were loaded come back in the order in which they
    /// were started; those that are blocked are left out. Dropping the future before its end leaves nothing behind.
    ///
    /// # Errors
    /// The first stop of the walk at which one of them was refused, or that one of them was unloaded meanwhile; then
    /// nothing has changed.
    pub async fn load_all(&self, loads: Vec<Load>) -> Result<Vec<PluginId>, HostError> {
        self.load_readied(loads.into_iter().map(Load::read).collect::<Result<_, _>>()?).await
    }

    async fn load_readied(&self, readied: Vec<Readied>) -> Result<Vec<PluginId>, HostError> {
        if tapline_core::is_in_lifecycle() {
            return Err(HostError::WouldDeadlock);
        }
        let shared = self.shared();
        let _change = shared.change.lock().await;
        let chosen = self.choose(readied, &BTreeSet::new())?;
        shared.bring_in(chosen.into_iter().map(Arc::new).collect()).await
    }

    /// Unloads a plugin: hides what it brought, lets the calls inside it finish, ends those that do not, stops it. One
    /// that is being loaded turns back. Dropping the future does not keep it from coming to its end.
    ///
    /// # Errors
    /// When there is no such plugin, others need it, or the caller is inside it; then nothing has changed.
    pub async fn unload(&self, id: &str) -> Result<Drain, UnloadError> {
        if PluginId::new(id).is_ok_and(|id| tapline_core::is_inside(&id)) {
            return Err(UnloadError::WouldDeadlock(id.into()));
        }
        let has_turned_back = self.shared().arrivals.turn_back(id);
        let change = self.change().await?;
        let leaving = match self.shared().leaving(id) {
            Err(UnloadError::NotLoaded(_)) if has_turned_back => return Ok(Drain::Drained),
            leaving => vec![leaving?],
        };
        let drains = self.end_all(change, leaving).await;
        Ok(drains.first().map_or(Drain::Forced, |(_, drain)| *drain))
    }

    /// A plugin and those that need it, in the order in which they were started: what
    /// [`unload_with_dependents`](Self::unload_with_dependents) would unload.
    ///
    /// # Errors
    /// When there is no such plugin.
    pub fn dependents(&self, id: &str) -> Result<Vec<PluginId>, UnloadError> {
        let leaving = self.shared().leaving_with_dependents(id)?;
        Ok(leaving.iter().map(|loaded| loaded.id().clone()).collect())
    }

    /// Unloads a plugin and those that need it, the latter first. Those that can do without it stay.
    ///
    /// # Errors
    /// When there is no such plugin, or the caller is inside one of them; then nothing has changed.
    pub async fn unload_with_dependents(&self, id: &str) -> Result<Vec<(PluginId, Drain)>, UnloadError> {
        let change = self.change().await?;
        let leaving = self.shared().leaving_with_dependents(id)?;
        Ok(self.end_all(change, leaving).await)
    }

    /// Waits until no other change is under way.
    async fn change(&self) -> Result<OwnedMutexGuard<()>, UnloadError> {
        if tapline_core::is_in_lifecycle() {
            return Err(UnloadError::InLifecycle);
        }
        Ok(Arc::clone(&self.shared().change).lock_owned().await)
    }

    /// Ends plugins in the reverse of the order in which they were started, in a task that nobody can give up.
    async fn end_all(&self, change: OwnedMutexGuard<()>, leaving: Vec<Loaded>) -> Vec<(PluginId, Drain)> {
        let shared = Arc::clone(self.shared());
        let end = tokio::spawn(async move {
            let _change = change;
            let mut drains = Vec::new();
            for loaded in leaving.iter().rev() {
                drains.push((loaded.id().clone(), shared.end(loaded).await));
            }
            drains
        });
        // It ends in a panic only when the runtime does.
        end.await.unwrap_or_default()
    }

    /// Keeps a plugin from being loaded, and unloads it if it is there. That it is blocked is no error for those who
    /// load it.
    ///
    /// # Errors
    /// As [`unload`](Self::unload), when the plugin is there and stays there; it is blocked all the same.
    pub async fn block(&self, id: &PluginId) -> Result<(), UnloadError> {
        self.shared().blocked().insert(id.clone());
        match self.unload(id.as_str()).await {
            Ok(_) | Err(UnloadError::NotLoaded(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Lets a plugin be loaded again.
    pub fn unblock(&self, id: &PluginId) {
        self.shared().blocked().remove(id);
    }

    /// Ends everything that runs of a plugin and of those that need it, and starts them again, the plugin first. What is
    /// in quarantine, failed or blocked comes back, too, and its restarts so far are forgotten. Returns when all have
    /// been tried; the [`state`](Self::state) says what has become of them. Dropping the future does not keep it from
    /// coming to its end.
    ///
    /// # Errors
    /// When there is no such plugin, or the caller is inside it.
    pub async fn restart(&self, id: &PluginId) -> Result<PluginState, UnloadError> {
        if tapline_core::is_inside(id) {
            return Err(UnloadError::WouldDeadlock(id.to_string()));
        }
        let supervisor = self.supervisor(id).ok_or_else(|| UnloadError::NotLoaded(id.to_string()))?;
        let shared = Arc::clone(self.shared());
        // It ends in a panic only when the runtime does.
        let _ = tokio::spawn(async move { shared.restart(&supervisor).await }).await;
        Ok(self.state(id))
    }

    /// Unloads everything, dependents first. Dropping the future does not keep it from coming to its end.
    ///
    /// # Errors
    /// When the caller is inside a plugin; then nothing has changed.
    pub async fn shut_down(&self) -> Result<(), UnloadError> {
        if let Some(inside) = self.plugins().iter().find(|info| tapline_core::is_inside(info.manifest.id())) {
            return Err(UnloadError::WouldDeadlock(inside.manifest.id().to_string()));
        }
        let change = self.change().await?;
        let leaving = self.shared().plugins().clone();
        self.end_all(change, leaving).await;
        Ok(())
    }
}

impl Shared {
    /// Starts plugins in their order and publishes them, all or none.
    pub(crate) async fn bring_in(
        self: &Arc<Self>,
        chosen: Vec<Arc<Readied>>,
    ) -> Result<Vec<PluginId>, HostError> {
        let arrivals: Vec<_> = chosen.iter().map(|one| self.arrivals.announce(one.manifest.id())).collect();
        let mut loading = Loading { host: self, started: Vec::new(), is_registered: false };
        for (one, arrival) in chosen.iter().zip(&arrivals) {
            let loaded = arrival.step(self.start(one, self)).await?;
            loading.started.push(loaded);
        }
        self.registry.register(loading.started.iter().map(Loaded::registration).collect())?;
        loading.is_registered = true;
        self.plugins().extend(loading.started.iter().cloned());
        for (place, (loaded, arrival)) in loading.started.iter().zip(&arrivals).enumerate() {
            if let Err(error) = arrival.step(loaded.begin()).await {
                for begun in loading.started[..place].iter().rev() {
                    self.end(begun).await;
                }
                return Err(error);
            }
            loaded.listen(&self.bus);
        }
        let started = std::mem::take(&mut loading.started);
        self.block_stranded(&started).await;
        Ok(started.iter().map(|loaded| loaded.id().clone()).collect())
    }
}
