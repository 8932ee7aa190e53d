use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use tapline::core::Object;
use tapline::journal::SqliteJournal;
use tapline::pipeline::{
    Catalog, Definition, Draft, Engine, Journal, KnownPlugin, Origin, RunReport, RunSettings, Silent, Source,
    Standing, check,
};
use tapline::{Host, Load, Loader, NativePlugin};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

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
    journal: Option<Arc<dyn Journal>>,
}

impl Workload {
    /// Checks a pipeline, and loads the plugin that handles its nodes.
    ///
    /// # Panics
    /// When there is something wrong with the pipeline, or the runtime cannot be made.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]
    pub fn new(plugin: NativePlugin, pipeline: &str) -> Self {
        let definition = checked(&catalog(&plugin), pipeline);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let engine = Engine::new(Host::builder().build()).unwrap();
        runtime.block_on(engine.host().load(Load::native(plugin))).unwrap();
        Self { runtime, engine, definition: Arc::new(definition), journal: None }
    }

    /// As [`new`](Self::new), and keeps its runs in a journal in that folder.
    ///
    /// # Panics
    /// As [`new`](Self::new), and when the journal cannot be opened.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]
    pub fn kept(plugin: NativePlugin, pipeline: &str, folder: &Path) -> Self {
        let journal = SqliteJournal::open(folder).unwrap();
        Self { journal: Some(Arc::new(journal)), ..Self::new(plugin, pipeline) }
    }

    /// The same, with another plugin beside it, which may use the network.
    ///
    /// # Panics
    /// When the plugin does not start.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]
    pub fn beside(self, load: Load) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(self.engine.host().load(load)).unwrap();
        Self { runtime, ..self }
    }

    /// Runs the pipeline once.
    ///
    /// # Panics
    /// When the run fails.
    pub fn run(&self) -> RunReport {
        succeeded(self.runtime.block_on(self.begin()))
    }

    /// Runs the pipeline so many times at once, each run in a task of its own.
    ///
    /// # Panics
    /// When a run fails.
    pub fn run_at_once(&self, runs: usize) -> Vec<RunReport> {
        self.runtime.block_on(async {
            let begun: JoinSet<_> = (0..runs).map(|_| self.begin()).collect();
            begun.join_all().await.into_iter().map(succeeded).collect()
        })
    }

    #[expect(clippy::unwrap_used, reason = "a journal that breaks ends the benchmark")]
    fn begin(&self) -> impl Future<Output = RunReport> + Send + use<> {
        let (engine, definition) = (self.engine.clone(), Arc::clone(&self.definition));
        let journal = self.journal.clone();
        async move {
            let inputs = definition.input_values(&Object::new()).unwrap_or_default();
            match journal {
                None => engine.run(definition, inputs, Arc::new(Silent)).await,
                Some(journal) => {
                    let settings = RunSettings::new(inputs).journal(journal);
                    engine.run_with(definition, settings).await.unwrap()
                }
            }
        }
    }
}

/// What a pipeline is checked against where there is one plugin.
///
/// # Panics
/// When there is something wrong with the plugin's manifest.
#[must_use]
#[expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]
pub fn catalog(plugin: &NativePlugin) -> Catalog {
    let manifest = Arc::new(Loader::native(plugin).unwrap());
    let (schemas, refused) = (BTreeMap::new(), Vec::new());
    let known =
        KnownPlugin { manifest, origin: Origin::BuiltIn, standing: Standing::Available, schemas, refused };
    Catalog { plugins: vec![known], problems: BTreeMap::new() }
}

/// A pipeline from its text.
///
/// # Panics
/// When there is something wrong with it.
#[must_use]
#[expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]
pub fn checked(catalog: &Catalog, pipeline: &str) -> Definition {
    let draft = Draft::read(&Source::new("pipeline.yaml", pipeline.as_bytes()));
    let checked = check(&draft, catalog);
    checked.definition.ok_or(checked.diagnostics).unwrap()
}

fn succeeded(report: RunReport) -> RunReport {
    assert!(report.outputs.is_ok(), "{:?}", report.outputs);
    report
}

impl Shape {
    /// A pipeline of nodes of one type, all of them without settings.
    #[must_use]
    pub fn pipeline(self, node_type: &str, nodes: usize) -> String {
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
