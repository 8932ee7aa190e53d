use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use tapline::core::Object;
use tapline::pipeline::{
    Catalog, Definition, Draft, Engine, KnownPlugin, Origin, RunReport, Silent, Source, Standing, check,
};
use tapline::{Host, Load, Loader, NativePlugin};
use tokio::runtime::Runtime;

/// How the nodes of a pipeline hang together.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Each waits for the one before it.
    Chain,
    /// The first, then all others but one at once, then the last.
    Fan,
}

/// A checked pipeline, and an engine that has what its nodes need.
#[derive(Debug)]
pub struct Workload {
    runtime: Runtime,
    engine: Engine,
    definition: Arc<Definition>,
}

impl Workload {
    /// Checks a pipeline of nodes of one type, all of them without settings, and loads the plugin that handles it.
    ///
    /// # Panics
    /// When the plugin does not handle the type, or the runtime cannot be made.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]
    pub fn new(plugin: NativePlugin, node_type: &str, shape: Shape, nodes: usize) -> Self {
        let manifest = Arc::new(Loader::native(&plugin).unwrap());
        let (schemas, refused) = (BTreeMap::new(), Vec::new());
        let known = KnownPlugin {
            manifest,
            origin: Origin::BuiltIn,
            standing: Standing::Available,
            schemas,
            refused,
        };
        let catalog = Catalog { plugins: vec![known], problems: BTreeMap::new() };
        let source = Source::new("pipeline.yaml", shape.pipeline(node_type, nodes).as_bytes());
        let definition = check(&Draft::read(&source), &catalog).definition.unwrap();

        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let engine = Engine::new(Host::builder().build()).unwrap();
        runtime.block_on(engine.host().load(Load::native(plugin))).unwrap();
        Self { runtime, engine, definition: Arc::new(definition) }
    }

    /// Runs the pipeline once.
    ///
    /// # Panics
    /// When the run fails.
    pub fn run(&self) -> RunReport {
        let run = self.engine.run(Arc::clone(&self.definition), Object::new(), Arc::new(Silent));
        let report = self.runtime.block_on(run);
        assert!(report.outputs.is_ok(), "{:?}", report.outputs);
        report
    }
}

impl Shape {
    fn pipeline(self, node_type: &str, nodes: usize) -> String {
        let mut text = "name: bench\nnodes:\n".to_owned();
        for node in 0..nodes {
            let needs = self.needs(node, nodes);
            let needs: Vec<_> = needs.map(|earlier| format!("n{earlier}")).collect();
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  n{node}: {{ type: {node_type}, needs: [{}] }}", needs.join(", "));
        }
        text
    }

    /// The nodes that one of so many waits for.
    fn needs(self, node: usize, nodes: usize) -> std::ops::Range<usize> {
        match self {
            _ if node == 0 => 0..0,
            Self::Chain => node - 1..node,
            Self::Fan if node + 1 == nodes => 1..node,
            Self::Fan => 0..1,
        }
    }
}
