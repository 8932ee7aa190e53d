use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use crate::source::Document;

/// A pipeline that was checked: everything in it exists, and every template in it is compiled.
///
/// It is made by [`check`](crate::check) alone.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Definition {
    /// The pipeline's name.
    pub name: Arc<str>,
    /// What the file says about plugins, by name.
    pub plugins: IndexMap<Arc<str>, PluginEntry>,
    /// What a run is given, by name.
    pub inputs: IndexMap<Arc<str>, InputDeclaration>,
    /// What bounds a run.
    pub limits: RunLimits,
    /// When what a run has done is safe.
    pub durability: Durability,
    /// The nodes by id, as they are written.
    pub nodes: IndexMap<Arc<str>, NodeDefinition>,
    /// What a run yields, by name.
    pub outputs: IndexMap<Arc<str>, Setting>,
    /// The nodes that the outputs name, and whether they name their rows.
    pub(crate) output_uses: BTreeMap<Arc<str>, bool>,
    /// How often the providers among its plugins may be asked.
    pub(crate) provider_rates: Arc<ProviderRates>,
    pub(crate) graph: Graph,
    pub(crate) document: Document,
}

/// A node: a step with a name, and what it waits for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NodeDefinition {
    /// Its name in the pipeline.
    pub id: Arc<str>,
    /// What it does.
    pub step: Step,
    /// The nodes that it waits for though it reads nothing of theirs.
    pub needs: Vec<Arc<str>>,
    /// The nodes that must have finished before it: `needs`, and every node that it refers to.
    pub dependencies: BTreeSet<Arc<str>>,
    /// Those of them whose rows it names, but for one that it takes page by page.
    pub(crate) whole: BTreeSet<Arc<str>>,
}

/// What bounds a run.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct RunLimits {
    /// The time that a run may take.
    pub wall: Option<Duration>,
    /// How many nodes may be under way at once.
    pub parallel: Option<usize>,
    /// How many steps may be done: nodes, items and turns of loops alike.
    pub steps: Option<usize>,
    /// How deep pipelines may be nested.
    pub depth: Option<usize>,
    /// What all steps together may use up.
    pub amounts: Budget,
}

/// When what a run has done is safe from a power cut, if it is kept at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// Before those that wait for a node begin.
    #[default]
    Node,
    /// When the run ends.
    Exit,
    /// Never: the run is not kept.
    None,
}

impl Definition {
    /// The order in which nodes can run.
    #[must_use]
    pub const fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The file, in which an error of a plugin finds its place.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.document
    }
}

mod fields;
mod plugins;
mod inputs;
mod rate;
mod provider_rates;
mod rules;
mod draft_step;
mod nodes;
mod secrets;
mod draft;
mod parts;
mod setting;
mod condition;
mod text;
mod step;
mod graph;
mod format;

pub use condition::Condition;
pub use draft::Draft;
pub use format::{OtherTypes, file_schema};
pub use graph::Graph;
pub use inputs::{InputDeclaration, InputError, InputType};
pub use plugins::PluginEntry;
pub use rate::RateLimit;
pub use rules::{Backoff, Budget, Retry, Rules, Schema, Timeout, ValidatorUse, Violation};
pub use setting::Setting;
pub use step::{CallDefinition, LoopDefinition, MapDefinition, OnError, PartDefinition, Step, Work};
pub use text::RenderError;

pub(crate) use draft_step::{DraftLoop, DraftMap, DraftOnError, DraftStep, DraftWork};
pub(crate) use fields::{Spanned, with_article};
pub(crate) use nodes::DraftNode;
pub(crate) use provider_rates::ProviderRates;
pub(crate) use text::Text;
