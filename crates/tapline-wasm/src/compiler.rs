use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lru::LruCache;
use tapline_core::{Grants, LoadError, Package};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::inspect::Interfaces;

mod cache;
mod jail;

pub(crate) use cache::Cache;
pub use jail::{Jail, compile_in_jail};

/// Compiles components, each once: a few at a time, off the threads that run calls, within a time.
pub(crate) struct Compiler {
    engine: Engine,
    within: Duration,
    turns: Arc<Semaphore>,
    /// Components that were used lately, so that loading one again costs nothing.
    kept: Mutex<LruCache<Digest, Compiled>>,
    cache: Option<Cache>,
    jail: Option<Jail>,
}

/// The BLAKE3 of an artifact: it is computed at every load, and SHA-256 would be most of what a load costs.
type Digest = [u8; 32];

/// A component, and what its bytes say of its imports and exports.
#[derive(Clone)]
struct Compiled {
    component: Component,
    interfaces: Arc<Interfaces>,
}

/// So many components are kept; the one that was used least lately makes way.
const KEPT: NonZeroUsize = NonZeroUsize::new(32).unwrap();
/// So many are compiled at once.
const AT_ONCE: usize = 2;
/// The longest that one may take to be compiled, unless the application says it. One that is made of Python takes twelve
/// seconds where nobody else computes.
pub(crate) const WITHIN: Duration = Duration::from_secs(180);

impl Compiler {
    pub(crate) fn new(engine: &Engine, within: Duration, cache: Option<Cache>, jail: Option<Jail>) -> Self {
        let (turns, kept) = (Arc::new(Semaphore::new(AT_ONCE)), Mutex::new(LruCache::new(KEPT)));
        Self { engine: engine.clone(), within, turns, kept, cache, jail }
    }

    /// The component of a package, if it imports no more than it was granted and exports what its manifest declares.
    pub(crate) async fn compiled(&self, package: &Package, grants: &Grants) -> Result<Component, LoadError> {
        let manifest = &package.manifest;
        let digest: Digest = blake3::hash(&package.artifact).into();
        let known = self.kept().get(&digest).cloned();
        if let Some(known) = known {
            known.interfaces.check(manifest, grants)?;
            return Ok(known.component);
        }
        let interfaces = Interfaces::of(&package.artifact).map_err(|error| LoadError::Broken {
            plugin: manifest.id().to_string(),
            reason: error.to_string(),
        })?;
        interfaces.check(manifest, grants)?;
        let cached = self.cache.as_ref().and_then(|cache| cache.get(&self.engine, &digest));
        let component = match cached {
            Some(component) => component,
            None => Box::pin(self.compile(package, &digest)).await?,
        };
        let compiled = Compiled { component: component.clone(), interfaces: Arc::new(interfaces) };
        self.kept().put(digest, compiled);
        Ok(component)
    }

    async fn compile(&self, package: &Package, digest: &Digest) -> Result<Component, LoadError> {
        let plugin = || package.manifest.id().to_string();
        let broken =
            |error: wasmtime::Error| LoadError::Broken { plugin: plugin(), reason: format!("{error:#}") };
        let refused = |reason: String| LoadError::NotCompiled { plugin: plugin(), reason };
        // A turn that a compilation does not give back for too long is told as what it is.
        let turn = Arc::clone(&self.turns).acquire_owned();
        let turn =
            timeout(self.within, turn).await.map_err(|_| refused(self.too_slow("waited for its turn")))?;
        let artifact = Arc::clone(&package.artifact);
        let Some(jail) = &self.jail else {
            let engine = self.engine.clone();
            let compiling = tokio::task::spawn_blocking(move || {
                // What was given up goes on until it is done, and nobody else has its turn.
                let _turn = turn;
                Component::new(&engine, &artifact)
            });
            let compiled = timeout(self.within, compiling).await;
            let compiled = compiled.map_err(|_| refused(self.too_slow("was compiled")))?;
            let component = compiled.map_err(|error| refused(error.to_string()))?.map_err(broken)?;
            if let Some(cache) = &self.cache {
                cache.put(digest, &component.serialize().map_err(broken)?);
            }
            return Ok(component);
        };
        let compiled = timeout(self.within, jail.compile(&artifact)).await;
        let code = compiled.map_err(|_| refused(self.too_slow("was compiled")))?.map_err(refused)?;
        if let Some(cache) = &self.cache {
            cache.put(digest, &code);
        }
        cache::component(&self.engine, &code).map_err(broken)
    }

    fn too_slow(&self, what: &str) -> String {
        format!("it {what} for longer than {}", humantime::format_duration(self.within))
    }

    fn kept(&self) -> MutexGuard<'_, LruCache<Digest, Compiled>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
