use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tapline_core::{Name, Object, Value};
use tapline_host::Host;
use tapline_roles::{RunEnd, RunInfo};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use crate::definition::Definition;
use crate::journal::Journal;
use crate::points::Points;

mod error;
mod event;
mod report;
mod frame;
mod path;
mod meter;
mod schedule;
mod shared;
mod steps;
mod work;
mod attempts;
mod keeper;
mod dead_letters;
mod stop;

pub use error::{RunError, StepError, StepFailure};
pub use event::{Observer, RunEvent, Silent};
pub use meter::{Amounts, Exceeded};
pub use report::{NodeReport, NodeState, RunReport};
pub use stop::Stop;

use keeper::Pending;
pub(crate) use keeper::{Keeper, Memory};
pub(crate) use meter::Meter;

use dead_letters::DeadLetters;
use error::Ended;
use frame::Frame;
use path::Path;
use schedule::Schedule;
use shared::Shared;
use steps::{Outcome, Steps};

static INPUTS: Name = Name::new(|| "inputs".into());

/// What a run is given besides the pipeline.
#[derive(Clone)]
#[non_exhaustive]
pub struct RunSettings {
    /// Its inputs, as [`Definition::input_values`] makes them.
    pub inputs: Object,
    /// Who watches it.
    pub observer: Arc<dyn Observer>,
    /// What keeps it, so that it can be resumed.
    pub journal: Option<Arc<dyn Journal>>,
    /// The folder of the files that it writes itself: dead letters.
    pub folder: Option<PathBuf>,
    /// What ends it from outside.
    pub stop: Option<Stop>,
}

impl fmt::Debug for RunSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("RunSettings");
        shown.field("inputs", &self.inputs).field("journal", &self.journal).field("folder", &self.folder);
        shown.finish_non_exhaustive()
    }
}

/// One execution of a pipeline, or of one that runs inside of it.
pub(crate) struct Run {
    shared: Arc<Shared>,
    definition: Arc<Definition>,
    inputs: Value,
    /// The parts that it lies in: `part/`; empty for the outermost.
    within: Arc<str>,
    depth: usize,
    meter: Arc<Meter>,
    /// What finished nodes have to offer to those that come after them, by their places.
    state: Vec<Option<Value>>,
    /// Which nodes are left out because of an error that the file tolerates.
    left_out: Vec<bool>,
    reports: Vec<NodeReport>,
    schedule: Schedule,
}

/// What came of a node.
struct NodeDone {
    place: usize,
    report: NodeReport,
    outcome: Result<Outcome, Ended>,
}

/// How many nodes run at once unless the pipeline says it.
const PARALLEL: usize = 16;

impl Default for RunSettings {
    fn default() -> Self {
        Self { inputs: Object::new(), observer: Arc::new(Silent), journal: None, folder: None, stop: None }
    }
}

impl RunSettings {
    /// Nothing but inputs.
    #[must_use]
    pub fn new(inputs: Object) -> Self {
        Self { inputs, ..Self::default() }
    }

    /// Has somebody watch the run.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// Keeps the run, as far as the pipeline's `durability` wants it.
    #[must_use]
    pub fn journal(mut self, journal: Arc<dyn Journal>) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Lets somebody end the run.
    #[must_use]
    pub fn stop(mut self, stop: Stop) -> Self {
        self.stop = Some(stop);
        self
    }

    /// Lets the run write files of its own below a folder.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }
}

impl Run {
    pub(crate) fn new(
        host: Host,
        points: Arc<Points>,
        definition: Arc<Definition>,
        settings: RunSettings,
        keeper: Keeper,
    ) -> Self {
        let limits = &definition.limits;
        let meter = Arc::new(Meter::of_run(limits.amounts, limits.steps, None));
        let shared = Arc::new(Shared {
            host,
            points,
            wants_tokens: settings.observer.wants_tokens(),
            observer: settings.observer,
            meter: Arc::clone(&meter),
            depth: limits.depth,
            keeper,
            dead_letters: DeadLetters::new(settings.folder),
        });
        Self::with(shared, definition, settings.inputs, meter)
    }

    /// A run inside of a step.
    fn inside(steps: &Steps, definition: &Arc<Definition>, inputs: Object, within: Arc<str>) -> Self {
        let limits = &definition.limits;
        let meter = Meter::of_run(limits.amounts, limits.steps, Some(Arc::clone(&steps.meter)));
        let run = Self::with(Arc::clone(&steps.shared), Arc::clone(definition), inputs, Arc::new(meter));
        Self { within, depth: steps.depth + 1, ..run }
    }

    fn with(shared: Arc<Shared>, definition: Arc<Definition>, inputs: Object, meter: Arc<Meter>) -> Self {
        let reports = definition.nodes.values().map(NodeReport::waiting).collect();
        let schedule = Schedule::new(&definition.graph);
        let (state, left_out) = (vec![None; definition.nodes.len()], vec![false; definition.nodes.len()]);
        let (inputs, within) = (inputs.into(), "".into());
        Self { shared, definition, inputs, within, depth: 1, meter, state, left_out, reports, schedule }
    }

    /// Runs every node as soon as what it waits for is done, within the limits.
    pub(crate) async fn finish(mut self, resumed: bool, stop: Option<Stop>) -> RunReport {
        let begun = Instant::now();
        let observer = Arc::clone(&self.shared.observer);
        let (nodes, definition) = (self.definition.nodes.len(), Arc::clone(&self.definition));
        let (pipeline, run) = (&*definition.name, self.shared.run_id());
        observer.event(&RunEvent::RunStarted { pipeline, run, nodes, resumed });
        let info = || RunInfo { pipeline: pipeline.to_owned(), run: run.map(Into::into) };
        self.shared.points.start.call(&info()).await;
        let info = info();
        let mut outputs = match stop {
            None => self.limited().await,
            Some(stop) => tokio::select! {
                biased;
                () = stop.wanted() => Err(RunError::Interrupted),
                outputs = self.limited() => outputs,
            },
        };
        if let Err(error) = self.shared.keeper.settle().await {
            outputs = outputs.and(Err(RunError::Journal(error)));
        }
        let took = begun.elapsed();
        let error = outputs.as_ref().err().map(|error| steps::with_causes(error));
        let event = RunEvent::RunFinished { outputs: outputs.as_ref().ok(), error: error.as_deref(), took };
        observer.event(&event);
        let RunInfo { pipeline, run } = info;
        let end = RunEnd { pipeline, run, error, milliseconds: took.as_secs_f64() * 1e3 };
        self.shared.points.complete.call(&end).await;
        let id = self.shared.run_id().map(Into::into);
        RunReport { id, outputs, nodes: self.reports, used: self.meter.used(), took }
    }

    /// Runs to the end without telling of it.
    async fn outputs(mut self) -> Result<Object, RunError> {
        self.limited().await
    }

    async fn limited(&mut self) -> Result<Object, RunError> {
        let done = match self.definition.limits.wall {
            Some(limit) => {
                let limited = tokio::time::timeout(limit, self.run_nodes()).await;
                limited.unwrap_or(Err(RunError::Wall { limit }))
            }
            None => self.run_nodes().await,
        };
        done.and_then(|()| self.render_outputs())
    }

    async fn run_nodes(&mut self) -> Result<(), RunError> {
        let parallel = self.definition.limits.parallel.unwrap_or(PARALLEL).max(1);
        let mut running: JoinSet<NodeDone> = JoinSet::new();
        loop {
            // A node that has nothing beside it needs no task of its own.
            if running.is_empty() && self.schedule.is_alone() {
                if let Some(place) = self.schedule.next() {
                    let done = self.begin(place).await;
                    self.settle(done)?;
                }
                continue;
            }
            while running.len() < parallel
                && let Some(place) = self.schedule.next()
            {
                running.spawn(self.begin(place));
            }
            match running.join_next().await {
                Some(done) => self.settle(done.map_err(|error| panicked(&error))?)?,
                None => return Ok(()),
            }
        }
    }

    /// One node, with all that it needs to run.
    fn begin(&self, place: usize) -> impl Future<Output = NodeDone> + Send + use<> {
        let node = &self.definition.nodes[place];
        let dependencies = &self.definition.graph.dependencies[place];
        let is_left_out = dependencies.iter().any(|dependency| self.left_out[*dependency]);
        let mut frame: Frame = dependencies
            .iter()
            .filter_map(|place| {
                let (name, _) = self.definition.nodes.get_index(*place)?;
                Some((Arc::clone(name), self.state[*place].clone()?))
            })
            .collect();
        frame.push(INPUTS.shared(), self.inputs.clone());
        let steps = Steps {
            shared: Arc::clone(&self.shared),
            definition: Arc::clone(&self.definition),
            within: Arc::clone(&self.within),
            depth: self.depth,
            meter: Arc::new(Meter::of_step(node.step.rules.budget, Arc::clone(&self.meter))),
            items: AtomicUsize::new(0),
            tolerated: AtomicUsize::new(0),
            reused: AtomicUsize::new(0),
            kept: Pending::default(),
        };
        steps.node(place, frame, is_left_out)
    }

    /// Takes over what a node has done.
    fn settle(&mut self, done: NodeDone) -> Result<(), RunError> {
        let NodeDone { place, report, outcome } = done;
        if self.within.is_empty() {
            self.shared.observer.event(&RunEvent::NodeFinished { report: &report });
        }
        self.reports[place] = report;
        let outcome = outcome?;
        self.left_out[place] = matches!(outcome, Outcome::LeftOut);
        self.state[place] = Some(outcome.into_value());
        self.schedule.done(&self.definition.graph, place);
        match self.meter.exceeded() {
            Some(exceeded) => Err(RunError::Limit { exceeded }),
            None => Ok(()),
        }
    }

    fn render_outputs(&self) -> Result<Object, RunError> {
        let names = self.definition.nodes.keys().zip(&self.state);
        let state = names.filter_map(|(name, output)| Some((Arc::clone(name), output.clone()?)));
        let scope: Object = state.chain([(INPUTS.shared(), self.inputs.clone())]).collect();
        let rendered =
            self.definition.outputs.iter().map(|(name, setting)| {
                Ok((Arc::clone(name), setting.render(&scope).map_err(RunError::Render)?))
            });
        rendered.collect()
    }
}

impl Steps {
    async fn node(self, place: usize, frame: Frame, is_left_out: bool) -> NodeDone {
        let node = &self.definition.nodes[place];
        let begun = Instant::now();
        let outcome = if is_left_out {
            Ok(Outcome::LeftOut)
        } else {
            if self.within.is_empty() {
                self.shared.observer.event(&RunEvent::NodeStarted { node: &node.id });
            }
            let outcome = self.run(&node.step, Path::Node(&self.within, &node.id), &frame).await;
            // What waits for the node begins when all of it is kept.
            match self.kept.finish().await {
                Ok(()) => outcome,
                Err(error) => outcome.and(Err(Ended::Run(RunError::Journal(error)))),
            }
        };
        let state = match &outcome {
            Ok(Outcome::Done(_)) => NodeState::Done,
            Ok(Outcome::Skipped | Outcome::LeftOut) => NodeState::Skipped,
            Err(_) => NodeState::Failed,
        };
        let report = NodeReport {
            state,
            items: node.step.map.as_ref().map(|_| self.items.load(Ordering::Relaxed)),
            tolerated: self.tolerated.load(Ordering::Relaxed),
            reused: self.reused.load(Ordering::Relaxed),
            used: self.meter.used(),
            took: begun.elapsed(),
            ..NodeReport::waiting(node)
        };
        NodeDone { place, report, outcome }
    }
}

/// A task that neither finished nor was abandoned by us.
fn panicked(error: &JoinError) -> RunError {
    RunError::Engine { message: error.to_string() }
}
