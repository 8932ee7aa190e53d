use std::path::Path;

use tapline::{HookPoint, Host, Load, Payload, WasmRuntime};
use tokio::runtime::Runtime;

/// A host with one plugin, and a hook point at which that plugin joins in.
#[derive(Debug)]
pub struct Plugged<T> {
    /// Plugins behind a boundary are held to a deadline, for which a runtime is needed: enter it.
    pub runtime: Runtime,
    /// The point, whose output has the type of its input.
    pub point: HookPoint<T, T>,
    host: Host,
}

impl<T: Payload> Plugged<T> {
    /// Loads the plugin, natively or into a sandbox, beside a point of that name.
    ///
    /// # Panics
    /// When the machine or the package does not allow it.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]
    pub fn new(point: &str, load: Load) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let host = Host::builder().runtime(WasmRuntime::new().unwrap()).build();
        let point = host.hook_point(point).unwrap();
        runtime.block_on(host.load(load)).unwrap();
        Self { runtime, point, host }
    }

    /// The guest `relay` as its committed component.
    #[must_use]
    pub fn sandboxed(point: &str) -> Self {
        let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/guests");
        Self::new(point, Load::folder(guests.join("relay")))
    }
}

impl<T> Drop for Plugged<T> {
    fn drop(&mut self) {
        let _ = self.runtime.block_on(self.host.shut_down());
    }
}
