use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use tapline::HostError;
use tapline::Loader;
use tapline::core::{Grants, Manifest};
use tapline::host::{Drift, Lock, LockError, LockedFrom, LockedPlugin};
use tapline::pipeline::{Definition, KnownPlugin, Origin};

use crate::Ending;
use crate::arguments::LockArguments;
use crate::candidates::policy;
use crate::output::Output;
use crate::project::Project;

/// Writes down which plugins a pipeline has, so that none can change unnoticed; runs no code of a plugin.
pub(crate) fn lock(arguments: &LockArguments) -> Result<Ending> {
    let file = &arguments.file;
    let project = if arguments.update { Project::read_unlocked(file)? } else { Project::read(file)? };
    let Some(definition) = &project.checked.definition else {
        project.tell_checked();
        return Ok(Ending::Refused);
    };
    let (file, now) = (project.lock_file(), locked(&project, definition)?);
    let before = match Lock::read(&file) {
        Ok(before) => before,
        Err(error) if is_missing(&error) => Lock::default(),
        Err(error) => {
            Output::Error.line(format_args!("warning: the lock that was there is replaced: {error}"));
            Lock::default()
        }
    };
    let drift = before.drift(&now);
    for difference in &drift {
        Output::Error.line(difference);
    }
    now.write(&file)?;
    let changes = if drift.is_empty() { ", and nothing has changed" } else { "" };
    Output::Error.line(format_args!("wrote {}: {} plugins{changes}", file.display(), now.plugins().len()));
    Ok(Ending::Done)
}

/// The lock of a pipeline; fails when its plugins are not those of the lock.
pub(crate) fn require(project: &Project, definition: &Definition) -> Result<Lock> {
    let file = project.lock_file();
    let lock = match Lock::read(&file) {
        Err(error) if is_missing(&error) => {
            bail!("there is no {}; {} writes one", file.display(), accept(project))
        }
        lock => lock?,
    };
    let drift = lock.drift(&locked(project, definition)?);
    if drift.is_empty() {
        return Ok(lock);
    }
    let told: String = drift.iter().map(|difference| format!("  {difference}\n")).collect();
    bail!("the plugins are not those of {}\n{told}{} accepts them", file.display(), accept(project))
}

/// Refuses packages that ask for more than they did when somebody agreed to them; without a lock, nobody has.
pub(crate) fn refuse_more(project: &Project) -> Result<()> {
    // A lock that cannot be read is told of elsewhere.
    let Ok(lock) = Lock::read(&project.lock_file()) else { return Ok(()) };
    let mut told = String::new();
    for plugin in project.plugins().filter(|plugin| plugin.origin != Origin::BuiltIn) {
        let more = lock.asked_beyond(&plugin.manifest);
        if !more.is_empty() {
            told +=
                &format!("  plugin `{}` {} wants to {}\n", plugin.name(), plugin.version(), more.join(", "));
        }
    }
    if told.is_empty() {
        return Ok(());
    }
    let file = project.lock_file();
    bail!("plugins ask for more than {} says\n{told}{} accepts it", file.display(), accept(project))
}

/// Tells, in one line, that the plugins of a pipeline are not those of its lock; without a lock, nothing is told.
pub(crate) fn warn(project: &Project, definition: &Definition) {
    match drift(project, definition) {
        None => {}
        Some(Ok(drift)) if drift.is_empty() => {}
        Some(Ok(_)) => Output::Error.line(format!(
            "warning: the plugins are not those of {}; `--locked` tells the differences, and {} accepts them",
            project.lock_file().display(),
            accept(project)
        )),
        Some(Err(error)) => Output::Error.line(format!("warning: {error:#}")),
    }
}

/// The differences between the lock and what is there; `None` when there is no lock.
fn drift(project: &Project, definition: &Definition) -> Option<Result<Vec<Drift>>> {
    match Lock::read(&project.lock_file()) {
        Err(error) if is_missing(&error) => None,
        Err(error) => Some(Err(error.into())),
        Ok(lock) => Some(locked(project, definition).map(|now| lock.drift(&now))),
    }
}

/// The lock at a path; an empty one where there is none.
pub(crate) fn beside(file: &Path) -> Result<Lock, LockError> {
    match Lock::read(file) {
        Err(error) if is_missing(&error) => Ok(Lock::default()),
        read => read,
    }
}

fn is_missing(error: &LockError) -> bool {
    matches!(error, LockError::Unreadable { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
}

fn accept(project: &Project) -> String {
    format!("`tapline lock {}`", project.file().display())
}

/// The plugins of a pipeline as they are now, in the order in which they are started.
fn locked(project: &Project, definition: &Definition) -> Result<Lock> {
    let locked = project.plugins().map(|plugin| locked_plugin(project, definition, plugin));
    Ok(Lock::new(locked.collect::<Result<_>>()?))
}

fn locked_plugin(project: &Project, definition: &Definition, plugin: &KnownPlugin) -> Result<LockedPlugin> {
    let about = &plugin.manifest.plugin;
    let grants = granted(project, definition, plugin)?;
    let asked = (plugin.origin != Origin::BuiltIn).then(|| plugin.manifest.requires.clone());
    let from = match &plugin.origin {
        Origin::BuiltIn => LockedFrom::BuiltIn,
        Origin::Folder(folder) => LockedFrom::Folder {
            path: from_folder(folder, &project.folder),
            digest: Loader::digest(folder).with_context(|| format!("plugin `{}`", plugin.name()))?,
        },
    };
    Ok(LockedPlugin { id: about.id.clone(), version: about.version.clone(), from, grants, asked })
}

/// What a plugin may do in runs of a pipeline.
pub(crate) fn granted(project: &Project, definition: &Definition, plugin: &KnownPlugin) -> Result<Grants> {
    let entry = definition.plugins.get(plugin.name());
    let config = entry.map(|entry| entry.config.clone()).unwrap_or_default();
    let resolved = |grants: &Grants| {
        let resolved = grants.resolved(&config);
        resolved.map_err(|source| HostError::ConfiguredHost { plugin: plugin.manifest.id().clone(), source })
    };
    let settled =
        Manifest { requires: resolved(&plugin.manifest.requires)?, ..Manifest::clone(&plugin.manifest) };
    let narrowed = entry.and_then(|entry| entry.grants.as_ref()).map(resolved).transpose()?;
    let policy = policy(&plugin.origin, &settled, project.settings.policy());
    Ok(policy.grant(&settled, narrowed.as_ref()).map_err(HostError::Denied)?)
}

/// A path from a folder, with `/` on every system.
fn from_folder(path: &Path, folder: &Path) -> String {
    // `./a` and `a` are the same place, and not the same path.
    let plain = |path: &Path| path.components().filter(|part| part.as_os_str() != ".").collect::<PathBuf>();
    let path = plain(path);
    let inside = path.strip_prefix(plain(folder)).unwrap_or(&path);
    let parts: Vec<_> = inside.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/").replacen("//", "/", 1)
}
