//! What authors of Tapline plugins write against.
//!
//! A plugin is an `impl` block under [`#[plugin]`](plugin). The same source becomes a native plugin, which an
//! application links in, and a sandboxed one, when it is built for WebAssembly.
//!
//! ```
//! use tapline_pdk::prelude::*;
//!
//! #[derive(Deserialize)]
//! struct Config {
//!     suffix: String,
//! }
//!
//! struct Shout(Config);
//!
//! #[plugin(
//!     id = "shout",
//!     description = "Makes greetings louder.",
//!     requires = { context = { read = ["input", "output"], write = ["output"] } },
//! )]
//! impl Shout {
//!     #[init]
//!     fn init(config: Config) -> Result<Self> {
//!         Ok(Self(config))
//!     }
//!
//!     #[hook(point = "greet", kind = "around", priority = 40)]
//!     async fn shout(&self, context: &Context) -> Result<()> {
//!         context.next().await?;
//!         let greeting: String = context.read("output")?;
//!         context.write("output", greeting.to_uppercase() + &self.0.suffix)
//!     }
//! }
//! # fn main() {
//! let plugin = tapline_pdk::native::<Shout>();
//! # let _ = plugin;
//! # }
//! ```
//!
//! # The attributes
//!
//! They say what the manifest says, in its words:
//!
//! | attribute | on | keys |
//! |---|---|---|
//! | `#[plugin(…)]` | the block | `id`; `version`, `description`, `authors` (otherwise Cargo's); `capabilities`, `depends_on`, `conflicts`, `instances`, `restart`, `requires`, `limits` |
//! | `#[init]` | `fn(config: T) -> Result<Self>` or without the parameter | |
//! | `#[start]`, `#[stop]` | `fn(&self) -> Result<()>` | |
//! | `#[health]` | `fn(&self) -> Result<()>`: whether it is well | |
//! | `#[export_state]` | `fn(&self) -> Result<T>`: what another version is to know | |
//! | `#[import_state]` | `fn(&self, state: T, from: Version) -> Result<()>`: what another version knew | |
//! | `#[hook(…)]` | `fn(&self, &Context) -> Result<…>` | `point`, `kind`; `name`, `priority`, `when`, `before`, `after`, `tags`, `on_failure`, `version`, `optional`; `on` (after), `repeats` (around), `overrides` (replace) |
//! | `#[on(…)]` | `fn(&self, &Context, Event) -> Result<()>` | `topic`; `name`, `capacity`, `overflow` |
//! | `#[provides(…)]` | `fn(&self, &Context, T) -> Result<…>` | `point`, `key`; `method` (otherwise `handle`), `schema` (a file beside `Cargo.toml`), `authority` |
//! | `#[method(…)]` | as `#[provides(…)]` | `name` (otherwise the function's), `authority`: what other plugins call under the plugin's id |
//!
//! A before hook answers with a [`Flow`], a replace hook and a handler with their output, an answer hook with an
//! `Option` or, where nobody waits for an answer, with `()`; the others with `()`.
//! Every method may be `async`.

mod http;
mod context;
mod define;
#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod guest;

pub use context::{Answer, Context, EntryKind, Event, FolderEntry};
pub use define::Define;
pub use http::{HttpResponse, HttpStream};
#[cfg(not(target_family = "wasm"))]
pub use native::native;
pub use tapline_core::{
    BoxFuture, Failure, Flow, HttpRequest, Level, NativePlugin, Number, Object, Operation, Value, ValueError,
    Version,
};
pub use tapline_pdk_macros::plugin;
pub use tapline_roles as roles;

#[doc(hidden)]
pub use define::not_declared;

/// What a plugin answers.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// What a plugin's source begins with.
pub mod prelude {
    pub use serde::{Deserialize, Serialize};

    pub use crate::{
        Context, Event, Failure, Flow, HttpRequest, Level, Object, Result, Value, Version, plugin,
    };
}
