use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tapline::core::{Manifest, RuntimeKind};
use tapline::host::{Digest, Lock, LockedFrom, Settings, read_file};
use tapline::pipeline::{Checked, Definition, Diagnostic, Draft, KnownPlugin, Origin, Source, check};
use tapline::{Load, Value};

use crate::builtin::Builtin;
use crate::candidates::Candidates;
use crate::output::Output;
use crate::{colour, diagnostics};

/// A pipeline file and the plugins that it can use; nothing of it is run.
pub(crate) struct Project {
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
        let sources: Vec<_> = self.sources.iter().collect();
        Output::Error.text(diagnostics::for_people(diagnostics, &sources, colour()));
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

    fn load(&self, definition: &Definition, plugin: &KnownPlugin) -> Result<Load> {
        let entry = definition.plugins.get(plugin.name()).cloned().unwrap_or_default();
        let load = match &plugin.origin {
            Origin::Folder(folder) => Load::folder(folder),
            Origin::BuiltIn => self.builtin[plugin.name()].load()?,
        };
        // The plugin that reads and writes files is confined to the folder of the pipeline.
        let config = match plugin.name() {
            "io" => Value::from_iter([("root", Value::from(self.folder.display().to_string()))]),
            _ => entry.config,
        };
        let load = load.config(config);
        let load = match self.expected.get(plugin.name()) {
            Some(digest) => load.expect(*digest),
            None => load,
        };
        let load = match entry.grants {
            Some(grants) => load.narrow(grants),
            None => load,
        };
        Ok(if entry.optional { load.optional() } else { load })
    }
}
