use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use tapline::core::{Manifest, Target};
use tapline::host::{Lock, LockedFrom, Settings};
use tapline::pipeline::{Catalog, Draft, KnownPlugin, Origin, Rival, Standing};
use tapline::{Loader, Policy, Value};

use crate::builtin::{self, Builtin};
use crate::configured;

/// All plugins that a pipeline can use: built-in ones, those that its file names by their folder, and the packages in the
/// folders of the settings, in every version.
pub(crate) struct Candidates {
    pub(crate) catalog: Catalog,
    pub(crate) builtin: BTreeMap<String, Builtin>,
    /// The lines of the settings that would allow plugins what they are refused, by id and version.
    pub(crate) leaves: BTreeMap<(String, String), String>,
    /// What is wrong with packages that the pipeline may do without.
    pub(crate) warnings: Vec<String>,
}

/// The plugin that provides Python.
const PYTHON_BRIDGE: &str = "python_bridge";

/// What plugins need that are processes of Python.
fn python() -> Target {
    Target::Capability("python".into())
}

impl Candidates {
    /// Reads the manifests of all of them, and settles which come before others of their id.
    pub(crate) fn read(draft: &Draft, folder: &Path, settings: &Settings, lock: &Lock) -> Result<Self> {
        let mut candidates = Self {
            catalog: Catalog::default(),
            builtin: BTreeMap::new(),
            leaves: BTreeMap::new(),
            warnings: Vec::new(),
        };
        for (known, plugin) in builtin_plugins(settings.policy())? {
            candidates.builtin.insert(known.name().to_owned(), plugin);
            candidates.catalog.plugins.push(known);
        }
        candidates.add_named(draft, folder, settings.policy());
        candidates.add_available(draft, settings)?;
        candidates.find_python(draft, settings.policy())?;
        candidates.settle(settings, lock);
        candidates.judge(draft, settings);
        Ok(candidates)
    }

    /// Tells which version of Python there is, where somebody asks for it: to look takes as long as Python takes to start.
    fn find_python(&mut self, draft: &Draft, policy: &Policy) -> Result<()> {
        let asks =
            |plugin: &KnownPlugin| plugin.manifest.plugin.depends_on.iter().any(|need| need.on == python());
        let entry = draft.plugins().get(PYTHON_BRIDGE);
        if entry.is_none() && !self.catalog.plugins.iter().any(asks) {
            return Ok(());
        }
        let Some(plugin) = builtin::python(entry.map_or(&Value::Null, |entry| &entry.config)) else {
            return Ok(());
        };
        let known = known(plugin.manifest()?, Origin::BuiltIn, policy);
        self.catalog.plugins.retain(|one| one.name() != PYTHON_BRIDGE || one.origin != Origin::BuiltIn);
        self.catalog.plugins.push(known);
        self.builtin.insert(PYTHON_BRIDGE.to_owned(), plugin);
        Ok(())
    }

    /// Looks again at what plugins ask for, now that their configuration is known.
    fn judge(&mut self, draft: &Draft, settings: &Settings) {
        let nothing = Value::Null;
        for plugin in &mut self.catalog.plugins {
            let entry = draft.plugins().get(plugin.name());
            let config = entry.map_or(&nothing, |entry| &entry.config);
            let Some(judged) = configured::judged(plugin, config, settings) else { continue };
            plugin.refused = judged.refused;
            if !matches!(plugin.standing, Standing::Passed(_)) {
                let key = (plugin.name().to_owned(), plugin.version().to_string());
                self.leaves.extend(judged.leave.map(|leave| (key, leave)));
            }
        }
    }

    fn add_named(&mut self, draft: &Draft, folder: &Path, policy: &Policy) {
        for (name, entry) in draft.plugins() {
            let Some(path) = &entry.path else { continue };
            let problem = match plugin_in(&folder.join(path), policy) {
                Ok(plugin) if plugin.name() == &**name => {
                    self.catalog.plugins.push(plugin);
                    continue;
                }
                Ok(plugin) => format!("the plugin in `{}` is `{}`", path.display(), plugin.name()),
                Err(error) => format!("{error:#}"),
            };
            self.catalog.problems.insert(name.to_string(), problem);
        }
    }

    fn add_available(&mut self, draft: &Draft, settings: &Settings) -> Result<()> {
        let mut broken = Vec::new();
        for folder in settings.folders() {
            for package in Loader::discover(folder)? {
                if self.is_named(&package) {
                    continue;
                }
                match plugin_in(&package, settings.policy()) {
                    Ok(plugin) => {
                        self.catalog.plugins.push(KnownPlugin { standing: Standing::Available, ..plugin });
                    }
                    Err(error) => broken.push((package, format!("{error:#}"))),
                }
            }
        }
        broken.iter().for_each(|(package, problem)| self.add_broken(draft, package, problem));
        Ok(())
    }

    /// What is wrong with a package stands at the entry of the file that means it, if one does and there is no other of
    /// its name.
    fn add_broken(&mut self, draft: &Draft, package: &Path, problem: &str) {
        let is_there = |name: &str| self.catalog.plugins.iter().any(|plugin| plugin.name() == name);
        let mut entries = draft
            .plugins()
            .iter()
            .filter(|(name, entry)| entry.path.is_none() && entry.enabled && !is_there(name));
        match entries.find(|(name, _)| package.file_name().is_some_and(|folder| *folder == ***name)) {
            Some((name, _)) => drop(self.catalog.problems.insert(name.to_string(), problem.to_owned())),
            None => self.warnings.push(problem.to_owned()),
        }
    }

    /// Whether the file names this very folder.
    fn is_named(&self, package: &Path) -> bool {
        let place = |folder: &Path| folder.canonicalize().ok();
        let mut named = self.catalog.plugins.iter().filter_map(|plugin| match &plugin.origin {
            Origin::Folder(folder) if plugin.standing == Standing::Named => place(folder),
            _ => None,
        });
        place(package).is_some_and(|package| named.any(|named| named == package))
    }

    /// Tells which plugins are blocked, which are locked, and which stand behind another one of their id.
    fn settle(&mut self, settings: &Settings, lock: &Lock) {
        for place in 0..self.catalog.plugins.len() {
            let plugin = &self.catalog.plugins[place];
            let standing = if settings.blocked().contains(plugin.name()) {
                Standing::Blocked
            } else if let Some(rival) = self.rival(plugin) {
                Standing::Passed(rival)
            } else if plugin.standing == Standing::Available && is_locked(plugin, lock) {
                Standing::Locked
            } else {
                continue;
            };
            self.catalog.plugins[place].standing = standing;
        }
        self.settle_same();
    }

    /// What the file names comes before all others, also where there is something wrong with it, and what is built in
    /// before what lies in the folders.
    fn rival(&self, plugin: &KnownPlugin) -> Option<Rival> {
        if plugin.standing == Standing::Named {
            return None;
        }
        let others = || self.catalog.plugins.iter().filter(|other| other.name() == plugin.name());
        if others().any(|other| other.standing == Standing::Named) {
            return Some(Rival::Named);
        }
        if plugin.origin == Origin::BuiltIn {
            return None;
        }
        if self.catalog.problems.contains_key(plugin.name()) {
            return Some(Rival::Named);
        }
        others().any(|other| other.origin == Origin::BuiltIn).then_some(Rival::BuiltIn)
    }

    /// Of equal versions the locked one is taken, or else the first.
    fn settle_same(&mut self) {
        let plugins = &mut self.catalog.plugins;
        for place in 0..plugins.len() {
            let is_same = |other: &KnownPlugin| {
                let is_open = matches!(other.standing, Standing::Available | Standing::Locked);
                is_open
                    && other.name() == plugins[place].name()
                    && other.version() == plugins[place].version()
            };
            let same: Vec<_> = (0..plugins.len()).filter(|other| is_same(&plugins[*other])).collect();
            let locked = same.iter().find(|other| plugins[**other].standing == Standing::Locked);
            let first = locked.or(same.first()).copied();
            if same.contains(&place) && first != Some(place) {
                plugins[place].standing = Standing::Passed(Rival::Same);
                self.warnings.extend(twice(&plugins[place], first.map(|first| &plugins[first])));
            }
        }
    }
}

/// That two packages are one version of one plugin.
fn twice(passed: &KnownPlugin, taken: Option<&KnownPlugin>) -> Option<String> {
    let (Origin::Folder(passed_folder), Origin::Folder(taken)) = (&passed.origin, &taken?.origin) else {
        return None;
    };
    let (name, version) = (passed.name(), passed.version());
    Some(format!(
        "`{name}` {version} lies in {} and in {}, and the first is taken",
        taken.display(),
        passed_folder.display()
    ))
}

/// The plugins that are built in.
pub(crate) fn builtin_plugins(policy: &Policy) -> Result<Vec<(KnownPlugin, Builtin)>> {
    let known = builtin::all()
        .into_iter()
        .map(|plugin| Ok((known(plugin.manifest()?, Origin::BuiltIn, policy), plugin)));
    known.collect()
}

/// The plugin in a folder, or why there is none.
pub(crate) fn plugin_in(folder: &Path, policy: &Policy) -> Result<KnownPlugin> {
    let manifest = Loader::manifest(folder)?;
    Ok(known(manifest, Origin::Folder(folder.to_owned()), policy))
}

/// The policy for a plugin: one that the command brings may answer with its own grants, and no other of its id.
pub(crate) fn policy<'p>(origin: &Origin, manifest: &Manifest, policy: &'p Policy) -> Cow<'p, Policy> {
    match origin {
        Origin::BuiltIn => Cow::Owned(policy.clone().allow_own_authority(manifest.id().clone())),
        Origin::Folder(_) => Cow::Borrowed(policy),
    }
}

/// What is wrong with a plugin that could be loaded.
pub(crate) const NOT_LOADED: &str = "it is not loaded";

/// Plugins that are loaded, which is all that there is.
pub(crate) fn catalog_of(draft: &Draft, loaded: Vec<KnownPlugin>) -> Catalog {
    let is_loaded = |name: &str| loaded.iter().any(|plugin| plugin.name() == name);
    let absent = draft.plugins().keys().filter(|name| !is_loaded(name));
    let problems = absent.map(|name| (name.to_string(), NOT_LOADED.to_owned())).collect();
    Catalog { plugins: loaded, problems }
}

/// A plugin that was granted what it needs.
pub(crate) fn loaded(manifest: Arc<Manifest>, origin: Origin) -> KnownPlugin {
    let schemas = schemas(&manifest);
    KnownPlugin { manifest, origin, standing: Standing::Available, schemas, refused: Vec::new() }
}

fn known(manifest: Manifest, origin: Origin, policy: &Policy) -> KnownPlugin {
    let refused = match self::policy(&origin, &manifest, policy).grant(&manifest, None) {
        Ok(_) => Vec::new(),
        Err(denied) => denied.iter().map(ToString::to_string).collect(),
    };
    let schemas = schemas(&manifest);
    let standing = match origin {
        Origin::BuiltIn => Standing::Available,
        Origin::Folder(_) => Standing::Named,
    };
    KnownPlugin { manifest: Arc::new(manifest), origin, standing, schemas, refused }
}

/// The schemas of what a plugin provides, by extension point and key.
fn schemas(manifest: &Manifest) -> BTreeMap<(Arc<str>, Arc<str>), Value> {
    let schemas = manifest.provides.iter().filter_map(|provides| {
        let schema = Value::from_json(provides.schema.as_deref()?).ok()?;
        Some(((Arc::clone(&provides.point), Arc::clone(&provides.key)), schema))
    });
    schemas.collect()
}

/// Whether it is what the lock holds, whatever folder it has come to lie in.
fn is_locked(plugin: &KnownPlugin, lock: &Lock) -> bool {
    let mut locked = lock.plugins().iter();
    let Some(locked) =
        locked.find(|locked| locked.id.as_str() == plugin.name() && locked.version == *plugin.version())
    else {
        return false;
    };
    match (&locked.from, &plugin.origin) {
        (LockedFrom::BuiltIn, Origin::BuiltIn) => true,
        (LockedFrom::Folder { digest, .. }, Origin::Folder(folder)) => {
            Loader::digest(folder).is_ok_and(|now| now == *digest)
        }
        _ => false,
    }
}
