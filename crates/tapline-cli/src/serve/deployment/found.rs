//! Where plugins are that are named to the server.

use std::path::PathBuf;

use tapline::host::PluginInfo;
use tapline::pipeline::Origin;
use tapline::{Load, Loader, PluginId};

use crate::builtin;
use crate::candidates::builtin_plugins;
use crate::plugin::named;
use crate::project::{PluginSource, Wanted};

use super::Deployment;
use crate::serve::problem::Problem;

impl Deployment {
    /// How a plugin is to be loaded that is named by its id or its folder: as the pipelines want it, or else by what is
    /// known of it.
    pub(super) fn wanted(&self, plugin: &str) -> Result<(PluginId, Wanted), Problem> {
        let is_path = plugin.contains(['/', '\\']);
        if is_path || self.folder.join(plugin).join(Loader::MANIFEST).exists() {
            let folder = self.allowed(plugin)?;
            let manifest = Loader::manifest(&folder).map_err(|error| Problem::error("no-plugin", &error))?;
            let id = manifest.id().clone();
            let wanted = Wanted { from: PluginSource::Folder(folder), ..self.said_of(&id) };
            self.refuse_unlocked(&id, &wanted)?;
            return Ok((id, wanted));
        }
        let Ok(id) = PluginId::new(plugin) else {
            return Err(no_such(plugin, &format!("there is no plugin `{plugin}`")));
        };
        if let Some(wanted) = self.by_pipelines(&id) {
            return Ok((id, wanted));
        }
        let found = named(plugin, &self.folder, &self.settings).map_err(|error| no_such(plugin, &error))?;
        let from = match found.origin {
            Origin::Folder(folder) => PluginSource::Folder(folder),
            Origin::BuiltIn => built_in(&id).ok_or_else(|| no_such(plugin, &"it is not built in"))?,
        };
        let wanted = Wanted::from(from);
        self.refuse_unlocked(&id, &wanted)?;
        Ok((id, wanted))
    }

    /// Refuses a package that is not in the lock, where that is what the server was told.
    fn refuse_unlocked(&self, id: &PluginId, wanted: &Wanted) -> Result<(), Problem> {
        let is_package = matches!(wanted.from, PluginSource::Folder(_));
        if !self.is_locked || !is_package || wanted.expected.is_some() {
            return Ok(());
        }
        let detail =
            format!("plugin `{id}` is not in tapline.lock, and the server was started with `--locked`");
        Err(Problem::refused("not-locked", detail).plugins([id]))
    }

    /// What pipelines say of a plugin; nothing, where none does.
    fn said_of(&self, id: &PluginId) -> Wanted {
        // Where it comes from is said by whoever asks.
        let nowhere = || Wanted::from(PluginSource::Folder(PathBuf::new()));
        self.by_pipelines(id).unwrap_or_else(nowhere)
    }

    fn by_pipelines(&self, id: &PluginId) -> Option<Wanted> {
        self.pipelines().values().find_map(|pipeline| pipeline.wanted.get(id).cloned())
    }

    /// A folder of a plugin, if it lies where the operator keeps plugins: in the folder of the pipelines, or in one of the
    /// settings. Whoever has the token may not have the server read from anywhere.
    pub(super) fn allowed(&self, plugin: &str) -> Result<PathBuf, Problem> {
        let folder = self.folder.join(plugin);
        let roots = self.settings.folders().iter().chain([&self.folder]);
        let mut roots = roots.filter_map(|root| root.canonicalize().ok());
        if let Ok(place) = folder.canonicalize()
            && roots.any(|root| place.starts_with(root))
        {
            return Ok(folder);
        }
        // Of folders elsewhere it is not even said whether they are there.
        let detail = format!(
            "there is no folder `{plugin}` in the folder of the pipelines or in those under `[plugins] folders` of tapline.toml"
        );
        Err(Problem::refused("not-allowed", detail).plugins([plugin]))
    }

    /// Everything that could be loaded because a plugin needs it.
    pub(super) fn available(&self) -> Vec<Load> {
        let mut loads = Vec::new();
        let is_there = |id: &PluginId| self.engine.host().version(id).is_some();
        for (known, builtin) in builtin_plugins(self.settings.policy()).into_iter().flatten() {
            if !is_there(known.manifest.id()) {
                loads.extend(builtin.load().map(Load::available));
            }
        }
        if self.is_locked {
            return loads;
        }
        let packages = self.settings.folders().iter().filter_map(|folder| Loader::discover(folder).ok());
        for package in packages.flatten() {
            if Loader::manifest(&package).is_ok_and(|manifest| !is_there(manifest.id())) {
                loads.push(Load::folder(package).available());
            }
        }
        loads
    }

    /// How a plugin came that nobody has asked for by itself.
    pub(super) fn came(&self, info: &PluginInfo) -> Option<Wanted> {
        let from = match builtin::folder(info) {
            Some(folder) => PluginSource::Folder(folder.to_owned()),
            None => built_in(info.manifest.id())?,
        };
        Some(Wanted::from(from))
    }
}

/// A plugin that the command brings.
fn built_in(id: &PluginId) -> Option<PluginSource> {
    let mut all = builtin::all().into_iter();
    let found = all.find(|plugin| plugin.manifest().is_ok_and(|manifest| manifest.id() == id))?;
    Some(PluginSource::Command(found))
}

fn no_such(plugin: &str, detail: &dyn std::fmt::Display) -> Problem {
    Problem { code: "no-such-plugin".to_owned(), ..Problem::not_found(detail) }.plugins([plugin])
}
