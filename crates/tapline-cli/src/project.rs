use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tapline::core::{Grants, Manifest, RuntimeKind};
use tapline::host::{Digest, Lock, LockedFrom, Settings, read_file};
use tapline::pipeline::{Checked, Definition, Diagnostic, Draft, KnownPlugin, Origin, Source, check};
use tapline::{Load, Value};

use crate::builtin::Builtin;
use crate::candidates::Candidates;
use crate::diagnostics::Colour;
use crate::output::Output;
use crate::{candidates, colour, diagnostics};

/// A pipeline file and the plugins that it can use; nothing of it is run.
pub(crate) struct Project {
    draft: Draft,
    /// The file, and those that it is made of.
    sources: Vec<Source>,
    pub(crate) checked: Checked,
    pub(crate) settings: Settings,
    /// The folder of the file.
    pub(crate) folder: PathBuf,
    file: PathBuf,
    /// What is wrong with packages that the pipeline may do without.
    warnings: Vec<String>,
    builtin: BTreeMap<String, Builtin>,
    /// The lines of the settings that would allow plugins what they are refused, by id and version.
    leaves: BTreeMap<(String, String), String>,
    /// The digests of the packages that alone may be loaded, by id.
    expected: BTreeMap<String, Digest>,
}

/// A file larger than this is no pipeline.
const LARGEST_FILE: u64 = 8 << 20;

impl Project {
    /// Reads a pipeline file and checks it, with the versions that are locked where they fit.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        // A lock that cannot be read locks nothing; whoever compares with it tells why.
        let lock = Lock::read(&file.with_file_name(Lock::FILE)).unwrap_or_default();
        Self::read_with(file, &lock)
    }

    /// As [`read`](Self::read), as if nothing were locked.
    pub(crate) fn read_unlocked(file: &Path) -> Result<Self> {
        Self::read_with(file, &Lock::default())
    }

    fn read_with(file: &Path, lock: &Lock) -> Result<Self> {
        let bytes = read_file(file, LARGEST_FILE).with_context(|| file.display().to_string())?;
        let source = Source::new(file.display().to_string(), &bytes);
        let folder = match file.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let settings = Settings::beside(file)?;
        let draft = Draft::read_with(&source, |part| {
            let bytes = read_file(part, LARGEST_FILE).map_err(|error| error.to_string())?;
            Ok(Source::new(part.display().to_string(), &bytes))
        });
        let Candidates { catalog, builtin, leaves, warnings } =
            Candidates::read(&draft, &folder, &settings, lock)?;
        let checked = check(&draft, &catalog);
        let sources = draft.sources().into_iter().cloned().collect();
        let file = file.to_owned();
        Ok(Self {
            draft,
            sources,
            checked,
            settings,
            folder,
            file,
            warnings,
            builtin,
            leaves,
            expected: BTreeMap::new(),
        })
    }

    /// What the check says when these plugins and no others are there.
    pub(crate) fn against(&self, loaded: Vec<KnownPlugin>) -> Checked {
        check(&self.draft, &candidates::catalog_of(&self.draft, loaded))
    }

    /// Whether its files hold the same as those of another.
    pub(crate) fn is_as_written(&self, other: &Self) -> bool {
        let text = |project: &Self| {
            project.sources.iter().map(|source| source.text().to_owned()).collect::<Vec<_>>()
        };
        text(self) == text(other)
    }

    /// The lock beside the file.
    pub(crate) fn lock_file(&self) -> PathBuf {
        self.file.with_file_name(Lock::FILE)
    }

    /// Loads packages from now on only if their files are those of a lock, whatever happens to them in between.
    pub(crate) fn bind(&mut self, lock: &Lock) {
        let packages = lock.plugins().iter().filter_map(|plugin| match &plugin.from {
            LockedFrom::Folder { digest, .. } => Some((plugin.id.to_string(), *digest)),
            LockedFrom::BuiltIn => None,
        });
        self.expected = packages.collect();
    }

    /// The file as it was named.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Shows mistakes of the pipeline to people, each in its place.
    pub(crate) fn tell(&self, diagnostics: &[Diagnostic]) {
        Output::Error.text(self.told(diagnostics, colour()));
    }

    /// Mistakes of the pipeline for people, each in its place.
    pub(crate) fn told(&self, diagnostics: &[Diagnostic], colour: Colour) -> String {
        let sources: Vec<_> = self.sources.iter().collect();
        diagnostics::for_people(diagnostics, &sources, colour)
    }

    /// Shows the mistakes that were found, and what an operator would write to allow plugins what they are refused.
    pub(crate) fn tell_checked(&self) {
        self.tell(&self.checked.diagnostics);
        let key = |plugin: &KnownPlugin| (plugin.name().to_owned(), plugin.version().to_string());
        let leaves = self.plugins().filter_map(|plugin| self.leaves.get(&key(plugin)));
        let leaves: Vec<_> = leaves.map(String::as_str).collect();
        if !leaves.is_empty() {
            let file = Settings::FILE;
            Output::Error.text(format!("\nthis in {file} would allow it:\n\n{}", leaves.join("\n")));
        }
    }

    /// Tells what is wrong with packages that the pipeline may do without.
    pub(crate) fn warn(&self) {
        for warning in &self.warnings {
            Output::Error.line(format_args!("warning: {warning}"));
        }
    }

    /// The plugins that the pipeline uses, what is needed first.
    pub(crate) fn plugins(&self) -> impl Iterator<Item = &KnownPlugin> {
        self.checked.choice.plugins()
    }

    /// What has to be loaded for the pipeline, with what its file says of each plugin.
    pub(crate) fn loads(&self, definition: &Definition) -> Result<Vec<Load>> {
        self.plugins().map(|plugin| self.load(definition, plugin)).collect()
    }

    /// What has to be loaded of one plugin, if the pipeline uses it.
    pub(crate) fn load_of(&self, definition: &Definition, id: &str) -> Result<Option<Load>> {
        let plugin = self.plugins().find(|plugin| plugin.name() == id);
        plugin.map(|plugin| self.load(definition, plugin)).transpose()
    }

    /// The manifests of what has to be loaded for the pipeline.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.plugins().map(|plugin| &*plugin.manifest)
    }

    /// Whether any plugin of the pipeline needs a sandbox.
    pub(crate) fn needs_sandbox(&self) -> bool {
        self.manifests().any(|manifest| manifest.plugin.runtime == RuntimeKind::Wasm)
    }

    /// Whether any plugin of the pipeline is a process.
    pub(crate) fn needs_processes(&self) -> bool {
        self.manifests().any(|manifest| manifest.plugin.runtime == RuntimeKind::Process)
    }

    /// Whether any plugin of the pipeline is an MCP server.
    pub(crate) fn needs_servers(&self) -> bool {
        self.manifests().any(|manifest| manifest.plugin.runtime == RuntimeKind::Mcp)
    }

    /// Whether any plugin of the pipeline asks for requests over http.
    pub(crate) fn needs_http(&self) -> bool {
        self.manifests().any(|manifest| !manifest.requires.http.is_empty())
    }

    /// How a pipeline wants one of its plugins to be loaded.
    pub(crate) fn wanted(&self, definition: &Definition, plugin: &KnownPlugin) -> Wanted {
        let entry = definition.plugins.get(plugin.name()).cloned().unwrap_or_default();
        // The plugin that reads and writes files is confined to the folder of the pipeline.
        let config = match plugin.name() {
            "io" => Value::from_iter([("root", Value::from(self.folder.display().to_string()))]),
            _ => entry.config,
        };
        let from = match &plugin.origin {
            Origin::Folder(folder) => PluginSource::Folder(folder.clone()),
            Origin::BuiltIn => PluginSource::Command(self.builtin[plugin.name()].clone()),
        };
        let expected = self.expected.get(plugin.name()).copied();
        Wanted { from, config, grants: entry.grants, is_optional: entry.optional, expected }
    }

    fn load(&self, definition: &Definition, plugin: &KnownPlugin) -> Result<Load> {
        self.wanted(definition, plugin).load()
    }
}

/// How a plugin is to be loaded.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) from: PluginSource,
    pub(crate) config: Value,
    /// What it may do at most, whatever it asks for.
    pub(crate) grants: Option<Grants>,
    /// Whether others can do without it.
    pub(crate) is_optional: bool,
    /// The digest that its files must have.
    pub(crate) expected: Option<Digest>,
}

/// Where a plugin comes from.
#[derive(Clone)]
pub(crate) enum PluginSource {
    /// The command brings it.
    Command(Builtin),
    /// A folder.
    Folder(PathBuf),
}

impl Wanted {
    /// With nothing said about it.
    pub(crate) const fn from(from: PluginSource) -> Self {
        Self { from, config: Value::Null, grants: None, is_optional: false, expected: None }
    }

    pub(crate) fn load(&self) -> Result<Load> {
        let load = self.from.load()?.config(self.config.clone());
        let load = match self.expected {
            Some(digest) => load.expect(digest),
            None => load,
        };
        let load = match &self.grants {
            Some(grants) => load.narrow(grants.clone()),
            None => load,
        };
        Ok(if self.is_optional { load.optional() } else { load })
    }

    /// Whether another pipeline that wants it so wants the same.
    pub(crate) fn is_as(&self, other: &Self) -> bool {
        self.from.origin() == other.from.origin()
            && self.config == other.config
            && self.grants == other.grants
    }
}

impl PluginSource {
    pub(crate) fn load(&self) -> Result<Load> {
        match self {
            Self::Folder(folder) => Ok(Load::folder(folder)),
            Self::Command(builtin) => builtin.load(),
        }
    }

    pub(crate) fn origin(&self) -> Origin {
        match self {
            Self::Folder(folder) => Origin::Folder(folder.clone()),
            Self::Command(_) => Origin::BuiltIn,
        }
    }
}
