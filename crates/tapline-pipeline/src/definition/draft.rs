use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use super::fields::Fields;
use super::{DraftNode, InputDeclaration, PluginEntry, RunLimits, inputs, nodes, plugins};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{self, Document, Element, ElementContent, Entry, Mapping, Source};

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
    pub(crate) nodes: IndexMap<Arc<str>, DraftNode>,
    pub(crate) outputs: Mapping,
}

const KEYS: [&str; 6] = ["name", "plugins", "inputs", "limits", "nodes", "outputs"];
const LIMIT_KEYS: [&str; 2] = ["wall", "parallel"];

impl Draft {
    /// Reads a file; mistakes are kept in [`diagnostics`](Self::diagnostics), and what can be read beside them is read.
    #[must_use]
    pub fn read(source: &Source) -> Self {
        let (document, diagnostics) = source::read(source);
        let mut fields = Fields { source, diagnostics };
        let whole = document.root().map_or(0..0, |root| root.range.clone());
        let empty = Mapping::new();
        let root = document.root().and_then(|root| fields.mapping(root, &whole, "a pipeline"));
        let mapping = root.unwrap_or(&empty);
        fields.refuse_unknown(mapping, "a pipeline", &KEYS, "it may have");
        if let Some(root) = document.root() {
            refuse_secrets(&mut fields, root);
        }
        let section = |key: &str| mapping.get(key);
        let plugins = plugins::read(&mut fields, section("plugins"));
        let inputs = inputs::read(&mut fields, section("inputs"));
        let limits = read_limits(&mut fields, section("limits"));
        let is_pipeline = root.is_some();
        let name = if is_pipeline { read_name(&mut fields, section("name"), &whole) } else { "".into() };
        let nodes =
            if is_pipeline { nodes::read(&mut fields, section("nodes"), &whole) } else { IndexMap::new() };
        let outputs = section("outputs")
            .and_then(|entry| fields.mapping(&entry.element, &entry.key, "`outputs`"))
            .cloned()
            .unwrap_or_default();
        let diagnostics = fields.diagnostics;
        Self { document, diagnostics, name, plugins, inputs, limits, nodes, outputs }
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
        self.nodes.values().filter_map(|node| Some(&node.node_type.as_ref()?.value))
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
    RunLimits {
        wall: mapping.get("wall").and_then(|entry| read_duration(fields, entry)),
        parallel: mapping.get("parallel").and_then(|entry| fields.count(entry, "`parallel`")),
    }
}

fn read_duration(fields: &mut Fields<'_>, entry: &Entry) -> Option<Duration> {
    let text = fields.text(entry, "`wall`")?;
    let duration = humantime::parse_duration(&text.value).ok().filter(|duration| !duration.is_zero());
    if duration.is_none() {
        let message = format!("`{}` is not a duration", text.value);
        fields.invalid(&text.range, message, Some("write it as in `10m`, `1h 30m` or `500ms`".into()));
    }
    duration
}

/// Text that looks like a secret and is passed on as it stands would be sent to a server as the key itself.
fn refuse_secrets(fields: &mut Fields<'_>, root: &Element) {
    const SECRET: &str = "${secret:";
    let mut elements = vec![root];
    while let Some(element) = elements.pop() {
        match &element.content {
            ElementContent::Sequence(inner) => elements.extend(inner.iter()),
            ElementContent::Mapping(mapping) => elements.extend(mapping.values().map(|entry| &entry.element)),
            ElementContent::Scalar(_) => {
                let Some(text) = element.as_text() else { continue };
                let Some(start) = text.find(SECRET) else { continue };
                let end = text[start..].find('}').map_or(text.len(), |length| start + length + 1);
                let range = element.range_within(fields.source, &(start..end));
                let message = format!("`{}`: secrets are not supported yet", &text[start..end]);
                fields.push(
                    Diagnostic::error(fields.source, Code::Secret, &range, message)
                        .hint("use a provider that needs no secret, such as the built-in `echo`"),
                );
            }
        }
    }
}
