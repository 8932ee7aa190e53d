use tapline::core::{Caller, ClockGrant, Folder, FolderGrant, FolderMode, METHODS, Request};
use tapline::{HookError, HookPoint, Host, HostBuilder, Load, Policy, Value, WasmRuntime};
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

/// The plugin that uses files, the time and random numbers as it is told: sandboxed, and linked in.
pub(crate) fn keepers() -> [Load; 2] {
    [Load::folder(guest("keeper")), Load::native(tapline_pdk::native::<keeper::Keeper>())]
}

/// A host whose policy allows it all that it asks for.
pub(crate) fn allowing() -> HostBuilder {
    let policy = Policy::default()
        .allow_folder(FolderGrant::new(Folder::Scratch, FolderMode::ReadWrite))
        .allow_folder(FolderGrant::new(Folder::Data, FolderMode::Read))
        .allow_clock(ClockGrant::Precise)
        .allow_random();
    Host::builder().runtime(WasmRuntime::new().unwrap()).policy(policy)
}

/// Has it do something; what it answers is JSON, and an error is its code.
pub(crate) async fn told(host: &Host, method: &str, request: &str) -> Result<String, String> {
    told_by(host, method, request, None).await
}

/// As [`told`], for a caller.
pub(crate) async fn told_by(
    host: &Host,
    method: &str,
    request: &str,
    caller: Option<Caller>,
) -> Result<String, String> {
    let mut asked = Request::new(METHODS, "keeper", method, Value::from_json(request).unwrap());
    if let Some(caller) = caller {
        asked = asked.made_by(caller);
    }
    let answer = host.request(asked).await;
    answer.map(|value| value.to_json()).map_err(|error| error.to_failure().code().to_owned())
}
