use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tapline_core::{Bytes, Limits, PluginId};
use toml::Spanned;
use toml::de::{DeString, DeTable};

use super::Settings;
use super::policy;
use super::reference::{Origin, Reference};
use crate::mistake::Mistake;
use crate::supervisor::Supervision;
use crate::toml_reader::{TomlReader, Value};

/// The settings in a text, or everything that is wrong with it.
pub(super) fn settings(file: &Path, text: &str) -> Result<Settings, Vec<Mistake>> {
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    let (reader, root) = TomlReader::open(file, text)?;
    let mut tables = Tables { reader, folder, settings: Settings::default() };
    tables.read(&root);
    let mut mistakes = tables.reader.mistakes;
    mistakes.sort_by(|one, other| one.place.cmp(&other.place));
    if mistakes.is_empty() { Ok(tables.settings) } else { Err(mistakes) }
}

/// Whether walls are needed.
fn walls_needed(text: &str) -> Result<bool, String> {
    match text {
        "required" => Ok(true),
        "optional" => Ok(false),
        other => Err(format!("`{other}` says nothing of walls: they are `required` or `optional`")),
    }
}

/// The tables of a settings file on their way.
struct Tables<'t> {
    reader: TomlReader<'t>,
    folder: &'t Path,
    settings: Settings,
}

impl<'t> Tables<'t> {
    fn read(&mut self, root: &DeTable<'t>) {
        let get = self.reader.known(root, &Settings::KEYS.map(|(table, _)| table));
        for (name, keys) in Settings::KEYS {
            let Some(table) = self.reader.table(get(name)) else { continue };
            match name {
                "plugins" => self.plugins(table, keys),
                "policy" => {
                    self.settings.policy = policy::read(&mut self.reader, table, keys);
                    let walls = table.get("walls");
                    self.settings.needs_walls = self.reader.parsed(walls, walls_needed).unwrap_or(true);
                }
                "limits" => self.limits(table, keys),
                "supervision" => self.supervision(table, keys),
                "audit" => self.audit(table, keys),
                _ => self.secrets(table),
            }
        }
    }

    fn plugins(&mut self, table: &DeTable<'t>, keys: &[&str]) {
        let get = self.reader.known(table, keys);
        let folder = self.folder;
        self.settings.folders = self.reader.list(get("folders"), |name| listable(&folder.join(name), name));
        self.settings.blocked = self.reader.list(get("blocked"), PluginId::new).into_iter().collect();
    }

    fn limits(&mut self, table: &DeTable<'t>, keys: &[&str]) {
        let get = self.reader.known(table, keys);
        let usual = Limits::default();
        self.settings.limits = Limits {
            memory: self.reader.parsed(get("memory"), size).unwrap_or(usual.memory),
            cpu: self.reader.parsed(get("cpu"), some_time).unwrap_or(usual.cpu),
            wall: self.reader.parsed(get("wall"), some_time).unwrap_or(usual.wall),
            calls: self.reader.number(get("calls")).unwrap_or(usual.calls),
            input: self.reader.parsed(get("input"), size).unwrap_or(usual.input),
            output: self.reader.parsed(get("output"), size).unwrap_or(usual.output),
            log: self.reader.parsed(get("log"), size).unwrap_or(usual.log),
            events: self.reader.number(get("events")).unwrap_or(usual.events),
            handles: self.reader.number(get("handles")).unwrap_or(usual.handles),
        };
    }

    fn supervision(&mut self, table: &DeTable<'t>, keys: &[&str]) {
        let get = self.reader.known(table, keys);
        let usual = Supervision::default();
        self.settings.supervision = Supervision {
            restarts: self.reader.number(get("restarts")).unwrap_or(usual.restarts),
            within: self.reader.parsed(get("within"), some_time).unwrap_or(usual.within),
            strategy: self.reader.parsed(get("strategy"), str::parse).unwrap_or(usual.strategy),
            trial: self.reader.parsed(get("trial"), time).unwrap_or(usual.trial),
            trial_faults: self.reader.number(get("trial_faults")).unwrap_or(usual.trial_faults),
        };
        if let Some(drain) = self.reader.parsed(get("drain"), time) {
            self.settings.drain = drain;
        }
    }

    fn audit(&mut self, table: &DeTable<'t>, keys: &[&str]) {
        let get = self.reader.known(table, keys);
        let folder = self.folder;
        self.settings.audit = self.reader.parsed(get("file"), |file| Ok::<_, String>(folder.join(file)));
    }

    fn secrets(&mut self, table: &DeTable<'t>) {
        for (name, value) in table {
            let is_name = name.get_ref().chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
            if !is_name || name.get_ref().is_empty() {
                let message = format!("`{}` is not a name: letters, digits, `_` and `-`", name.get_ref());
                self.reader.mistake(name.span(), message);
            }
            let reference = self.reference(name, value);
            self.settings.secrets.extend(reference);
        }
        self.settings.secrets.sort_by(|one, other| one.place.cmp(&other.place));
    }

    fn reference(&mut self, name: &Spanned<DeString<'t>>, value: &Value<'t>) -> Option<Reference> {
        let table = self.reader.table(Some(value))?;
        let get = self.reader.known(table, &["env", "file"]);
        let folder = self.folder;
        let own = |text: &str| Ok::<_, String>(text.to_owned());
        let origin = match (get("env"), get("file")) {
            (Some(env), None) => Origin::Environment(self.reader.parsed(Some(env), own)?),
            (None, Some(file)) => Origin::File(folder.join(self.reader.parsed(Some(file), own)?)),
            _ => {
                self.reader.mistake(value.span(), "give either `env`, the name of a variable, or `file`");
                return None;
            }
        };
        let place = self.reader.place(&value.span());
        Some(Reference { name: name.get_ref().to_string(), origin, place })
    }
}

fn listable(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let listed = fs::read_dir(folder).map(|_| folder.to_owned());
    listed.map_err(|error| format!("the folder `{name}` cannot be listed: {error}"))
}

fn size(text: &str) -> Result<Bytes, String> {
    match text.parse().map_err(|error: tapline_core::BytesError| error.to_string())? {
        Bytes(0) => Err(format!("`{text}` is too small")),
        size => Ok(size),
    }
}

fn some_time(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err(format!("`{text}` is too short")),
        time => Ok(time),
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let shown = |error| format!("`{text}` is not a duration such as `2s` or `500ms`: {error}");
    humantime::parse_duration(text).map_err(shown)
}
