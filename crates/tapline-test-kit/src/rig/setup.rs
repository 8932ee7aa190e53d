use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use tapline::core::{Manifest, Runtime, TopicPattern};
use tapline::host::{Delivery, Queueing, Secrets};
use tapline::{Host, Load, Loader, NativePlugin, Policy, Value, WasmRuntime};

use super::http::{Served, Servers};
use super::seen::Seen;
use super::{Answer, Reply, Rig, RigError, answer, stand_in};

/// How somebody answers a request.
pub(super) type Answering = Box<dyn Fn(&Value) -> Answer + Send + Sync>;

/// What a plugin is to find around it.
#[derive(Default)]
pub struct Setup {
    config: Value,
    answers: BTreeMap<String, BTreeMap<String, Answering>>,
    served: Vec<Served>,
    secrets: Vec<(String, String)>,
    data: Option<PathBuf>,
    time: Option<SystemTime>,
    policy: Option<Policy>,
    runtime: Option<Arc<dyn Runtime>>,
    seen: Seen,
}

/// Nothing that a plugin does in a test is more than this.
const EVENTS: usize = 65_536;

impl Setup {
    /// Starts the plugin with this configuration.
    #[must_use]
    pub fn config(mut self, config: impl Into<Value>) -> Self {
        self.config = config.into();
        self
    }

    /// Answers the plugin's calls of a method of a target: `provider/echo`, or a plugin's id.
    #[must_use]
    pub fn answer(self, target: &str, method: &str, answer: impl Into<Answer>) -> Self {
        let answer = answer.into();
        self.answer_with(target, method, move |_| answer.clone())
    }

    /// Answers the plugin's calls of a method of a target with what a function makes of the request.
    #[must_use]
    pub fn answer_with(
        mut self,
        target: &str,
        method: &str,
        answer: impl Fn(&Value) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let methods = self.answers.entry(target.to_owned()).or_default();
        methods.insert(method.to_owned(), Box::new(answer));
        self
    }

    /// Answers a prompt to the provider of this name with a text.
    #[must_use]
    pub fn provider(self, name: &str, output: impl Into<Value>) -> Self {
        let completion = Value::from_iter([("output", output.into()), ("model", "scripted".into())]);
        self.answer(&format!("provider/{name}"), "complete", completion)
    }

    /// Answers the plugin's requests over http of this method and address. Several answers are given one after the other,
    /// and the last of them for ever.
    #[must_use]
    pub fn http(mut self, method: &str, url: &str, replies: impl IntoIterator<Item = Reply>) -> Self {
        let (method, url) = (method.to_owned(), url.to_owned());
        self.served.push(Served { method, url, replies: replies.into_iter().collect() });
        self
    }

    /// Gives a secret this value.
    #[must_use]
    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Says which folder `data:` is.
    #[must_use]
    pub fn data(mut self, folder: impl AsRef<Path>) -> Self {
        self.data = Some(folder.as_ref().to_owned());
        self
    }

    /// Stops the plugin's clock at this time. For timeouts, pause those of tokio.
    #[must_use]
    pub const fn time(mut self, time: SystemTime) -> Self {
        self.time = Some(time);
        self
    }

    /// Lets the plugin do this, and not all that its manifest asks for.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Runs packages with this, and not with a sandbox of its own.
    #[must_use]
    pub fn runtime(mut self, runtime: Arc<dyn Runtime>) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// What the plugin will have done, also where it does not start.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.seen.clone()
    }

    /// Loads the package in a folder.
    ///
    /// # Errors
    /// When the package is none, does not start, or an answer of the test cannot be given.
    pub async fn load(self, folder: impl AsRef<Path> + Send) -> Result<Rig, RigError> {
        let manifest = Loader::manifest(folder.as_ref())?;
        self.start(manifest, Load::folder(folder)).await
    }

    /// Loads a plugin that is linked in.
    ///
    /// # Errors
    /// When it does not start, or an answer of the test cannot be given.
    pub async fn load_native(self, plugin: NativePlugin) -> Result<Rig, RigError> {
        let manifest = Loader::native(&plugin)?;
        self.start(manifest, Load::native(plugin)).await
    }

    async fn start(mut self, manifest: Manifest, load: Load) -> Result<Rig, RigError> {
        let seen = self.seen.clone();
        let host = self.host(&manifest, &seen)?;
        let plugin = manifest.id().clone();
        answer::contribute(&host, &plugin, &seen, std::mem::take(&mut self.answers))?;
        listen(&host, &seen)?;
        let loads = stand_in::for_needs_of(&manifest).into_iter().chain([load.config(self.config)]);
        host.load_all(loads.collect::<Vec<_>>()).await?;
        Ok(Rig { host, plugin, manifest: Arc::new(manifest), seen, stages: Mutex::default() })
    }

    fn host(&mut self, manifest: &Manifest, seen: &Seen) -> Result<Host, RigError> {
        let policy = match self.policy.take() {
            Some(policy) => policy,
            None => {
                let asked = manifest.requires.resolved(&self.config)?;
                Policy::default().allow(&asked).allow_own_authority(manifest.id().clone())
            }
        };
        let secrets = self.secrets.iter().map(|(name, value)| (name.as_str(), value.clone()));
        let servers = Servers::new(std::mem::take(&mut self.served), seen.clone());
        let (log, audit) = (seen.clone(), seen.clone());
        let mut host = Host::builder()
            .policy(policy)
            .secrets(Secrets::new(secrets)?)
            .http(servers)
            .log(move |_, level, message| log.note_line(level, message))
            .audit(move |act| audit.note_act(act));
        host = match self.runtime.take() {
            Some(runtime) => host.shared_runtime(runtime),
            None => host.runtime(WasmRuntime::new().map_err(|error| RigError::Sandbox(error.into()))?),
        };
        if let Some(folder) = &self.data {
            host = host.data(folder);
        }
        if let Some(time) = self.time {
            host = host.clock(move || time);
        }
        Ok(host.build())
    }
}

/// Has all events of plugins noted; the host's own are left out.
fn listen(host: &Host, seen: &Seen) -> Result<(), RigError> {
    let mut events =
        host.subscribe(TopicPattern::new(">")?, Queueing { capacity: EVENTS, ..Queueing::default() });
    let seen = seen.clone();
    tokio::spawn(async move {
        while let Some(delivery) = events.next().await {
            if let Delivery::Event(event) = delivery
                && !event.topic.as_str().starts_with("host.")
            {
                seen.note_event(event);
            }
        }
    });
    Ok(())
}

impl fmt::Debug for Setup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Setup").field("config", &self.config).finish_non_exhaustive()
    }
}
