//! Packages of plugins in Python that are processes: the author's modules as they are, and the SDK beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use tapline_core::Manifest;

use crate::python::SDK;
use crate::{Artifact, BuildError, Built, declared};

/// What is to be installed for it to run.
const REQUIREMENTS: &str = "requirements.txt";
/// The one package that the SDK itself needs.
const NEEDED: &str = "msgpack";

/// Makes the package of a plugin whose source is in `folder`; `library` holds the SDK.
///
/// # Errors
///
/// When a file cannot be read, or `requirements.txt` leaves out what the SDK needs.
pub(crate) fn build(mut manifest: Manifest, folder: &Path, library: &Path) -> Result<Built, BuildError> {
    check_requirements(folder)?;
    let mut files = BTreeSet::from([REQUIREMENTS.to_owned()]);
    add_modules(folder, "", &mut files)?;
    let sdk = sdk(library)?;
    files.extend(sdk.keys().cloned());
    if let Some(process) = &mut manifest.process {
        process.files = files;
    }
    Ok(Built { manifest: declared::text(&manifest)?, artifact: Artifact::Files(sdk) })
}

fn check_requirements(folder: &Path) -> Result<(), BuildError> {
    let path = folder.join(REQUIREMENTS);
    let text = fs::read_to_string(&path).map_err(|source| BuildError::File { path, source })?;
    let is_needed = |line: &str| line.trim_start().to_ascii_lowercase().starts_with(NEEDED);
    if text.lines().any(is_needed) {
        return Ok(());
    }
    Err(BuildError::Declaration {
        what: format!("{REQUIREMENTS}: there is no `{NEEDED}`, which the SDK needs"),
    })
}

/// Adds the modules beside `plugin.py`, and those of packages: folders with an `__init__.py`. Tests stay behind.
fn add_modules(folder: &Path, below: &str, files: &mut BTreeSet<String>) -> Result<(), BuildError> {
    for (name, is_folder) in entries(folder)? {
        let place = format!("{below}{name}");
        if is_folder {
            let inner = folder.join(&name);
            if place != SDK && inner.join("__init__.py").is_file() {
                add_modules(&inner, &format!("{place}/"), files)?;
            }
        } else if name.ends_with(".py") && !name.starts_with("test_") && name != "conftest.py" {
            files.insert(place);
        }
    }
    Ok(())
}

/// The modules of the SDK, by the names that they have in a package.
fn sdk(library: &Path) -> Result<BTreeMap<String, Vec<u8>>, BuildError> {
    let folder = library.join(SDK);
    let modules = entries(&folder)?.into_iter().filter(|(name, _)| name.ends_with(".py"));
    let read = |(name, _)| {
        let path = folder.join(&name);
        let content = fs::read(&path).map_err(|source| BuildError::File { path, source })?;
        Ok((format!("{SDK}/{name}"), content))
    };
    modules.map(read).collect()
}

/// The names in a folder, and which of them are folders; what is no UTF-8 is no module.
fn entries(folder: &Path) -> Result<Vec<(String, bool)>, BuildError> {
    let failed = |source| BuildError::File { path: folder.to_owned(), source };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if let Ok(name) = entry.file_name().into_string() {
            entries.push((name, entry.path().is_dir()));
        }
    }
    Ok(entries)
}
