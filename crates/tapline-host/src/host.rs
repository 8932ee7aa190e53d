use std::future::Future;
use std::sync::Arc;

use semver::Version;
use tapline_core::{
    BoxFuture, CollectPoint, Contribution, Event, Explanation, Figures, FilterPoint, FirstPoint, Hook,
    HookError, HookEvent, HookPoint, HookRules, Manifest, NotifyPoint, Payload, PluginId, PointDeclaration,
    RegisterError, Registration, Registry, Request, Topic, TopicPattern, Value,
};

use crate::builder::HostBuilder;
use crate::bus::{Delivery, Listener, Queueing, Subscription};
use crate::error::HostError;
use crate::loaded::{PluginInfo, outline};
use crate::shared::Shared;
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
        let host = Arc::new(shared);
        let watched = Arc::downgrade(&host);
        host.registry.observe(Arc::new(move |event| {
            if let (HookEvent::Quarantined { layer }, Some(host)) = (event, watched.upgrade()) {
                host.condemn(&layer.plugin);
            }
        }));
        Self(host)
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
    pub fn wrap(
        &self,
        extension_point: &str,
        hook_point: &str,
    ) -> Result<HookPoint<Request, Value>, RegisterError> {
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
        self.0.wrappers().insert(extension_point.into(), Arc::new(point.clone()));
        Ok(point)
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

    /// What a plugin has cost since it was loaded, as far as its runtime knows; `None` when it is not loaded, or native.
    #[must_use]
    pub fn figures(&self, id: &PluginId) -> Option<Figures> {
        self.supervisor(id)?.figures()
    }

    pub(crate) fn supervisor(&self, id: &PluginId) -> Option<Arc<Supervisor>> {
        let plugins = self.0.plugins();
        Some(Arc::clone(&plugins.iter().find(|loaded| loaded.id() == id)?.supervisor))
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

    /// The version of a plugin; `None` when it is not loaded.
    #[must_use]
    pub fn version(&self, id: &PluginId) -> Option<Version> {
        let plugins = self.0.plugins();
        Some(plugins.iter().find(|loaded| loaded.id() == id)?.info.manifest.plugin.version.clone())
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
