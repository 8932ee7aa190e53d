use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tapline::core::{
    Act, BoxFuture, Call, CallContext, Event, Grants, Instance, Level, Limits, Object, Package, Plugin,
    Runtime as _, Services,
};
use tapline::{CallError, Failure, Loader, PluginId, Value, WasmRuntime};
use tokio::runtime::Runtime;

/// The guest `relay` without a host around it.
#[derive(Debug)]
pub struct Bare {
    runtime: Runtime,
    package: Package,
    grants: Arc<Grants>,
}

#[expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]
impl Bare {
    /// Reads the package, and changes its component.
    ///
    /// # Panics
    /// When it is not there.
    #[must_use]
    pub fn new(change: impl FnOnce(&[u8]) -> Vec<u8>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/guests/relay");
        let mut package = Loader::read(&folder).unwrap();
        package.artifact = change(&package.artifact).into();
        let grants = Arc::new(package.manifest.requires.clone());
        Self { runtime, package, grants }
    }

    /// Loads it: into what a runtime has kept of it, if it has.
    ///
    /// # Panics
    /// When the machine does not allow it.
    #[must_use]
    pub fn load(&self, wasm: &WasmRuntime) -> Arc<dyn Plugin> {
        let limits = Limits::default();
        self.runtime.block_on(wasm.load(&self.package, &self.grants, &limits)).unwrap()
    }

    /// Starts an instance.
    ///
    /// # Panics
    /// When there are too many.
    #[must_use]
    pub fn start(&self, plugin: &Arc<dyn Plugin>) -> Box<dyn Instance> {
        let id: PluginId = self.package.manifest.id().clone();
        let context =
            Arc::new(CallContext::new(id, Arc::clone(&self.grants), Arc::new(Nothing), Object::new()));
        self.runtime.block_on(plugin.start(&context)).unwrap()
    }
}

/// There is nothing outside.
struct Nothing;

impl Services for Nothing {
    fn audit(&self, _: &Act<'_>) {}

    fn log(&self, _: &PluginId, _: Level, _: &str) {}

    fn publish(&self, _: &Event) -> Result<usize, Failure> {
        Ok(0)
    }

    fn call(&self, call: Call, _: Option<Duration>) -> BoxFuture<'static, Result<Value, CallError>> {
        let error = CallError::NoSuchPlugin { plugin: call.target.to_string() };
        Box::pin(std::future::ready(Err(error)))
    }

    fn cast(&self, call: Call) -> Result<(), CallError> {
        Err(CallError::NoSuchPlugin { plugin: call.target.to_string() })
    }

    fn time(&self) -> Duration {
        Duration::ZERO
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}
