//! The text of a manifest, and everything that is wrong with it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use serde::de::DeserializeOwned;
use tapline_core::{
    About, CONTRACT, HookDeclaration, Instances, LimitsAsked, Manifest, McpDeclaration, ProcessDeclaration,
    Provides, Requires, RuntimeKind, SubscriptionDeclaration,
};
use toml::de::DeTable;

use crate::mistake::Mistake;
use crate::toml_reader::{TomlReader, Value};

mod mcp;

use super::{is_file, is_inside};

/// The manifest in a text, or everything that is wrong with it, in the order of the text.
pub(super) fn parse(file: &Path, text: &str) -> Result<Manifest, Vec<Mistake>> {
    let (reader, root) = TomlReader::open(file, text)?;
    let mut written = Written { reader, root: &root };
    let manifest = written.manifest();
    let mut mistakes = written.reader.mistakes;
    mistakes.sort_by(|one, other| one.place.cmp(&other.place));
    match manifest {
        Some(manifest) if mistakes.is_empty() => Ok(manifest),
        _ => Err(mistakes),
    }
}

/// A manifest as it is written. Its parts are read apart, so that what is wrong in one hides nothing in another.
struct Written<'a, 't> {
    reader: TomlReader<'t>,
    root: &'a DeTable<'t>,
}

/// A part of a list, and what was written of it.
type Part<'a, 't, T> = (T, &'a Value<'t>);

/// So many capabilities, needs, conflicts and rights of a kind a plugin may have: each is held against those of others.
const LONGEST_LIST: usize = 256;

const PARTS: [&str; 8] = ["plugin", "provides", "hook", "subscribe", "process", "mcp", "requires", "limits"];

impl<'a, 't> Written<'a, 't> {
    fn manifest(&mut self) -> Option<Manifest> {
        let get = self.reader.known(self.root, &PARTS);
        if get("plugin").is_none() {
            self.reader.mistake(0..0, "there is no table `[plugin]`, which says what this is");
        }
        let plugin: Option<About> = get("plugin").and_then(|value| self.part(value));
        let provides: Vec<Part<'_, '_, Provides>> = self.parts(get("provides"));
        let hooks: Vec<Part<'_, '_, HookDeclaration>> = self.parts(get("hook"));
        let subscriptions: Vec<Part<'_, '_, SubscriptionDeclaration>> = self.parts(get("subscribe"));
        let requires: Option<Requires> =
            get("requires").map_or_else(|| Some(Requires::default()), |value| self.part(value));
        let limits: Option<LimitsAsked> =
            get("limits").map_or_else(|| Some(LimitsAsked::default()), |value| self.part(value));
        let process: Option<ProcessDeclaration> = get("process").and_then(|value| self.part(value));
        self.check_hooks(&hooks);
        self.check_contributions(&provides);
        if let Some(requires) = &requires {
            self.check_requires(requires);
            self.check_subscriptions(&subscriptions, requires);
        }
        let plugin = plugin?;
        self.check_plugin(&plugin, limits.as_ref());
        self.check_process(&plugin, process.as_ref());
        let mcp: Option<McpDeclaration> = get("mcp").and_then(|value| self.part(value));
        self.check_mcp(&plugin, mcp.as_ref(), &provides, requires.as_ref());
        self.check_machine(&plugin, requires.as_ref());
        Some(Manifest {
            plugin,
            provides: without_places(provides),
            hooks: without_places(hooks),
            subscriptions: without_places(subscriptions),
            process,
            mcp,
            requires: requires?,
            limits: limits?,
        })
    }

    fn part<T: DeserializeOwned>(&mut self, value: &Value<'t>) -> Option<T> {
        self.reader.read(Some(value))
    }

    fn parts<T: DeserializeOwned>(&mut self, list: Option<&'a Value<'t>>) -> Vec<Part<'a, 't, T>> {
        let Some(list) = list else { return Vec::new() };
        let Some(values) = list.get_ref().as_array() else {
            self.reader.mistake(list.span(), "a list of tables is expected here");
            return Vec::new();
        };
        values.iter().filter_map(|value| Some((self.part(value)?, value))).collect()
    }

    fn check_plugin(&mut self, plugin: &About, limits: Option<&LimitsAsked>) {
        let root = self.root;
        if !plugin.host.matches(&CONTRACT) {
            let message =
                format!("it was written for contract {}, and this host speaks {CONTRACT}", plugin.host);
            self.reader.mistake(place(&root["plugin"], "host"), message);
        }
        self.check_length(&root["plugin"], "capabilities", plugin.capabilities.len());
        self.check_length(&root["plugin"], "depends_on", plugin.depends_on.len());
        self.check_length(&root["plugin"], "conflicts", plugin.conflicts.len());
        if plugin.state && plugin.instances == Instances::Pool {
            let message =
                "`state` is for plugins with `instances = \"one\"`: a pool keeps nothing between calls";
            self.reader.mistake(place(&root["plugin"], "state"), message);
        }
        let Some(limits) = limits else { return };
        if let Some(limit) = limits.unkept(plugin.runtime) {
            let message = match plugin.runtime {
                RuntimeKind::Native => format!(
                    "`{limit}` of a native plugin cannot be limited; `wall`, `calls`, `log` and `events` can"
                ),
                _ => format!(
                    "`{limit}` of a process cannot be limited for a call; all others but `cpu` and `handles` can"
                ),
            };
            self.reader.mistake(place(&root["limits"], limit), message);
        }
        if let Some(limit) = limits.zero() {
            let message = format!("nothing runs with a `{limit}` of zero");
            self.reader.mistake(place(&root["limits"], limit), message);
        }
    }

    fn check_process(&mut self, plugin: &About, process: Option<&ProcessDeclaration>) {
        let root = self.root;
        let Some(declared) = root.get("process") else {
            if plugin.runtime == RuntimeKind::Process {
                let message = "a process needs a table `[process]` with its `command`";
                self.reader.mistake(place(&root["plugin"], "runtime"), message);
            }
            return;
        };
        if plugin.runtime != RuntimeKind::Process {
            let message = "`[process]` is for plugins with `runtime = \"process\"`";
            self.reader.mistake(declared.span(), message);
        }
        let Some(process) = process else { return };
        let program = process.command.first().map(String::as_str);
        if let Some(program) = program.filter(|program| program.contains('/'))
            && !process.files.contains(program)
        {
            let message = format!("`{program}` is none of the `files`");
            self.reader.mistake(place(declared, "command"), message);
        }
        if program.is_none_or(str::is_empty) {
            self.reader.mistake(place(declared, "command"), "`command` names no program");
        }
        if let Some(file) = process.files.iter().find(|file| !is_inside(file)) {
            let message = format!("`{file}` is outside of the package");
            self.reader.mistake(place(declared, "files"), message);
        }
        self.check_length(declared, "files", process.files.len());
        if plugin.instances == Instances::One && (process.idle.is_some() || process.lazy) {
            let key = if process.lazy { "lazy" } else { "idle" };
            let message = format!(
                "`{key}` is for plugins that keep nothing between calls, and this one has one instance"
            );
            self.reader.mistake(place(declared, key), message);
        }
    }

    /// What only plugins can have whose code the machine runs as it is.
    fn check_machine(&mut self, plugin: &About, requires: Option<&Requires>) {
        let Some(requires) = requires else { return };
        let is_server = plugin.runtime == RuntimeKind::Mcp;
        if requires.network && !is_server && plugin.runtime != RuntimeKind::Process {
            let message =
                "`network` is for processes: the host makes the requests of other plugins, under `http`";
            self.reader.mistake(place(&self.root["requires"], "network"), message);
        }
        for (key, is_asked) in [("env", !requires.env.is_empty()), ("folders", !requires.folders.is_empty())]
        {
            if is_asked && !is_server {
                let message = format!("`{key}` is for MCP servers, with `runtime = \"mcp\"`");
                self.reader.mistake(place(&self.root["requires"], key), message);
            }
        }
    }

    fn check_requires(&mut self, asked: &Requires) {
        let Some(requires) = self.root.get("requires") else { return };
        let http = asked.http.iter().map(|http| http.hosts.len() + http.methods.len() + http.paths.len());
        let secrets = asked.secrets.iter().map(|secret| secret.hosts.len());
        self.check_length(requires, "http", http.sum());
        self.check_length(requires, "secrets", secrets.sum());
        self.check_length(requires, "call", asked.call.len());
        self.check_length(requires, "env", asked.env.len());
        self.check_length(requires, "folders", asked.folders.len());
        self.check_length(requires, "fs", asked.fs.len());
        self.check_length(requires, "context", asked.context.read.patterns().count());
        self.check_length(requires, "context", asked.context.write.patterns().count());
        self.check_length(requires, "events", asked.events.publish.patterns().count());
        self.check_length(requires, "events", asked.events.subscribe.patterns().count());
    }

    fn check_length(&mut self, table: &Value<'t>, key: &str, count: usize) {
        if count > LONGEST_LIST {
            let message = format!("`{key}` has {count} entries, and may have {LONGEST_LIST}");
            self.reader.mistake(place(table, key), message);
        }
    }

    fn check_hooks(&mut self, hooks: &[Part<'a, 't, HookDeclaration>]) {
        let mut names = BTreeSet::new();
        for (hook, written) in hooks {
            if !names.insert(&hook.name) {
                let message = format!("there are two hooks `{}`", hook.name);
                self.reader.mistake(place(written, "name"), message);
            }
            if let Some(mistake) = hook.mistake() {
                self.reader.mistake(place(written, "name"), mistake);
            }
        }
    }

    fn check_subscriptions(
        &mut self,
        subscriptions: &[Part<'a, 't, SubscriptionDeclaration>],
        requires: &Requires,
    ) {
        let mut names = BTreeSet::new();
        for (SubscriptionDeclaration { name, topic, .. }, written) in subscriptions {
            if !names.insert(name) {
                let message = format!("there are two subscriptions `{name}`");
                self.reader.mistake(place(written, "name"), message);
            }
            if !requires.events.subscribe.covers(topic) {
                let message =
                    format!("subscription `{name}` needs `{topic}` under `requires.events.subscribe`");
                self.reader.mistake(place(written, "topic"), message);
            }
        }
    }

    fn check_contributions(&mut self, provides: &[Part<'a, 't, Provides>]) {
        let mut contributions = BTreeSet::new();
        for (Provides { point, key, schema, .. }, written) in provides {
            if let Some(schema) = schema.as_deref().filter(|schema| is_file(schema) && !is_inside(schema)) {
                let message = format!("schema `{schema}` is outside of the package");
                self.reader.mistake(place(written, "schema"), message);
            }
            if !contributions.insert((point, key)) {
                let message = format!("`{key}` is contributed to `{point}` twice");
                self.reader.mistake(place(written, "key"), message);
            }
        }
    }
}

/// The place of a value in a table, or of the table.
fn place(table: &Value<'_>, key: &str) -> Range<usize> {
    let value = table.get_ref().as_table().and_then(|table| table.get(key));
    value.map_or_else(|| table.span(), toml::Spanned::span)
}

fn without_places<T>(parts: Vec<Part<'_, '_, T>>) -> Vec<T> {
    parts.into_iter().map(|(part, _)| part).collect()
}
