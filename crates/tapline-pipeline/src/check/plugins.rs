use std::ops::Range;
use std::sync::Arc;

use semver::VersionReq;

use crate::catalog::{Catalog, KnownPlugin, Standing};
use crate::choice::{Choice, Exclusion};
use crate::definition::{Draft, PluginEntry, ProviderRates, RateLimit, Spanned};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::Source;
use crate::suggest::did_you_mean;

const INSTALL: &str = "`tapline plugin install` fetches packages; without it: `enabled: false`, or `optional: true` if the pipeline can do without";
const WITHOUT: &str = "without it: `enabled: false`, or `optional: true` if the pipeline can do without";

/// The plugins of a pipeline: what its file says of them, which there are, and which it uses.
pub(super) struct Plugins<'a> {
    pub(super) draft: &'a Draft,
    pub(super) catalog: &'a Catalog,
    pub(super) choice: &'a Choice,
}

impl<'a> Plugins<'a> {
    /// Whether every plugin that the file names is there, and every one that is used has what it needs.
    pub(super) fn check(&self) -> Vec<Diagnostic> {
        let enabled = self.draft.plugins.iter().filter(|(_, entry)| entry.enabled);
        let mut diagnostics: Vec<_> =
            enabled.filter_map(|(name, entry)| self.check_entry(name, entry)).collect();
        for plugin in self.choice.plugins() {
            diagnostics.extend(plugin.refused.iter().map(|refused| self.missing_grant(plugin, refused)));
        }
        for (plugin, excluded) in self.choice.excluded().filter(|(plugin, _)| !self.is_used(plugin.name())) {
            let Exclusion::Refused(sentences) = excluded else { continue };
            diagnostics.extend(sentences.iter().map(|refused| self.missing_grant(plugin, refused)));
        }
        diagnostics.extend(self.choice.refusals().iter().map(|refusal| self.refusal(refusal)));
        let limited = self.limited().filter(|(plugin, _)| plugin.providers().next().is_none());
        diagnostics.extend(limited.map(|(plugin, _)| self.no_provider(plugin.name())));
        diagnostics
    }

    /// How often each provider may be asked; several of one plugin have one rate together.
    pub(super) fn provider_rates(&self) -> ProviderRates {
        let named = |(plugin, rate): (&'a KnownPlugin, &'a RateLimit)| {
            plugin.providers().map(|provider| (Arc::clone(provider), rate.clone()))
        };
        self.limited().flat_map(named).collect()
    }

    /// The plugins that are used and whose rate the file limits.
    fn limited(&self) -> impl Iterator<Item = (&'a KnownPlugin, &'a RateLimit)> {
        let draft = self.draft;
        self.choice
            .plugins()
            .filter_map(|plugin| Some((plugin, draft.plugins.get(plugin.name())?.rate_limit.as_ref()?)))
    }

    fn no_provider(&self, name: &str) -> Diagnostic {
        let message = format!("plugin `{name}` is no provider, and nobody asks it for answers or vectors");
        let hint = "how often a node begins is said at the node, by a `rate_limit` there";
        self.at_entry(name, "rate_limit", Code::InvalidValue, message).hint(hint)
    }

    fn is_used(&self, name: &str) -> bool {
        self.choice.plugins().any(|plugin| plugin.name() == name)
    }

    fn check_entry(&self, name: &str, entry: &PluginEntry) -> Option<Diagnostic> {
        let severity = if entry.optional { Severity::Warning } else { Severity::Error };
        let versions: Vec<_> = self.catalog.versions(name).collect();
        let diagnostic = match (self.catalog.problems.get(name), &*versions) {
            (Some(problem), _) => self
                .at_entry(name, "path", Code::MissingPlugin, format!("plugin `{name}`: {problem}"))
                .hint(INSTALL),
            (None, []) => self.not_found(name, entry),
            (None, [plugin, ..]) if plugin.standing == Standing::Blocked => {
                let message = format!("plugin `{name}` is blocked by the operator");
                self.at_entry(name, "path", Code::MissingPlugin, message).hint(WITHOUT)
            }
            (None, _) => self.out_of_range(name, entry.version.as_ref()?, &versions)?,
        };
        Some(diagnostic.severity(severity))
    }

    fn out_of_range(&self, name: &str, wanted: &VersionReq, versions: &[&KnownPlugin]) -> Option<Diagnostic> {
        if versions.iter().any(|plugin| wanted.matches(plugin.version())) {
            return None;
        }
        let mut found: Vec<_> = versions.iter().map(|plugin| plugin.version()).collect();
        found.sort_unstable();
        found.dedup();
        let message = match &*found {
            [one] => format!("plugin `{name}` has version {one}, which is not in `{wanted}`"),
            several => {
                let several = several.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                format!("plugin `{name}` has versions {several}, none of which is in `{wanted}`")
            }
        };
        let hint = "change the range, or the plugin that it is about";
        Some(self.at_entry(name, "version", Code::PluginVersion, message).hint(hint))
    }

    fn not_found(&self, name: &str, entry: &PluginEntry) -> Diagnostic {
        if let Some(path) = &entry.path {
            let message = format!("plugin `{name}` was not found in `{}`", path.display());
            let hint = "the path starts at the folder of this file";
            return self.at_entry(name, "path", Code::MissingPlugin, message).hint(hint);
        }
        let is_there =
            |plugin: &&KnownPlugin| matches!(plugin.standing, Standing::Available | Standing::Locked);
        let available = self.catalog.plugins.iter().filter(is_there);
        let hint = did_you_mean(name, available.map(KnownPlugin::name));
        let message = format!("there is no built-in plugin `{name}`");
        let path = format!(
            "say where it is: `path: plugins/{name}`; `tapline plugin install` fetches packages, and nothing else does"
        );
        self.at_entry(name, "path", Code::MissingPlugin, message).hint(path).maybe_hint(hint)
    }

    fn missing_grant(&self, plugin: &KnownPlugin, refused: &str) -> Diagnostic {
        let name = plugin.name();
        let entry = self.draft.plugins.get(name);
        let optional = entry.is_some_and(|entry| entry.optional);
        let hint = if entry.is_some_and(|entry| entry.grants.is_some()) {
            format!("grant it under `plugins.{name}.grants`, or disable the plugin")
        } else {
            "the policy of the host refuses it: change the policy, or disable the plugin".to_owned()
        };
        self.at_entry(name, "grants", Code::MissingGrant, format!("plugin `{name}`: {refused}"))
            .hint(hint)
            .severity(if optional { Severity::Warning } else { Severity::Error })
    }

    pub(super) fn is_blocked(&self, name: &str) -> bool {
        self.catalog.versions(name).any(|plugin| plugin.standing == Standing::Blocked)
    }

    /// At an entry of `plugins`, or at the first node that a plugin without an entry handles.
    fn at_entry(&self, name: &str, key: &str, code: Code, message: String) -> Diagnostic {
        let range = self.entry(name, Some(key)).or_else(|| self.first_use(name)).unwrap_or(0..0);
        Diagnostic::error(self.draft.source(), code, &range, message)
    }

    pub(super) fn entry(&self, name: &str, key: Option<&str>) -> Option<Range<usize>> {
        self.draft.plugin_range(name, key)
    }

    /// The first node that a plugin could handle.
    pub(super) fn first_use(&self, name: &str) -> Option<Range<usize>> {
        let versions: Vec<_> = self.catalog.versions(name).collect();
        self.draft
            .written_types()
            .filter(|node_type| versions.iter().any(|plugin| plugin.handles(&node_type.value)))
            .map(|node_type| node_type.range.clone())
            .next()
    }

    /// The plugin that handles nodes of a type, or that there is none.
    pub(super) fn provider(
        &self,
        source: &Source,
        node_type: &Spanned<Arc<str>>,
    ) -> Result<&'a KnownPlugin, Box<Diagnostic>> {
        self.choice.handler(&node_type.value).ok_or_else(|| {
            let (message, hint) = self.unknown_type(&node_type.value);
            Diagnostic::error(source, Code::UnknownNodeType, &node_type.range, message).hint(hint).into()
        })
    }

    fn unknown_type(&self, node_type: &str) -> (String, String) {
        let handles = |(plugin, _): &(&KnownPlugin, &Exclusion)| plugin.handles(node_type);
        let mut excluded: Vec<_> = self.choice.excluded().filter(handles).collect();
        // That another stands in its place says less than why that one cannot be used.
        excluded.sort_by_key(|(_, excluded)| matches!(excluded, Exclusion::Passed(_)));
        match excluded.first() {
            Some((plugin, excluded)) => left_out_type(node_type, plugin, excluded),
            None => (format!("no plugin provides the node type `{node_type}`"), self.type_hint(node_type)),
        }
    }

    fn type_hint(&self, node_type: &str) -> String {
        let types = self.choice.eligible().flat_map(|plugin| plugin.node_types().map(Arc::as_ref));
        let mut named = self.draft.plugins.iter().filter(|(_, entry)| entry.enabled);
        let missing = named.find(|(name, _)| self.catalog.versions(name).next().is_none());
        did_you_mean(node_type, types).unwrap_or_else(|| match missing {
            Some((name, _)) => format!("it may belong to plugin `{name}`, which is missing"),
            None => "`tapline plugin list` shows which plugins there are".into(),
        })
    }
}

/// That nodes of a type are handled by a plugin that is not used, and what to do about it.
fn left_out_type(node_type: &str, plugin: &KnownPlugin, excluded: &Exclusion) -> (String, String) {
    let name = plugin.name();
    let (why, hint) = match excluded {
        Exclusion::Blocked => ("which the operator has blocked".to_owned(), "remove the node".to_owned()),
        Exclusion::Disabled => {
            ("which is disabled".to_owned(), format!("enable `{name}`, or remove the node"))
        }
        Exclusion::Unnamed => (
            "which the file does not name".to_owned(),
            format!("name `{name}` under `plugins`, with its `path`"),
        ),
        Exclusion::Unconfigured => (
            "which the file does not configure".to_owned(),
            format!("say under `plugins.{name}.config` which server it asks"),
        ),
        other => (
            format!("and {} of it is not used: {other}", plugin.version()),
            format!("see what keeps `{name} {}` from being used, or remove the node", plugin.version()),
        ),
    };
    (format!("the node type `{node_type}` belongs to plugin `{name}`, {why}"), hint)
}
