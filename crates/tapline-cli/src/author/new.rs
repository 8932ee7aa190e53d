use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use tapline::PluginId;

use crate::Ending;
use crate::arguments::NewArguments;
use crate::output::Output;

use super::template::{Project, files};

/// Writes a plugin that builds, passes its cases and runs in a pipeline.
pub(crate) fn new(arguments: &NewArguments) -> Result<Ending> {
    let id = PluginId::new(&arguments.name)?;
    let folder = arguments.folder.join(id.as_str());
    if fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is there already, and nothing was written", folder.display());
    }
    let project = Project::new(&id, arguments.kind, arguments.lang, &arguments.capability);
    for (path, text) in files(&project) {
        write_new(&folder.join(&path), &text)?;
    }
    Output::Error.line(format_args!("wrote {}; what to do with it:", folder.display()));
    for command in ["plugin build", "plugin test", "run pipeline.yaml"] {
        Output::Error.line(format_args!("  tapline {command}"));
    }
    Output::Error.line(format_args!("in that folder; its README.md tells more"));
    Ok(Ending::Done)
}

fn write_new(file: &Path, text: &str) -> Result<()> {
    let failed = || file.display().to_string();
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(failed)?;
    }
    let mut opened = OpenOptions::new().write(true).create_new(true).open(file).with_context(failed)?;
    opened.write_all(text.as_bytes()).with_context(failed)
}
