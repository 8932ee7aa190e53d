//! Tapline makes an application extensible with plugins that can be loaded and unloaded while it runs, each in its own
//! sandbox, in its author's language.
//!
//! Declare a [`HookPoint`] where others may join in, load plugins into a [`Host`], and call the point. The example
//! `examples/embed` shows all of it in one file.

pub use tapline_core::{
    CallError, Failure, Fault, Hook, HookError, HookPoint, Limits, NativePlugin, Next, Outcome, Payload,
    PluginId, Step, Value,
};
pub use tapline_host::{Drain, Host, HostBuilder, HostError, Load, Loader, Policy, UnloadError};
#[cfg(feature = "http")]
pub use tapline_http::{self as http, WebClient};
#[cfg(feature = "install")]
pub use tapline_install as install;
#[cfg(feature = "journal")]
pub use tapline_journal as journal;
#[cfg(feature = "mcp")]
pub use tapline_mcp as mcp;
#[cfg(feature = "pipeline")]
pub use tapline_pipeline as pipeline;
#[cfg(feature = "process")]
pub use tapline_process as process;
#[cfg(feature = "wasm")]
pub use tapline_wasm::{self as wasm, WasmRuntime};

pub use tapline_core as core;
pub use tapline_host as host;

/// The examples of the docs, as they stand.
#[cfg(doctest)]
mod docs {
    #[doc = include_str!("../../../docs/embedding.md")]
    mod embedding {}
    #[doc = include_str!("../../../docs/hooks.md")]
    mod hooks {}
    #[doc = include_str!("../../../docs/events.md")]
    mod events {}
    #[doc = include_str!("../../../docs/dependencies.md")]
    mod dependencies {}
    #[doc = include_str!("../../../docs/lifecycle.md")]
    mod lifecycle {}
    #[doc = include_str!("../../../docs/supervision.md")]
    mod supervision {}
    #[doc = include_str!("../../../docs/calls.md")]
    mod calls {}
}
