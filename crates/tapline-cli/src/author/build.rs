use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use tapline::Loader;
use tapline::core::Manifest;
use tapline_build::{BuildError, Project, Sdk};

use crate::arguments::BuildArguments;
use crate::output::Output;
use crate::{Ending, error};

/// Makes a package of a plugin's source, beside it.
pub(crate) fn build(arguments: &BuildArguments) -> Result<Ending> {
    let project = Project::open(&arguments.folder)?;
    Ok(if built(&project)?.is_some() { Ending::Done } else { Ending::Failed })
}

/// Builds a project and says what came of it: the manifest, or nothing when its source has mistakes, which have been shown.
///
/// # Errors
///
/// When it is for other reasons than the source that there is no package.
pub(super) fn built(project: &Project) -> Result<Option<Manifest>> {
    let begun = Instant::now();
    let built = match project.build(&sdk()?) {
        Ok(built) => built,
        Err(BuildError::Missing { tool, help }) => {
            anyhow::bail!("there is no {tool}; get one and try again:\n{help}");
        }
        Err(
            error @ (BuildError::Source { .. }
            | BuildError::Declaration { .. }
            | BuildError::NotAPlugin { .. }),
        ) => {
            Output::Error.line(format_args!("error: {error}"));
            error::show_causes(std::error::Error::source(&error));
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let manifest = Loader::parse(&project.folder().join("plugin.toml"), &built.manifest)?;
    if let Some(mistake) = broken_schema(&manifest) {
        Output::Error.line(format_args!("error: {mistake}"));
        return Ok(None);
    }
    built.write(project.folder())?;
    let size = built.size().div_ceil(1 << 10);
    let (id, version) = (manifest.id(), &manifest.plugin.version);
    let artifact = if built.component().is_some() { "plugin.wasm" } else { "plugin.toml" };
    let (place, took) = (project.folder().join(artifact), begun.elapsed().as_secs_f64());
    Output::Error.line(format_args!("built {id} {version}: {}, {size} KiB, in {took:.1} s", place.display()));
    Ok(Some(manifest))
}

/// What is wrong with the schemas of what a plugin contributes; whoever uses it could do nothing about it.
fn broken_schema(manifest: &Manifest) -> Option<String> {
    manifest.provides.iter().find_map(|provides| {
        // The build has put its text into the manifest; what is no JSON is refused where it is read.
        let schema = serde_json::from_str(provides.schema.as_deref()?).ok()?;
        let error = jsonschema::options().offline().build(&schema).err()?;
        let place = error.instance_path().to_string();
        let place = if place.is_empty() { "it as a whole".to_owned() } else { format!("`{place}`") };
        Some(format!("the schema of `{}/{}` is broken at {place}: {error}", provides.point, provides.key))
    })
}

/// What projects are built against, where this user keeps caches.
fn sdk() -> Result<Sdk> {
    let caches = dirs::cache_dir().context("there is no folder for caches: set HOME or XDG_CACHE_HOME")?;
    Ok(Sdk::unpack(&caches.join("tapline").join("sdk"))?)
}

/// The package in a folder: built first where its source is there.
///
/// # Errors
///
/// When there is neither, or it cannot be built.
pub(super) fn package(folder: &Path, builds: bool) -> Result<Option<Manifest>> {
    match Project::open(folder) {
        Ok(project) if builds => built(&project),
        Ok(_) | Err(BuildError::NotAProject { .. }) => {
            Ok(Some(Loader::manifest(folder).with_context(|| folder.display().to_string())?))
        }
        Err(error) => Err(error.into()),
    }
}
