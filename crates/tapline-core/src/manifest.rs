use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

use crate::call::Authority;
use crate::grants::Requires;
use crate::id::PluginId;
use crate::limits::{LimitsAsked, optional_duration};
use crate::topic::TopicPattern;

mod dependency;
mod mcp;

pub use dependency::{Capability, Conflict, Dependency, Target};
pub use mcp::{McpDeclaration, McpTool};

/// The version of the contract between host and plugins that this crate speaks.
pub const CONTRACT: Version = Version::new(1, 0, 0);

/// What an author declares about a plugin: the content of `plugin.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Who it is.
    pub plugin: About,
    /// What it contributes to extension points.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provides: Vec<Provides>,
    /// Where it joins in.
    #[serde(default, rename = "hook", skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<HookDeclaration>,
    /// The events that it listens to.
    #[serde(default, rename = "subscribe", skip_serializing_if = "Vec::is_empty")]
    pub subscriptions: Vec<SubscriptionDeclaration>,
    /// How it is started, where it is a process of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessDeclaration>,
    /// The MCP server that it is, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcp: Option<McpDeclaration>,
    /// What it asks the host to be let do; anything absent is denied.
    #[serde(default)]
    pub requires: Requires,
    /// How much it asks to use.
    #[serde(default)]
    pub limits: LimitsAsked,
}

/// The table `[plugin]` of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Its name.
    pub id: PluginId,
    /// Its version, as in `1.2.3`.
    pub version: Version,
    /// What it does, in a sentence.
    #[serde(default)]
    pub description: String,
    /// Who wrote it.
    #[serde(default)]
    pub authors: Vec<String>,
    /// The versions of the contract that it was written for, as in `^1`.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub host: VersionReq,
    /// What runs it.
    pub runtime: RuntimeKind,
    /// The names that it offers to other plugins.
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    /// The plugins that it needs.
    #[serde(default)]
    pub depends_on: Vec<Dependency>,
    /// The plugins beside which it cannot be loaded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
    /// How many instances of it there are.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "schema", schemars(!skip_serializing_if))]
    pub instances: Instances,
    /// When it is started again after it has ended.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "schema", schemars(!skip_serializing_if))]
    pub restart: Restart,
    /// Whether it answers how it is.
    #[serde(default, skip_serializing_if = "is_false")]
    pub health: bool,
    /// Whether it can hand over its state to another version of itself, and take it over from one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub state: bool,
}

/// What runs a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum RuntimeKind {
    /// A WebAssembly component, in a sandbox.
    Wasm,
    /// Rust code that is linked into the application.
    Native,
    /// A process of its own.
    Process,
    /// A server that speaks the Model Context Protocol.
    Mcp,
}

/// How a plugin is started that is a process of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProcessDeclaration {
    /// The program and its arguments. A program with a slash is one of `files`; one without is looked for in `.venv/bin` of
    /// the package, and then where the host looks for programs.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub command: Vec<String>,
    /// The files of the package that it is made of, folders with `/`. It is started in a folder that holds these alone.
    #[serde(default)]
    pub files: BTreeSet<String>,
    /// How long it may have nothing to do until it is ended, to be started again by the next call; for ever unless said.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_duration")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub idle: Option<Duration>,
    /// Whether it is started by the first call, and not before: then its `init` fails that call, and not the load.
    #[serde(default, skip_serializing_if = "is_false")]
    pub lazy: bool,
}

/// How many instances of a plugin there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Instances {
    /// As many as there are calls at once: any call may meet any instance, so the plugin keeps no state between calls.
    #[default]
    Pool,
    /// One, which answers one call after the other and may keep state between them.
    One,
}

/// When a plugin that has ended is started again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Restart {
    /// Always.
    #[default]
    Permanent,
    /// When it broke or ended itself with an error; not when it ended itself without one.
    Transient,
    /// Never.
    Temporary,
}

/// A contribution to an extension point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Provides {
    /// The extension point.
    pub point: Arc<str>,
    /// The name under which it is looked up there.
    pub key: Arc<str>,
    /// The JSON Schema of its configuration: a file of the package, or the schema itself as JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// What can be asked of it; where none is named, the plugin decides when it is asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<Arc<str>>,
    /// With whose grants it answers.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "schema", schemars(!skip_serializing_if))]
    pub authority: Authority,
}

/// A hook, as its author declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HookDeclaration {
    /// The hook's name within its plugin; the plugin's code is called with it.
    pub name: Arc<str>,
    /// The hook point that it joins.
    pub point: Arc<str>,
    /// The versions of the point that it was written for.
    #[serde(default, skip_serializing_if = "is_any")]
    #[cfg_attr(feature = "schema", schemars(with = "String", !skip_serializing_if))]
    pub version: VersionReq,
    /// What it does there.
    pub kind: HookKind,
    /// Its place among the others of the point, from 0 (outermost) to 100.
    #[serde(default)]
    pub priority: Priority,
    /// The calls that it is entered for: facts of the call and the values they must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<String, String>,
    /// Hooks that this one stands before, whatever their priorities: `plugin`, `plugin/hook` or `#tag`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Selector>,
    /// Hooks that this one stands after, whatever their priorities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Selector>,
    /// Names under which selectors of other hooks find this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Arc<str>>,
    /// What its failure means for the call.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// The outcomes that an after hook is told of.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "schema", schemars(!skip_serializing_if))]
    pub on: On,
    /// Whether an around hook may call `next` more than once; its point has to allow it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub repeats: bool,
    /// The plugins whose replace hooks this one takes the place of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<PluginId>,
    /// Whether the plugin does without the hook when nobody declares its point.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

/// A subscription to events, as its author declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SubscriptionDeclaration {
    /// The subscription's name within its plugin; the plugin's code is called with it.
    pub name: Arc<str>,
    /// The topics that it is about.
    pub topic: TopicPattern,
    /// How many events may wait.
    #[serde(default = "default_capacity", skip_serializing_if = "is_default_capacity")]
    #[cfg_attr(feature = "schema", schemars(!skip_serializing_if))]
    pub capacity: usize,
    /// Which event is lost when one more comes.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "schema", schemars(!skip_serializing_if))]
    pub overflow: Overflow,
}

/// Which event is lost when a queue is full and one more comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Overflow {
    /// The one that has waited longest.
    #[default]
    DropOldest,
    /// The one that comes.
    DropNewest,
}

/// What a hook does at its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum HookKind {
    /// Runs on the way in: may change the input, finish the call with an output, or fail it.
    Before,
    /// Runs on the way out: may change the output, or recover from an error.
    After,
    /// Runs on both ways, and calls what is inside it through `next`.
    Around,
    /// Stands in for the core operation.
    Replace,
    /// Answers at a point that is no chain: with a value, or with none.
    Answer,
}

/// The outcomes that an after hook is told of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum On {
    /// An output.
    #[default]
    Success,
    /// An error.
    Error,
    /// Both, and that the caller has given up the call.
    Always,
}

/// The calling order of a hook: lower is further out. 50 unless said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("maximum" = 100)))]
#[serde(try_from = "u8", into = "u8")]
pub struct Priority(u8);

/// A priority outside 0 to 100.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a priority: a whole number from 0 (outermost) to 100")]
pub struct PriorityError(u8);

/// A name for hooks of other plugins: `plugin`, `plugin/hook` or `#tag`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Selector(Arc<str>);

/// What a hook's failure means for the call in which it happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// The call fails.
    #[default]
    Fail,
    /// The call goes on as if the hook were not there.
    Skip,
}

impl Manifest {
    /// The plugin's name.
    #[must_use]
    pub const fn id(&self) -> &PluginId {
        &self.plugin.id
    }

    /// The version in which this plugin is what is meant: its own, or that of its capability. `None` when it is not.
    #[must_use]
    pub fn version_as(&self, target: &Target) -> Option<&Version> {
        let about = &self.plugin;
        match target {
            Target::Plugin(id) => (about.id == *id).then_some(&about.version),
            Target::Capability(name) => {
                let capability = about.capabilities.iter().find(|capability| capability.name == *name)?;
                Some(capability.version_in(&about.version))
            }
        }
    }

    /// Whether this plugin is what is meant, in one of these versions.
    #[must_use]
    pub fn is(&self, target: &Target, versions: &VersionReq) -> bool {
        self.version_as(target).is_some_and(|version| versions.matches(version))
    }
}

impl HookDeclaration {
    /// A hook with everything optional left out.
    #[must_use]
    pub fn new(point: impl Into<Arc<str>>, name: impl Into<Arc<str>>, kind: HookKind) -> Self {
        Self {
            name: name.into(),
            point: point.into(),
            kind,
            priority: Priority::default(),
            when: BTreeMap::new(),
            before: Vec::new(),
            after: Vec::new(),
            tags: Vec::new(),
            on_failure: OnFailure::default(),
            version: VersionReq::STAR,
            on: On::default(),
            repeats: false,
            overrides: Vec::new(),
            optional: false,
        }
    }

    /// What of it makes no sense for its kind.
    #[must_use]
    pub fn mistake(&self) -> Option<String> {
        let only = |key: &str, kind: HookKind, is_set: bool| {
            (is_set && self.kind != kind).then(|| {
                format!("`{key}` is for hooks of kind {kind}, and `{}` is of kind {}", self.name, self.kind)
            })
        };
        only("on", HookKind::After, self.on != On::Success)
            .or_else(|| only("repeats", HookKind::Around, self.repeats))
            .or_else(|| only("overrides", HookKind::Replace, !self.overrides.is_empty()))
    }
}

impl Priority {
    /// Checks a priority.
    ///
    /// # Errors
    /// When it is over 100.
    pub const fn new(priority: u8) -> Result<Self, PriorityError> {
        if priority <= 100 { Ok(Self(priority)) } else { Err(PriorityError(priority)) }
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self(50)
    }
}

impl TryFrom<u8> for Priority {
    type Error = PriorityError;

    fn try_from(priority: u8) -> Result<Self, PriorityError> {
        Self::new(priority)
    }
}

impl From<Priority> for u8 {
    fn from(priority: Priority) -> Self {
        priority.0
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl Selector {
    /// Whether it names hooks by a tag of theirs.
    #[must_use]
    pub fn is_tag(&self) -> bool {
        self.0.starts_with('#')
    }

    /// Whether it names the hook `hook` of `plugin`, which carries `tags`.
    #[must_use]
    pub fn matches(&self, plugin: &str, hook: &str, tags: &[Arc<str>]) -> bool {
        if let Some(tag) = self.0.strip_prefix('#') {
            return tags.iter().any(|own| **own == *tag);
        }
        match self.0.split_once('/') {
            Some((wanted_plugin, wanted_hook)) => wanted_plugin == plugin && wanted_hook == hook,
            None => *self.0 == *plugin,
        }
    }
}

impl From<&str> for Selector {
    fn from(selector: &str) -> Self {
        Self(selector.into())
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for HookKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Around => "around",
            Self::Replace => "replace",
            Self::Answer => "answer",
        })
    }
}

impl fmt::Display for RuntimeKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Wasm => "wasm",
            Self::Native => "native",
            Self::Process => "process",
            Self::Mcp => "mcp",
        })
    }
}

const fn default_capacity() -> usize {
    256
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_default_capacity(capacity: &usize) -> bool {
    *capacity == default_capacity()
}

fn is_any(version: &VersionReq) -> bool {
    *version == VersionReq::STAR
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}
