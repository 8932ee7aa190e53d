use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tapline_core::{
    Act, CallError, Grants, HookError, HookPoint, Limits, Manifest, Plugin, PluginId, Registry, Request,
    Runtime, Value,
};

use crate::arrivals::Arrivals;
use crate::audit::{Auditor, Logger};
use crate::bus::Bus;
use crate::calls::HostServices;
use crate::dependents::{stranded, with_dependents};
use crate::error::{HostError, UnloadError};
use crate::files::{Places, PluginFiles};
use crate::http::Http;
use crate::lifecycle::Lifecycle;
use crate::load::{Artifact, Readied};
use crate::loaded::{Drain, Loaded, PluginInfo};
use crate::loader::Loader;
use crate::policy::Policy;
use crate::supervisor::{PluginState, Supervision, Supervisor, Waits, Ward};
use crate::time::Clock;
use crate::trial::Trials;
use crate::usage::Usage;

/// What all handles to a host share: how one plugin is started, called and ended.
pub(crate) struct Shared {
    pub(crate) registry: Arc<Registry>,
    pub(crate) runtimes: Vec<Arc<dyn Runtime>>,
    pub(crate) policy: Policy,
    pub(crate) limits: Limits,
    pub(crate) drain: Duration,
    pub(crate) supervision: Supervision,
    /// Who waits for whom.
    pub(crate) waits: Arc<Waits>,
    /// Where packages lie that are loaded when another plugin needs them.
    pub(crate) folders: Vec<PathBuf>,
    /// In the order in which they were started.
    pub(crate) plugins: Mutex<Vec<Loaded>>,
    /// The plugins that are not to be loaded.
    pub(crate) blocked: Mutex<BTreeSet<PluginId>>,
    /// The hook points around extension points.
    pub(crate) wrappers: Mutex<Wrappers>,
    /// The plugins that are being loaded.
    pub(crate) arrivals: Arrivals,
    /// The versions that have taken the place of others lately.
    pub(crate) trials: Trials,
    pub(crate) bus: Arc<Bus>,
    /// Who is told what becomes of plugins.
    pub(crate) lifecycle: Arc<Lifecycle>,
    /// Where the folders lie that plugins may be granted.
    pub(crate) places: Places,
    /// Who is told of privileged acts.
    pub(crate) auditors: Vec<Auditor>,
    /// Who is told of what plugins log.
    pub(crate) loggers: Vec<Logger>,
    /// What time plugins are told it is.
    pub(crate) clock: Clock,
    pub(crate) http: Http,
    /// Held while plugins are loaded or unloaded, so that one change is seen whole by the next.
    pub(crate) change: Arc<tokio::sync::Mutex<()>>,
}

/// Hook points by the extension points that they are around.
pub(crate) type Wrappers = BTreeMap<String, Arc<HookPoint<Request, Value>>>;

/// Plugins that are started and not yet loaded: dropped before that, they leave nothing behind.
pub(crate) struct Loading<'a> {
    pub(crate) host: &'a Shared,
    pub(crate) started: Vec<Loaded>,
    /// Before it is true, what is registered under their names is not theirs.
    pub(crate) is_registered: bool,
}

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        for loaded in self.started.iter().rev() {
            if self.is_registered {
                self.host.registry.remove(loaded.id());
                self.host.leave_out(loaded);
            }
            // Dropping its subscriptions ends them.
            loaded.listeners.lock().unwrap_or_else(PoisonError::into_inner).clear();
            loaded.supervisor.retire();
        }
    }
}

impl Shared {
    /// Tells whoever listens of a privileged act.
    pub(crate) fn audit(&self, act: &Act<'_>) {
        for auditor in &self.auditors {
            auditor(act);
        }
    }

    /// Takes a plugin out of the list.
    pub(crate) fn leave_out(&self, loaded: &Loaded) {
        self.plugins().retain(|other| !Arc::ptr_eq(&other.supervisor, &loaded.supervisor));
    }

    /// Whether a plugin is there, in this very version of it.
    pub(crate) fn has(&self, loaded: &Loaded) -> bool {
        self.plugins().iter().any(|other| Arc::ptr_eq(&other.supervisor, &loaded.supervisor))
    }

    /// Grants, loads and starts one plugin.
    pub(crate) async fn start(&self, readied: &Arc<Readied>, host: &Arc<Self>) -> Result<Loaded, HostError> {
        let manifest = &readied.manifest;
        let (grants, limits) = self.allowed(readied)?;
        let plugin = self.load_artifact(&readied.artifact, &grants, &limits).await?;
        let usage = Arc::new(Usage::default());
        let files = PluginFiles::new(manifest.id().clone(), self.places.clone(), &grants);
        let services = HostServices::new(Arc::downgrade(host), Arc::clone(&usage), files, &limits);
        let services = Arc::new(services);
        let (manifest, config) = (Arc::clone(manifest), readied.config.clone());
        let ward = Ward {
            manifest: Arc::clone(&manifest),
            loaded: plugin,
            config,
            grants: grants.clone(),
            limits,
            services,
        };
        let supervisor = Supervisor::new(ward, host);
        let started = supervisor.start().await;
        started.map_err(|source| HostError::Start { plugin: manifest.id().clone(), source })?;
        let folder = match &readied.artifact {
            Artifact::Package(package) => Some(package.folder.clone()),
            Artifact::Unread(folder) => Some(folder.clone()),
            Artifact::Native(_) => None,
        };
        let stats = Arc::clone(&supervisor.stats);
        let info = PluginInfo { manifest, grants, folder, stats, usage };
        Ok(Loaded { info, readied: Arc::clone(readied), supervisor, listeners: Arc::default() })
    }

    /// What a plugin may do, and how much it may use.
    pub(crate) fn allowed(&self, readied: &Readied) -> Result<(Grants, Limits), HostError> {
        let manifest = &readied.manifest;
        let resolved = |grants: &Grants| {
            let resolved = grants.resolved(&readied.config);
            resolved.map_err(|source| HostError::ConfiguredHost { plugin: manifest.id().clone(), source })
        };
        // What the policy confirms is what the plugin gets: the hosts, and not the places where they are named.
        let asked = Manifest { requires: resolved(&manifest.requires)?, ..Manifest::clone(manifest) };
        let narrowed = readied.narrowed.as_ref().map(resolved).transpose()?;
        let vouched = || self.policy.clone().allow_own_authority(manifest.id().clone());
        let vouched = readied.has_own_authority.then(vouched);
        let policy = vouched.as_ref().unwrap_or(&self.policy);
        let grants = policy.grant(&asked, narrowed.as_ref()).map_err(|refused| {
            for denied in &refused {
                self.audit(&Act::refused(manifest.id(), denied));
            }
            HostError::Denied(refused)
        })?;
        Ok((grants, self.limits.narrowed(&manifest.limits)))
    }

    pub(crate) async fn load_artifact(
        &self,
        artifact: &Artifact,
        grants: &Grants,
        limits: &Limits,
    ) -> Result<Arc<dyn Plugin>, HostError> {
        let package = match artifact {
            Artifact::Native(plugin) => return Ok(Arc::clone(plugin) as Arc<dyn Plugin>),
            Artifact::Package(package) => package,
            Artifact::Unread(folder) => &Loader::read(folder)?,
        };
        let kind = package.manifest.plugin.runtime;
        let runtime = self.runtimes.iter().find(|runtime| runtime.kind() == kind);
        let runtime =
            runtime.ok_or_else(|| HostError::NoRuntime { plugin: package.manifest.id().clone(), kind })?;
        Ok(runtime.load(package, grants, limits).await?)
    }

    /// A plugin that is to be unloaded, unless others need it.
    pub(crate) fn leaving(&self, id: &str) -> Result<Loaded, UnloadError> {
        let plugins = self.plugins();
        let place = plugins.iter().position(|loaded| loaded.id().as_str() == id);
        let place = place.ok_or_else(|| UnloadError::NotLoaded(id.into()))?;
        let leaving = BTreeSet::from([plugins[place].id().clone()]);
        let dependents = stranded(&manifests(&plugins), &leaving);
        let dependents: Vec<_> = dependents.iter().map(ToString::to_string).collect();
        if !dependents.is_empty() {
            return Err(UnloadError::Needed { plugin: id.into(), dependents });
        }
        Ok(plugins[place].clone())
    }

    /// A plugin that is to be unloaded and all that need it, in the order in which they were started.
    pub(crate) fn leaving_with_dependents(&self, id: &str) -> Result<Vec<Loaded>, UnloadError> {
        let plugins = self.plugins();
        let plugin = plugins.iter().find(|loaded| loaded.id().as_str() == id);
        let plugin = plugin.ok_or_else(|| UnloadError::NotLoaded(id.into()))?;
        let leaving = with_dependents(&manifests(&plugins), plugin.id());
        let is_leaving = |loaded: &Loaded| leaving.contains(loaded.id());
        if let Some(inside) = plugins.iter().find(|one| is_leaving(one) && tapline_core::is_inside(one.id()))
        {
            return Err(UnloadError::WouldDeadlock(inside.id().to_string()));
        }
        Ok(plugins.iter().filter(|loaded| is_leaving(loaded)).cloned().collect())
    }

    /// Hides, drains and stops a plugin, and takes it out of the list. It always ends, whatever the plugin answers.
    pub(crate) async fn end(&self, loaded: &Loaded) -> Drain {
        let supervisor = &loaded.supervisor;
        let was = supervisor.close();
        let is_running = matches!(was, PluginState::Starting | PluginState::Active);
        if !is_running {
            // Calls that wait for it to come back wait for nothing.
            supervisor.retire();
        }
        let mut drain = Drain::Drained;
        if let Some(removal) = self.registry.remove(&supervisor.plugin) {
            let quiet = async {
                loaded.stop_listening().await;
                removal.drained().await;
            };
            drain = loaded.drain(self.drain, &removal, quiet).await;
        }
        if is_running {
            supervisor.stop().await;
        }
        self.trials.settle(loaded.id()).await;
        supervisor.retire();
        self.leave_out(loaded);
        drain
    }

    pub(crate) async fn request(self: Arc<Self>, request: Request) -> Result<Value, HookError> {
        match self.wrapper(&request.point) {
            Some(point) => point.call(request, |request| self.answer(request)).await,
            None => self.answer(request).await.map_err(HookError::arisen_in_core),
        }
    }

    async fn answer(self: Arc<Self>, request: Request) -> Result<Value, CallError> {
        let Request { point, key, method, input, origin, .. } = request;
        let contribution = self.registry.contribution(&point, &key);
        let contribution = contribution.ok_or_else(|| CallError::NoSuchContribution {
            point: point.to_string(),
            key: key.to_string(),
        })?;
        contribution.answer(&method, input, origin).await
    }

    pub(crate) fn plugins(&self) -> std::sync::MutexGuard<'_, Vec<Loaded>> {
        self.plugins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn blocked(&self) -> std::sync::MutexGuard<'_, BTreeSet<PluginId>> {
        self.blocked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hook point around an extension point, if there is one.
    pub(crate) fn wrapper(&self, extension_point: &str) -> Option<Arc<HookPoint<Request, Value>>> {
        self.wrappers().get(extension_point).cloned()
    }

    pub(crate) fn wrappers(&self) -> std::sync::MutexGuard<'_, Wrappers> {
        self.wrappers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The manifests of plugins.
pub(crate) fn manifests(plugins: &[Loaded]) -> Vec<&Manifest> {
    plugins.iter().map(|loaded| &*loaded.info.manifest).collect()
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Host").field("registry", &self.registry).finish_non_exhaustive()
    }
}
