use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;
use tapline_core::{Name, Request};

use super::{Condition, Definition, Rules, Setting};
use crate::diagnostic::Span;

/// Something that a run does: a node, or one of the parts that a node is made of.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Step {
    /// What it does.
    pub work: Work,
    /// What must be true for it to be done; it may name inputs and other nodes, not the item.
    pub when: Option<Condition>,
    /// The list for whose items it is done, one by one.
    pub map: Option<MapDefinition>,
    /// How often it is done.
    pub repeat: Option<LoopDefinition>,
    /// What holds for each time that it is done.
    pub rules: Rules,
    /// What becomes of it, and of those that wait for it, when it fails.
    pub on_error: OnError,
    /// Where it stands in the file: its id, its name or its first key.
    pub span: Span,
}

/// What a step does.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Work {
    /// A plugin handles it.
    Call(CallDefinition),
    /// It is a value.
    Value(Setting),
    /// The first case whose condition is true is done; without one, the output is `null`.
    Switch(Vec<Step>),
    /// All are done at once; the output has what each has yielded, by name.
    All(IndexMap<Arc<str>, Step>),
    /// All are begun at once; the first that succeeds is taken, and the others are ended.
    First(Vec<Step>),
    /// One after the other is tried until one succeeds.
    Fallback(Vec<Step>),
    /// Another pipeline runs; the output is what it yields.
    Pipeline(PartDefinition),
}

/// A step that a plugin handles.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CallDefinition {
    /// The type: the key of the handler at the extension point `node`.
    pub node_type: Arc<str>,
    /// The plugin that provides the type.
    pub plugin: Arc<str>,
    /// What the handler is asked, without the settings of one execution.
    pub(crate) request: Request,
    /// Its settings: an object.
    pub with: Setting,
    /// What the expressions in its settings name and its plugin does not bring: `inputs`, nodes, and the item.
    ///
    /// The plugin evaluates these expressions, so it is given the values beside the settings.
    pub scope: BTreeSet<Arc<str>>,
    /// Whether it makes lists page by page.
    pub(crate) makes_pages: bool,
    /// The node whose rows it takes page by page.
    pub(crate) takes_rows_of: Option<Arc<str>>,
}

/// Another pipeline as a step.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PartDefinition {
    /// The file, as it is written.
    pub file: Arc<str>,
    /// The pipeline.
    pub definition: Arc<Definition>,
    /// What it is given.
    pub with: Setting,
}

/// How a step goes over a list.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MapDefinition {
    /// The list.
    pub over: Setting,
    /// The name of the current item in the settings: `as` in the file, `item` unless said.
    pub item: Arc<str>,
    /// How many items may be under way at once: 1 unless said.
    pub parallel: usize,
}

/// How a step is done again and again.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LoopDefinition {
    /// Whether it is done once more: it may name what came of the time before, `last`, and how often it was done,
    /// `iteration`.
    pub condition: Condition,
    /// What `last` is the first time: `null` unless said.
    pub start: Setting,
    /// How often it may be done.
    pub max: usize,
}

/// What becomes of a step, and of those that wait for it, when it fails.
#[derive(Debug, Clone, Default)]
pub enum OnError {
    /// The run fails.
    #[default]
    Fail,
    /// Its output is `null`, and the run goes on.
    Continue,
    /// It counts as skipped, and so do those that wait for it; an item of a list is left out.
    Skip,
    /// Another step takes its place, which may name the `error`.
    Fallback(Box<Step>),
    /// What it was asked is added to a file of JSON lines with the error; then as [`Skip`](Self::Skip).
    DeadLetter(PathBuf),
}

static VALUE: Name = Name::new(|| "value".into());
static SWITCH: Name = Name::new(|| "switch".into());
static ALL: Name = Name::new(|| "all".into());
static FIRST: Name = Name::new(|| "first".into());
static FALLBACK: Name = Name::new(|| "fallback".into());
static PIPELINE: Name = Name::new(|| "pipeline".into());

impl Step {
    /// What it is, in one word: the type of the node, or the key that says what it does.
    #[must_use]
    pub fn kind(&self) -> Arc<str> {
        match &self.work {
            Work::Call(call) => Arc::clone(&call.node_type),
            Work::Value(_) => VALUE.shared(),
            Work::Switch(_) => SWITCH.shared(),
            Work::All(_) => ALL.shared(),
            Work::First(_) => FIRST.shared(),
            Work::Fallback(_) => FALLBACK.shared(),
            Work::Pipeline(_) => PIPELINE.shared(),
        }
    }

    /// The plugin that handles it, if one does.
    #[must_use]
    pub fn plugin(&self) -> Option<&Arc<str>> {
        if let Work::Call(call) = &self.work { Some(&call.plugin) } else { None }
    }

    /// The steps that it is made of, each with the path to it from here in the file: `switch/0`, `on_error/fallback`.
    pub fn parts(&self) -> impl Iterator<Item = (String, &Self)> {
        let (listed, named) = match &self.work {
            Work::Switch(steps) | Work::First(steps) | Work::Fallback(steps) => (&**steps, None),
            Work::All(steps) => (&[][..], Some(steps)),
            _ => (&[][..], None),
        };
        let kind = self.kind();
        let path = move |name: &dyn std::fmt::Display| format!("{kind}/{name}");
        let listed: Vec<_> = listed.iter().enumerate().map(|(place, step)| (path(&place), step)).collect();
        let named: Vec<_> = named.into_iter().flatten().map(|(name, step)| (path(name), step)).collect();
        let fallback = if let OnError::Fallback(step) = &self.on_error { Some(&**step) } else { None };
        listed.into_iter().chain(named).chain(fallback.map(|step| ("on_error/fallback".to_owned(), step)))
    }
}
