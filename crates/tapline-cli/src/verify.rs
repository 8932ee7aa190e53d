use std::path::Path;

use anyhow::{Result, bail};
use tapline::Loader;
use tapline::host::{Lock, LockedFrom};
use tapline::install::{PluginsFolder, Record};

use crate::arguments::VerifyArguments;
use crate::audit::visible;
use crate::output::Output;
use crate::{Ending, error, lock};

/// What was looked at.
#[derive(Default)]
struct Found {
    packages: usize,
    differences: usize,
}

/// Tells what has changed in packages since they were installed and locked; runs nothing of them.
pub(crate) fn verify(arguments: &VerifyArguments) -> Result<Ending> {
    let mut found = Found::default();
    for package in PluginsFolder::new(&arguments.folder).recorded()? {
        if arguments.id.as_deref().is_none_or(|id| is_of(&package, id)) {
            found.recorded(&package);
        }
    }
    for locked in lock::beside(Path::new(Lock::FILE))?.plugins() {
        let LockedFrom::Folder { path, digest } = &locked.from else { continue };
        if arguments.id.as_deref().is_none_or(|id| id == locked.id.as_str()) {
            found.locked(Path::new(path), *digest);
        }
    }
    if let (Some(id), 0) = (&arguments.id, found.packages) {
        bail!("there is no plugin `{id}` in {} or in {}", arguments.folder.display(), Lock::FILE);
    }
    if found.packages == 0 && !arguments.folder.is_dir() {
        bail!("there is no folder {}, and nothing in {}", arguments.folder.display(), Lock::FILE);
    }
    let differences = match found.differences {
        0 => "no differences".to_owned(),
        1 => "1 difference".to_owned(),
        count => format!("{count} differences"),
    };
    Output::Standard.line(differences);
    Ok(if found.differences == 0 { Ending::Done } else { Ending::Failed })
}

/// Whether a package is one of a plugin; where its manifest cannot be read any more, its folder tells.
fn is_of(package: &Path, id: &str) -> bool {
    match Loader::manifest(package) {
        Ok(manifest) => manifest.id().as_str() == id,
        Err(_) => {
            let name = package.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.strip_prefix(id).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        }
    }
}

impl Found {
    /// Compares a package with the record of what was installed.
    fn recorded(&mut self, package: &Path) {
        self.packages += 1;
        match Record::differences(package) {
            None => tell(package, "nobody has installed it, so that only a lock can tell"),
            Some(differences) if differences.is_empty() => {
                let from = Record::read(package).map(|record| visible(&record.from)).unwrap_or_default();
                tell(package, &format!("as it was installed from {from}"));
            }
            Some(differences) => {
                for difference in &differences {
                    tell(package, &difference.to_string());
                }
                self.differences += differences.len();
            }
        }
    }

    /// Compares a package with what the lock holds of it.
    fn locked(&mut self, package: &Path, locked: tapline::host::Digest) {
        self.packages += 1;
        match Loader::digest(package) {
            Ok(now) if now == locked => tell(package, &format!("as {} holds it", Lock::FILE)),
            Ok(now) => {
                tell(package, &format!("its digest is {now}, and {} holds {locked}", Lock::FILE));
                self.differences += 1;
            }
            Err(error) => {
                tell(package, &format!("{} holds it, and it cannot be read", Lock::FILE));
                error::show_causes(Some(&error));
                self.differences += 1;
            }
        }
    }
}

fn tell(package: &Path, what: &str) {
    Output::Standard.line(format_args!("{}: {what}", package.display()));
}
