use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tapline_core::{Act, HookEvent, HookObserver, HttpClient, Level, Limits, PluginId, Registry, Runtime};

use crate::arrivals::Arrivals;
use crate::audit::{Auditor, Logger};
use crate::driver::TokioDriver;
use crate::files::Places;
use crate::host::Host;
use crate::http::Http;
use crate::lifecycle::Lifecycle;
use crate::policy::Policy;
use crate::settings::{Secrets, Settings};
use crate::shared::Shared;
use crate::supervisor::Supervision;
use crate::time::Clock;
use crate::trial::Trials;

/// Settings of a [`Host`].
#[derive(Default)]
pub struct HostBuilder {
    runtimes: Vec<Arc<dyn Runtime>>,
    policy: Policy,
    limits: Limits,
    drain: Option<Duration>,
    supervision: Supervision,
    folders: Vec<PathBuf>,
    observers: Vec<HookObserver>,
    auditors: Vec<Auditor>,
    loggers: Vec<Logger>,
    clock: Clock,
    places: Places,
    http: Http,
}

impl HostBuilder {
    /// Adds what runs one kind of plugins; native plugins need none.
    #[must_use]
    pub fn runtime(mut self, runtime: impl Runtime + 'static) -> Self {
        self.runtimes.push(Arc::new(runtime));
        self
    }

    /// Adds what runs one kind of plugins, and those of other hosts too.
    #[must_use]
    pub fn shared_runtime(mut self, runtime: Arc<dyn Runtime>) -> Self {
        self.runtimes.push(runtime);
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

    /// Says how often plugins that ended are started again, and what a restart takes along.
    #[must_use]
    pub const fn supervision(mut self, supervision: Supervision) -> Self {
        self.supervision = supervision;
        self
    }

    /// Takes what an operator has decided: policy, limits, supervision and the time to drain.
    #[must_use]
    pub fn settings(self, settings: &Settings) -> Self {
        self.policy(settings.policy().clone())
            .limits(settings.limits().clone())
            .supervision(settings.supervision())
            .drain(settings.drain())
    }

    /// Adds a folder of packages: those in it are loaded when another plugin needs them.
    #[must_use]
    pub fn plugins(mut self, folder: impl AsRef<Path>) -> Self {
        self.folders.push(folder.as_ref().to_owned());
        self
    }

    /// Gives each plugin that is granted `scratch:` a folder in this one, named after it, where its files stay; it is made
    /// where there is none. Unless said, it is a temporary one, for as long as the plugin is loaded.
    #[must_use]
    pub fn scratch(mut self, folder: impl AsRef<Path>) -> Self {
        self.places.scratch = Some(folder.as_ref().to_owned());
        self
    }

    /// Says which folder `data:` is. Unless said, there is none.
    #[must_use]
    pub fn data(mut self, folder: impl AsRef<Path>) -> Self {
        self.places.data = Some(folder.as_ref().to_owned());
        self
    }

    /// Has somebody told of what happens to hooks and no caller learns of; the log is told of it anyway.
    #[must_use]
    pub fn observer(mut self, observer: impl Fn(&HookEvent<'_>) + Send + Sync + 'static) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// Has somebody told of every privileged act of a plugin, and of every refusal, before it is done. It is called where
    /// the act happens, so it should be quick.
    #[must_use]
    pub fn audit(mut self, auditor: impl Fn(&Act<'_>) + Send + Sync + 'static) -> Self {
        self.auditors.push(Arc::new(auditor));
        self
    }

    /// Has somebody told of each line that a plugin logs, as far as it may; the log of the application gets it anyway. It is
    /// called where the plugin logs, so it should be quick.
    #[must_use]
    pub fn log(mut self, logger: impl Fn(&PluginId, Level, &str) + Send + Sync + 'static) -> Self {
        self.loggers.push(Arc::new(logger));
        self
    }

    /// Says what time plugins are told it is; that of the system unless said. It is for tests, and for whoever runs again
    /// what was recorded; limits and deadlines go by their own.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Clock(Arc::new(clock));
        self
    }

    /// Adds what makes the requests of plugins over http; without it, a request is answered with `not-available`.
    #[must_use]
    pub fn http(mut self, client: impl HttpClient + 'static) -> Self {
        self.http.client = Some(Arc::new(client));
        self
    }

    /// Gives the values of secrets, which are put into the requests of plugins that were granted them, and taken out of
    /// all answers.
    #[must_use]
    pub fn secrets(mut self, secrets: Secrets) -> Self {
        self.http.secrets = secrets;
        self
    }

    /// Makes the host.
    #[must_use]
    pub fn build(self) -> Host {
        let registry = Registry::new(Arc::new(TokioDriver));
        registry.observe(Arc::new(log));
        for observer in self.observers {
            registry.observe(observer);
        }
        Host::new(Shared {
            lifecycle: Lifecycle::new(&registry),
            registry,
            runtimes: self.runtimes,
            policy: self.policy,
            limits: self.limits,
            folders: self.folders,
            drain: self.drain.unwrap_or(DRAIN),
            supervision: self.supervision,
            waits: Arc::default(),
            plugins: Mutex::default(),
            blocked: Mutex::default(),
            wrappers: Mutex::default(),
            change: Arc::default(),
            arrivals: Arrivals::default(),
            trials: Trials::default(),
            bus: Arc::default(),
            auditors: self.auditors,
            loggers: self.loggers,
            clock: self.clock,
            places: self.places,
            http: self.http,
        })
    }
}

/// How long an unloaded plugin may take to finish its calls unless the application says it.
pub(crate) const DRAIN: Duration = Duration::from_secs(10);

fn log(event: &HookEvent<'_>) {
    match event {
        HookEvent::Failed { layer, error } => {
            let cause = error.cause();
            tracing::warn!(plugin = %layer.plugin, hook = %layer.hook, point = %layer.point, %cause, "a hook failed");
        }
        HookEvent::Quarantined { layer } => {
            tracing::error!(plugin = %layer.plugin, hook = %layer.hook, point = %layer.point, "a hook is in quarantine");
        }
        other => tracing::warn!(?other, "something happened to a hook"),
    }
}

impl fmt::Debug for HostBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HostBuilder").field("runtimes", &self.runtimes).finish_non_exhaustive()
    }
}
