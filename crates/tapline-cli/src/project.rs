use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use tapline::core::{Manifest, RuntimeKind};
use tapline::host::{Lock, Settings};
use tapline::pipeline::{
    Catalog, Checked, Definition, Draft, KnownPlugin, Origin, Source, Standing, check, needed,
};
use tapline::{Load, Loader, NativePlugin, Policy, Value};

use crate::builtin;
use crate::output::Output;

/// A pipeline file and the plugins that it can use; nothing of it is run.
pub(crate) struct Project {
    pub(crate) source: Source,
    pub(crate) checked: Checked,
    pub(crate) settings: Settings,
    /// The folder of the file.
    pub(crate) folder: PathBuf,
    file: PathBuf,
    /// What is wrong with packages that the pipeline may do without.
    warnings: Vec<String>,
    builtin: BTreeMap<String, NativePlugin>,
    catalog: Catalog,
}

/// A file larger than this is no pipeline.
const LARGEST_FILE: u64 = 8 << 20;

impl Project {
    /// Reads a pipeline file and checks it.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let size = fs::metadata(file).with_context(|| file.display().to_string())?.len();
        if size > LARGEST_FILE {
            bail!(
                "{}: a pipeline file has at most {LARGEST_FILE} bytes, and this one has {size}",
                file.display()
            );
        }
        let bytes = fs::read(file).with_context(|| file.display().to_string())?;
        let source = Source::new(file.display().to_string(), &bytes);
        let folder = match file.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let settings = Settings::beside(file)?;
        let draft = Draft::read(&source);
        let (mut catalog, builtin) = catalog(&draft, &folder, settings.policy())?;
        let warnings = add_available(&mut catalog, &settings)?;
        block(&mut catalog, &settings);
        let checked = check(&draft, &catalog);
        let file = file.to_owned();
        Ok(Self { source, checked, settings, folder, file, warnings, builtin, catalog })
    }

    /// The lock beside the file.
    pub(crate) fn lock_file(&self) -> PathBuf {
        self.file.with_file_name(Lock::FILE)
    }

    /// Tells what is wrong with packages that the pipeline may do without.
    pub(crate) fn warn(&self) {
        for warning in &self.warnings {
            Output::Error.line(format_args!("warning: {warning}"));
        }
    }

    /// The plugins that a pipeline needs.
    pub(crate) fn needed(&self, definition: &Definition) -> Vec<&KnownPlugin> {
        needed(definition, &self.catalog)
    }

    /// What has to be loaded for the pipeline, with what its file says of each plugin.
    pub(crate) fn loads(&self, definition: &Definition) -> Vec<Load> {
        needed(definition, &self.catalog).into_iter().map(|plugin| self.load(definition, plugin)).collect()
    }

    /// The manifests of what has to be loaded for the pipeline.
    pub(crate) fn manifests<'a>(
        &'a self,
        definition: &Definition,
    ) -> impl Iterator<Item = &'a Manifest> + use<'a> {
        needed(definition, &self.catalog).into_iter().map(|plugin| &*plugin.manifest)
    }

    /// Whether any plugin of the pipeline needs a sandbox.
    pub(crate) fn needs_sandbox(&self, definition: &Definition) -> bool {
        needed(definition, &self.catalog)
            .iter()
            .any(|plugin| plugin.manifest.plugin.runtime == RuntimeKind::Wasm)
    }

    fn load(&self, definition: &Definition, plugin: &KnownPlugin) -> Load {
        let entry = definition.plugins.get(plugin.name()).cloned().unwrap_or_default();
        let load = match &plugin.origin {
            Origin::Folder(folder) => Load::folder(folder),
            Origin::BuiltIn => Load::native(self.builtin[plugin.name()].clone()),
        };
        // The plugin that reads and writes files is confined to the folder of the pipeline.
        let config = match plugin.name() {
            "io" => Value::from_iter([("root", Value::from(self.folder.display().to_string()))]),
            _ => entry.config,
        };
        let load = load.config(config);
        let load = match entry.grants {
            Some(grants) => load.narrow(grants),
            None => load,
        };
        if entry.optional { load.optional() } else { load }
    }
}

/// The plugins that are built in.
pub(crate) fn builtin_plugins(policy: &Policy) -> Result<Vec<(KnownPlugin, NativePlugin)>> {
    let known = builtin::all().into_iter().map(|plugin| {
        let manifest = Loader::native(&plugin)?;
        Ok((known(manifest, Origin::BuiltIn, policy), plugin))
    });
    known.collect()
}

/// The plugin in a folder, or why there is none.
pub(crate) fn plugin_in(folder: &Path, policy: &Policy) -> Result<KnownPlugin> {
    let manifest = Loader::manifest(folder)?;
    Ok(known(manifest, Origin::Folder(folder.to_owned()), policy))
}

fn known(manifest: Manifest, origin: Origin, policy: &Policy) -> KnownPlugin {
    let refused = match policy.grant(&manifest, None) {
        Ok(_) => Vec::new(),
        Err(denied) => denied.iter().map(ToString::to_string).collect(),
    };
    let schemas = manifest.provides.iter().filter_map(|provides| {
        let schema = Value::from_json(provides.schema.as_deref()?).ok()?;
        Some(((Arc::clone(&provides.point), Arc::clone(&provides.key)), schema))
    });
    let schemas = schemas.collect();
    let standing = match origin {
        Origin::BuiltIn => Standing::Available,
        Origin::Folder(_) => Standing::Named,
    };
    KnownPlugin { manifest: Arc::new(manifest), origin, standing, schemas, refused }
}

/// The built-in plugins, and those that the file names by their folder.
fn catalog(
    draft: &Draft,
    folder: &Path,
    policy: &Policy,
) -> Result<(Catalog, BTreeMap<String, NativePlugin>)> {
    let mut catalog = Catalog::default();
    let mut builtin = BTreeMap::new();
    for (known, native) in builtin_plugins(policy)? {
        builtin.insert(known.name().to_owned(), native);
        catalog.plugins.push(known);
    }
    for (name, entry) in draft.plugins() {
        let Some(path) = &entry.path else { continue };
        match plugin_in(&folder.join(path), policy) {
            Ok(plugin) if plugin.name() == &**name => {
                catalog.plugins.retain(|other| other.name() != plugin.name());
                catalog.plugins.push(plugin);
            }
            Ok(plugin) => {
                let problem = format!("the plugin in `{}` is `{}`", path.display(), plugin.name());
                catalog.problems.insert(name.to_string(), problem);
            }
            Err(error) => drop(catalog.problems.insert(name.to_string(), format!("{error:#}"))),
        }
    }
    Ok((catalog, builtin))
}

/// Adds the packages in the folders of the settings, and yields what is wrong with those that are broken.
fn add_available(catalog: &mut Catalog, settings: &Settings) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    for folder in settings.folders() {
        for package in Loader::discover(folder)? {
            match plugin_in(&package, settings.policy()) {
                Ok(plugin) => add(catalog, plugin),
                Err(error) => warnings.push(format!("{error:#}")),
            }
        }
    }
    Ok(warnings)
}

/// Adds a package for whoever needs it. What the file names and what is built in keep their places; otherwise the
/// higher version wins, and among equals the one that was there.
fn add(catalog: &mut Catalog, plugin: KnownPlugin) {
    let plugin = KnownPlugin { standing: Standing::Available, ..plugin };
    if catalog.problems.contains_key(plugin.name()) {
        return;
    }
    match catalog.plugins.iter_mut().find(|other| other.name() == plugin.name()) {
        None => catalog.plugins.push(plugin),
        Some(other) if other.standing == Standing::Named || other.origin == Origin::BuiltIn => {}
        Some(other) if other.manifest.plugin.version >= plugin.manifest.plugin.version => {}
        Some(other) => *other = plugin,
    }
}

fn block(catalog: &mut Catalog, settings: &Settings) {
    let blocked = |plugin: &&mut KnownPlugin| settings.blocked().contains(plugin.name());
    for plugin in catalog.plugins.iter_mut().filter(blocked) {
        plugin.standing = Standing::Blocked;
    }
}
