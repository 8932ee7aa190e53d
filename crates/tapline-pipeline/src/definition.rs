use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use tapline_core::Request;

use crate::diagnostic::Span;
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
    /// The nodes by id, as they are written.
    pub nodes: IndexMap<Arc<str>, NodeDefinition>,
    /// What a run yields, by name.
    pub outputs: IndexMap<Arc<str>, Setting>,
    pub(crate) graph: Graph,
    pub(crate) document: Document,
}

/// A node: a step of a pipeline.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NodeDefinition {
    /// Its name in the pipeline.
    pub id: Arc<str>,
    /// Its type: the key of its handler at the extension point `node`.
    pub node_type: Arc<str>,
    /// The plugin that provides the type.
    pub plugin: Arc<str>,
    /// What its handler is asked, without the settings of one execution.
    pub(crate) request: Request,
    /// Its settings: an object.
    pub with: Setting,
    /// What must be true for it to run; it may name inputs and other nodes, not the item.
    pub when: Option<Condition>,
    /// The nodes that it waits for though it reads nothing of theirs.
    pub needs: Vec<Arc<str>>,
    /// The list whose items it runs for, one by one.
    pub map: Option<MapDefinition>,
    /// The nodes that must have finished before it: `needs`, and every node that it refers to.
    pub dependencies: BTreeSet<Arc<str>>,
    /// What the expressions in its settings name and its plugin does not bring: `inputs`, nodes, and the item.
    ///
    /// The plugin evaluates these expressions, so it is given the values beside the settings.
    pub scope: BTreeSet<Arc<str>>,
    /// Where its id stands in the file.
    pub span: Span,
}

/// How a node goes over a list.
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

/// What bounds a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunLimits {
    /// The time that a run may take.
    pub wall: Option<Duration>,
    /// How many nodes may be under way at once.
    pub parallel: Option<usize>,
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
mod nodes;
mod draft;
mod setting;
mod condition;
mod text;
mod graph;

pub use condition::Condition;
pub use draft::Draft;
pub use graph::Graph;
pub use inputs::{InputDeclaration, InputError, InputType};
pub use plugins::PluginEntry;
pub use setting::Setting;
pub use text::RenderError;

pub(crate) use fields::{Spanned, with_article};
pub(crate) use nodes::{DraftMap, DraftNode};
pub(crate) use text::Text;
