use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;

use super::draft_step::DraftStep;
use super::fields::{Fields, Spanned};
use super::parts::Parts;
use super::{
    DraftNode, Durability, InputDeclaration, PluginEntry, RunLimits, inputs, nodes, plugins, rules, secrets,
};
use crate::diagnostic::Diagnostic;
use crate::source::{self, Document, Entry, Mapping, Source};

/// A pipeline file as it is written, read without knowing any plugin.
///
/// It says which plugins the file wants; what their node types and settings mean is found out by
/// [`check`](crate::check).
#[derive(Debug, Clone)]
pub struct Draft {
    pub(crate) document: Document,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) name: Arc<str>,
    pub(crate) plugins: IndexMap<Arc<str>, PluginEntry>,
    pub(crate) inputs: IndexMap<Arc<str>, InputDeclaration>,
    pub(crate) limits: RunLimits,
    pub(crate) durability: Durability,
    pub(crate) nodes: IndexMap<Arc<str>, DraftNode>,
    pub(crate) outputs: Mapping,
    /// The files that its steps run as parts of it, by the paths that are written.
    pub(crate) parts: BTreeMap<Arc<str>, Arc<Self>>,
}

pub(super) const KEYS: [&str; 7] = ["name", "plugins", "inputs", "limits", "durability", "nodes", "outputs"];
pub(super) const LIMIT_KEYS: [&str; 6] = ["wall", "parallel", "steps", "depth", "tokens", "cost"];
pub(super) const DURABILITIES: [(&str, Durability); 3] =
    [("node", Durability::Node), ("exit", Durability::Exit), ("none", Durability::None)];

impl Draft {
    /// Reads a file that has no parts in other files; one that has them is read by [`read_with`](Self::read_with).
    ///
    /// Mistakes are kept in [`diagnostics`](Self::diagnostics), and what can be read beside them is read.
    #[must_use]
    pub fn read(source: &Source) -> Self {
        Self::read_with(source, |_| Err("it cannot be read here".to_owned()))
    }

    /// Reads a file, and the pipelines in other files that it is made of, for which `open` is called, each once, with
    /// the path from the same folder as the file's own name; it says why there is no such file.
    #[must_use]
    pub fn read_with(source: &Source, open: impl FnMut(&Path) -> Result<Source, String>) -> Self {
        Parts::new(open).read(source)
    }

    pub(super) fn read_alone(source: &Source) -> Self {
        let (document, diagnostics) = source::read(source);
        let mut fields = Fields { source, diagnostics };
        let whole = document.root().map_or(0..0, |root| root.range.clone());
        let empty = Mapping::new();
        let root = document.root().and_then(|root| fields.mapping(root, &whole, "a pipeline"));
        let mapping = root.unwrap_or(&empty);
        fields.refuse_unknown(mapping, "a pipeline", &KEYS, "it may have");
        if let Some(root) = document.root() {
            secrets::refuse(&mut fields, root);
        }
        let section = |key: &str| mapping.get(key);
        let plugins = plugins::read(&mut fields, section("plugins"));
        let inputs = inputs::read(&mut fields, section("inputs"));
        let limits = read_limits(&mut fields, section("limits"));
        let durability = section("durability")
            .and_then(|entry| fields.choice(entry, "`durability`", &DURABILITIES))
            .unwrap_or_default();
        let is_pipeline = root.is_some();
        let name = if is_pipeline { read_name(&mut fields, section("name"), &whole) } else { "".into() };
        let nodes =
            if is_pipeline { nodes::read(&mut fields, section("nodes"), &whole) } else { IndexMap::new() };
        let outputs = section("outputs")
            .and_then(|entry| fields.mapping(&entry.element, &entry.key, "`outputs`"))
            .cloned()
            .unwrap_or_default();
        let diagnostics = fields.diagnostics;
        Self {
            document,
            diagnostics,
            name,
            plugins,
            inputs,
            limits,
            durability,
            nodes,
            outputs,
            parts: BTreeMap::new(),
        }
    }

    /// The mistakes that can be seen without knowing any plugin; [`check`](crate::check) repeats them.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The pipeline's name; empty when the file has none.
    #[must_use]
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What the file says about plugins, by name.
    #[must_use]
    pub const fn plugins(&self) -> &IndexMap<Arc<str>, PluginEntry> {
        &self.plugins
    }

    /// The types of nodes that the file uses.
    pub fn node_types(&self) -> impl Iterator<Item = &Arc<str>> {
        self.all().into_iter().flat_map(Self::written_types).map(|node_type| &node_type.value)
    }

    /// The files that it was read from: its own, and those of its parts.
    #[must_use]
    pub fn sources(&self) -> Vec<&Source> {
        self.all().into_iter().map(Self::source).collect()
    }

    /// It and its parts, each once.
    pub(crate) fn all(&self) -> Vec<&Self> {
        let mut all = vec![self];
        let mut next = 0;
        while let Some(draft) = all.get(next).copied() {
            next += 1;
            for part in draft.parts.values() {
                if !all.iter().any(|known| std::ptr::eq(*known, &**part)) {
                    all.push(part);
                }
            }
        }
        all
    }

    /// The validators that the file and its parts use.
    pub fn validators(&self) -> impl Iterator<Item = &Arc<str>> {
        let steps =
            self.all().into_iter().flat_map(|draft| draft.nodes.values()).flat_map(|node| node.step.all());
        steps.flat_map(|step| &step.rules.validate).map(|used| &used.validator)
    }

    pub(crate) fn written_types(&self) -> impl Iterator<Item = &Spanned<Arc<str>>> {
        self.nodes.values().flat_map(|node| node.step.all()).filter_map(DraftStep::node_type)
    }

    /// The file as a tree, in which an error of a plugin finds its place.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.document
    }

    pub(crate) const fn source(&self) -> &Source {
        self.document.source()
    }

    /// The place of an entry of `plugins`, or of a key of that entry.
    pub(crate) fn plugin_range(&self, name: &str, key: Option<&str>) -> Option<Range<usize>> {
        let (_, plugins) = self.document.root()?.child("plugins")?;
        let (range, entry) = plugins.child(name)?;
        let inner = key.and_then(|key| entry.child(key));
        Some(inner.map_or_else(
            || range.clone(),
            |(key, element)| if element.as_scalar().is_some() { element.range.clone() } else { key.clone() },
        ))
    }
}

fn read_name(fields: &mut Fields<'_>, entry: Option<&Entry>, whole: &Range<usize>) -> Arc<str> {
    let Some(entry) = entry else {
        fields.missing(whole, "the pipeline has no `name`".into(), "begin the file with `name: something`");
        return "".into();
    };
    let name = fields.text(entry, "`name`");
    if let Some(name) = name.as_ref().filter(|name| name.value.trim().is_empty()) {
        fields.invalid(&name.range, "`name` is empty".into(), None);
    }
    name.map_or_else(|| "".into(), |name| name.value)
}

fn read_limits(fields: &mut Fields<'_>, section: Option<&Entry>) -> RunLimits {
    let Some(mapping) = section.and_then(|entry| fields.known(entry, "`limits`", &LIMIT_KEYS)) else {
        return RunLimits::default();
    };
    let amounts = rules::read_amounts(fields, mapping);
    let mut count = |key: &str| mapping.get(key).and_then(|entry| fields.count(entry, &format!("`{key}`")));
    RunLimits {
        parallel: count("parallel"),
        steps: count("steps"),
        depth: count("depth"),
        wall: mapping.get("wall").and_then(|entry| fields.duration(entry, "`wall`")),
        amounts,
    }
}
