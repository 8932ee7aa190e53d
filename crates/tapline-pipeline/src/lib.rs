//! The pipeline engine: a file becomes a checked definition, and a definition becomes runs.
//!
//! A [`Source`] is a file's text; [`Draft::read`] reads it without knowing any plugin; [`check`] compares the draft
//! with a [`Catalog`] of plugins and yields a [`Definition`], or all mistakes as [`Diagnostic`]s with their places.
//! Nothing of this runs the code of a plugin.
//!
//! ```
//! use tapline_pipeline::{Catalog, Code, Draft, Source, check};
//!
//! let source = Source::new("pipeline.yaml", b"name: triage\nnodes:\n  load: { type: read }\n");
//! let checked = check(&Draft::read(&source), &Catalog::default());
//! assert_eq!(checked.diagnostics[0].code, Code::UnknownNodeType);
//! assert_eq!(checked.diagnostics[0].location(), "pipeline.yaml:3:17");
//! ```

mod diagnostic;
mod source;
mod suggest;
mod definition;
mod catalog;
mod choice;
mod check;
mod journal;
mod points;
mod engine;
mod run;

pub use catalog::{Catalog, KnownPlugin, Origin, Rival, Standing};
pub use check::{Checked, check};
pub use choice::{Choice, ChoiceReason, UnknownSubject};
pub use definition::{
    Backoff, Budget, CallDefinition, Condition, Definition, Draft, Durability, Graph, InputDeclaration,
    InputError, InputType, LoopDefinition, MapDefinition, NodeDefinition, OnError, OtherTypes,
    PartDefinition, PluginEntry, RateLimit, RenderError, Retry, Rules, RunLimits, Schema, Setting, Step,
    Timeout, ValidatorUse, Violation, Work, file_schema,
};
pub use diagnostic::{Code, Diagnostic, Label, Severity, Span};
pub use engine::Engine;
pub use journal::{
    Digest, Journal, JournalError, KeptRun, Resumed, RunEnding, RunJournal, RunRecord, StepRecord, StepState,
};
pub use points::Points;
pub use run::{
    Amounts, Exceeded, NodeReport, NodeState, Observer, RunError, RunEvent, RunReport, RunSettings, Silent,
    StepError, StepFailure, Stop,
};
pub use source::{Document, Place, Source};
