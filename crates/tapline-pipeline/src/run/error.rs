use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tapline_core::{Bytes, CallError, HookError};
use tapline_roles::Finding;

use super::meter::Exceeded;
use crate::definition::{Definition, RenderError, Violation, with_article};
use crate::diagnostic::{Code, Diagnostic};
use crate::journal::JournalError;

/// A list of more than this is not put into memory.
pub(super) const WHOLE: Bytes = Bytes(64 << 20);

/// Why a run has no outputs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A step failed, and nothing in the file says that the run goes on.
    #[error(transparent)]
    Step(Box<StepFailure>),
    /// An output of the pipeline could not be evaluated.
    #[error(transparent)]
    Render(RenderError),
    /// An output of the pipeline names all rows of a list that is too long for memory.
    #[error(
        "an output names the rows of `{node}`, which are {bytes}, and a list of more than {WHOLE} is not put into memory"
    )]
    TooLong {
        /// The node whose list it is.
        node: Arc<str>,
        /// How large it is.
        bytes: Bytes,
    },
    /// A list cannot be read from the disk.
    #[error("the rows of `{node}` cannot be read: {message}")]
    List {
        /// The node whose list it is.
        node: Arc<str>,
        /// What the system says.
        message: String,
    },
    /// The run took longer than it may.
    #[error("the run took longer than its limit of {}", humantime::format_duration(*limit))]
    Wall {
        /// The limit.
        limit: Duration,
    },
    /// The run used up more than it may.
    #[error("the run used up its limit of {exceeded}")]
    Limit {
        /// What was used up.
        exceeded: Exceeded,
    },
    /// Pipelines ran deeper inside of each other than they may.
    #[error("pipelines run inside of each other deeper than {limit} levels")]
    Depth {
        /// The limit.
        limit: usize,
    },
    /// Somebody ended the run.
    #[error("the run was interrupted")]
    Interrupted,
    /// The run cannot be kept any more. What was kept before stays, and the run can be resumed.
    #[error("the run stops, because it cannot be kept")]
    Journal(#[source] JournalError),
    /// The engine itself broke.
    #[error("the engine broke: {message}")]
    Engine {
        /// What it said.
        message: String,
    },
}

/// A step that failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct StepFailure {
    /// The node.
    pub node: Arc<str>,
    /// The step within it, as in `answer[3]`; the node itself where it is one step.
    pub path: Arc<str>,
    /// The place of the item that it failed on, from 0, if it maps.
    pub item: Option<usize>,
    /// How often it was tried.
    pub attempts: usize,
    /// Where the step stands in the file, and what is wrong there.
    pub diagnostic: Diagnostic,
    /// Why it failed.
    pub cause: StepError,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// Its handler, or a hook, answered with an error.
    #[error(transparent)]
    Call(HookError),
    /// A text of it could not be evaluated.
    #[error(transparent)]
    Render(RenderError),
    /// It maps over something that is no list.
    #[error("it maps over {}, and not over a list", with_article(found))]
    NotAList {
        /// What it is instead.
        found: &'static str,
    },
    /// The pipeline that it runs was given what does not fit its inputs.
    #[error("the inputs of `{file}`: {message}")]
    Inputs {
        /// Its file, as it is written.
        file: Arc<str>,
        /// What does not fit.
        message: String,
    },
    /// It took longer than it may.
    #[error("it took longer than its timeout of {}", humantime::format_duration(*limit))]
    Timeout {
        /// The limit.
        limit: Duration,
    },
    /// It gave no piece of its answer for longer than it may.
    #[error("it gave no sign of life for {}", humantime::format_duration(*limit))]
    Idle {
        /// The limit.
        limit: Duration,
    },
    /// Its output does not follow its schema.
    #[error("its output does not follow `output_schema`: {}", listed(violations, |violation| placed(&violation.message, &violation.path)))]
    Output {
        /// Where it does not.
        violations: Vec<Violation>,
    },
    /// A validator finds its output wrong.
    #[error("validator `{validator}`: {}", listed(findings, found))]
    Invalid {
        /// The validator.
        validator: Arc<str>,
        /// What it has found.
        findings: Vec<Finding>,
    },
    /// A validator answered with something else than what it has found.
    #[error("validator `{validator}` does not say what is wrong, or that nothing is: {message}")]
    NoValidation {
        /// The validator.
        validator: Arc<str>,
        /// What is wrong with its answer.
        message: String,
    },
    /// Its loop was not done after as many turns as it may have.
    #[error("it was not done after {max} turns")]
    Loop {
        /// How many it may have.
        max: usize,
    },
    /// It used up more than it may.
    #[error("it used up its budget of {exceeded}")]
    Budget {
        /// What was used up.
        exceeded: Exceeded,
    },
    /// A list that is too long for memory cannot be written to the disk, or read there.
    #[error("a list on disk: {message}")]
    List {
        /// What the system says.
        message: String,
    },
    /// It names all rows of a list that is too long for memory.
    #[error(
        "`{node}` has yielded {count} rows of {bytes}, and a list of more than {WHOLE} is not put into memory"
    )]
    TooLong {
        /// The node whose list it is.
        node: Arc<str>,
        /// How many rows it has.
        count: usize,
        /// How large it is.
        bytes: Bytes,
    },
    /// What it was asked cannot be added to the file of its dead letters.
    #[error("the dead letters {file}: {message}")]
    DeadLetter {
        /// The file.
        file: Arc<str>,
        /// What the system says.
        message: String,
    },
}

/// How a step ends that has no output: with a failure of its own, or with the end of the run.
#[derive(Debug)]
pub(super) enum Ended {
    Failed(Box<StepFailure>),
    Run(RunError),
}

impl From<Ended> for RunError {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Failed(failure) => Self::Step(failure),
            Ended::Run(error) => error,
        }
    }
}

impl StepError {
    /// Whether trying again may help: not when the settings are wrong, or somebody has said no.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Call(error) => match error.cause() {
                CallError::Failure(failure) => failure.code() != "invalid-config",
                CallError::Denied(_)
                | CallError::NoSuchContribution { .. }
                | CallError::NoSuchMethod { .. }
                | CallError::Deadlock { .. }
                | CallError::DepthExceeded { .. } => false,
                _ => true,
            },
            Self::Timeout { .. } | Self::Idle { .. } | Self::Output { .. } | Self::Invalid { .. } => true,
            _ => false,
        }
    }

    pub(super) const fn code(&self) -> Code {
        match self {
            Self::Call(_) => Code::NodeFailed,
            Self::Render(_) => Code::Evaluation,
            Self::NotAList { .. } => Code::NotAList,
            Self::Inputs { .. } => Code::InvalidConfig,
            Self::Timeout { .. } | Self::Idle { .. } => Code::Timeout,
            Self::Output { .. } | Self::Invalid { .. } => Code::InvalidOutput,
            Self::NoValidation { .. } | Self::List { .. } => Code::NodeFailed,
            Self::TooLong { .. } => Code::TooLong,
            Self::Loop { .. } => Code::LoopLimit,
            Self::Budget { .. } => Code::Budget,
            Self::DeadLetter { .. } => Code::DeadLetter,
        }
    }

    pub(super) const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotAList { .. } => Some("give `over` the list itself, as in `{{ load.items }}`"),
            Self::Timeout { .. } | Self::Idle { .. } => Some("give it more time with `timeout`"),
            Self::Output { .. } | Self::Invalid { .. } => {
                Some("`retry` asks again; `on_error` says what else becomes of it")
            }
            Self::Loop { .. } => Some("raise `max`, or end the loop with `iteration` in its `when`"),
            Self::Budget { .. } => Some("raise `budget`"),
            Self::TooLong { .. } => {
                Some("settings that take rows page by page may name its `items`, and any setting its `count`")
            }
            _ => None,
        }
    }
}

impl RunError {
    /// The error and what led to it, in one line.
    #[must_use]
    pub fn with_causes(&self) -> String {
        with_causes(self)
    }

    /// The mistake in its place: that of the step, of the outputs, or of the limit.
    #[must_use]
    pub fn diagnostic(&self, definition: &Definition) -> Option<Diagnostic> {
        let limit = match self {
            Self::Step(failure) => return Some(failure.diagnostic.clone()),
            Self::Render(error) => return Some(error.diagnostic().clone()),
            Self::TooLong { .. } => {
                let (range, _) = definition.document.root()?.child("outputs")?;
                let source = definition.document.source();
                let hint = "write the rows to a file with `write`, or name their `count`";
                return Some(Diagnostic::error(source, Code::TooLong, range, self.to_string()).hint(hint));
            }
            Self::Wall { .. } => "wall",
            Self::Depth { .. } => "depth",
            Self::Limit { exceeded: Exceeded::Steps(_) } => "steps",
            Self::Limit { exceeded: Exceeded::Tokens(_) } => "tokens",
            Self::Limit { exceeded: Exceeded::Cost(_) } => "cost",
            Self::List { .. } | Self::Interrupted | Self::Journal(_) | Self::Engine { .. } => return None,
        };
        let root = definition.document.root()?;
        let range = root.child("limits").and_then(|(_, limits)| limits.child(limit)).map_or_else(
            || root.child("name").map(|(key, _)| key.clone()),
            |(_, limit)| Some(limit.range.clone()),
        );
        let diagnostic =
            Diagnostic::error(definition.document.source(), Code::RunLimit, &range?, self.to_string());
        Some(diagnostic.hint(format!("raise it under `limits`: `{limit}`")))
    }
}

/// An error and what led to it, in one line.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl fmt::Display for StepFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for StepFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// What a validator has found, with the rule that was broken.
fn found(finding: &Finding) -> String {
    let said = placed(&finding.message, &finding.path);
    match &finding.rule {
        Some(rule) => format!("{said} (`{rule}`)"),
        None => said,
    }
}

fn placed(message: &str, path: &str) -> String {
    if path.is_empty() { message.to_owned() } else { format!("{message} at `{path}`") }
}

/// The first few things that are wrong.
fn listed<T>(all: &[T], told: impl Fn(&T) -> String) -> String {
    const SHOWN: usize = 3;
    let mut text = all.iter().take(SHOWN).map(told).collect::<Vec<_>>().join("; ");
    if all.len() > SHOWN {
        text.push_str(&format!("; and {} more", all.len() - SHOWN));
    }
    text
}
