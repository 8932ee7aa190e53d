use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tapline_core::{BoxFuture, Grants, Limits, LoadError, Package, Plugin, Runtime, RuntimeKind};
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::clock::TICK;
use crate::compiler::{Cache, Compiler, Jail, WITHIN};
use crate::guest::Guest;
use crate::guest::bindings::tapline::plugin::{
    chain, clock, context, events, files, http, life, log, peers, random, stream, types,
};
use crate::plugin::WasmPlugin;

/// Loads components; all plugins of a host share one engine, and no plugin can stop another by its limits.
pub struct WasmRuntime {
    engine: Engine,
    compiler: Compiler,
}

/// Settings of a [`WasmRuntime`].
#[derive(Debug, Default)]
pub struct WasmRuntimeBuilder {
    cache: Option<PathBuf>,
    jail: Option<Jail>,
    compile_within: Option<Duration>,
}

/// An engine that could not be set up on this machine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The machine does not allow it.
    #[error("the sandbox cannot be set up on this machine: {0}")]
    Machine(String),
    /// The folder of compiled components cannot be used.
    #[error("compiled components cannot be kept: {0}")]
    Cache(String),
}

/// How many instances may exist at once, of all plugins together.
const INSTANCES: u32 = 512;
/// No plugin is given more memory than this, whatever its limits say.
pub(crate) const LARGEST_MEMORY: usize = 1 << 30;

impl WasmRuntimeBuilder {
    /// Keeps compiled components in a folder, which is made where there is none, so that each is compiled once on this
    /// machine. What lies there is run, so nobody else may be able to write there.
    #[must_use]
    pub fn cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// Compiles in a process of its own, which is ended when its time is over. Without one, components are compiled on
    /// threads of the application, and one that takes too long is given up while its thread goes on.
    #[must_use]
    pub fn jail(mut self, jail: Jail) -> Self {
        self.jail = Some(jail);
        self
    }

    /// Says how long a component may take to be compiled; three minutes unless said.
    #[must_use]
    pub const fn compile_within(mut self, time: Duration) -> Self {
        self.compile_within = Some(time);
        self
    }

    /// Sets up the engine and the thread that counts time for it; the thread ends with the engine.
    ///
    /// # Errors
    /// When the machine cannot reserve the address space, or has no code generator; when the folder of compiled
    /// components cannot be used.
    pub fn build(self) -> Result<WasmRuntime, EngineError> {
        let engine = Engine::new(&config()).map_err(|error| EngineError::Machine(format!("{error:#}")))?;
        let cache = self.cache.map(|folder| Cache::open(&folder, &engine)).transpose();
        let cache = cache.map_err(|error| EngineError::Cache(error.to_string()))?;
        let ticking = engine.weak();
        thread::Builder::new()
            .name("tapline-epoch".into())
            .spawn(move || {
                while let Some(engine) = ticking.upgrade() {
                    engine.increment_epoch();
                    drop(engine);
                    thread::sleep(TICK);
                }
            })
            .map_err(|error| EngineError::Machine(error.to_string()))?;
        let compiler = Compiler::new(&engine, self.compile_within.unwrap_or(WITHIN), cache, self.jail);
        Ok(WasmRuntime { engine, compiler })
    }
}

impl WasmRuntime {
    /// Sets up the engine and the thread that counts time for it; the thread ends with the engine.
    ///
    /// # Errors
    /// When the machine cannot reserve the address space, or has no code generator.
    pub fn new() -> Result<Self, EngineError> {
        Self::builder().build()
    }

    /// An engine with everything as it is unless said.
    #[must_use]
    pub fn builder() -> WasmRuntimeBuilder {
        WasmRuntimeBuilder::default()
    }

    async fn load_component(
        &self,
        package: &Package,
        grants: &Grants,
        limits: &Limits,
    ) -> Result<Arc<dyn Plugin>, LoadError> {
        let manifest = &package.manifest;
        let broken = |error: wasmtime::Error| LoadError::Broken {
            plugin: manifest.id().to_string(),
            reason: format!("{error:#}"),
        };
        let component = self.compiler.compiled(package, grants).await?;
        let linker = self.linker(grants).map_err(broken)?;
        let linked = linker.instantiate_pre(&component).map_err(broken)?;
        Ok(Arc::new(WasmPlugin::new(manifest, linked, limits)))
    }

    /// Links what is granted and nothing else.
    fn linker(&self, grants: &Grants) -> wasmtime::Result<Linker<Guest>> {
        let mut linker = Linker::new(&self.engine);
        types::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
        context::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
        log::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
        life::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
        chain::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
        stream::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
        if crate::inspect::may_import("events", grants) {
            events::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
        }
        if crate::inspect::may_import("http", grants) {
            http::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
        }
        if crate::inspect::may_import("peers", grants) {
            peers::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
        }
        if crate::inspect::may_import("files", grants) {
            files::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
        }
        if crate::inspect::may_import("clock", grants) {
            clock::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
        }
        if crate::inspect::may_import("random", grants) {
            random::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
        }
        Ok(linker)
    }
}

impl Runtime for WasmRuntime {
    fn kind(&self) -> RuntimeKind {
        RuntimeKind::Wasm
    }

    fn load<'a>(
        &'a self,
        package: &'a Package,
        grants: &'a Grants,
        limits: &'a Limits,
    ) -> BoxFuture<'a, Result<Arc<dyn Plugin>, LoadError>> {
        Box::pin(self.load_component(package, grants, limits))
    }
}

pub(crate) fn config() -> Config {
    let mut pool = PoolingAllocationConfig::new();
    // Components made of Python or JavaScript bring dozens of core instances and tables.
    pool.total_component_instances(INSTANCES)
        .total_core_instances(INSTANCES * 4)
        .total_memories(INSTANCES * 2)
        .total_tables(INSTANCES * 4)
        .total_stacks(INSTANCES)
        .max_core_instances_per_component(64)
        .max_memories_per_component(4)
        .max_tables_per_component(32)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .table_elements(20_000)
        .max_memory_size(LARGEST_MEMORY)
        // Pages that were written to are cleaned where they are: to give them back, and fault them in again, takes longer
        // than all else about an instance. A kernel that cannot say which they are gives them back.
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(16 << 10)
        .async_stack_keep_resident(16 << 10);
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        // Nothing in the contract runs concurrently, and what it costs is paid by every call.
        .concurrency_support(false)
        .memory_init_cow(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

impl fmt::Debug for WasmRuntime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WasmRuntime").finish_non_exhaustive()
    }
}
