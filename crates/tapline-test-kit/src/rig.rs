mod answer;
mod error;
mod hook;
mod http;
mod seen;
mod setup;
mod stand_in;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tapline::core::{METHODS, Manifest, Request, Topic};
use tapline::{HookError, Host, NativePlugin, PluginId, Value};

pub use answer::Answer;
pub use error::RigError;
pub use hook::{HookCall, HookOutcome};
pub use http::Reply;
pub use seen::{Seen, SeenCall, SeenRequest};
pub use setup::Setup;

use hook::Stage;

/// A host with one plugin to be tested, and with nothing real around it: what the plugin asks of others is answered by
/// the test, and whatever it does is written down.
///
/// The plugin runs as it would anywhere else: a package in its sandbox, within its limits, with the grants that its
/// manifest asks for.
#[derive(Debug)]
pub struct Rig {
    host: Host,
    plugin: PluginId,
    manifest: Arc<Manifest>,
    seen: Seen,
    stages: Mutex<BTreeMap<String, Stage>>,
}

impl Rig {
    /// What the plugin is to find around it; nothing, unless it is said.
    #[must_use]
    pub fn setup() -> Setup {
        Setup::default()
    }

    /// Loads the package in a folder, which finds nothing around it.
    ///
    /// # Errors
    /// When the package is none, or does not start.
    pub async fn load(folder: impl AsRef<Path> + Send) -> Result<Self, RigError> {
        Self::setup().load(folder).await
    }

    /// Loads a plugin that is linked in, which finds nothing around it.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn load_native(plugin: NativePlugin) -> Result<Self, RigError> {
        Self::setup().load_native(plugin).await
    }

    /// The host, for everything that is not at hand here.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The plugin's id.
    #[must_use]
    pub const fn plugin(&self) -> &PluginId {
        &self.plugin
    }

    /// What the plugin has done so far.
    #[must_use]
    pub const fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Runs a node of this type with these settings.
    ///
    /// # Errors
    /// What the plugin answers instead.
    pub async fn node(&self, node_type: &str, with: Value) -> Result<Value, HookError> {
        let request = Value::from_iter([("with", with)]);
        self.request("node", node_type, "handle", request).await
    }

    /// Asks a provider of this name to complete a prompt.
    ///
    /// # Errors
    /// What the plugin answers instead.
    pub async fn complete(&self, provider: &str, prompt: &str) -> Result<Value, HookError> {
        let request = Value::from_iter([("prompt", prompt.into())]);
        self.request("provider", provider, "complete", request).await
    }

    /// Calls a method of the plugin.
    ///
    /// # Errors
    /// What the plugin answers instead.
    pub async fn method(&self, name: &str, request: Value) -> Result<Value, HookError> {
        self.request(METHODS, self.plugin.as_str(), name, request).await
    }

    /// Makes a request to a contribution.
    ///
    /// # Errors
    /// What the plugin answers instead.
    pub async fn request(
        &self,
        point: &str,
        key: &str,
        method: &str,
        request: Value,
    ) -> Result<Value, HookError> {
        self.host.request(Request::new(point, key, method, request)).await
    }

    /// Calls a hook point at which the plugin joins in.
    ///
    /// # Errors
    /// When the hooks of the plugin do not fit the point.
    pub async fn hook(&self, point: &str, call: HookCall) -> Result<HookOutcome, RigError> {
        let stage = self.stage(point)?;
        Ok(stage.call(call).await)
    }

    /// Publishes an event, and says how many subscriptions it was queued for. When they have seen it,
    /// [`Seen::wait`] tells.
    ///
    /// # Errors
    /// When the topic is none.
    pub fn publish(&self, topic: &str, payload: Value) -> Result<usize, RigError> {
        Ok(self.host.publish(Topic::new(topic)?, payload))
    }

    /// Ends the plugin, as a host does.
    ///
    /// # Errors
    /// What stands against it.
    pub async fn unload(self) -> Result<(), RigError> {
        self.host.unload(self.plugin.as_str()).await?;
        Ok(())
    }

    /// The point, declared when it is first called.
    fn stage(&self, point: &str) -> Result<Stage, RigError> {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stage) = stages.get(point) {
            return Ok(stage.clone());
        }
        let stage = Stage::declare(&self.host, point, &self.manifest)?;
        stages.insert(point.to_owned(), stage.clone());
        Ok(stage)
    }
}
