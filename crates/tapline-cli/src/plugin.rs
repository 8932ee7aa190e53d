use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};
use tapline::core::HookDeclaration;
use tapline::host::Settings;
use tapline::pipeline::{KnownPlugin, Origin};
use tapline::{Loader, Policy};

use crate::Ending;
use crate::arguments::{InfoArguments, ListArguments};
use crate::candidates::{builtin_plugins, plugin_in};

/// A plugin that was looked at, or a folder in which there is none.
enum Found {
    Whole(KnownPlugin),
    Broken { folder: PathBuf, reason: String },
}

/// Lists the plugins that are built in and those in a folder; runs none of them.
pub(crate) fn list(arguments: &ListArguments) -> Result<Ending> {
    let policy = policy()?;
    let found = found(&arguments.folder, &policy)?;
    if arguments.json {
        println!("{}", Value::from(found.iter().map(|one| described(one, &policy)).collect::<Vec<_>>()));
        return Ok(Ending::Done);
    }
    let mut table = Table::new();
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.load_style(presets::NOTHING).set_header(["id", "version", "runtime", "from", "what it does"]);
    for plugin in &found {
        match plugin {
            Found::Whole(plugin) => {
                let about = &plugin.manifest.plugin;
                let (version, runtime) = (about.version.to_string(), about.runtime.to_string());
                table.add_row([about.id.as_str(), &version, &runtime, &from(plugin), &about.description]);
            }
            Found::Broken { folder, reason } => {
                table.add_row(["", "", "broken", &folder.display().to_string(), reason]);
            }
        }
    }
    println!("{table}");
    Ok(Ending::Done)
}

/// Shows all that is known of a plugin; runs nothing of it.
pub(crate) fn info(arguments: &InfoArguments) -> Result<Ending> {
    let policy = policy()?;
    let plugin = if Path::new(&arguments.plugin).join("plugin.toml").exists() {
        plugin_in(Path::new(&arguments.plugin), &policy)?
    } else {
        named(&arguments.plugin, &arguments.folder, &policy)?
    };
    let hooks: Vec<_> = plugin.manifest.hooks.iter().map(sentence).collect();
    let mut described = described(&Found::Whole(plugin), &policy);
    if arguments.json {
        println!("{described}");
        return Ok(Ending::Done);
    }
    described["hooks"] = hooks.into();
    for (key, value) in described.as_object().into_iter().flatten() {
        show(key, value);
    }
    Ok(Ending::Done)
}

/// What the settings in the current folder let plugins do.
fn policy() -> Result<Policy> {
    Ok(Settings::beside(Path::new(Settings::FILE))?.policy().clone())
}

fn named(id: &str, folder: &Path, policy: &Policy) -> Result<KnownPlugin> {
    for plugin in found(folder, policy)? {
        match plugin {
            Found::Whole(plugin) if plugin.name() == id => return Ok(plugin),
            Found::Broken { folder, reason } if folder.file_name().is_some_and(|name| name == id) => {
                bail!(reason)
            }
            _ => {}
        }
    }
    bail!(
        "there is no plugin `{id}` built in or in `{}`; `tapline plugin list` shows those there are",
        folder.display()
    )
}

fn found(folder: &Path, policy: &Policy) -> Result<Vec<Found>> {
    let mut found: Vec<_> =
        builtin_plugins(policy)?.into_iter().map(|(known, _)| Found::Whole(known)).collect();
    if folder.is_dir() {
        let folders = Loader::discover(folder)?;
        found.extend(folders.into_iter().map(|folder| match plugin_in(&folder, policy) {
            Ok(plugin) => Found::Whole(plugin),
            Err(error) => Found::Broken { folder, reason: format!("{error:#}") },
        }));
    }
    Ok(found)
}

fn described(found: &Found, policy: &Policy) -> Value {
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
        "grants": policy.grant(manifest, None).ok(),
        "refused": plugin.refused, "limits": manifest.limits,
    })
}

/// A hook as people would say it.
fn sentence(hook: &HookDeclaration) -> String {
    let facts: Vec<_> = hook.when.iter().map(|(fact, value)| format!("{fact} = {value}")).collect();
    let when = if facts.is_empty() { String::new() } else { format!(", when {}", facts.join(" and ")) };
    format!("{}: {} at {}, priority {}{when}", hook.name, hook.kind, hook.point, hook.priority)
}

fn from(plugin: &KnownPlugin) -> String {
    match &plugin.origin {
        Origin::BuiltIn => "built in".into(),
        Origin::Folder(folder) => folder.display().to_string(),
    }
}

/// Writes a key and its value; lists and tables go below it, and what is empty is left out.
fn show(key: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => println!("{key:<14}{text}"),
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                let text = item.as_str().map_or_else(|| item.to_string(), str::to_owned);
                println!("{:<14}{text}", if place == 0 { key } else { "" });
            }
        }
        Value::Object(entries)
            if entries.values().all(|value| value.as_object().is_some_and(|o| o.is_empty())) => {}
        other => println!("{key:<14}{other}"),
    }
}
