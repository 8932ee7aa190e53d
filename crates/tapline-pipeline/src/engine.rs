use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use tapline_core::{
    Failure, HookError, HookPoint, Object, On, PluginId, Priority, RegisterError, Request, Step as HookStep,
    Value, ambient,
};
use tapline_host::Host;
use tapline_roles::{NODE, NODE_EXECUTE, PROVIDER, PROVIDER_REQUEST, TOOL, TOOL_CALL, Usage};

use crate::definition::{Definition, Durability, ProviderRates};
use crate::diagnostic::Diagnostic;
use crate::journal::{JournalError, RunEnding, RunRecord};
use crate::points::Points;
use crate::run::{Keeper, Memory, Meter, Observer, Run, RunError, RunReport, RunSettings};

/// Runs pipelines on a host: declares the hook points of pipelines there, and reaches plugins through it alone.
#[derive(Clone)]
pub struct Engine {
    host: Host,
    points: Arc<Points>,
    memory: Arc<Memory>,
    node_execute: HookPoint<Request, Value>,
    provider_request: HookPoint<Request, Value>,
}

/// The name under which the engine's own hooks stand in explanations.
const NAME: &str = "pipeline";
/// The priority of hooks that are entered last.
const INNERMOST: u8 = 100;
/// So many outputs are kept in memory for `cache`, when there is no journal.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

impl Engine {
    /// Makes a host one that runs pipelines.
    ///
    /// # Errors
    /// When the host has the hook points of pipelines already.
    pub fn new(host: Host) -> Result<Self, RegisterError> {
        let node_execute = host.wrap(NODE, NODE_EXECUTE)?;
        let provider_request = host.wrap(PROVIDER, PROVIDER_REQUEST)?;
        if let Ok(name) = PluginId::new(NAME) {
            let hooks =
                [refuse_beyond_budget, count_usage, wait_for_turn].map(|hook| hook(&provider_request));
            host.join(&name, hooks.into())?;
        }
        host.wrap(TOOL, TOOL_CALL)?;
        let points = Arc::new(Points::declare(&host)?);
        let memory = Arc::new(Mutex::new(lru::LruCache::new(REMEMBERED)));
        Ok(Self { host, points, memory, node_execute, provider_request })
    }

    /// The host.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The hook point around every execution of a node, for hooks of the application.
    #[must_use]
    pub const fn node_execute(&self) -> &HookPoint<Request, Value> {
        &self.node_execute
    }

    /// The hook point around every request to a provider, for hooks of the application.
    #[must_use]
    pub const fn provider_request(&self) -> &HookPoint<Request, Value> {
        &self.provider_request
    }

    /// The other hook points of pipelines, for hooks of the application.
    #[must_use]
    pub fn points(&self) -> &Points {
        &self.points
    }

    /// What plugins find wrong with a pipeline, through the hook points `pipeline.validate` and `node.validate`. It runs
    /// their code, so it belongs before a run and not into a check.
    ///
    /// # Errors
    /// When a hook itself fails.
    pub async fn validate(&self, definition: &Definition) -> Result<Vec<Diagnostic>, HookError> {
        self.points.validate(definition).await
    }

    /// Runs a pipeline to its end, and keeps nothing of it. Dropping the future ends the run: what is under way is
    /// abandoned, and what nodes have done outside of the pipeline stays done.
    pub async fn run(
        &self,
        definition: Arc<Definition>,
        inputs: Object,
        observer: Arc<dyn Observer>,
    ) -> RunReport {
        let keeper = Keeper::new(None, Durability::None, Arc::clone(&self.memory));
        let settings = RunSettings::new(inputs).observer(observer);
        Run::new(self.host.clone(), Arc::clone(&self.points), definition, settings, keeper)
            .finish(false, None)
            .await
    }

    /// Runs a pipeline to its end. Dropping the future ends the run, as with [`run`](Self::run); what was kept stays, and
    /// the run can be [resumed](Self::resume).
    ///
    /// # Errors
    /// When the run cannot be kept; then it has not begun.
    pub async fn run_with(
        &self,
        definition: Arc<Definition>,
        settings: RunSettings,
    ) -> Result<RunReport, JournalError> {
        let journal = settings.journal.clone();
        let keeper = Keeper::new(journal.clone(), definition.durability, Arc::clone(&self.memory));
        let (Some(journal), false) = (journal, definition.durability == Durability::None) else {
            let stop = settings.stop.clone();
            let run = Run::new(self.host.clone(), Arc::clone(&self.points), definition, settings, keeper);
            return Ok(run.finish(false, stop).await);
        };
        let source = definition.document.source();
        let run = journal.begin(RunRecord {
            pipeline: Arc::clone(&definition.name),
            file: Arc::clone(source.file()),
            text: source.text().into(),
            inputs: settings.inputs.clone(),
            began: SystemTime::now(),
        });
        let keeper = keeper.of_run(run.await?, Vec::new());
        Ok(self.kept(definition, settings, keeper, false).await)
    }

    /// Goes on with a run that did not come to its end, with the inputs that it was given. What it has done is not done
    /// again, unless the pipeline or a plugin has changed there.
    ///
    /// # Errors
    /// When there is no such run, another process has it, or it is done.
    pub async fn resume(
        &self,
        id: &str,
        definition: Arc<Definition>,
        settings: RunSettings,
    ) -> Result<RunReport, JournalError> {
        let Some(journal) = settings.journal.clone() else {
            return Err(JournalError::Unknown { id: id.into() });
        };
        let (known, run) = journal.resume(id).await?;
        let settings = RunSettings { inputs: known.run.inputs, ..settings };
        let keeper = Keeper::new(Some(journal), definition.durability, Arc::clone(&self.memory));
        let keeper = keeper.of_run(run, known.steps);
        Ok(self.kept(definition, settings, keeper, true).await)
    }

    async fn kept(
        &self,
        definition: Arc<Definition>,
        settings: RunSettings,
        keeper: Keeper,
        resumed: bool,
    ) -> RunReport {
        let journal = keeper.journal().cloned();
        let stop = settings.stop.clone();
        let run = Run::new(self.host.clone(), Arc::clone(&self.points), definition, settings, keeper);
        let mut report = run.finish(resumed, stop).await;
        let Some(journal) = journal else { return report };
        let ending = match &report.outputs {
            Ok(outputs) => RunEnding::Done(outputs.clone()),
            Err(RunError::Interrupted) => RunEnding::Interrupted,
            Err(error) => RunEnding::Failed(error.to_string().into()),
        };
        if let Err(error) = journal.end(ending).await
            && report.outputs.is_ok()
        {
            report.outputs = Err(RunError::Journal(error));
        }
        report
    }
}

/// A model is not asked any more when what may be used up is used up, whichever plugin asks.
fn refuse_beyond_budget(requests: &HookPoint<Request, Value>) -> tapline_core::Hook {
    requests.before("budget", |_| match ambient::<Meter>().and_then(|meter| meter.is_exhausted()) {
        Some(exceeded) => Err(Failure::new("budget", format!("{exceeded} are used up"))),
        None => Ok(HookStep::Proceed),
    })
}

/// What a model has used up counts for the step that asked it, and for the run.
fn count_usage(requests: &HookPoint<Request, Value>) -> tapline_core::Hook {
    let count = requests.after("usage", |outcome| {
        if let Ok(answer) = &outcome
            && let Some(usage) = answer.get("usage")
            && let Ok(usage) = usage.to::<Usage>()
            && let Some(meter) = ambient::<Meter>()
        {
            meter.use_up(&usage);
        }
        outcome
    });
    count.on(On::Success)
}

/// A provider is asked no more often than the file of the run allows, whichever plugin asks. Innermost, because an answer
/// that another hook gives in its place costs it nothing.
fn wait_for_turn(requests: &HookPoint<Request, Value>) -> tapline_core::Hook {
    let wait = requests.around("rate", |request, next| {
        Box::pin(async move {
            if let Some(rates) = ambient::<ProviderRates>()
                && let Some(rate) = rates.of(&request.key)
            {
                rate.turn().await;
            }
            next.call(request).await
        })
    });
    wait.priority(Priority::new(INNERMOST).unwrap_or_default())
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Engine").field("host", &self.host).finish_non_exhaustive()
    }
}
