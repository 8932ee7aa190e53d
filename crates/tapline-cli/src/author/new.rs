use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use tapline::PluginId;

use crate::Ending;
use crate::arguments::{NewArguments, PluginLanguage, PluginRuntime};
use crate::output::Output;

use super::template::{Project, files};

/// Writes a plugin that builds, passes its cases and runs in a pipeline.
pub(crate) fn new(arguments: &NewArguments) -> Result<Ending> {
    let id = PluginId::new(&arguments.name)?;
    let folder = arguments.folder.join(id.as_str());
    if fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is there already, and nothing was written", folder.display());
    }
    if arguments.runtime == PluginRuntime::Process && arguments.lang != PluginLanguage::Python {
        bail!("`--runtime process` is for plugins in Python: `--lang python`");
    }
    let project =
        Project::new(&id, arguments.kind, arguments.lang, &arguments.capability).runtime(arguments.runtime);
    let failed = || folder.display().to_string();
    fs::create_dir_all(&arguments.folder).with_context(failed)?;
    // Beside it first, so that no half of it is ever there.
    let begun = tempfile::tempdir_in(&arguments.folder).with_context(failed)?;
    let whole = begun.path().join(id.as_str());
    for (path, text) in files(&project) {
        write(&whole.join(&path), &text)?;
    }
    fs::rename(&whole, &folder).with_context(failed)?;
    Output::Error.line(format_args!("wrote {}; what to do with it:", folder.display()));
    for command in ["plugin build", "plugin test", "run pipeline.yaml"] {
        Output::Error.line(format_args!("  tapline {command}"));
    }
    Output::Error.line(format_args!("in that folder; its README.md tells more"));
    Ok(Ending::Done)
}

fn write(file: &Path, text: &str) -> Result<()> {
    let failed = || file.display().to_string();
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(failed)?;
    }
    fs::write(file, text).with_context(failed)
}
