use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use tapline::core::{Manifest, RuntimeKind};
use tapline::pipeline::{Catalog, Checked, Definition, Draft, KnownPlugin, Origin, Source, check, needed};
use tapline::{Load, Loader, NativePlugin, Policy, Value};

use crate::builtin;

/// A pipeline file and the plugins that it can use; nothing of it is run.
pub(crate) struct Project {
    pub(crate) source: Source,
    pub(crate) checked: Checked,
    folder: PathBuf,
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
        let draft = Draft::read(&source);
        let (catalog, builtin) = catalog(&draft, &folder)?;
        let checked = check(&draft, &catalog);
        Ok(Self { source, checked, folder, builtin, catalog })
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
pub(crate) fn builtin_plugins() -> Result<Vec<(KnownPlugin, NativePlugin)>> {
    let known = builtin::all().into_iter().map(|plugin| {
        let manifest = Loader::native(&plugin)?;
        Ok((known(manifest, Origin::BuiltIn), plugin))
    });
    known.collect()
}

/// The plugin in a folder, or why there is none.
pub(crate) fn plugin_in(folder: &Path) -> Result<KnownPlugin> {
    let manifest = Loader::manifest(folder)?;
    Ok(known(manifest, Origin::Folder(folder.to_owned())))
}

fn known(manifest: Manifest, origin: Origin) -> KnownPlugin {
    let refused = match Policy::default().grant(&manifest, None) {
        Ok(_) => Vec::new(),
        Err(denied) => denied.iter().map(ToString::to_string).collect(),
    };
    let schemas = manifest.provides.iter().filter_map(|provides| {
        let schema = Value::from_json(provides.schema.as_deref()?).ok()?;
        Some(((Arc::clone(&provides.point), Arc::clone(&provides.key)), schema))
    });
    let schemas = schemas.collect();
    KnownPlugin { manifest: Arc::new(manifest), origin, schemas, refused }
}

/// The built-in plugins, and those that the file names by their folder.
fn catalog(draft: &Draft, folder: &Path) -> Result<(Catalog, BTreeMap<String, NativePlugin>)> {
    let mut catalog = Catalog::default();
    let mut builtin = BTreeMap::new();
    for (known, native) in builtin_plugins()? {
        builtin.insert(known.name().to_owned(), native);
        catalog.plugins.push(known);
    }
    for (name, entry) in draft.plugins() {
        let Some(path) = &entry.path else { continue };
        match plugin_in(&folder.join(path)) {
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
