use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tapline_core::{
    CallError, Contribution, Failure, Grants, Hook, HookError, HookPoint, LayerStats, Limits, Manifest,
    NativePlugin, Operation, Package, Payload, Plugin, PluginId, RegisterError, Registration, Registry,
    Request, Runtime, Value,
};

use crate::error::{HostError, UnloadError};
use crate::loader::Loader;
use crate::policy::Policy;
use crate::resolver::resolve;
use crate::services::HostServices;
use crate::supervisor::{SupervisedHandler, SupervisedHook, Supervisor};

/// The object that an application embeds to become extensible.
///
/// Cloning gives another handle to the same host. Needs a tokio runtime with time enabled.
#[derive(Clone, Debug)]
pub struct Host(Arc<Shared>);

/// Settings of a [`Host`].
#[derive(Debug, Default)]
pub struct HostBuilder {
    runtimes: Vec<Arc<dyn Runtime>>,
    policy: Policy,
    limits: Limits,
    drain: Option<Duration>,
}

/// A plugin to be loaded: where it is, and how it is to be started.
#[derive(Debug, Clone)]
pub struct Load {
    source: Source,
    config: Value,
    narrowed: Option<Grants>,
}

#[derive(Debug, Clone)]
enum Source {
    Folder(PathBuf),
    Native(NativePlugin),
}

/// How the calls that were in a plugin when it was unloaded came to their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drain {
    /// All of them left by themselves.
    Drained,
    /// Some were still inside after the time to drain; they go on without the plugin being entered again.
    Forced,
}

/// What is known of a loaded plugin.
#[derive(Debug, Clone)]
pub struct PluginInfo {
    /// Its manifest.
    pub manifest: Arc<Manifest>,
    /// What it may do.
    pub grants: Grants,
    /// The folder that it came from; `None` when it is linked in.
    pub folder: Option<PathBuf>,
    /// What it has cost since it was loaded.
    pub stats: Arc<LayerStats>,
}

pub(crate) struct Shared {
    registry: Arc<Registry>,
    runtimes: Vec<Arc<dyn Runtime>>,
    policy: Policy,
    limits: Limits,
    drain: Duration,
    /// In the order in which they were started.
    plugins: Mutex<Vec<Loaded>>,
    /// The hook points around extension points.
    wrappers: Mutex<BTreeMap<String, HookPoint<Request, Value>>>,
    /// Held while plugins are loaded or unloaded, so that one change is seen whole by the next.
    change: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Loaded {
    info: PluginInfo,
    supervisor: Arc<Supervisor>,
}

tokio::task_local! {
    /// How many requests the current one is nested in.
    static DEPTH: usize;
}

/// Requests nested deeper than this fail: plugins that call each other without end would exhaust the stack.
const DEEPEST_REQUEST: usize = 16;

impl HostBuilder {
    /// Adds what runs one kind of plugins; native plugins need none.
    #[must_use]
    pub fn runtime(mut self, runtime: impl Runtime + 'static) -> Self {
        self.runtimes.push(Arc::new(runtime));
        self
    }

    /// Says what plugins may do.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Says how much each plugin may use at most.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Says how long an unloaded plugin may take to finish its calls; ten seconds unless said.
    #[must_use]
    pub fn drain(mut self, time: Duration) -> Self {
        self.drain = Some(time);
        self
    }

    /// Makes the host.
    #[must_use]
    pub fn build(self) -> Host {
        Host(Arc::new(Shared {
            registry: Registry::new(),
            runtimes: self.runtimes,
            policy: self.policy,
            limits: self.limits,
            drain: self.drain.unwrap_or(Duration::from_secs(10)),
            plugins: Mutex::default(),
            wrappers: Mutex::default(),
            change: tokio::sync::Mutex::default(),
        }))
    }
}

impl Host {
    /// A host with default policy and limits, and no runtimes.
    pub fn builder() -> HostBuilder {
        HostBuilder::default()
    }

    /// Declares a hook point around operations from `I` to `O`.
    ///
    /// # Errors
    /// When the id is taken, or a hook that is loaded already does not fit.
    pub fn hook_point<I: Payload, O: Payload>(&self, id: &str) -> Result<HookPoint<I, O>, RegisterError> {
        self.0.registry.hook_point(id, "application")
    }

    /// Declares a hook point around all requests to the contributions of an extension point.
    ///
    /// # Errors
    /// When the id is taken, or a hook that is loaded already does not fit.
    pub fn wrap(&self, extension_point: &str, hook_point: &str) -> Result<(), RegisterError> {
        let point = self.0.registry.hook_point(hook_point, "application")?;
        self.0.wrappers().insert(extension_point.into(), point);
        Ok(())
    }

    /// Joins hooks of the application itself, under a name of its own.
    ///
    /// # Errors
    /// When the name is taken or the hooks do not fit.
    pub fn join(&self, name: &PluginId, hooks: Vec<Hook>) -> Result<(), RegisterError> {
        let registration = hooks.into_iter().fold(Registration::new(name.clone()), Registration::hook);
        self.0.registry.register(vec![registration])
    }

    /// Loads one plugin.
    ///
    /// # Errors
    /// As [`load_all`](Self::load_all).
    pub async fn load(&self, load: Load) -> Result<PluginId, HostError> {
        let mut ids = self.load_all(vec![load]).await?;
        // One plugin was asked for, so there is one id.
        Ok(ids.swap_remove(0))
    }

    /// Loads plugins together: reads, orders, grants, starts and publishes them, all or none. Their ids come back in
    /// the order in which they were started. Dropping the future before its end may leave them started and
    /// unpublished: nothing reaches them then, and they end with the future.
    ///
    /// # Errors
    /// The first stop of the walk at which one of them was refused.
    pub async fn load_all(&self, loads: Vec<Load>) -> Result<Vec<PluginId>, HostError> {
        let _change = self.0.change.lock().await;
        let packages = loads.into_iter().map(Load::read).collect::<Result<Vec<_>, _>>()?;
        let running = self.plugins();
        let running: Vec<_> =
            running.iter().map(|info| (&info.manifest.plugin.id, &info.manifest.plugin.version)).collect();
        let manifests: Vec<_> = packages.iter().map(|one| &*one.manifest).collect();
        let order = resolve(&manifests, &running).map_err(HostError::Resolve)?;
        let mut started = Vec::new();
        for place in order {
            started.push(self.0.start(&packages[place], &self.0).await?);
        }
        self.0.registry.register(started.iter().map(Loaded::registration).collect())?;
        let ids: Vec<_> = started.iter().map(|one| one.supervisor.plugin.clone()).collect();
        if let Err(error) = self.0.begin(&started).await {
            for loaded in started.iter().rev() {
                self.0.end(loaded).await;
            }
            return Err(error);
        }
        self.0.plugins().extend(started);
        Ok(ids)
    }

    /// Unloads a plugin: hides what it brought, lets the calls inside it finish, stops it.
    ///
    /// # Errors
    /// When there is no such plugin, or others need it; then nothing has changed.
    pub async fn unload(&self, id: &str) -> Result<Drain, UnloadError> {
        let _change = self.0.change.lock().await;
        let loaded = self.0.take(id)?;
        Ok(self.0.end(&loaded).await)
    }

    /// Unloads everything, dependents first.
    pub async fn shut_down(&self) {
        let _change = self.0.change.lock().await;
        let plugins: Vec<_> = self.0.plugins().drain(..).collect();
        for loaded in plugins.iter().rev() {
            self.0.end(loaded).await;
        }
    }

    /// Makes a request to a contribution, through the hook point around its extension point if there is one.
    ///
    /// # Errors
    /// When nobody makes the contribution, or what it or a hook answers.
    pub fn request(&self, request: Request) -> impl Future<Output = Result<Value, HookError>> + Send + use<> {
        Arc::clone(&self.0).request(request)
    }

    /// The plugins, in the order in which they were started.
    #[must_use]
    pub fn plugins(&self) -> Vec<PluginInfo> {
        self.0.plugins().iter().map(|loaded| loaded.info.clone()).collect()
    }

    /// Fails when a hook waits for a point that nobody has declared: a misspelt guard would guard nothing.
    ///
    /// # Errors
    /// Every such hook, with the point that may be meant.
    pub fn check_pending(&self) -> Result<(), HostError> {
        let known = self.0.registry.points();
        let pending = self.0.registry.pending().into_iter().map(|(plugin, hook, point)| {
            let nearest = known.iter().max_by(|a, b| {
                strsim::jaro_winkler(&a.id, &point).total_cmp(&strsim::jaro_winkler(&b.id, &point))
            });
            let hint = nearest.map(|near| format!(" (did you mean `{}`?)", near.id)).unwrap_or_default();
            format!("hook `{hook}` of plugin `{plugin}` joins `{point}`, which nobody has declared{hint}")
        });
        let pending: Vec<_> = pending.collect();
        if pending.is_empty() { Ok(()) } else { Err(HostError::NoSuchPoint(pending)) }
    }

    /// Who joins in where, and who answers what.
    #[must_use]
    pub fn registry(&self) -> &Arc<Registry> {
        &self.0.registry
    }
}

impl Load {
    /// A package in a folder.
    #[must_use]
    pub fn folder(folder: impl AsRef<Path>) -> Self {
        Self { source: Source::Folder(folder.as_ref().to_owned()), config: Value::Null, narrowed: None }
    }

    /// A plugin that is linked in.
    #[must_use]
    pub const fn native(plugin: NativePlugin) -> Self {
        Self { source: Source::Native(plugin), config: Value::Null, narrowed: None }
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

    fn read(self) -> Result<Readied, HostError> {
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
struct Readied {
    manifest: Arc<Manifest>,
    artifact: Artifact,
    config: Value,
    narrowed: Option<Grants>,
}

enum Artifact {
    Package(Package),
    Native(Arc<NativePlugin>),
}

impl Shared {
    /// Grants, loads and starts one plugin.
    async fn start(&self, readied: &Readied, host: &Arc<Self>) -> Result<Loaded, HostError> {
        let manifest = &readied.manifest;
        let grants = self.policy.grant(manifest, readied.narrowed.as_ref()).map_err(HostError::Denied)?;
        let limits = self.limits.narrowed(&manifest.limits);
        let plugin = self.load_artifact(&readied.artifact, &grants, &limits).await?;
        let services = Arc::new(HostServices(Arc::downgrade(host)));
        let id = manifest.id().clone();
        let supervisor =
            Supervisor::new(id.clone(), plugin, readied.config.clone(), grants.clone(), limits, services);
        supervisor.start().await.map_err(|source| HostError::Start { plugin: id, source })?;
        let folder = match &readied.artifact {
            Artifact::Package(package) => Some(package.folder.clone()),
            Artifact::Native(_) => None,
        };
        let stats = Arc::clone(&supervisor.stats);
        let info = PluginInfo { manifest: Arc::clone(manifest), grants, folder, stats };
        Ok(Loaded { info, supervisor: Arc::new(supervisor) })
    }

    async fn load_artifact(
        &self,
        artifact: &Artifact,
        grants: &Grants,
        limits: &Limits,
    ) -> Result<Arc<dyn Plugin>, HostError> {
        let package = match artifact {
            Artifact::Native(plugin) => return Ok(Arc::clone(plugin) as Arc<dyn Plugin>),
            Artifact::Package(package) => package,
        };
        let kind = package.manifest.plugin.runtime;
        let runtime = self.runtimes.iter().find(|runtime| runtime.kind() == kind);
        let runtime =
            runtime.ok_or_else(|| HostError::NoRuntime { plugin: package.manifest.id().clone(), kind })?;
        Ok(runtime.load(package, grants, limits).await?)
    }

    /// Tells plugins that are published that they may begin.
    async fn begin(&self, started: &[Loaded]) -> Result<(), HostError> {
        for loaded in started {
            let begun = loaded.supervisor.run_lifecycle(&Operation::Start).await;
            begun.map_err(|source| HostError::Start { plugin: loaded.supervisor.plugin.clone(), source })?;
        }
        Ok(())
    }

    /// Takes a plugin out of the list, unless others need it.
    fn take(&self, id: &str) -> Result<Loaded, UnloadError> {
        let mut plugins = self.plugins();
        let place = plugins.iter().position(|loaded| loaded.supervisor.plugin.as_str() == id);
        let place = place.ok_or_else(|| UnloadError::NotLoaded(id.into()))?;
        let needs = |loaded: &&Loaded| {
            loaded.info.manifest.plugin.depends_on.iter().any(|need| need.id.as_str() == id && !need.optional)
        };
        let dependents: Vec<_> =
            plugins.iter().filter(needs).map(|one| one.supervisor.plugin.to_string()).collect();
        if !dependents.is_empty() {
            return Err(UnloadError::Needed { plugin: id.into(), dependents });
        }
        Ok(plugins.remove(place))
    }

    /// Hides, drains and stops a plugin. It always ends, whatever the plugin answers.
    async fn end(&self, loaded: &Loaded) -> Drain {
        let supervisor = &loaded.supervisor;
        let drained = match self.registry.remove(&supervisor.plugin) {
            Some(gate) => tokio::time::timeout(self.drain, gate.drained()).await.is_ok(),
            None => true,
        };
        if let Err(error) = supervisor.run_lifecycle(&Operation::Stop).await {
            tracing::warn!(plugin = %supervisor.plugin, %error, "plugin did not stop well");
        }
        supervisor.retire();
        if drained { Drain::Drained } else { Drain::Forced }
    }

    pub(crate) async fn request(self: Arc<Self>, request: Request) -> Result<Value, HookError> {
        let depth = DEPTH.try_with(|depth| *depth).unwrap_or(0);
        if depth >= DEEPEST_REQUEST {
            let message =
                format!("requests are nested {DEEPEST_REQUEST} deep; plugins may be calling each other");
            return Err(Failure::new("depth-exceeded", message).into());
        }
        let wrapper = self.wrappers().get(&*request.point).cloned();
        DEPTH
            .scope(depth + 1, async move {
                match wrapper {
                    Some(point) => point.call(request, |request| self.answer(request)).await,
                    None => Ok(self.answer(request).await?),
                }
            })
            .await
    }

    async fn answer(self: Arc<Self>, request: Request) -> Result<Value, CallError> {
        let Request { point, key, method, input, .. } = request;
        let contribution = self.registry.contribution(&point, &key);
        let contribution = contribution.ok_or_else(|| CallError::NoSuchContribution {
            point: point.to_string(),
            key: key.to_string(),
        })?;
        contribution.handler.handle(&method, input).await
    }

    fn plugins(&self) -> std::sync::MutexGuard<'_, Vec<Loaded>> {
        self.plugins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wrappers(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, HookPoint<Request, Value>>> {
        self.wrappers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Loaded {
    /// All that the plugin brings.
    fn registration(&self) -> Registration {
        let manifest = &self.info.manifest;
        let mut registration = Registration::new(manifest.id().clone());
        registration.depends_on = manifest.plugin.depends_on.iter().map(|need| need.id.clone()).collect();
        registration.hooks = manifest.hooks.iter().map(|hook| self.hook(hook)).collect();
        let gate = Arc::clone(registration.gate());
        registration.contributions = manifest
            .provides
            .iter()
            .map(|provides| Contribution {
                point: Arc::clone(&provides.point),
                key: Arc::clone(&provides.key),
                plugin: manifest.id().clone(),
                handler: Arc::new(SupervisedHandler {
                    supervisor: Arc::clone(&self.supervisor),
                    gate: Arc::clone(&gate),
                    contribution: format!("{}/{}", provides.point, provides.key).into(),
                }),
            })
            .collect();
        registration
    }

    fn hook(&self, declaration: &tapline_core::HookDeclaration) -> Hook {
        let operation = Operation::hook(declaration.kind, Arc::clone(&declaration.name));
        let hook = SupervisedHook { supervisor: Arc::clone(&self.supervisor), operation };
        Hook::boundary(declaration.clone(), Arc::new(hook))
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Host").field("registry", &self.registry).finish_non_exhaustive()
    }
}
