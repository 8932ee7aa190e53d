use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use lru::LruCache;
use sha2::{Digest as _, Sha256};

use tapline_core::{BoxFuture, Grants, Limits, LoadError, Package, Plugin, Runtime, RuntimeKind};
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::clock::TICK;
use crate::guest::Guest;
use crate::guest::bindings::tapline::plugin::{chain, context, events, life, log, peers, types};
use crate::inspect::Interfaces;
use crate::plugin::WasmPlugin;

/// Loads components; all plugins of a host share one engine, and no plugin can stop another by its limits.
pub struct WasmRuntime {
    engine: Engine,
    /// Components that were compiled lately, so that loading one again costs no compilation.
    compiled: Mutex<LruCache<Digest, Compiled>>,
}

/// The SHA-256 of an artifact.
type Digest = [u8; 32];

/// A component, and what its bytes say of its imports and exports.
#[derive(Clone)]
struct Compiled {
    component: Component,
    interfaces: Arc<Interfaces>,
}

/// So many components are kept compiled; the one that was used least lately makes way.
const KEPT: NonZeroUsize = NonZeroUsize::new(32).unwrap();

/// An engine that could not be set up on this machine.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox cannot be set up on this machine: {0}")]
pub struct EngineError(String);

/// How many instances may exist at once, of all plugins together.
const INSTANCES: u32 = 512;
/// No plugin is given more memory than this, whatever its limits say.
pub(crate) const LARGEST_MEMORY: usize = 1 << 30;

impl WasmRuntime {
    /// Sets up the engine and the thread that counts time for it; the thread ends with the engine.
    ///
    /// # Errors
    /// When the machine cannot reserve the address space, or has no code generator.
    pub fn new() -> Result<Self, EngineError> {
        let engine = Engine::new(&config()).map_err(|error| EngineError(format!("{error:#}")))?;
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
            .map_err(|error| EngineError(error.to_string()))?;
        Ok(Self { engine, compiled: Mutex::new(LruCache::new(KEPT)) })
    }

    fn load_component(
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
        let digest = Sha256::digest(&package.artifact).into();
        let known = self.compiled().get(&digest).cloned();
        let interfaces = match &known {
            Some(known) => Arc::clone(&known.interfaces),
            None => Arc::new(Interfaces::of(manifest, &package.artifact)?),
        };
        interfaces.check(manifest, grants)?;
        let component = match known {
            Some(known) => known.component,
            None => Component::new(&self.engine, &package.artifact).map_err(broken)?,
        };
        self.compiled().put(digest, Compiled { component: component.clone(), interfaces });
        let linker = self.linker(grants).map_err(broken)?;
        let linked = linker.instantiate_pre(&component).map_err(broken)?;
        Ok(Arc::new(WasmPlugin::new(manifest, linked, limits)))
    }

    fn compiled(&self) -> MutexGuard<'_, LruCache<Digest, Compiled>> {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Links what is granted and nothing else.
    fn linker(&self, grants: &Grants) -> wasmtime::Result<Linker<Guest>> {
        let mut linker = Linker::new(&self.engine);
        types::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
        context::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
        log::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
        life::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
        chain::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
        if crate::inspect::may_import("events", grants) {
            events::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
        }
        if crate::inspect::may_import("peers", grants) {
            peers::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
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
        Box::pin(async move { self.load_component(package, grants, limits) })
    }
}

fn config() -> Config {
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
        .linear_memory_keep_resident(64 << 10)
        .table_keep_resident(16 << 10)
        .async_stack_keep_resident(16 << 10);
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .memory_init_cow(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

impl fmt::Debug for WasmRuntime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WasmRuntime").finish_non_exhaustive()
    }
}
