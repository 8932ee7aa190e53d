use std::path::Path;

use anyhow::{Context as _, Result, bail};
use tapline::core::{LoadError, Manifest, Package, RuntimeKind};
use tapline::host::{Lock, LockedPlugin, rights};
use tapline::install::{Change, Parcel, PluginsFolder, Source};
use tapline::wasm::Interfaces;
use tapline_plugin_python_bridge::{Interpreter, REQUIREMENTS};

use crate::arguments::InstallArguments;
use crate::audit::visible;
use crate::grants::{asked_table, asks};
use crate::output::Output;
use crate::plugin::settings;
use crate::{Ending, builtin, error, lock};

/// How a package is installed.
pub(crate) struct How<'a> {
    /// Whether what it asks for in addition is agreed to.
    pub(crate) accepts: bool,
    /// Whether anything is written.
    pub(crate) writes: bool,
    /// The interpreter for an environment of Python, where it needs one.
    pub(crate) python: Option<&'a str>,
}

/// Puts a package into the folder of plugins, and says before what it is and asks for; runs nothing of it.
pub(crate) fn install(arguments: &InstallArguments) -> Result<Ending> {
    let folder = PluginsFolder::new(&arguments.folder);
    let lock = lock::beside(Path::new(Lock::FILE))?;
    let parcel = opened(arguments)?;
    let how =
        How { accepts: arguments.accept, writes: !arguments.dry_run, python: arguments.python.as_deref() };
    put(&parcel, &folder, &lock, &how)
}

/// Says what a package is and asks for, and puts it into a folder.
pub(crate) fn put(parcel: &Parcel, folder: &PluginsFolder, lock: &Lock, how: &How<'_>) -> Result<Ending> {
    let (installed, broken) = folder.installed()?;
    for error in broken {
        Output::Error.line(format_args!("warning: {error}"));
    }
    if builtin::all()
        .iter()
        .flat_map(builtin::Builtin::manifest)
        .any(|one| one.id() == parcel.manifest().id())
    {
        Output::Error.line("warning: a plugin of this id is built in, and comes before those in folders");
    }
    let change = Change::of(parcel, &installed, lock)?;
    tell(parcel, &change, folder);
    if let Some(there) = &change.there {
        Output::Standard.line(format_args!("it is there already, in {}", there.display()));
        return Ok(Ending::Done);
    }
    if change.needs_consent() && !how.accepts {
        bail!("{}; nothing was written, and `--accept` agrees to it", disagreement(parcel, &change));
    }
    if !how.writes {
        Output::Standard.line("nothing was written: this is a dry run");
        return Ok(Ending::Done);
    }
    let furnish = |place: &Path| environment(place, parcel.manifest(), how.python);
    match folder.put_furnished(parcel, &change, lock, &furnish) {
        Ok(place) => {
            Output::Standard.line(format_args!("installed {} in {}", titled(parcel), place.display()));
            tell_locked(parcel.manifest(), lock);
            Ok(Ending::Done)
        }
        Err(error) => {
            error::show(&error.into());
            Ok(Ending::Failed)
        }
    }
}

/// Compares a component with its manifest; there is nothing to compare in what is none.
pub(crate) fn inspect(package: &Package) -> Result<(), LoadError> {
    match package.manifest.plugin.runtime {
        RuntimeKind::Wasm => Interfaces::inspect(package),
        RuntimeKind::Native | RuntimeKind::Process | RuntimeKind::Mcp => Ok(()),
    }
}

/// Makes the environment of a plugin that is a process of Python, where it says what it needs.
fn environment(
    place: &Path,
    manifest: &Manifest,
    python: Option<&str>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let needs = manifest.process.as_ref().is_some_and(|process| process.files.contains(REQUIREMENTS));
    if !needs {
        return Ok(());
    }
    let interpreter = Interpreter::find(python)?;
    let (program, version) = (interpreter.program.display(), &interpreter.version);
    Output::Error.line(format_args!("installing its packages with Python {version}, {program}"));
    Ok(tapline_plugin_python_bridge::make(place, &interpreter)?)
}

fn opened(arguments: &InstallArguments) -> Result<Parcel> {
    let source = Source::parse(&arguments.source)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let opened = runtime.block_on(source.open(arguments.sha256, &inspect));
    opened.with_context(|| format!("{} cannot be installed", visible(&arguments.source)))
}

/// Says what a package is, what it asks for, what of it is new, and where it goes.
fn tell(parcel: &Parcel, change: &Change, folder: &PluginsFolder) {
    let manifest = parcel.manifest();
    let authors = visible(&manifest.plugin.authors.join(", "));
    let by = if authors.is_empty() { String::new() } else { format!(", by {authors}") };
    Output::Standard.line(format_args!("{}{by}", titled(parcel)));
    if !manifest.plugin.description.is_empty() {
        Output::Standard.line(visible(&manifest.plugin.description));
    }
    let archive = parcel.archive().map(|digest| format!(", {digest}")).unwrap_or_default();
    Output::Standard.line(format_args!("from     {}{archive}", visible(parcel.from())));
    Output::Standard.line(format_args!("package  {}", parcel.digest()));
    Output::Standard.line(format_args!("goes to  {}", folder.place(parcel).display()));
    tell_rights(manifest);
    tell_difference(change);
}

/// What a plugin asks for, and what of it is granted here.
fn tell_rights(manifest: &Manifest) {
    let asks = asks(manifest);
    match settings() {
        _ if asks.is_empty() => Output::Standard.line("it asks for nothing"),
        Ok(settings) => Output::Standard.line(asked_table(&asks, &settings.policy().refused(manifest))),
        // A first plugin may be what makes the folder that the settings name.
        Err(error) => {
            Output::Standard.line(format_args!("it asks to {}", rights(&manifest.requires).join(", ")));
            Output::Error.line(format_args!("warning: what of it is granted is not known: {error:#}"));
        }
    }
}

/// That another version is used, as long as it is locked.
fn tell_locked(manifest: &Manifest, lock: &Lock) {
    let is_other =
        |locked: &&LockedPlugin| locked.id == *manifest.id() && locked.version != manifest.plugin.version;
    if let Some(LockedPlugin { version, .. }) = lock.plugins().iter().find(is_other) {
        let file = Lock::FILE;
        Output::Standard
            .line(format_args!("{file} holds {version}, until `tapline lock --update` chooses anew"));
    }
}

fn tell_difference(change: &Change) {
    let Some(before) = &change.before else { return };
    let (more, less) = (change.more.join(", "), change.less.join(", "));
    let told = match (more.is_empty(), less.is_empty()) {
        (true, true) => "it asks for the same or less".to_owned(),
        (false, true) => format!("it now asks to {more}"),
        (true, false) => format!("it no longer asks to {less}"),
        (false, false) => format!("it now asks to {more}, and no longer to {less}"),
    };
    Output::Standard.line(format_args!("compared with {before}, {told}"));
}

/// What somebody has to agree to.
fn disagreement(parcel: &Parcel, change: &Change) -> String {
    let more = change.before.as_ref().filter(|_| !change.more.is_empty());
    let more = more.map(|before| format!("{} asks for more than {before} does", titled(parcel)));
    let locked = change
        .locked
        .map(|locked| format!("{} holds {} with other files, {locked}", Lock::FILE, titled(parcel)));
    more.into_iter().chain(locked).collect::<Vec<_>>().join(", and ")
}

fn titled(parcel: &Parcel) -> String {
    let about = &parcel.manifest().plugin;
    format!("`{}` {}", about.id, about.version)
}
