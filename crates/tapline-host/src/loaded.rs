use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tapline_core::{
    Boundary, BoxFuture, CallContext, CallError, Contribution, Flow, Grants, Hook, HookDeclaration,
    LayerStats, Limits, Manifest, Object, Operation, PluginId, Registration, Removal, Target,
};

use crate::bus::{Bus, Listener, Queueing};
use crate::calls::HostServices;
use crate::error::HostError;
use crate::files::{Places, PluginFiles};
use crate::load::Readied;
use crate::supervisor::{SupervisedHandler, SupervisedHook, Supervisor};
use crate::usage::Usage;

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
    /// What it has done with its grants since it was loaded.
    pub usage: Arc<Usage>,
}

/// How the calls that were in a plugin when it was unloaded came to their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drain {
    /// All of them left by themselves.
    Drained,
    /// Some were still inside after the time to drain, and were ended: they failed.
    Forced,
    /// So many could not be ended, because native code that computes gives way to nobody. The plugin is not entered
    /// again, and its code is there until they leave.
    Leaked(usize),
}

/// How long calls that were told to end may take for it.
const GRACE: Duration = Duration::from_secs(1);

/// A plugin that is started.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) info: PluginInfo,
    /// What it was loaded from, so that it can be loaded again.
    pub(crate) readied: Arc<Readied>,
    pub(crate) supervisor: Arc<Supervisor>,
    /// Its subscriptions, from its start to its stop.
    pub(crate) listeners: Arc<Mutex<Vec<Listener>>>,
}

impl Loaded {
    pub(crate) fn id(&self) -> &PluginId {
        self.info.manifest.id()
    }

    /// Tells the plugin that it may begin.
    pub(crate) async fn begin(&self) -> Result<(), HostError> {
        let begun = self.supervisor.begin().await;
        begun.map_err(|source| HostError::Start { plugin: self.id().clone(), source })
    }

    /// All that the plugin brings.
    pub(crate) fn registration(&self) -> Registration {
        let manifest = &self.info.manifest;
        let mut registration = declared(manifest, &self.readied.needs, &self.info.grants);
        registration.hooks = manifest.hooks.iter().map(|hook| self.hook(hook)).collect();
        let gate = Arc::clone(registration.gate());
        self.supervisor.enter_by(&gate);
        registration.contributions = manifest
            .provides
            .iter()
            .map(|provides| {
                let (point, key) = (Arc::clone(&provides.point), Arc::clone(&provides.key));
                let handler = SupervisedHandler::new(&self.supervisor, &gate, provides);
                Contribution::new(point, key, manifest.id().clone(), Arc::new(handler))
            })
            .collect();
        registration
    }

    /// Begins to deliver the events that the plugin subscribed to.
    pub(crate) fn listen(&self, bus: &Arc<Bus>) {
        self.listen_for(bus, &[]);
    }

    /// Begins to deliver the events that another version got before. Those that wait for that one are still its own; who
    /// delivers them comes back.
    pub(crate) fn listen_in_place_of(&self, other: &Self, bus: &Arc<Bus>) -> Vec<Listener> {
        let ending = other.take_listeners();
        self.listen_for(bus, &ending);
        ending
    }

    fn listen_for(&self, bus: &Arc<Bus>, ending: &[Listener]) {
        let declarations = &self.info.manifest.subscriptions;
        let beginning = declarations.iter().map(|declaration| {
            let queueing = Queueing { capacity: declaration.capacity, overflow: declaration.overflow };
            (declaration.topic.clone(), queueing)
        });
        let subscriptions = bus.exchange(ending, beginning);
        let listeners = declarations.iter().zip(subscriptions).map(|(declaration, subscription)| {
            let (supervisor, name) = (Arc::clone(&self.supervisor), Arc::clone(&declaration.name));
            subscription.listen(move |delivery| {
                let (supervisor, subscription) = (Arc::clone(&supervisor), Arc::clone(&name));
                Box::pin(async move { supervisor.deliver(subscription, delivery).await })
            })
        });
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).extend(listeners);
    }

    fn take_listeners(&self) -> Vec<Listener> {
        std::mem::take(&mut *self.listeners.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets the calls come to their end that are inside the plugin, and ends those that do not. `quiet` is done when no
    /// call can come any more.
    pub(crate) async fn drain(
        &self,
        time: Duration,
        removal: &Removal,
        quiet: impl Future<Output = ()>,
    ) -> Drain {
        let mut quiet = pin!(quiet);
        if tokio::time::timeout(time, &mut quiet).await.is_ok() {
            return Drain::Drained;
        }
        self.supervisor.end_calls();
        let is_quiet = tokio::time::timeout(GRACE, quiet).await.is_ok();
        match removal.inside() {
            // Of a version that was replaced, calls can be left that have yet to come to it.
            0 if !is_quiet && self.supervisor.is_aside() => Drain::Forced,
            inside if !is_quiet => Drain::Leaked(inside),
            _ => Drain::Forced,
        }
    }

    /// Ends the delivery of events: what waits is dropped, and the calls that have begun come to their end.
    pub(crate) async fn stop_listening(&self) {
        for listener in self.take_listeners() {
            listener.unsubscribe().await;
        }
    }

    fn hook(&self, declaration: &HookDeclaration) -> Hook {
        let operation = Operation::hook(declaration.kind, Arc::clone(&declaration.name));
        let hook = SupervisedHook { supervisor: Arc::clone(&self.supervisor), operation };
        Hook::boundary(declaration.clone(), Arc::new(hook))
    }
}

/// What a plugin declares of itself, without its hooks and contributions. `chosen` are those that meet its needs.
fn declared(manifest: &Manifest, chosen: &[PluginId], grants: &Grants) -> Registration {
    let mut registration = Registration::new(manifest.id().clone());
    registration.version = manifest.plugin.version.clone();
    for need in &manifest.plugin.depends_on {
        // One that can be done without may come later.
        match &need.on {
            Target::Plugin(id) if need.optional => registration.may_depend_on.push(id.clone()),
            Target::Plugin(id) => registration.depends_on.push(id.clone()),
            Target::Capability(_) => {}
        }
    }
    registration.may_depend_on.extend(chosen.iter().cloned());
    registration.capabilities.clone_from(&manifest.plugin.capabilities);
    registration.context = grants.context.clone();
    registration
}

/// The hooks that a manifest declares, with nothing behind them.
pub(crate) fn outline(manifest: &Manifest, grants: &Grants) -> Registration {
    let mut registration = declared(manifest, &[], grants);
    let hooks = manifest
        .hooks
        .iter()
        .map(|hook| Hook::boundary(hook.clone(), Arc::new(Outline(manifest.id().clone()))));
    registration.hooks = hooks.collect();
    registration
}

/// Stands where a hook would stand.
struct Outline(PluginId);

impl Boundary for Outline {
    fn context(&self, root: Object) -> Arc<CallContext> {
        let files = PluginFiles::new(self.0.clone(), Places::default(), &Grants::default());
        let services = HostServices::new(Weak::new(), Arc::default(), files, &Limits::default());
        Arc::new(CallContext::new(self.0.clone(), Arc::default(), Arc::new(services), root))
    }

    fn enter<'a>(&'a self, _: &'a Arc<CallContext>) -> BoxFuture<'a, Result<Flow, CallError>> {
        let error = CallError::NotActive { plugin: self.0.to_string() };
        Box::pin(std::future::ready(Err(error)))
    }
}
