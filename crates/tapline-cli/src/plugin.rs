use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};
use tapline::Loader;
use tapline::core::{HookDeclaration, Manifest};
use tapline::host::Settings;
use tapline::pipeline::{KnownPlugin, Origin};

use crate::Ending;
use crate::arguments::{InfoArguments, ListArguments};
use crate::audit::Audited;
use crate::candidates::{builtin_plugins, plugin_in, policy};
use crate::output::Output;

/// A plugin that was looked at, or a folder in which there is none.
enum Found {
    Whole(KnownPlugin),
    Broken { folder: PathBuf, reason: String },
}

/// Lists the plugins that are there; runs none of them.
pub(crate) fn list(arguments: &ListArguments) -> Result<Ending> {
    let settings = settings()?;
    let found = found(&arguments.folder, &settings)?;
    if arguments.json {
        Output::Standard
            .line(Value::from(found.iter().map(|one| described(one, &settings)).collect::<Vec<_>>()));
        return Ok(Ending::Done);
    }
    let mut table = Table::new();
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.load_style(presets::NOTHING).set_header([
        "id",
        "version",
        "runtime",
        "state",
        "from",
        "what it does",
    ]);
    for plugin in &found {
        match plugin {
            Found::Whole(plugin) => {
                let about = &plugin.manifest.plugin;
                let (version, runtime) = (about.version.to_string(), about.runtime.to_string());
                let state = if is_blocked(plugin, &settings) { "blocked" } else { "" };
                let (id, from) = (about.id.as_str(), from(plugin));
                table.add_row([id, &version, &runtime, state, &from, &about.description]);
            }
            Found::Broken { folder, reason } => {
                table.add_row(["", "", "broken", "", &folder.display().to_string(), reason]);
            }
        }
    }
    Output::Standard.line(table);
    Ok(Ending::Done)
}

/// Shows all that is known of a plugin; runs nothing of it.
pub(crate) fn info(arguments: &InfoArguments) -> Result<Ending> {
    let settings = settings()?;
    let plugin = if Path::new(&arguments.plugin).join("plugin.toml").exists() {
        plugin_in(Path::new(&arguments.plugin), settings.policy())?
    } else {
        named(&arguments.plugin, &arguments.folder, &settings)?
    };
    let hooks: Vec<_> = plugin.manifest.hooks.iter().map(sentence).collect();
    let last_run = settings.audit().and_then(|file| Audited::read(file, plugin.name()).ok()?.cost);
    let mut described = described(&Found::Whole(plugin), &settings);
    described["last_run"] = last_run.into();
    if arguments.json {
        Output::Standard.line(described);
        return Ok(Ending::Done);
    }
    described["hooks"] = hooks.into();
    for (key, value) in described.as_object().into_iter().flatten() {
        show(key, value);
    }
    Ok(Ending::Done)
}

/// The settings in the current folder.
pub(crate) fn settings() -> Result<Settings> {
    Ok(Settings::beside(Path::new(Settings::FILE))?)
}

fn is_blocked(plugin: &KnownPlugin, settings: &Settings) -> bool {
    settings.blocked().contains(plugin.name())
}

/// The plugin of an id; one that is built in comes first, and then the highest version.
pub(crate) fn named(id: &str, folder: &Path, settings: &Settings) -> Result<KnownPlugin> {
    let (mut whole, mut broken) = (Vec::new(), None);
    for plugin in found(folder, settings)? {
        match plugin {
            Found::Whole(plugin) if plugin.name() == id => whole.push(plugin),
            Found::Broken { folder, reason } if folder.file_name().is_some_and(|name| name == id) => {
                broken = Some(reason);
            }
            _ => {}
        }
    }
    let is_built_in = |plugin: &KnownPlugin| plugin.origin == Origin::BuiltIn;
    let best = whole
        .into_iter()
        .max_by(|one, other| (is_built_in(one), one.version()).cmp(&(is_built_in(other), other.version())));
    match (best, broken) {
        (Some(plugin), _) => Ok(plugin),
        (None, Some(reason)) => bail!(reason),
        (None, None) => bail!(
            "there is no plugin `{id}` built in, in `{}` or in the folders of the settings; `tapline plugin list` shows those there are",
            folder.display()
        ),
    }
}

/// All plugins that are there: the built-in ones, and the packages in a folder and in those of the settings.
fn found(folder: &Path, settings: &Settings) -> Result<Vec<Found>> {
    let builtin = builtin_plugins(settings.policy())?.into_iter();
    let mut found: Vec<_> = builtin.map(|(known, _)| Found::Whole(known)).collect();
    for folder in folders(folder, settings) {
        let packages = Loader::discover(&folder)?;
        found.extend(packages.into_iter().map(|folder| match plugin_in(&folder, settings.policy()) {
            Ok(plugin) => Found::Whole(plugin),
            Err(error) => Found::Broken { folder, reason: format!("{error:#}") },
        }));
    }
    Ok(found)
}

/// A folder if it is there, and those of the settings, each once whatever its path.
fn folders(folder: &Path, settings: &Settings) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    let asked = Some(folder.to_owned()).filter(|folder| folder.is_dir());
    let mut folders: Vec<_> = asked.into_iter().chain(settings.folders().iter().cloned()).collect();
    folders.retain(|folder| seen.insert(folder.canonicalize().unwrap_or_else(|_| folder.clone())));
    folders
}

fn described(found: &Found, settings: &Settings) -> Value {
    let plugin = match found {
        Found::Whole(plugin) => plugin,
        Found::Broken { folder, reason } => return json!({ "from": folder, "broken": reason }),
    };
    let manifest = &plugin.manifest;
    let about = &manifest.plugin;
    json!({
        "id": about.id, "version": about.version, "description": about.description, "authors": about.authors,
        "runtime": about.runtime, "contract": about.host, "from": from(plugin),
        "capabilities": about.capabilities, "depends_on": about.depends_on,
        "provides": manifest.provides.iter().map(|one| format!("{}/{}", one.point, one.key)).collect::<Vec<_>>(),
        "hooks": manifest.hooks, "asks_for": manifest.requires,
        // A pipeline can only take away from this.
        "grants": policy(&plugin.origin, manifest, settings.policy()).grant(manifest, None).ok(),
        "refused": plugin.refused, "limits": limits(manifest, settings), "blocked": is_blocked(plugin, settings),
    })
}

/// What holds for the plugin: what it asks for, within the settings.
fn limits(manifest: &Manifest, settings: &Settings) -> Value {
    let limits = settings.limits().narrowed(&manifest.limits);
    let time = |time| humantime::format_duration(time).to_string();
    json!({
        "memory": limits.memory, "cpu": time(limits.cpu), "wall": time(limits.wall), "calls": limits.calls,
        "input": limits.input, "output": limits.output, "log": limits.log, "events": limits.events,
        "handles": limits.handles,
    })
}

/// A hook as people would say it.
fn sentence(hook: &HookDeclaration) -> String {
    let facts: Vec<_> = hook.when.iter().map(|(fact, value)| format!("{fact} = {value}")).collect();
    let when = if facts.is_empty() { String::new() } else { format!(", when {}", facts.join(" and ")) };
    format!("{}: {} at {}, priority {}{when}", hook.name, hook.kind, hook.point, hook.priority)
}

pub(crate) fn from(plugin: &KnownPlugin) -> String {
    match &plugin.origin {
        Origin::BuiltIn => "built in".into(),
        Origin::Folder(folder) => folder.strip_prefix(".").unwrap_or(folder).display().to_string(),
    }
}

/// Writes a key and its value; lists and tables go below it, and what is empty is left out.
fn show(key: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => Output::Standard.line(format_args!("{key:<14}{text}")),
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                let text = item.as_str().map_or_else(|| item.to_string(), str::to_owned);
                Output::Standard.line(format_args!("{:<14}{text}", if place == 0 { key } else { "" }));
            }
        }
        Value::Object(entries)
            if entries.values().all(|value| value.as_object().is_some_and(|o| o.is_empty())) => {}
        other => Output::Standard.line(format_args!("{key:<14}{other}")),
    }
}
