use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Instant, SystemTime};

use anyhow::Result;
use axum::http::StatusCode;
use serde_json::json;
use tapline::Value;
use tapline::core::Object;
use tapline::journal::{History, RunDetails, SqliteJournal};
use tapline::pipeline::{
    Definition, Durability, JournalError, Observer, RunError, RunEvent, RunReport, RunSettings, Stop,
};
use tokio::sync::{OnceCell, oneshot, watch};
use tokio::task::spawn_blocking;

use crate::diagnostics::Colour;
use crate::output::redacted;
use crate::summary::Summary;
use crate::{events, history, run};

use super::deployment::Deployment;
use super::feed::Feed;
use super::metrics::Metrics;
use super::pipeline::Pipeline;
use super::problem::Problem;
use super::run_view::RunView;

/// The runs of the server: those under way, and those that ended lately.
pub(crate) struct Runs {
    deployment: Arc<Deployment>,
    metrics: Arc<Metrics>,
    journal: OnceCell<Arc<SqliteJournal>>,
    state: Mutex<State>,
    /// So many may be under way at once.
    limit: usize,
    /// How many are under way.
    under_way: watch::Sender<usize>,
    /// How many have ended, in this life of the server.
    ended: AtomicU64,
    /// Held by whoever removes old runs from the disk.
    tidying: Arc<Mutex<()>>,
}

#[derive(Default)]
struct State {
    running: BTreeMap<Arc<str>, Arc<Run>>,
    /// Those that ended last, the newest at the end.
    ended: VecDeque<Arc<Run>>,
    /// So many bytes these take.
    size: usize,
    is_draining: bool,
    /// Whether runs that begin all the same are ended at once.
    is_stopping: bool,
}

/// A run, while it is under way and for a while after that.
pub(crate) struct Run {
    pub(crate) id: Arc<str>,
    pub(crate) pipeline: Arc<str>,
    pub(crate) file: String,
    pub(crate) began: SystemTime,
    pub(crate) inputs: Object,
    pub(crate) feed: Arc<Feed>,
    stop: Stop,
    outcome: watch::Sender<Option<Arc<Outcome>>>,
}

/// What came of a run.
pub(crate) struct Outcome {
    /// `done`, `failed` or `interrupted`.
    pub(crate) status: &'static str,
    /// What `tapline run --json` writes.
    pub(crate) summary: serde_json::Value,
    /// Why it failed, for people: the mistake in its place, what led to it, and how to go on.
    pub(crate) told: Option<String>,
    /// How many bytes that takes.
    size: usize,
}

/// Holds a place among the runs under way.
struct Turn(Arc<Runs>);

/// So many runs that have ended are kept in memory, with their events, and so many bytes of them.
const KEPT: usize = 256;
const KEPT_BYTES: usize = 64 << 20;
/// So many bytes of a run's events are kept for those who come late.
const EVENTS: usize = 256 << 10;
/// After so many runs, old ones are removed from the disk.
const TIDIED: u64 = 64;

impl Runs {
    pub(crate) fn new(deployment: Arc<Deployment>, metrics: Arc<Metrics>, limit: usize) -> Arc<Self> {
        Arc::new(Self {
            deployment,
            metrics,
            journal: OnceCell::new(),
            state: Mutex::default(),
            limit,
            under_way: watch::Sender::new(0),
            ended: AtomicU64::new(0),
            tidying: Arc::default(),
        })
    }

    /// Begins a run with these inputs.
    pub(crate) async fn begin(self: &Arc<Self>, pipeline: &str, given: Object) -> Result<Arc<Run>, Problem> {
        let pipeline = self.deployment.pipeline(pipeline)?;
        let definition = pipeline.definition()?;
        let inputs = definition.input_values(&given).map_err(|errors| {
            let told: Vec<_> = errors.iter().map(run::described).collect();
            Problem::refused("inputs", told.join("; "))
        })?;
        self.start(pipeline, definition, Work::New(inputs)).await
    }

    /// Goes on with a run that did not come to its end.
    pub(crate) async fn resume(self: &Arc<Self>, id: &str) -> Result<Arc<Run>, Problem> {
        let kept = self.kept(id).await?;
        if !history::resumable(kept.summary.status) {
            let detail = format!("run {} is {}, and cannot go on", kept.summary.id, kept.summary.status);
            return Err(Problem::conflict("not-resumable", detail));
        }
        let pipeline = self.deployment.pipeline(&kept.summary.pipeline)?;
        let definition = pipeline.definition()?;
        self.start(pipeline, definition, Work::Resume(kept.summary.id, kept.inputs)).await
    }

    async fn start(
        self: &Arc<Self>,
        pipeline: Arc<Pipeline>,
        definition: Arc<Definition>,
        work: Work,
    ) -> Result<Arc<Run>, Problem> {
        let turn = self.turn()?;
        let (folder, stop) = (&self.deployment.folder, Stop::default());
        let (reply, begun) = oneshot::channel();
        let watcher = Arc::new(Watcher {
            runs: Arc::clone(self),
            pending: Mutex::new(Some(Pending {
                pipeline: Arc::clone(&pipeline),
                inputs: work.inputs(),
                stop: stop.clone(),
                reply,
            })),
            run: OnceLock::new(),
            feed: Feed::new(EVENTS),
            last: OnceLock::new(),
            began: Instant::now(),
        });
        let settings = RunSettings::new(work.inputs()).observer(watcher.clone()).stop(stop);
        let mut settings = settings.folder(folder).lists(history::lists(folder));
        if definition.durability != Durability::None {
            settings = settings.journal(self.journal().await?);
        }
        // A task of its own: whoever asked for the run may go away.
        let engine = self.deployment.engine.clone();
        tokio::spawn(async move {
            let _turn = turn;
            let report = match &work {
                Work::New(_) => engine.run_with(Arc::clone(&definition), settings).await,
                Work::Resume(id, _) => engine.resume(id, Arc::clone(&definition), settings).await,
            };
            watcher.end(&pipeline, &definition, report).await;
        });
        // The task ends without an answer only when it breaks.
        begun.await.unwrap_or_else(|_| Err(Problem::broken("the run broke before it began")))
    }

    /// A place among the runs under way.
    fn turn(self: &Arc<Self>) -> Result<Turn, Problem> {
        let state = self.state();
        if state.is_draining {
            let detail = "the server is being stopped, and begins no runs";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", detail));
        }
        let is_free = self.under_way.send_if_modified(|count| {
            let is_free = *count < self.limit;
            *count += usize::from(is_free);
            is_free
        });
        drop(state);
        if is_free {
            return Ok(Turn(Arc::clone(self)));
        }
        let detail = format!("{} runs are under way, and no more may be at once", self.limit);
        Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-runs", detail))
    }

    async fn journal(&self) -> Result<Arc<SqliteJournal>, Problem> {
        let folder = self.deployment.folder.clone();
        let open = || async move {
            let journal = spawn_blocking(move || history::journal(&folder)).await;
            journal.unwrap_or_else(|broke| Err(broke.into()))
        };
        let journal = self.journal.get_or_try_init(open).await;
        journal
            .cloned()
            .map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "journal", format!("{error:#}")))
    }

    /// Runs in memory and on the disk, the newest first.
    pub(crate) async fn list(&self, limit: usize) -> Result<Vec<RunView>, Problem> {
        let mut views: Vec<_> = {
            let state = self.state();
            let here = state.running.values().chain(&state.ended);
            here.map(|run| (run.began, RunView::of(run))).collect()
        };
        let seen: BTreeSet<_> = views.iter().map(|(_, view)| view.id.clone()).collect();
        let kept = self.history(move |history| history.list(limit)).await?;
        let kept = kept.iter().filter(|run| !seen.contains(&*run.id));
        views.extend(kept.map(|run| (run.began, RunView::kept(run))));
        views.sort_by_key(|(began, _)| std::cmp::Reverse(*began));
        views.truncate(limit);
        Ok(views.into_iter().map(|(_, view)| view).collect())
    }

    /// A run in memory.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Run>> {
        let state = self.state();
        let ended = || state.ended.iter().rev().find(|run| *run.id == *id);
        state.running.get(id).or_else(ended).cloned()
    }

    /// A run on the disk, whose name may be shortened.
    pub(crate) async fn kept(&self, id: &str) -> Result<RunDetails, Problem> {
        let id = id.to_owned();
        self.history(move |history| history.show(&id)).await
    }

    async fn history<T: Send + 'static>(
        &self,
        look: impl FnOnce(&History) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, Problem> {
        let folder = self.deployment.folder.clone();
        let looked = spawn_blocking(move || look(&History::open(&folder.join(history::FOLDER))?)).await;
        looked.map_err(Problem::broken)?.map_err(|error| journal_problem(&error))
    }

    /// How many are under way.
    pub(crate) fn under_way(&self) -> usize {
        *self.under_way.borrow()
    }

    /// Begins no more runs.
    pub(crate) fn close(&self) {
        self.state().is_draining = true;
    }

    /// Waits until no run is under way. Cancel safe.
    pub(crate) async fn drained(&self) {
        let mut under_way = self.under_way.subscribe();
        // The sender is here, so it cannot be gone.
        let _ = under_way.wait_for(|count| *count == 0).await;
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.state().is_draining
    }

    /// Ends all runs under way; they can be resumed.
    pub(crate) fn stop_all(&self) {
        let mut state = self.state();
        state.is_stopping = true;
        state.running.values().for_each(|run| run.stop.now());
    }

    /// Takes a run among those under way; what there was of it before it went on is told no more.
    fn admit(&self, run: &Arc<Run>) {
        let mut state = self.state();
        if let Some(place) = state.ended.iter().position(|ended| ended.id == run.id) {
            state.size -= state.ended.remove(place).map_or(0, |before| before.size());
        }
        state.running.insert(Arc::clone(&run.id), Arc::clone(run));
        if state.is_stopping {
            run.stop.now();
        }
    }

    /// Takes a run from those under way to those that ended.
    fn retire(&self, run: &Arc<Run>) {
        let mut state = self.state();
        state.running.remove(&run.id);
        state.ended.push_back(Arc::clone(run));
        state.size += run.size();
        // The latest is kept, however large it is.
        while state.ended.len() > 1 && (state.ended.len() > KEPT || state.size > KEPT_BYTES) {
            state.size -= state.ended.pop_front().map_or(0, |oldest| oldest.size());
        }
        drop(state);
        let ended = self.ended.fetch_add(1, Ordering::Relaxed) + 1;
        if ended.is_multiple_of(TIDIED) && self.journal.initialized() {
            let (folder, tidying) = (self.deployment.folder.clone(), Arc::clone(&self.tidying));
            spawn_blocking(move || {
                // Two would only wait for each other.
                let alone = tidying.try_lock();
                if alone.is_ok() {
                    history::tidy(&folder);
                }
            });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Run {
    /// Waits until it has come to its end. Cancel safe.
    pub(crate) async fn ended(&self) -> Result<Arc<Outcome>, Problem> {
        let mut outcome = self.outcome.subscribe();
        let ended = outcome.wait_for(Option::is_some).await;
        // The sender is here, so it cannot be gone.
        ended.ok().and_then(|outcome| outcome.clone()).ok_or_else(|| Problem::broken("the run broke"))
    }

    /// What came of it, if it has come to its end.
    pub(crate) fn outcome(&self) -> Option<Arc<Outcome>> {
        self.outcome.borrow().clone()
    }

    /// How many bytes it takes, when it has ended.
    fn size(&self) -> usize {
        self.feed.size() + self.outcome.borrow().as_ref().map_or(0, |outcome| outcome.size)
    }

    /// Ends it, unless it has ended.
    pub(crate) fn cancel(&self) {
        self.stop.now();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.under_way.send_modify(|count| *count -= 1);
    }
}

/// What is run.
enum Work {
    /// A new run, with these inputs.
    New(Object),
    /// The one that was begun, with the inputs that it was given.
    Resume(Arc<str>, Object),
}

impl Work {
    fn inputs(&self) -> Object {
        let (Self::New(inputs) | Self::Resume(_, inputs)) = self;
        inputs.clone()
    }
}

/// Puts the events of a run into its feed.
struct Watcher {
    runs: Arc<Runs>,
    pending: Mutex<Option<Pending>>,
    run: OnceLock<Arc<Run>>,
    feed: Arc<Feed>,
    /// That the run has ended.
    last: OnceLock<serde_json::Value>,
    began: Instant,
}

/// A run that has no name yet.
struct Pending {
    pipeline: Arc<Pipeline>,
    inputs: Object,
    stop: Stop,
    reply: oneshot::Sender<Result<Arc<Run>, Problem>>,
}

impl Watcher {
    /// Takes note of a run that has begun; one that is not kept is given a name here.
    fn begin(&self, name: Option<&str>) {
        let Some(Pending { pipeline, inputs, stop, reply }) = self.pending() else { return };
        let run = Arc::new(Run {
            id: name.map_or_else(new_name, Into::into),
            pipeline: Arc::clone(&pipeline.name),
            file: pipeline.file().display().to_string(),
            began: SystemTime::now(),
            inputs,
            feed: Arc::clone(&self.feed),
            stop,
            outcome: watch::Sender::new(None),
        });
        let _ = self.run.set(Arc::clone(&run));
        self.runs.admit(&run);
        let event = json!({ "event": "run-started", "run": run.id, "pipeline": run.pipeline });
        self.runs.deployment.events.push("run-started", &event);
        // Whoever asked may have gone.
        let _ = reply.send(Ok(run));
    }

    /// Takes note of what came of it.
    async fn end(
        &self,
        pipeline: &Pipeline,
        definition: &Definition,
        report: Result<RunReport, JournalError>,
    ) {
        let report = match report {
            Ok(report) => report,
            Err(error) => {
                if let Some(pending) = self.pending() {
                    let _ = pending.reply.send(Err(journal_problem(&error)));
                }
                return;
            }
        };
        let Some(run) = self.run.get() else { return };
        let host = self.runs.deployment.engine.host();
        let summary = Summary::of(definition, &report, host, |id| pipeline.wanted.contains_key(id)).await;
        let told = run::failure(definition, &pipeline.project, &report, Colour::Off);
        let summary = summary.to_json().unwrap_or_default();
        let outcome = Outcome {
            status: status(&report),
            // A tree takes more than its text, and the inputs are here, too.
            size: 4 * (summary.to_string().len() + Value::from(run.inputs.clone()).to_json().len()),
            summary,
            told: told.map(|told| redacted(&told).into_owned()),
        };
        let event = json!({
            "event": "run-finished", "run": run.id, "pipeline": run.pipeline, "status": outcome.status,
        });
        self.runs.metrics.run(&run.pipeline, outcome.status, report.took);
        run.outcome.send_replace(Some(Arc::new(outcome)));
        if let Some(last) = self.last.get() {
            self.tell(last);
        }
        run.feed.end();
        self.runs.retire(run);
        self.runs.deployment.events.push("run-finished", &event);
    }

    fn tell(&self, line: &serde_json::Value) {
        self.feed.push(line["event"].as_str().unwrap_or_default(), line);
    }

    fn pending(&self) -> Option<Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Observer for Watcher {
    fn event(&self, event: &RunEvent<'_>) {
        if let RunEvent::RunStarted { run, .. } = event {
            self.begin(*run);
        }
        let Some(line) = events::line(self.began, event) else { return };
        match event {
            // Whoever reads that it has ended may ask what came of it.
            RunEvent::RunFinished { .. } => drop(self.last.set(line)),
            _ => self.tell(&line),
        }
    }

    fn wants_tokens(&self) -> bool {
        true
    }
}

const fn status(report: &RunReport) -> &'static str {
    match &report.outputs {
        Ok(_) => "done",
        Err(RunError::Interrupted) => "interrupted",
        Err(_) => "failed",
    }
}

/// A name for a run that is not kept, which no run that is kept can have: those are shorter.
fn new_name() -> Arc<str> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("unkept-{}", NEXT.fetch_add(1, Ordering::Relaxed)).into()
}

fn journal_problem(error: &JournalError) -> Problem {
    match error {
        JournalError::Unknown { .. } | JournalError::Ambiguous { .. } => {
            Problem { code: "no-such-run".to_owned(), ..Problem::not_found(error) }
        }
        JournalError::Taken { .. } | JournalError::Done { .. } => Problem::conflict("not-resumable", error),
        _ => Problem::error("journal", error).status(StatusCode::SERVICE_UNAVAILABLE),
    }
}
