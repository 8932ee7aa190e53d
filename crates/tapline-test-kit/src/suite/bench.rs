#![expect(clippy::unwrap_used, reason = "a fixture that is wrong ends the test")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tapline::core::{BoxFuture, Contribution, Handler, HookEvent, METHODS, Origin, Request, TopicPattern};
use tapline::host::{
    BootFailed, HostBuilder, PluginState, ReloadError, Reloaded, StartReport, SwapError, Swapped,
};
use tapline::{CallError, Failure, HookError, HookPoint, Host, HostError, Load, PluginId, Policy, Value};
use tempfile::TempDir;
use tokio::sync::Semaphore;

use crate::suite::scripted::{Scripted, Subject};

/// What the points of the suite carry: the words that hooks add on their way.
pub type Words = Vec<String>;

/// A host, and plugins of one kind to load into it.
#[derive(Debug)]
pub struct Bench<S> {
    subject: S,
    /// The host.
    pub host: Host,
    events: Arc<Mutex<Vec<String>>>,
}

impl<S: Subject> Bench<S> {
    /// A host without plugins, whose policy allows events of `a.>`.
    ///
    /// # Panics
    /// When there is no sandbox on this machine.
    #[must_use]
    pub fn new(subject: S) -> Self {
        Self::with(subject, |host| host)
    }

    /// As [`new`](Self::new), of a host with other settings.
    ///
    /// # Panics
    /// When there is no sandbox on this machine.
    #[must_use]
    pub fn with(subject: S, settings: impl FnOnce(HostBuilder) -> HostBuilder) -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&events);
        let topics = || TopicPattern::new("a.>").unwrap();
        let mut policy = Policy::default().allow_publish(topics()).allow_subscribe(topics());
        for calls in ["nobody", "plugin/*", "capability:*"] {
            policy = policy.allow_call(calls.parse().unwrap());
        }
        let host = Host::builder().shared_runtime(subject.runtime()).policy(policy).observer(move |event| {
            seen.lock().unwrap().push(match event {
                HookEvent::Failed { layer, .. } => format!("{}/{} failed", layer.plugin, layer.hook),
                HookEvent::Quarantined { layer } => {
                    format!("{}/{} quarantined", layer.plugin, layer.hook)
                }
                other => format!("{other:?}"),
            });
        });
        Self { subject, host: settings(host).build(), events }
    }

    /// The point `p`, whose operation is that of [`call`](Self::call).
    ///
    /// # Panics
    /// When it has been declared.
    #[must_use]
    pub fn point(&self) -> HookPoint<Words, Words> {
        self.host.hook_point("p").unwrap()
    }

    /// Loads plugins together.
    ///
    /// # Errors
    /// Why they were refused.
    ///
    /// # Panics
    /// When a package cannot be written.
    pub async fn try_load(
        &self,
        plugins: impl IntoIterator<Item = Scripted>,
    ) -> Result<Vec<PluginId>, HostError> {
        let (loads, _folders) = self.loads(plugins);
        self.host.load_all(loads).await
    }

    /// Loads plugins together, and of some more those that they need.
    ///
    /// # Errors
    /// Why they were refused.
    ///
    /// # Panics
    /// When a package cannot be written.
    pub async fn try_choose(
        &self,
        plugins: impl IntoIterator<Item = Scripted>,
        available: impl IntoIterator<Item = Scripted>,
    ) -> Result<Vec<PluginId>, HostError> {
        let (mut loads, _folders) = self.loads(plugins);
        let (available, _more_folders) = self.loads(available);
        loads.extend(available.into_iter().map(Load::available));
        self.host.load_all(loads).await
    }

    /// Starts up with plugins, those with `true` being optional.
    ///
    /// # Errors
    /// The report of a start-up that ended.
    ///
    /// # Panics
    /// When a package cannot be written.
    pub async fn boot(
        &self,
        plugins: impl IntoIterator<Item = (Scripted, bool)>,
    ) -> Result<StartReport, BootFailed> {
        let (plugins, optional): (Vec<_>, Vec<_>) = plugins.into_iter().unzip();
        let (loads, _folders) = self.loads(plugins);
        let loads = loads.into_iter().zip(optional);
        let loads = loads.map(|(load, is_optional)| if is_optional { load.optional() } else { load });
        self.host.boot(loads.collect()).await
    }

    /// Puts another version of a plugin in its place.
    ///
    /// # Errors
    /// Why it was not.
    ///
    /// # Panics
    /// When a package cannot be written.
    pub async fn reload(&self, plugin: Scripted) -> Result<Reloaded, ReloadError> {
        let folder = TempDir::new().unwrap();
        self.host.reload(self.subject.load(&plugin, &folder)).await
    }

    /// Puts another version of a plugin in its place while calls go on.
    ///
    /// # Errors
    /// Why it was not.
    ///
    /// # Panics
    /// When a package cannot be written.
    pub async fn swap(&self, plugin: Scripted) -> Result<Swapped, SwapError> {
        self.swap_as(plugin, |load| load).await
    }

    /// As [`swap`](Self::swap), of a plugin that is loaded in another way.
    ///
    /// # Errors
    /// Why it was not.
    ///
    /// # Panics
    /// When a package cannot be written.
    pub async fn swap_as(
        &self,
        plugin: Scripted,
        how: impl FnOnce(Load) -> Load,
    ) -> Result<Swapped, SwapError> {
        let folder = TempDir::new().unwrap();
        self.host.swap(how(self.subject.load(&plugin, &folder))).await
    }

    fn loads(&self, plugins: impl IntoIterator<Item = Scripted>) -> (Vec<Load>, Vec<TempDir>) {
        let load = |plugin: Scripted| {
            let folder = TempDir::new().unwrap();
            (self.subject.load(&plugin, &folder), folder)
        };
        plugins.into_iter().map(load).unzip()
    }

    /// Loads plugins together.
    ///
    /// # Panics
    /// When they are refused.
    pub async fn load(&self, plugins: impl IntoIterator<Item = Scripted>) {
        self.try_load(plugins).await.unwrap();
    }

    /// Calls a point with no words, around an operation that adds `core`.
    ///
    /// # Errors
    /// What the call answers.
    pub async fn call(&self, point: &HookPoint<Words, Words>) -> Result<Words, HookError> {
        let core = |mut words: Words| async {
            words.push("core".into());
            Ok(words)
        };
        point.call(Words::new(), core).await
    }

    /// Calls a point around an operation that fails with the code `core`.
    ///
    /// # Errors
    /// What the call answers.
    pub async fn call_failing(&self, point: &HookPoint<Words, Words>) -> Result<Words, HookError> {
        point
            .call(Words::new(), |_| async {
                Err::<Words, CallError>(Failure::new("core", "it failed").into())
            })
            .await
    }

    /// What a plugin has noted, as the contribution of this key at `seen` tells.
    ///
    /// # Panics
    /// When nobody contributes it.
    pub async fn seen(&self, key: &str) -> Value {
        self.host.request(Request::new("seen", key, "handle", Value::Null)).await.unwrap()
    }

    /// Calls a method of a plugin, for the application.
    ///
    /// # Errors
    /// With the code of what it answers.
    pub async fn ask(&self, plugin: &str, method: &str) -> Result<Value, String> {
        let answer = self.host.request(Request::new(METHODS, plugin, method, Value::Null)).await;
        answer.map_err(|error| error.to_failure().code().to_owned())
    }

    /// Lets everybody else go on as far as they can.
    pub async fn settle(&self) {
        for _ in 0..self.subject.turns() {
            tokio::task::yield_now().await;
        }
    }

    /// What has become of a plugin, once it is not being started again any more.
    ///
    /// # Panics
    /// When the id is none.
    pub async fn settled(&self, plugin: &str) -> PluginState {
        let plugin = PluginId::new(plugin).unwrap();
        while self.host.state(&plugin) == PluginState::Backoff {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.host.state(&plugin)
    }

    /// How often a plugin has begun anew, from 1.
    ///
    /// # Panics
    /// When it is not loaded.
    #[must_use]
    pub fn incarnation(&self, plugin: &str) -> u64 {
        self.host.health(&PluginId::new(plugin).unwrap()).unwrap().incarnation
    }

    /// Has the application answer the methods of `gate`: `wait` when the gate is opened, anything else at once.
    ///
    /// # Panics
    /// When it has done so before.
    #[must_use]
    pub fn gate(&self) -> Arc<TestGate> {
        let gate = Arc::new(TestGate::default());
        let (id, handler) = (PluginId::new("gate").unwrap(), Arc::clone(&gate));
        let contribution = Contribution::new(METHODS.into(), "gate".into(), id.clone(), handler);
        self.host.contribute(&id, vec![contribution]).unwrap();
        gate
    }

    /// What was told of hooks, in order.
    ///
    /// # Panics
    /// Never, unless an observer has.
    #[must_use]
    pub fn events(&self) -> Vec<String> {
        self.events.lock().unwrap().clone()
    }
}

/// A method of the application at which plugins wait until it lets them go on.
#[derive(Debug)]
pub struct TestGate {
    /// How many are let through.
    open: Semaphore,
    /// The methods that were asked for, in order.
    asked: Mutex<Vec<String>>,
    /// The methods that fail.
    failing: Mutex<Vec<String>>,
}

impl Default for TestGate {
    fn default() -> Self {
        Self { open: Semaphore::new(0), asked: Mutex::default(), failing: Mutex::default() }
    }
}

impl TestGate {
    /// Lets so many go on.
    pub fn open(&self, count: usize) {
        self.open.add_permits(count);
    }

    /// The methods that were asked for so far.
    ///
    /// # Panics
    /// Never, unless a handler has.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Waits until so many have come.
    pub async fn has_come(&self, count: usize) {
        while self.asked().len() < count {
            tokio::task::yield_now().await;
        }
    }

    /// Has a method fail from now on.
    ///
    /// # Panics
    /// Never, unless a handler has.
    pub fn refuse(&self, method: &str) {
        self.failing.lock().unwrap().push(method.into());
    }
}

impl Handler for TestGate {
    fn handle<'a>(
        &'a self,
        method: &'a Arc<str>,
        _: Value,
        _: Origin,
    ) -> BoxFuture<'a, Result<Value, CallError>> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(method.to_string());
            if self.failing.lock().unwrap().iter().any(|failing| **failing == **method) {
                return Err(Failure::new("refused", "the gate is shut").into());
            }
            if **method == *"wait" {
                self.open.acquire().await.unwrap().forget();
            }
            Ok(method.as_ref().into())
        })
    }
}
