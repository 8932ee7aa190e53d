use tapline::{HookError, HookPoint, Host, Load, Value, WasmRuntime};
use tapline_test_kit::guest;

/// A host with a sandbox.
pub(crate) fn host() -> Host {
    Host::builder().runtime(WasmRuntime::new().unwrap()).build()
}

/// The plugin that does what its input tells it to.
pub(crate) fn probe() -> Load {
    Load::folder(guest("probe"))
}

/// The probe at the point where it is told what to do.
pub(crate) struct Probed {
    pub(crate) host: Host,
    point: HookPoint<String, String>,
}

impl Probed {
    pub(crate) async fn new() -> Self {
        Self::on(host()).await
    }

    pub(crate) async fn on(host: Host) -> Self {
        let point = host.hook_point("do").unwrap();
        host.load(probe()).await.unwrap();
        Self { host, point }
    }

    /// Has it do something around an operation that answers `core`.
    pub(crate) async fn told(&self, what: &str) -> Result<String, HookError> {
        self.point.call(what.to_owned(), |_| async { Ok("core".to_owned()) }).await
    }

    /// Fails unless the plugin works, on an instance that nobody has used before.
    #[track_caller]
    pub(crate) fn assert_fresh(&self) -> impl Future<Output = ()> + '_ {
        let place = std::panic::Location::caller();
        async move { assert_eq!(self.told("count").await.unwrap(), "1", "{place}") }
    }
}

pub(crate) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

pub(crate) fn text(text: &str) -> Value {
    text.into()
}
