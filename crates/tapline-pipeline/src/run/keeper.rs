use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use lru::LruCache;
use tapline_core::Value;
use tapline_host::Host;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::error::{Ended, with_causes};
use super::path::Path;
use crate::definition::{CallDefinition, Durability, Step};
use crate::journal::{Digest, Journal, JournalError, RunJournal, StepRecord, StepState};

/// Keeps what comes of steps: in the journal if there is one, and for `cache` in memory otherwise.
pub(crate) struct Keeper {
    journal: Option<Arc<dyn Journal>>,
    run: Option<Arc<dyn RunJournal>>,
    durability: Durability,
    /// What the run had done before it was resumed.
    before: HashMap<Arc<str>, StepRecord>,
    /// What is to be kept when the run ends.
    later: Mutex<Vec<StepRecord>>,
    memory: Arc<Memory>,
}

/// Outputs that are kept for as long as the engine lives.
pub(crate) type Memory = Mutex<LruCache<Digest, (Value, SystemTime)>>;

/// Records of one node that are on their way to the journal. Items do not wait for each other's, so that many share one
/// wait for the disk; the node waits for all.
#[derive(Default)]
pub(super) struct Pending(tokio::sync::Mutex<Option<JoinSet<Result<(), JournalError>>>>);

/// So many records may be on their way.
const MOST_PENDING: usize = 256;

impl Pending {
    async fn begin(&self, run: &Arc<dyn RunJournal>, record: StepRecord) -> Result<(), JournalError> {
        let mut pending = self.0.lock().await;
        let pending = pending.get_or_insert_default();
        if pending.len() >= MOST_PENDING {
            joined(pending.join_next().await)?;
        }
        let run = Arc::clone(run);
        pending.spawn(async move { run.step(record).await });
        Ok(())
    }

    /// Waits until all are kept.
    pub(super) async fn finish(&self) -> Result<(), JournalError> {
        let Some(mut pending) = self.0.lock().await.take() else { return Ok(()) };
        while !pending.is_empty() {
            joined(pending.join_next().await)?;
        }
        Ok(())
    }
}

/// A task that is gone has kept nothing.
fn joined(done: Option<Result<Result<(), JournalError>, JoinError>>) -> Result<(), JournalError> {
    match done {
        None => Ok(()),
        Some(Ok(kept)) => kept,
        Some(Err(error)) => {
            Err(JournalError::Unusable { file: "of the run".into(), message: error.to_string().into() })
        }
    }
}

impl Keeper {
    pub(crate) fn new(
        journal: Option<Arc<dyn Journal>>,
        durability: Durability,
        memory: Arc<Memory>,
    ) -> Self {
        let (run, before, later) = (None, HashMap::new(), Mutex::default());
        Self { journal, run, durability, before, later, memory }
    }

    /// Keeps a run, of which some steps may be known.
    pub(crate) fn of_run(mut self, run: Arc<dyn RunJournal>, steps: Vec<StepRecord>) -> Self {
        let done = steps.into_iter().filter(|step| step.state == StepState::Done);
        self.before = done.map(|step| (Arc::clone(&step.path), step)).collect();
        self.run = Some(run);
        self
    }

    pub(super) fn keeps_runs(&self) -> bool {
        self.run.is_some()
    }

    pub(crate) fn run_id(&self) -> Option<&str> {
        self.run.as_deref().map(RunJournal::id)
    }

    /// Stands for all that the output of a call depends on: what it is asked, and the version of whoever is asked.
    pub(super) fn asked(&self, host: &Host, call: &CallDefinition, input: &Value) -> Digest {
        let mut hasher = blake3::Hasher::new();
        let contribution = host.registry().contribution(&call.request.point, &call.node_type);
        let version = contribution.and_then(|contribution| host.version(&contribution.plugin));
        let version = version.map(|version| version.to_string());
        for part in [&*call.plugin, version.as_deref().unwrap_or_default(), &call.node_type] {
            hasher.update(part.as_bytes());
            hasher.update(&[0]);
        }
        // A value is JSON already, and memory takes all that it is given.
        let _ = serde_json::to_writer(&mut hasher, input);
        *hasher.finalize().as_bytes()
    }

    /// The output of a step that was done before with the same, in this run or for `cache` in any.
    pub(super) async fn known(
        &self,
        path: &Path<'_>,
        asked: Digest,
        cache: Option<Duration>,
    ) -> Result<Option<Value>, JournalError> {
        if !self.before.is_empty()
            && let Some(step) = self.before.get(&*path.to_arc())
            && step.input == asked
        {
            return Ok(Some(step.output.clone()));
        }
        match (&self.journal, cache) {
            (_, None) => Ok(None),
            (Some(journal), Some(_)) => journal.cached(asked).await,
            (None, Some(_)) => Ok(self.remembered(asked)),
        }
    }

    fn remembered(&self, asked: Digest) -> Option<Value> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let (value, until) = memory.get(&asked)?;
        (*until > SystemTime::now()).then(|| value.clone())
    }

    /// Keeps what came of a step.
    pub(super) async fn keep(
        &self,
        step: &Step,
        path: &Path<'_>,
        asked: Digest,
        (began, clock): (SystemTime, Instant),
        done: &Result<Value, Ended>,
        pending: &Pending,
    ) -> Result<(), JournalError> {
        if let (Ok(output), Some(ttl)) = (done, step.rules.cache) {
            self.cache(asked, output, ttl).await?;
        }
        let Some(run) = &self.run else { return Ok(()) };
        let (state, output, error) = match done {
            Ok(output) => (StepState::Done, output.clone(), None),
            Err(Ended::Failed(failure)) => {
                (StepState::Failed, Value::Null, Some(with_causes(failure).into()))
            }
            // The run ends, and says why itself.
            Err(Ended::Run(_)) => return Ok(()),
        };
        let is_node = path.is_node();
        let (path, kind, took) = (path.to_arc(), step.kind(), clock.elapsed());
        let record = StepRecord { path, kind, state, input: asked, output, error, began, took };
        match self.durability {
            Durability::Node if is_node => return run.step(record).await,
            Durability::Node => return pending.begin(run, record).await,
            Durability::Exit | Durability::None => {}
        }
        self.later.lock().unwrap_or_else(PoisonError::into_inner).push(record);
        Ok(())
    }

    /// Keeps what came of a node that was done page by page.
    pub(super) async fn keep_output(
        &self,
        step: &Step,
        path: &Path<'_>,
        asked: Digest,
        began: (SystemTime, Instant),
        output: Result<Value, String>,
    ) -> Result<(), JournalError> {
        let Some(run) = &self.run else { return Ok(()) };
        let (state, output, error) = match output {
            Ok(output) => (StepState::Done, output, None),
            Err(error) => (StepState::Failed, Value::Null, Some(error.into())),
        };
        let (path, kind, took, began) = (path.to_arc(), step.kind(), began.1.elapsed(), began.0);
        run.step(StepRecord { path, kind, state, input: asked, output, error, began, took }).await
    }

    async fn cache(&self, asked: Digest, output: &Value, ttl: Duration) -> Result<(), JournalError> {
        let forever = Duration::from_secs(100 * 365 * 24 * 60 * 60);
        let until = SystemTime::now() + ttl.min(forever);
        if let Some(journal) = &self.journal {
            return journal.cache(asked, output.clone(), until).await;
        }
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).put(asked, (output.clone(), until));
        Ok(())
    }

    /// Keeps what was put off to the end.
    pub(super) async fn settle(&self) -> Result<(), JournalError> {
        let Some(run) = &self.run else { return Ok(()) };
        let later = std::mem::take(&mut *self.later.lock().unwrap_or_else(PoisonError::into_inner));
        let kept = later.into_iter().map(|record| run.step(record));
        futures_util::future::try_join_all(kept).await.map(drop)
    }

    pub(crate) fn journal(&self) -> Option<&Arc<dyn RunJournal>> {
        self.run.as_ref()
    }
}
