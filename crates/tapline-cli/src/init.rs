use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::Ending;
use crate::arguments::InitArguments;
use crate::output::Output;

const FILES: [(&str, &str); 2] = [
    ("pipeline.yaml", include_str!("init/pipeline.yaml")),
    ("messages.jsonl", include_str!("init/messages.jsonl")),
];

/// Writes a small pipeline that runs; leaves everything alone that is there already.
pub(crate) fn init(arguments: &InitArguments) -> Result<Ending> {
    let folder = &arguments.folder;
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    if let Some((name, _)) = FILES.iter().find(|(name, _)| folder.join(name).exists()) {
        bail!("{} is there already, and nothing was written", folder.join(name).display());
    }
    for (name, content) in FILES {
        write_new(&folder.join(name), content)?;
    }
    let file = folder.join(FILES[0].0);
    Output::Error.line(format_args!(
        "wrote {}; run it with `tapline run {}`",
        file.display(),
        file.display()
    ));
    Ok(Ending::Done)
}

fn write_new(file: &Path, content: &str) -> Result<()> {
    let opened = OpenOptions::new().write(true).create_new(true).open(file);
    match opened {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{} is there already", file.display())
        }
        opened => Ok(opened.with_context(|| file.display().to_string())?.write_all(content.as_bytes())?),
    }
}
