use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::source::Source;

/// One mistake in a pipeline file, with its place and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Whether it keeps the pipeline from running.
    pub severity: Severity,
    /// What kind of mistake it is, for programs.
    pub code: Code,
    /// What is wrong with what: lower case, no full stop.
    pub message: String,
    /// The file, as it was named to [`Source::new`].
    pub file: Arc<str>,
    /// The place of the mistake.
    pub span: Span,
    /// Other places that have to do with it.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Whether a diagnostic keeps the pipeline from running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The pipeline cannot run.
    Error,
    /// The pipeline runs, but not quite as it is written.
    Warning,
}

/// A place in a file that never crosses the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last; equal to `start` when there is nothing to show.
    pub end: usize,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
}

/// A second place that has to do with a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is there.
    pub message: String,
}

/// The kinds of mistakes; the text of each is stable and written in kebab-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Code {
    /// `not-utf8`: the file holds bytes that are no UTF-8.
    NotUtf8,
    /// `empty-file`: the file holds nothing, or comments alone.
    EmptyFile,
    /// `invalid-yaml`: the file does not follow the grammar of YAML.
    InvalidYaml,
    /// `unsupported-yaml`: YAML that has no meaning here, such as tags and a second document.
    UnsupportedYaml,
    /// `too-large`: the file is larger, nests deeper or expands to more than is allowed.
    TooLarge,
    /// `duplicate-key`: a mapping has the same key twice.
    DuplicateKey,
    /// `unknown-key`: a key that has no meaning in its place.
    UnknownKey,
    /// `missing-key`: a key without which the file has no meaning.
    MissingKey,
    /// `wrong-type`: a value of another type than its key asks for.
    WrongType,
    /// `invalid-value`: a value of the right type that is not one of those allowed.
    InvalidValue,
    /// `invalid-name`: a name of a node, a plugin or an item that breaks the rules of names.
    InvalidName,
    /// `secret`: a reference to a secret, which cannot be resolved yet.
    Secret,
    /// `unknown-node-type`: no active plugin provides the type of a node.
    UnknownNodeType,
    /// `invalid-config`: settings that do not follow the schema of the plugin.
    InvalidConfig,
    /// `broken-schema`: the plugin's own schema is not a JSON Schema.
    BrokenSchema,
    /// `invalid-template`: a template or an expression that does not follow the grammar.
    InvalidTemplate,
    /// `unknown-reference`: a node, an input or an item that does not exist where it is named.
    UnknownReference,
    /// `cycle`: nodes that wait for each other.
    Cycle,
    /// `missing-plugin`: a plugin that is not there, or is broken.
    MissingPlugin,
    /// `plugin-version`: a plugin in a version that the file does not accept.
    PluginVersion,
    /// `missing-grant`: a plugin asks for what it was not granted.
    MissingGrant,
    /// `missing-dependency`: a plugin needs another one that is not active, or not in that version.
    MissingDependency,
    /// `missing-part`: a pipeline in another file that cannot be read, or would run inside itself.
    MissingPart,
    /// `evaluation`: a template or condition that was evaluated, and gave no value.
    Evaluation,
    /// `node-failed`: the handler of a node, or a hook around it, answered with an error.
    NodeFailed,
    /// `not-a-list`: a node maps over something that is no list.
    NotAList,
    /// `timeout`: a step took longer than it may.
    Timeout,
    /// `invalid-output`: the output of a step does not follow its schema.
    InvalidOutput,
    /// `loop-limit`: a loop was not done after as many turns as it may have.
    LoopLimit,
    /// `budget`: a step used up more than it may.
    Budget,
    /// `too-long`: a step names all rows of a list that is too long for memory.
    TooLong,
    /// `dead-letter`: what failed cannot be added to the file of dead letters.
    DeadLetter,
    /// `run-limit`: a run took or used up more than it may.
    RunLimit,
}

impl Diagnostic {
    pub(crate) fn error(
        source: &Source,
        code: Code,
        range: &Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            file: Arc::clone(source.file()),
            span: source.span(range),
            labels: Vec::new(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    pub(crate) fn label(mut self, source: &Source, range: &Range<usize>, message: impl Into<String>) -> Self {
        self.labels.push(Label { span: source.span(range), message: message.into() });
        self
    }

    pub(crate) const fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The place as `file:line:column`.
    #[must_use]
    pub fn location(&self) -> String {
        format!("{}:{}:{}", self.file, self.span.line, self.span.column)
    }

    /// Whether it keeps the pipeline from running.
    #[must_use]
    pub const fn is_error(&self) -> bool {
        matches!(self.severity, Severity::Error)
    }
}

/// Shows `file:line:column: message`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.location(), self.message)
    }
}

impl Code {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 33] = [
        Self::NotUtf8,
        Self::EmptyFile,
        Self::InvalidYaml,
        Self::UnsupportedYaml,
        Self::TooLarge,
        Self::DuplicateKey,
        Self::UnknownKey,
        Self::MissingKey,
        Self::WrongType,
        Self::InvalidValue,
        Self::InvalidName,
        Self::Secret,
        Self::UnknownNodeType,
        Self::InvalidConfig,
        Self::BrokenSchema,
        Self::InvalidTemplate,
        Self::UnknownReference,
        Self::Cycle,
        Self::MissingPlugin,
        Self::PluginVersion,
        Self::MissingGrant,
        Self::MissingDependency,
        Self::MissingPart,
        Self::Evaluation,
        Self::NodeFailed,
        Self::NotAList,
        Self::Timeout,
        Self::InvalidOutput,
        Self::LoopLimit,
        Self::Budget,
        Self::TooLong,
        Self::DeadLetter,
        Self::RunLimit,
    ];

    /// The code as text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotUtf8 => "not-utf8",
            Self::EmptyFile => "empty-file",
            Self::InvalidYaml => "invalid-yaml",
            Self::UnsupportedYaml => "unsupported-yaml",
            Self::TooLarge => "too-large",
            Self::DuplicateKey => "duplicate-key",
            Self::UnknownKey => "unknown-key",
            Self::MissingKey => "missing-key",
            Self::WrongType => "wrong-type",
            Self::InvalidValue => "invalid-value",
            Self::InvalidName => "invalid-name",
            Self::Secret => "secret",
            Self::UnknownNodeType => "unknown-node-type",
            Self::InvalidConfig => "invalid-config",
            Self::BrokenSchema => "broken-schema",
            Self::InvalidTemplate => "invalid-template",
            Self::UnknownReference => "unknown-reference",
            Self::Cycle => "cycle",
            Self::MissingPlugin => "missing-plugin",
            Self::PluginVersion => "plugin-version",
            Self::MissingGrant => "missing-grant",
            Self::MissingDependency => "missing-dependency",
            Self::MissingPart => "missing-part",
            Self::Evaluation => "evaluation",
            Self::NodeFailed => "node-failed",
            Self::NotAList => "not-a-list",
            Self::Timeout => "timeout",
            Self::InvalidOutput => "invalid-output",
            Self::LoopLimit => "loop-limit",
            Self::Budget => "budget",
            Self::TooLong => "too-long",
            Self::DeadLetter => "dead-letter",
            Self::RunLimit => "run-limit",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}
