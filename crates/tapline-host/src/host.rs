use std::future::Future;
use std::sync::Arc;

use tapline_core::{
    BoxFuture, CollectPoint, Contribution, Event, Explanation, FilterPoint, FirstPoint, Hook, HookError,
    HookPoint, HookRules, Manifest, NotifyPoint, Payload, PluginId, PointDeclaration, RegisterError,
    Registration, Registry, Request, Topic, TopicPattern, Value,
};

use tokio::sync::OwnedMutexGuard;

use crate::builder::HostBuilder;
use crate::bus::{Delivery, Listener, Queueing, Subscription};
use crate::error::{HostError, UnloadError};
use crate::load::{Load, Readied};
use crate::loaded::{Drain, Loaded, PluginInfo, outline};
use crate::shared::{Loading, Shared};
use crate::supervisor::{PluginHealth, PluginState, Supervisor};

/// The object that an application embeds to become extensible.
///
/// Cloning gives another handle to the same host. Needs a tokio runtime with time enabled.
#[derive(Clone, Debug)]
pub struct Host(Arc<Shared>);

/// The owner of the points that an application declares.
const APPLICATION: &str = "application";

impl Host {
    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.0
    }

    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// A host with default policy and limits, and no runtimes.
    #[must_use]
    pub fn builder() -> HostBuilder {
        HostBuilder::default()
    }

    /// Declares a hook point around operations from `I` to `O`; a name alone declares it.
    ///
    /// # Errors
    /// When the id is taken, or a hook that is loaded already does not fit.
    pub fn hook_point<I: Payload, O: Payload>(
        &self,
        point: impl Into<PointDeclaration>,
    ) -> Result<HookPoint<I, O>, RegisterError> {
        self.0.registry.hook_point(point, APPLICATION)
    }

    /// Declares a point through whose hooks a value goes.
    ///
    /// # Errors
    /// As [`hook_point`](Self::hook_point).
    pub fn filter_point<T: Payload>(
        &self,
        point: impl Into<PointDeclaration>,
    ) -> Result<FilterPoint<T>, RegisterError> {
        self.0.registry.filter_point(point, APPLICATION)
    }

    /// Declares a point at which the first answer wins.
    ///
    /// # Errors
    /// As [`hook_point`](Self::hook_point).
    pub fn first_point<I: Payload, O: Payload>(
        &self,
        point: impl Into<PointDeclaration>,
    ) -> Result<FirstPoint<I, O>, RegisterError> {
        self.0.registry.first_point(point, APPLICATION)
    }

    /// Declares a point that collects answers.
    ///
    /// # Errors
    /// As [`hook_point`](Self::hook_point).
    pub fn collect_point<I: Payload, O: Payload>(
        &self,
        point: impl Into<PointDeclaration>,
    ) -> Result<CollectPoint<I, O>, RegisterError> {
        self.0.registry.collect_point(point, APPLICATION)
    }

    /// Declares a point that tells its hooks of something.
    ///
    /// # Errors
    /// As [`hook_point`](Self::hook_point).
    pub fn notify_point<I: Payload>(
        &self,
        point: impl Into<PointDeclaration>,
    ) -> Result<NotifyPoint<I>, RegisterError> {
        self.0.registry.notify_point(point, APPLICATION)
    }

    /// Declares a hook point around all requests to the contributions of an extension point.
    ///
    /// # Errors
    /// When the id is taken, or a hook that is loaded already does not fit.
    pub fn wrap(&self, extension_point: &str, hook_point: &str) -> Result<(), RegisterError> {
        // What a request is about stands under the extension point's own name.
        let declaration = PointDeclaration::new(hook_point).context(extension_point, Value::Bool(true));
        if let Some(first) = self.0.wrappers().get(extension_point) {
            return Err(RegisterError::WrappedTwice {
                extension_point: extension_point.into(),
                first: Arc::clone(&first.info().id),
                second: hook_point.into(),
            });
        }
        let point = self.0.registry.hook_point(declaration, APPLICATION)?;
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

    /// Makes contributions of the application itself, under a name of its own: what it offers to plugins.
    ///
    /// # Errors
    /// When the name or a contribution is taken.
    pub fn contribute(&self, name: &PluginId, contributions: Vec<Contribution>) -> Result<(), RegisterError> {
        let mut registration = Registration::new(name.clone());
        registration.contributions = contributions;
        self.0.registry.register(vec![registration])
    }

    /// Joins the hooks that manifests declare, with nothing behind them, so that [`explain`](Self::explain) tells where
    /// they would stand. No plugin is read, loaded or run for it; a call of a point that they join fails.
    ///
    /// # Errors
    /// What of them does not fit, as when they were loaded.
    pub fn outline<'a>(&self, manifests: impl IntoIterator<Item = &'a Manifest>) -> Result<(), HostError> {
        let outlines = manifests.into_iter().map(|manifest| {
            let grants = self.0.policy.grant(manifest, None).map_err(HostError::Denied)?;
            Ok(outline(manifest, &grants))
        });
        let outlines = outlines.collect::<Result<_, HostError>>()?;
        Ok(self.0.registry.register(outlines)?)
    }

    /// Puts the operator's rules about hooks in the place of the ones before.
    ///
    /// # Errors
    /// When no order satisfies them; then nothing has changed.
    pub fn set_hook_rules(&self, rules: HookRules) -> Result<(), RegisterError> {
        self.0.registry.set_rules(rules)
    }

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
    /// The first stop of the walk at which one of them was refused; then nothing has changed.
    pub async fn load_all(&self, loads: Vec<Load>) -> Result<Vec<PluginId>, HostError> {
        self.load_readied(loads.into_iter().map(Load::read).collect::<Result<_, _>>()?).await
    }

    async fn load_readied(&self, readied: Vec<Readied>) -> Result<Vec<PluginId>, HostError> {
        let _change = self.0.change.lock().await;
        let chosen = self.choose(readied)?;
        let mut loading = Loading { host: &self.0, started: Vec::new(), is_registered: false };
        for one in &chosen {
            let loaded = self.0.start(one, &self.0).await?;
            loading.started.push(loaded);
        }
        self.0.registry.register(loading.started.iter().map(Loaded::registration).collect())?;
        loading.is_registered = true;
        for (place, loaded) in loading.started.iter().enumerate() {
            if let Err(source) = loaded.supervisor.begin().await {
                let plugin = loaded.id().clone();
                for begun in loading.started[..place].iter().rev() {
                    self.0.end(begun).await;
                }
                return Err(HostError::Start { plugin, source });
            }
            loaded.listen(&self.0.bus);
        }
        let started = std::mem::take(&mut loading.started);
        let ids = started.iter().map(|loaded| loaded.id().clone()).collect();
        self.0.plugins().extend(started);
        Ok(ids)
    }

    /// Unloads a plugin: hides what it brought, lets the calls inside it finish, ends those that do not, stops it.
    /// Dropping the future does not keep it from coming to its end.
    ///
    /// # Errors
    /// When there is no such plugin, others need it, or the caller is inside it; then nothing has changed.
    pub async fn unload(&self, id: &str) -> Result<Drain, UnloadError> {
        if PluginId::new(id).is_ok_and(|id| tapline_core::is_inside(&id)) {
            return Err(UnloadError::WouldDeadlock(id.into()));
        }
        let change = Arc::clone(&self.0.change).lock_owned().await;
        let leaving = vec![self.0.take(id)?];
        let drains = self.end_all(change, leaving).await;
        Ok(drains.first().map_or(Drain::Forced, |(_, drain)| *drain))
    }

    /// Unloads a plugin and those that need it, the latter first. Those that can do without it stay.
    ///
    /// # Errors
    /// When there is no such plugin, or the caller is inside one of them; then nothing has changed.
    pub async fn unload_with_dependents(&self, id: &str) -> Result<Vec<(PluginId, Drain)>, UnloadError> {
        let change = Arc::clone(&self.0.change).lock_owned().await;
        let leaving = self.0.take_with_dependents(id)?;
        Ok(self.end_all(change, leaving).await)
    }

    /// Ends plugins in the reverse of the order in which they were started, in a task that nobody can give up.
    async fn end_all(&self, change: OwnedMutexGuard<()>, leaving: Vec<Loaded>) -> Vec<(PluginId, Drain)> {
        let shared = Arc::clone(&self.0);
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
        self.0.blocked().insert(id.clone());
        match self.unload(id.as_str()).await {
            Ok(_) | Err(UnloadError::NotLoaded(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Lets a plugin be loaded again.
    pub fn unblock(&self, id: &PluginId) {
        self.0.blocked().remove(id);
    }

    /// What has become of a plugin.
    #[must_use]
    pub fn state(&self, id: &PluginId) -> PluginState {
        let supervisor = self.supervisor(id);
        match supervisor.map(|supervisor| supervisor.status().state) {
            Some(PluginState::Active) if self.0.registry.has_quarantined_hook(id) => PluginState::Degraded,
            Some(state) => state,
            None if self.0.blocked().contains(id) => PluginState::Disabled,
            None => PluginState::Absent,
        }
    }

    /// How a plugin fares; `None` when it is not loaded.
    #[must_use]
    pub fn health(&self, id: &PluginId) -> Option<PluginHealth> {
        let (state, supervisor) = (self.state(id), self.supervisor(id)?);
        let (incarnation, late_answers) = (supervisor.status().incarnation, supervisor.late_answers());
        Some(PluginHealth { state, incarnation, late_answers })
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
        let shared = Arc::clone(&self.0);
        // It ends in a panic only when the runtime does.
        let _ = tokio::spawn(async move { shared.restart(&supervisor).await }).await;
        Ok(self.state(id))
    }

    fn supervisor(&self, id: &PluginId) -> Option<Arc<Supervisor>> {
        let plugins = self.0.plugins();
        Some(Arc::clone(&plugins.iter().find(|loaded| loaded.id() == id)?.supervisor))
    }

    /// Unloads everything, dependents first. Dropping the future does not keep it from coming to its end.
    ///
    /// # Errors
    /// When the caller is inside a plugin; then nothing has changed.
    pub async fn shut_down(&self) -> Result<(), UnloadError> {
        if let Some(inside) = self.plugins().iter().find(|info| tapline_core::is_inside(info.manifest.id())) {
            return Err(UnloadError::WouldDeadlock(inside.manifest.id().to_string()));
        }
        let change = Arc::clone(&self.0.change).lock_owned().await;
        let leaving = self.0.plugins().drain(..).collect();
        self.end_all(change, leaving).await;
        Ok(())
    }

    /// Makes a request to a contribution, through the hook point around its extension point if there is one.
    ///
    /// # Errors
    /// When nobody makes the contribution, or what it or a hook answers.
    pub fn request(&self, request: Request) -> impl Future<Output = Result<Value, HookError>> + Send + use<> {
        Arc::clone(&self.0).request(request)
    }

    /// Publishes an event, and says how many subscriptions it was queued for.
    pub fn publish(&self, topic: Topic, payload: Value) -> usize {
        self.0.bus.publish(&Event { topic, payload })
    }

    /// As [`publish`](Self::publish), and keeps the event: whoever subscribes later gets the latest one of its topic first.
    pub fn publish_state(&self, topic: Topic, payload: Value) -> usize {
        self.0.bus.publish_state(&Event { topic, payload })
    }

    /// Subscribes to events; dropping the subscription ends it.
    #[must_use]
    pub fn subscribe(&self, topics: TopicPattern, queueing: Queueing) -> Subscription {
        self.0.bus.subscribe(topics, queueing)
    }

    /// Calls a function with the events of these topics, one after the other, in a task of its own.
    #[must_use]
    pub fn listen(
        &self,
        topics: TopicPattern,
        queueing: Queueing,
        listener: impl Fn(Delivery) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Listener {
        self.subscribe(topics, queueing).listen(listener)
    }

    /// The plugins, in the order in which they were started.
    #[must_use]
    pub fn plugins(&self) -> Vec<PluginInfo> {
        self.0.plugins().iter().map(|loaded| loaded.info.clone()).collect()
    }

    /// Why the hooks of a point stand where they stand, and how they fare; `None` when there is no such point.
    #[must_use]
    pub fn explain(&self, point: &str) -> Option<Explanation> {
        self.0.registry.explain(point)
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
