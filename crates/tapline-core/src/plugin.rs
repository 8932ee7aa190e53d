use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use semver::Version;

use crate::call_error::CallError;
use crate::context::CallContext;
use crate::failure::{Failure, Fault};
use crate::grants::Grants;
use crate::limits::{Bytes, Limits};
use crate::manifest::{Manifest, RuntimeKind};

/// A future that can be stored and sent.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A manifest and the artifact that it describes.
#[derive(Debug, Clone)]
pub struct Package {
    /// What the author declares.
    pub manifest: Arc<Manifest>,
    /// The bytes that the plugin's runtime loads; none for a process.
    pub artifact: Arc<[u8]>,
    /// The files that a process is made of, by their names.
    pub files: BTreeMap<String, Arc<[u8]>>,
    /// Where it came from.
    pub folder: PathBuf,
}

/// Loads one kind of plugin. A host is given one for each kind that it is to run.
pub trait Runtime: Send + Sync + fmt::Debug {
    /// The kind of plugins that it loads.
    fn kind(&self) -> RuntimeKind;

    /// Makes a plugin of a package. Called once for each load, after the grants are settled; runs no plugin code.
    ///
    /// # Errors
    /// When the artifact is broken, of another contract version, or reaches for what is not granted.
    fn load<'a>(
        &'a self,
        package: &'a Package,
        grants: &'a Grants,
        limits: &'a Limits,
    ) -> BoxFuture<'a, Result<Arc<dyn Plugin>, LoadError>>;
}

/// A plugin that is loaded and not running.
pub trait Plugin: Send + Sync + fmt::Debug {
    /// Starts an instance and lets it initialise itself. Called by the supervisor whenever it needs another one.
    ///
    /// # Errors
    /// What the plugin's `init` answers, or how it broke.
    fn start<'a>(
        &'a self,
        context: &'a Arc<CallContext>,
    ) -> BoxFuture<'a, Result<Box<dyn Instance>, CallError>>;

    /// What the plugin has cost so far, all its instances together; `None` when that is not known.
    fn figures(&self) -> Option<Figures> {
        None
    }
}

/// What a plugin has cost since it was loaded, all its instances together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// The memory that it holds now.
    pub memory: Bytes,
    /// The most that it has held.
    pub most_memory: Bytes,
    /// The time that it has computed.
    pub computed: Duration,
    /// What its calls have taken from the host.
    pub taken: Bytes,
    /// What its calls have left with the host.
    pub left: Bytes,
}

/// A plugin that is running.
pub trait Instance: Send {
    /// Another handle to the same instance, if it answers several calls at once.
    fn share(&self) -> Option<Box<dyn Instance>> {
        None
    }

    /// Answers one call. After a fault, and when the future is dropped before its end, the supervisor drops the
    /// instance and never enters it again.
    fn call<'a>(
        &'a mut self,
        operation: &'a Operation,
        context: &'a Arc<CallContext>,
    ) -> BoxFuture<'a, Result<Flow, CallError>>;
}

/// What an instance is asked to do. Input and output are in the call's context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Begin to work; after all plugins are registered.
    Start,
    /// End its work.
    Stop,
    /// Say whether it is well.
    Health,
    /// Hand over its state, which is what it sets at `output`.
    ExportState,
    /// Take over the state of another version, which is the context's `input`.
    ImportState {
        /// The version that has handed it over.
        from: Version,
    },
    /// Run a before hook.
    Before {
        /// The hook's name.
        hook: Arc<str>,
    },
    /// Run an after hook.
    After {
        /// The hook's name.
        hook: Arc<str>,
    },
    /// Run an around hook.
    Around {
        /// The hook's name.
        hook: Arc<str>,
    },
    /// Run a replace hook.
    Replace {
        /// The hook's name.
        hook: Arc<str>,
    },
    /// Run an answer hook.
    Answer {
        /// The hook's name.
        hook: Arc<str>,
    },
    /// Take an event.
    Event {
        /// The subscription's name.
        subscription: Arc<str>,
    },
    /// Answer a request to a contribution.
    Handle {
        /// The contribution, as `point/key`.
        contribution: Arc<str>,
        /// What is asked of it.
        method: Arc<str>,
    },
}

/// How a call goes on after a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// As if the hook were not there.
    Proceed,
    /// It ends with the output that the hook has set.
    Finish,
}

/// Why a package did not become a plugin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The artifact cannot be read as what it should be.
    #[error("the artifact of plugin `{plugin}` is broken: {reason}")]
    Broken {
        /// The plugin.
        plugin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The artifact was not compiled within the time and the memory that there are for it.
    #[error("plugin `{plugin}` cannot be compiled: {reason}")]
    NotCompiled {
        /// The plugin.
        plugin: String,
        /// What went wrong.
        reason: String,
    },
    /// The artifact was built for another contract.
    #[error(
        "plugin `{plugin}` was built for contract {found}, and this host speaks {}",
        crate::manifest::CONTRACT
    )]
    Contract {
        /// The plugin.
        plugin: String,
        /// The version that it wants.
        found: String,
    },
    /// The process cannot be started as it is declared, or not behind the walls that are asked for.
    #[error("plugin `{plugin}` cannot be a process here: {reason}")]
    NoProcess {
        /// The plugin.
        plugin: String,
        /// What is missing.
        reason: String,
    },
    /// The artifact reaches for an interface that was not granted.
    #[error("plugin `{plugin}` imports `{import}`, which it was not granted")]
    NotGranted {
        /// The plugin.
        plugin: String,
        /// The interface.
        import: String,
    },
    /// The manifest declares what the artifact does not have.
    #[error("plugin `{plugin}` declares {declared}, and its artifact does not export `{missing}`")]
    Missing {
        /// The plugin.
        plugin: String,
        /// What the manifest says.
        declared: String,
        /// The export that it needs.
        missing: String,
    },
}

/// A native plugin, as the application that links it in hands it to the host.
#[derive(Clone)]
pub struct NativePlugin {
    /// The text of its manifest, as in `plugin.toml`.
    pub manifest: Cow<'static, str>,
    /// Makes the plugin's state from its configuration, which is the context's `input`.
    pub init: InitFn,
}

/// Makes the state of a native plugin.
pub type InitFn = fn(Arc<CallContext>) -> BoxFuture<'static, Result<Arc<dyn NativeInstance>, Failure>>;

/// The running state of a native plugin; it answers any number of calls at once.
pub trait NativeInstance: Send + Sync {
    /// Answers one call.
    fn call(
        self: Arc<Self>,
        operation: Operation,
        context: Arc<CallContext>,
    ) -> BoxFuture<'static, Result<Flow, CallError>>;
}

impl fmt::Debug for NativePlugin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NativePlugin").finish_non_exhaustive()
    }
}

impl Plugin for NativePlugin {
    fn start<'a>(
        &'a self,
        context: &'a Arc<CallContext>,
    ) -> BoxFuture<'a, Result<Box<dyn Instance>, CallError>> {
        Box::pin(async move {
            let state = contained(async { (self.init)(Arc::clone(context)).await }).await??;
            Ok(Box::new(NativeHandle(Some(state))) as Box<dyn Instance>)
        })
    }
}

/// A handle to a native plugin's state, which is there until the handle is dropped.
struct NativeHandle(Option<Arc<dyn NativeInstance>>);

impl Drop for NativeHandle {
    fn drop(&mut self) {
        let state = self.0.take();
        // A plugin whose state panics when it is dropped takes nobody along.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || drop(state)));
    }
}

impl Instance for NativeHandle {
    fn share(&self) -> Option<Box<dyn Instance>> {
        Some(Box::new(Self(self.0.clone())))
    }

    fn call<'a>(
        &'a mut self,
        operation: &'a Operation,
        context: &'a Arc<CallContext>,
    ) -> BoxFuture<'a, Result<Flow, CallError>> {
        Box::pin(async move {
            let Some(state) = self.0.clone() else { return Err(CallError::Cancelled) };
            contained(async move { state.call(operation.clone(), Arc::clone(context)).await }).await?
        })
    }
}

/// Turns a panic of plugin code into a fault.
pub(crate) fn contained<T>(code: impl Future<Output = T>) -> impl Future<Output = Result<T, Fault>> {
    use futures_util::{FutureExt as _, TryFutureExt as _};
    std::panic::AssertUnwindSafe(code).catch_unwind().map_err(|panic| panicked(&*panic))
}

/// What a panic said.
pub(crate) fn panicked(panic: &(dyn std::any::Any + Send)) -> Fault {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Fault::Panic { message: text.unwrap_or("a value that is not text").to_owned() }
}

impl Operation {
    /// The operation that runs a hook.
    #[must_use]
    pub fn hook(kind: crate::manifest::HookKind, hook: Arc<str>) -> Self {
        use crate::manifest::HookKind;
        match kind {
            HookKind::Before => Self::Before { hook },
            HookKind::After => Self::After { hook },
            HookKind::Around => Self::Around { hook },
            HookKind::Replace => Self::Replace { hook },
            HookKind::Answer => Self::Answer { hook },
        }
    }
}
