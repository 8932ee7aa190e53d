use std::path::PathBuf;
use std::sync::Arc;

use tapline_core::{
    Contribution, Grants, Hook, HookDeclaration, LayerStats, Manifest, Operation, PluginId, Registration,
};

use crate::supervisor::{SupervisedHandler, SupervisedHook, Supervisor};

/// What is known of a loaded plugin.
#[derive(Debug, Clone)]
pub struct PluginInfo {
    /// Its manifest.
    pub manifest: Arc<Manifest>,
    /// What it may do.
    pub grants: Grants,
    /// The folder that it came from; `None` when it is linked in.
    pub folder: Option<PathBuf>,
    /// What it has cost since it was loaded.
    pub stats: Arc<LayerStats>,
}

/// Whether a plugin takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PluginState {
    /// It is loaded and answers.
    Active,
    /// The application has blocked its id: it is not loaded, and that is no error.
    Disabled,
    /// Nobody has loaded it.
    Absent,
}

/// How the calls that were in a plugin when it was unloaded came to their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drain {
    /// All of them left by themselves.
    Drained,
    /// Some were still inside after the time to drain, and were ended: they failed.
    Forced,
    /// So many could not be ended, because native code that computes gives way to nobody. The plugin is not entered
    /// again, and its code is there until they leave.
    Leaked(usize),
}

/// A plugin that is started.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) info: PluginInfo,
    pub(crate) supervisor: Arc<Supervisor>,
}

impl Loaded {
    pub(crate) fn id(&self) -> &PluginId {
        self.info.manifest.id()
    }

    /// All that the plugin brings.
    pub(crate) fn registration(&self) -> Registration {
        let manifest = &self.info.manifest;
        let mut registration = Registration::new(manifest.id().clone());
        registration.version = manifest.plugin.version.clone();
        registration.depends_on = manifest.plugin.depends_on.iter().map(|need| need.id.clone()).collect();
        registration.capabilities.clone_from(&manifest.plugin.capabilities);
        registration.context = self.info.grants.context.clone();
        registration.hooks = manifest.hooks.iter().map(|hook| self.hook(hook)).collect();
        let gate = Arc::clone(registration.gate());
        registration.contributions = manifest
            .provides
            .iter()
            .map(|provides| Contribution {
                point: Arc::clone(&provides.point),
                key: Arc::clone(&provides.key),
                plugin: manifest.id().clone(),
                handler: Arc::new(SupervisedHandler {
                    supervisor: Arc::clone(&self.supervisor),
                    gate: Arc::clone(&gate),
                    contribution: format!("{}/{}", provides.point, provides.key).into(),
                }),
            })
            .collect();
        registration
    }

    fn hook(&self, declaration: &HookDeclaration) -> Hook {
        let operation = Operation::hook(declaration.kind, Arc::clone(&declaration.name));
        let hook = SupervisedHook { supervisor: Arc::clone(&self.supervisor), operation };
        Hook::boundary(declaration.clone(), Arc::new(hook))
    }
}
