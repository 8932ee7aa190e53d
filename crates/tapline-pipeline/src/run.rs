use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tapline_core::{Bytes, Name, Object, Value};
use tapline_host::Host;
use tapline_roles::{RunEnd, RunInfo};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use crate::definition::Definition;
use crate::points::Points;

mod settings;
mod error;
mod event;
mod report;
mod frame;
mod path;
mod place;
mod meter;
mod schedule;
mod shared;
mod steps;
mod node;
mod work;
mod attempts;
mod keeper;
mod dead_letters;
mod stop;
mod list;
mod pages;

pub use error::{RunError, StepError, StepFailure};
pub use event::{Observer, RunEvent, Silent};
pub use meter::{Amounts, Exceeded};
pub use report::{NodeReport, NodeState, RunReport};
pub use settings::RunSettings;
pub use stop::Stop;

use keeper::Pending;
pub(crate) use keeper::{Keeper, Memory};
use list::PagedList;
pub(crate) use meter::Meter;
use node::NodeDone;

use dead_letters::DeadLetters;
use error::WHOLE;
use frame::Frame;
use schedule::Schedule;
use shared::Shared;
use steps::{Outcome, Steps};

static INPUTS: Name = Name::new(|| "inputs".into());

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
    state: Vec<Option<Output>>,
    /// For each node, how many of those that wait for it are not done; the outputs count as one.
    awaited: Vec<usize>,
    /// Which nodes are left out because of an error that the file tolerates.
    left_out: Vec<bool>,
    reports: Vec<NodeReport>,
    schedule: Schedule,
}

/// What a node has to offer.
#[derive(Clone)]
enum Output {
    Value(Value),
    List(Arc<PagedList>),
}

/// The number of the next run of this process.
static NUMBER: AtomicU64 = AtomicU64::new(1);
/// How many nodes run at once unless the pipeline says it.
const PARALLEL: usize = 16;

impl Run {
    pub(crate) fn new(
        host: Host,
        points: Arc<Points>,
        definition: Arc<Definition>,
        settings: RunSettings,
        keeper: Keeper,
    ) -> Self {
        let limits = &definition.limits;
        let keeper_id = keeper.run_id().map(str::to_owned);
        let meter = Arc::new(Meter::of_run(limits.amounts, limits.steps, None));
        let info = RunInfo {
            pipeline: definition.name.to_string(),
            run: keeper_id.clone(),
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
        };
        let shared = Arc::new(Shared {
            host,
            points,
            info,
            wants_tokens: settings.observer.wants_tokens(),
            observer: settings.observer,
            meter: Arc::clone(&meter),
            provider_rates: Arc::clone(&definition.provider_rates),
            depth: limits.depth,
            keeper,
            dead_letters: DeadLetters::new(settings.folder),
            lists: settings.lists.map(|folder| folder.join(lists_of(keeper_id.as_deref()))),
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
        let named = |id: &Arc<str>| usize::from(definition.output_uses.contains_key(id));
        let dependents = definition.graph.dependents.iter().map(Vec::len);
        let awaited = dependents.zip(definition.nodes.keys()).map(|(count, id)| count + named(id)).collect();
        let (inputs, within) = (inputs.into(), "".into());
        Self {
            shared,
            definition,
            inputs,
            within,
            depth: 1,
            meter,
            state,
            awaited,
            left_out,
            reports,
            schedule,
        }
    }

    /// Runs every node as soon as what it waits for is done, within the limits.
    pub(crate) async fn finish(mut self, resumed: bool, stop: Option<Stop>) -> RunReport {
        let begun = Instant::now();
        let observer = Arc::clone(&self.shared.observer);
        let (nodes, definition) = (self.definition.nodes.len(), Arc::clone(&self.definition));
        let (pipeline, run) = (&*definition.name, self.shared.run_id());
        observer.event(&RunEvent::RunStarted { pipeline, run, nodes, resumed });
        self.shared.points.start.call(&self.shared.info).await;
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
        let error = outputs.as_ref().err().map(RunError::with_causes);
        let event = RunEvent::RunFinished { outputs: outputs.as_ref().ok(), error: error.as_deref(), took };
        observer.event(&event);
        let RunInfo { pipeline, run, number } = self.shared.info.clone();
        let end = RunEnd { pipeline, run, number, error, milliseconds: took.as_secs_f64() * 1e3 };
        self.shared.points.complete.call(&end).await;
        let id: Option<Arc<str>> = self.shared.run_id().map(Into::into);
        if outputs.is_ok() || id.is_none() {
            self.remove_lists().await;
        }
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
        match done {
            Ok(()) => self.render_outputs().await,
            Err(error) => Err(error),
        }
    }

    async fn run_nodes(&mut self) -> Result<(), RunError> {
        let parallel = self.definition.limits.parallel.unwrap_or(PARALLEL).max(1);
        let mut running: JoinSet<NodeDone> = JoinSet::new();
        loop {
            // A node that has nothing beside it needs no task of its own.
            if running.is_empty() && self.schedule.is_alone() {
                if let Some(place) = self.schedule.next() {
                    let done = std::pin::pin!(self.begin(place)).await;
                    self.settle(done)?;
                }
                continue;
            }
            while running.len() < parallel
                && let Some(place) = self.schedule.next()
            {
                // Boxed, because on its way into a task it would be copied again and again.
                running.spawn(Box::pin(self.begin(place)));
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
        let mut outputs = Vec::with_capacity(dependencies.len() + 1);
        let mut lists = Vec::new();
        for place in dependencies {
            let Some((name, _)) = self.definition.nodes.get_index(*place) else { continue };
            match &self.state[*place] {
                Some(Output::Value(value)) => outputs.push((Arc::clone(name), value.clone())),
                Some(Output::List(list)) => lists.push((Arc::clone(name), Arc::clone(list))),
                None => {}
            }
        }
        let mut frame = Frame::sorted(outputs);
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
        steps.node(place, frame, lists, is_left_out)
    }

    /// Takes over what a node has done.
    fn settle(&mut self, done: NodeDone) -> Result<(), RunError> {
        let place = done.place;
        let report = &mut self.reports[place];
        done.tell(report);
        if self.within.is_empty() {
            self.shared.observer.event(&RunEvent::NodeFinished { report });
        }
        let outcome = done.outcome?;
        self.left_out[place] = matches!(outcome, Outcome::LeftOut);
        self.state[place] = Some(match outcome {
            Outcome::List(list) => Output::List(list),
            outcome => Output::Value(outcome.into_value()),
        });
        self.let_go(place);
        self.schedule.done(&self.definition.graph, place);
        match self.meter.exceeded() {
            Some(exceeded) => Err(RunError::Limit { exceeded }),
            None => Ok(()),
        }
    }

    /// Removes lists that nobody needs any more; a run that can go on keeps its own.
    async fn remove_lists(&self) {
        // Most runs have made none, and to look is quicker than to have another thread do it.
        let Some(folder) = self.shared.lists.clone().filter(|folder| folder.exists()) else { return };
        if let Err(error) = pages::blocking(move || std::fs::remove_dir_all(folder)).await {
            tracing::warn!(%error, "the lists of a run stay on the disk");
        }
    }

    /// Lets go what nobody waits for any more.
    fn let_go(&mut self, done: usize) {
        if self.awaited[done] == 0 {
            self.state[done] = Some(Output::Value(Value::Null));
        }
        for earlier in &self.definition.graph.dependencies[done] {
            self.awaited[*earlier] -= 1;
            if self.awaited[*earlier] == 0 {
                self.state[*earlier] = Some(Output::Value(Value::Null));
            }
        }
    }

    async fn render_outputs(&self) -> Result<Object, RunError> {
        let mut scope = Object::from_iter([(INPUTS.shared(), self.inputs.clone())]);
        for (name, is_whole) in &self.definition.output_uses {
            let Some(place) = self.definition.nodes.get_index_of(name) else { continue };
            let value = match &self.state[place] {
                Some(Output::Value(value)) => value.clone(),
                Some(Output::List(list)) if *is_whole => whole(name, list).await?,
                Some(Output::List(list)) => list.rest.clone().into(),
                None => continue,
            };
            scope.insert(Arc::clone(name), value);
        }
        let rendered =
            self.definition.outputs.iter().map(|(name, setting)| {
                Ok((Arc::clone(name), setting.render(&scope).map_err(RunError::Render)?))
            });
        rendered.collect()
    }
}

/// The name of the folder of a run's lists; one that is not kept has none of its own.
fn lists_of(run: Option<&str>) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let unkept = || format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    run.map_or_else(unkept, str::to_owned)
}

/// All rows of a list, for an output of the pipeline.
async fn whole(name: &Arc<str>, list: &Arc<PagedList>) -> Result<Value, RunError> {
    if list.bytes > WHOLE.0 {
        return Err(RunError::TooLong { node: Arc::clone(name), bytes: Bytes(list.bytes) });
    }
    let list = Arc::clone(list);
    let loaded = pages::blocking(move || list.load()).await;
    loaded.map_err(|error| RunError::List { node: Arc::clone(name), message: error.to_string() })
}

/// A task that neither finished nor was abandoned by us.
fn panicked(error: &JoinError) -> RunError {
    RunError::Engine { message: error.to_string() }
}
