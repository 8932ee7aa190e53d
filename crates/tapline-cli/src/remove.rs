use std::path::Path;

use anyhow::{Result, bail};
use tapline::core::Manifest;
use tapline::host::{Lock, LockedFrom};
use tapline::install::{Difference, Installed, PluginsFolder, Record, needed_by};

use crate::arguments::RemoveArguments;
use crate::output::Output;
use crate::{Ending, builtin, error, lock};

/// Removes a package that was installed, unless others need it; runs nothing of it.
pub(crate) fn remove(arguments: &RemoveArguments) -> Result<Ending> {
    let folder = PluginsFolder::new(&arguments.folder);
    let (installed, broken) = folder.installed()?;
    for error in broken {
        Output::Error.line(format_args!("warning: what cannot be read is for you to delete: {error}"));
    }
    let one = chosen(arguments, &installed)?;
    let about = &one.manifest.plugin;
    let needs = needs(&one.manifest, &installed)?;
    if !needs.is_empty() && !arguments.force {
        bail!(
            "`{}` {} is needed: {}; `--force` removes it all the same",
            about.id,
            about.version,
            needs.join(", ")
        );
    }
    for need in needs {
        Output::Error.line(format_args!("warning: it is needed: {need}"));
    }
    let own = Record::differences(&one.folder).unwrap_or_default();
    let own: Vec<_> =
        own.iter().filter(|one| matches!(one, Difference::Added(_) | Difference::Changed(_))).collect();
    if !own.is_empty() && !arguments.force {
        let own: Vec<_> = own.iter().map(ToString::to_string).collect();
        let place = one.folder.display();
        bail!("{place} holds what was not installed: {}; `--force` removes it all the same", own.join(", "));
    }
    match folder.remove(one) {
        Ok(()) => {
            let place = one.folder.display();
            Output::Standard.line(format_args!("removed `{}` {} from {place}", about.id, about.version));
            Ok(Ending::Done)
        }
        Err(error @ tapline::install::RemoveError::NotInstalled(_)) => Err(error.into()),
        Err(error) => {
            error::show(&error.into());
            Ok(Ending::Failed)
        }
    }
}

/// The one package that is meant.
fn chosen<'a>(arguments: &RemoveArguments, installed: &'a [Installed]) -> Result<&'a Installed> {
    let (id, version) = match arguments.plugin.split_once('@') {
        Some((id, version)) => (id, Some(version)),
        None => (&*arguments.plugin, None),
    };
    let is_meant = |one: &&Installed| {
        let about = &one.manifest.plugin;
        about.id.as_str() == id && version.is_none_or(|version| *version == about.version.to_string())
    };
    let meant: Vec<_> = installed.iter().filter(is_meant).collect();
    match &*meant {
        [one] => Ok(one),
        [] => bail!("there is no plugin `{}` in {}", arguments.plugin, arguments.folder.display()),
        [first, ..] => {
            let versions: Vec<_> = meant.iter().map(|one| one.manifest.plugin.version.to_string()).collect();
            let (versions, first) = (versions.join(", "), &first.manifest.plugin.version);
            bail!("`{id}` is there in the versions {versions}: say which, as in `{id}@{first}`")
        }
    }
}

/// Who needs a package, in words.
fn needs(one: &Manifest, installed: &[Installed]) -> Result<Vec<String>> {
    let builtin = builtin::all().iter().map(builtin::Builtin::manifest).collect::<Result<Vec<_>>>()?;
    let others = installed.iter().map(|other| &other.manifest).chain(&builtin);
    let mut needs: Vec<_> = needed_by(one, others).iter().map(|id| format!("`{id}` depends on it")).collect();
    let is_it = |locked: &&tapline::host::LockedPlugin| {
        locked.id == *one.id()
            && locked.version == one.plugin.version
            && matches!(locked.from, LockedFrom::Folder { .. })
    };
    if lock::beside(Path::new(Lock::FILE))?.plugins().iter().any(|locked| is_it(&locked)) {
        needs.push(format!("{} holds it", Lock::FILE));
    }
    Ok(needs)
}
