//! Another version in the place of one that runs, while calls go on.

use std::collections::BTreeSet;
use std::sync::Arc;

use semver::Version;
use tapline_core::{Authority, CallError, Grants, Manifest, PluginId, Value};
use tokio::sync::watch;

use crate::dependents::stranded;
use crate::error::HostError;
use crate::host::Host;
use crate::load::{Load, Readied};
use crate::loaded::Loaded;
use crate::lock::rights;
use crate::resolver::Standing;
use crate::shared::{Shared, manifests};
use crate::supervisor::{PluginState, Turn};
use crate::trial::{Settled, Trial};

/// A plugin that another version answers for now.
#[derive(Debug, Clone)]
pub struct Swapped {
    /// The plugin.
    pub plugin: PluginId,
    /// The version before.
    pub from: Version,
    /// The version that is in place.
    pub to: Version,
    settled: watch::Receiver<Option<Settled>>,
}

/// Why a plugin was not put in the place of another version of it. Nothing has changed, and that one never stopped
/// answering.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SwapError {
    /// No version of it is loaded.
    #[error("plugin `{0}` is not loaded, and no version of it can be swapped")]
    NotLoaded(PluginId),
    /// The version that is loaded does not answer calls.
    #[error("plugin `{plugin}` is {state}, and can be reloaded, but not swapped")]
    NotActive {
        /// The plugin.
        plugin: PluginId,
        /// What has become of it.
        state: PluginState,
    },
    /// The caller is inside the plugin, whose state is handed over when the calls inside it have ended.
    #[error("plugin `{0}` cannot hand over its state from inside itself")]
    WouldDeadlock(PluginId),
    /// It would be granted more than the version that runs, and nobody has [agreed](Load::accept_more) to it.
    #[error("plugin `{plugin}` asks for more than the version that runs: {}", more.join(", "))]
    GrantedMore {
        /// The plugin.
        plugin: PluginId,
        /// What it would be granted besides: `read input.user`.
        more: Vec<String>,
    },
    /// Others need what this version does not offer.
    #[error("version {version} of plugin `{plugin}` is not what {} need", dependents.join(", "))]
    Needed {
        /// The plugin.
        plugin: PluginId,
        /// The version that was refused.
        version: Version,
        /// Who needs another one.
        dependents: Vec<String>,
    },
    /// It needs plugins that are not loaded.
    #[error("plugin `{plugin}` needs {}, which has to be loaded first", needed.join(", "))]
    NeedsOthers {
        /// The plugin.
        plugin: PluginId,
        /// Those that could be loaded for it.
        needed: Vec<String>,
    },
    /// It cannot be loaded beside the others, or is not granted what it asks for, or its artifact is broken, or it did
    /// not start.
    #[error(transparent)]
    Refused(#[from] HostError),
    /// It says that it is not well.
    #[error("plugin `{plugin}` is not well")]
    Unwell {
        /// The plugin.
        plugin: PluginId,
        /// What it answered.
        source: CallError,
    },
    /// The version that runs did not hand over its state.
    #[error("plugin `{plugin}` did not hand over its state")]
    Export {
        /// The plugin.
        plugin: PluginId,
        /// What it answered.
        source: CallError,
    },
    /// It did not take over the state of the version that runs.
    #[error("plugin `{plugin}` did not take over the state of the version that runs")]
    Import {
        /// The plugin.
        plugin: PluginId,
        /// What it answered.
        source: CallError,
    },
    /// The calls inside the version that runs did not end within the time to drain.
    #[error("plugin `{0}` is busy, and did not come to hand over its state")]
    Busy(PluginId),
}

impl Swapped {
    /// Waits until the version before has been let go or has come back; at once when that is done. Cancel safe.
    pub async fn settled(&self) -> Settled {
        let mut settled = self.settled.clone();
        let settled = settled.wait_for(Option::is_some).await;
        // It ends in an error only when the runtime does.
        settled.ok().and_then(|settled| settled.clone()).unwrap_or(Settled::Kept(crate::Drain::Forced))
    }
}

impl Host {
    /// Puts another version of a plugin, or the same one read anew, in the place of the one that runs, while calls go on:
    /// it is loaded, started and asked how it is beside that one, gets its state where both can hand it over, and takes
    /// its place by one swap. Those that need the plugin are not touched. Calls that began before end on the version that
    /// they took; none is lost or skips a hook.
    ///
    /// Returns once the new version is in place. Within the time of [`trial`](crate::Supervision::trial) the version before
    /// is kept, and comes back by itself when the new one does badly; [`Swapped::settled`] tells how that came out, and an
    /// event under `host.plugins.` and the plugin's id, too. Dropping the future does not keep it from coming to its end.
    ///
    /// [`reload`](Self::reload) is for a plugin that does not run, for a version that needs plugins which are not loaded,
    /// and when those that need the plugin have to begin anew with it.
    ///
    /// # Errors
    /// When it is refused, does not start, is not well, or does not take over the state; then nothing has changed.
    pub async fn swap(&self, load: Load) -> Result<Swapped, SwapError> {
        if tapline_core::is_in_lifecycle() {
            return Err(HostError::WouldDeadlock.into());
        }
        let accepts_more = load.accepts_more;
        let readied = load.read()?;
        let id = readied.manifest.id().clone();
        if readied.manifest.plugin.state && tapline_core::is_inside(&id) {
            return Err(SwapError::WouldDeadlock(id));
        }
        let host = self.clone();
        let swapped = tokio::spawn(async move { host.take_over(readied, accepts_more).await });
        // It ends in a panic only when the runtime does.
        swapped.await.unwrap_or(Err(SwapError::NotLoaded(id)))
    }

    async fn take_over(&self, readied: Readied, accepts_more: bool) -> Result<Swapped, SwapError> {
        let shared = self.shared();
        let _change = shared.change.lock().await;
        let before = shared.running(readied.manifest.id())?;
        let readied = Arc::new(self.fitting(readied, &before)?);
        let grants = shared.allowed(&readied)?.0;
        let more = more(&before, &readied.manifest, &grants);
        if !more.is_empty() && !accepts_more {
            return Err(SwapError::GrantedMore { plugin: before.id().clone(), more });
        }
        let new = shared.start_beside(&readied).await?;
        match shared.replace(&before, &new).await {
            Ok(settled) => {
                let version = |loaded: &Loaded| loaded.info.manifest.plugin.version.clone();
                let (plugin, from, to) = (new.id().clone(), version(&before), version(&new));
                Ok(Swapped { plugin, from, to, settled })
            }
            Err(error) => {
                new.supervisor.dismiss().await;
                Err(error)
            }
        }
    }

    /// The plugin with those that meet its needs, if it fits with all that stay.
    fn fitting(&self, mut readied: Readied, before: &Loaded) -> Result<Readied, SwapError> {
        let id = before.id().clone();
        if self.shared().blocked().contains(&id) {
            return Err(HostError::Blocked { plugin: id }.into());
        }
        readied.standing = Standing::Required;
        let dependents = self.shared().stranded_by(&readied.manifest);
        if !dependents.is_empty() {
            let version = readied.manifest.plugin.version.clone();
            return Err(SwapError::Needed { plugin: id, version, dependents });
        }
        let chosen = self.choose(vec![readied], &BTreeSet::from([id.clone()]))?;
        let (mut these, others): (Vec<_>, Vec<_>) =
            chosen.into_iter().partition(|one| *one.manifest.id() == id);
        match these.pop() {
            Some(readied) if others.is_empty() => Ok(readied),
            _ => {
                let needed = others.iter().map(|one| format!("`{}`", one.manifest.id())).collect();
                Err(SwapError::NeedsOthers { plugin: id, needed })
            }
        }
    }
}

impl Shared {
    /// The version of a plugin that answers calls.
    fn running(&self, id: &PluginId) -> Result<Loaded, SwapError> {
        let loaded = self.plugins().iter().find(|loaded| loaded.id() == id).cloned();
        let loaded = loaded.ok_or_else(|| SwapError::NotLoaded(id.clone()))?;
        match loaded.supervisor.status().state {
            PluginState::Active => Ok(loaded),
            state => Err(SwapError::NotActive { plugin: id.clone(), state }),
        }
    }

    /// Those that could not be there with another version of a plugin, and can with the one that runs.
    fn stranded_by(&self, manifest: &Manifest) -> Vec<String> {
        let plugins = self.plugins();
        let now = manifests(&plugins);
        let then: Vec<_> =
            now.iter().map(|one| if one.id() == manifest.id() { manifest } else { one }).collect();
        let already = stranded(&now, &BTreeSet::new());
        let stranded = stranded(&then, &BTreeSet::new()).into_iter();
        let others = stranded.filter(|id| id != manifest.id() && !already.contains(id));
        others.map(|id| format!("`{id}`")).collect()
    }

    /// Starts another version beside the one that runs, and asks it how it is.
    async fn start_beside(self: &Arc<Self>, readied: &Arc<Readied>) -> Result<Loaded, SwapError> {
        let plugin = readied.manifest.id();
        let arrival = self.arrivals.announce(plugin);
        let new = arrival.step(self.start(readied, self)).await?;
        new.supervisor.step_aside();
        let begun = arrival.step(new.begin()).await.map_err(SwapError::from);
        let well = match begun {
            Ok(()) => new.supervisor.probe().await,
            Err(error) => {
                new.supervisor.retire();
                return Err(error);
            }
        };
        if let Err(source) = well {
            new.supervisor.dismiss().await;
            return Err(SwapError::Unwell { plugin: plugin.clone(), source });
        }
        Ok(new)
    }

    /// Hands over the state of a version and puts another in its place.
    async fn replace(
        self: &Arc<Self>,
        before: &Loaded,
        new: &Loaded,
    ) -> Result<watch::Receiver<Option<Settled>>, SwapError> {
        let handed_over = self.hand_over(before, new).await?;
        let status = new.supervisor.status();
        if status.state != PluginState::Active {
            return Err(SwapError::NotActive { plugin: new.id().clone(), state: status.state });
        }
        let replaced = self.switch(before, new).map_err(HostError::from)?;
        let state = handed_over.map(|(turn, state)| {
            before.supervisor.rest();
            // Those that wait for their turn find that another version answers.
            drop(turn);
            state
        });
        self.tell_version(new, None);
        Ok(self.try_out(Trial { before: before.clone(), new: new.clone(), replaced, state }))
    }

    /// Gives a new version what the one knows that runs, if both can hand state over. Calls wait until the turn is dropped.
    async fn hand_over(
        &self,
        before: &Loaded,
        new: &Loaded,
    ) -> Result<Option<(Option<Turn>, Value)>, SwapError> {
        let (old, plugin) = (&before.info.manifest.plugin, before.id());
        if !old.state || !new.info.manifest.plugin.state {
            return Ok(None);
        }
        let turn = tokio::time::timeout(self.drain, before.supervisor.turn()).await;
        let turn = turn.map_err(|_| SwapError::Busy(plugin.clone()))?;
        let export = |source| SwapError::Export { plugin: plugin.clone(), source };
        let turn = turn.map_err(export)?;
        let state = before.supervisor.export_state().await.map_err(export)?;
        let imported = new.supervisor.import_state(state.clone(), &old.version).await;
        imported.map_err(|source| SwapError::Import { plugin: plugin.clone(), source })?;
        Ok(Some((turn, state)))
    }
}

/// What another version would be granted that the one that runs is not.
fn more(before: &Loaded, manifest: &Manifest, grants: &Grants) -> Vec<String> {
    let own = |manifest: &Manifest| {
        let own = manifest.provides.iter().filter(|provides| provides.authority == Authority::Own);
        own.map(|provides| format!("{}/{}", provides.point, provides.key)).collect::<BTreeSet<_>>()
    };
    let mut more = rights(&grants.beyond(&before.info.grants));
    let newly_own = own(manifest).into_iter().filter(|one| !own(&before.info.manifest).contains(one));
    more.extend(newly_own.map(|one| format!("answer with its own grants at `{one}`")));
    more
}
