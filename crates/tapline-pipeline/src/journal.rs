//! What the engine asks of whoever keeps its runs. The engine is given a journal and knows none.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tapline_core::{BoxFuture, Object, Value};

/// Keeps runs, so that they outlive the process.
pub trait Journal: Send + Sync + fmt::Debug {
    /// Takes down that a run begins, and claims it for the caller until what comes back is dropped, or the process dies.
    ///
    /// # Errors
    /// When it cannot be kept; then nothing is.
    fn begin(&self, run: RunRecord) -> BoxFuture<'_, Result<Arc<dyn RunJournal>, JournalError>>;

    /// Claims a run that did not come to its end, and says what is known of it.
    ///
    /// # Errors
    /// When there is no such run, somebody else has it, it is done, or the journal cannot be read.
    fn resume(&self, id: &str) -> BoxFuture<'_, Result<Resumed, JournalError>>;

    /// What was kept under a key and is still fresh.
    ///
    /// # Errors
    /// When the journal cannot be read.
    fn cached(&self, key: Digest) -> BoxFuture<'_, Result<Option<Value>, JournalError>>;

    /// Keeps a value under a key until a time; one that was there before is replaced.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn cache(&self, key: Digest, value: Value, until: SystemTime) -> BoxFuture<'_, Result<(), JournalError>>;
}

/// Keeps one run.
pub trait RunJournal: Send + Sync + fmt::Debug {
    /// The run's name in the journal.
    fn id(&self) -> &str;

    /// Keeps what came of a step; when the future is ready, a power cut does not lose it. A later record of the same
    /// path replaces an earlier one. Cancel safe: a future that is dropped may have kept it, or not.
    ///
    /// # Errors
    /// When it cannot be kept; what was kept before stays.
    fn step(&self, step: StepRecord) -> BoxFuture<'_, Result<(), JournalError>>;

    /// Keeps how the run ended, and gives it free.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn end(&self, ending: RunEnding) -> BoxFuture<'_, Result<(), JournalError>>;
}

/// What is known of a run that goes on, and what keeps it from now on.
pub type Resumed = (KeptRun, Arc<dyn RunJournal>);

/// 32 bytes that stand for a content.
pub type Digest = [u8; 32];

/// A run that begins.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// The pipeline's name.
    pub pipeline: Arc<str>,
    /// The file, as it can be found again.
    pub file: Arc<str>,
    /// The file's text.
    pub text: Arc<str>,
    /// What the run is given.
    pub inputs: Object,
    /// When it begins.
    pub began: SystemTime,
}

/// What is known of a run that goes on.
#[derive(Debug, Clone)]
pub struct KeptRun {
    /// How it began.
    pub run: RunRecord,
    /// The steps that are done, the last record of each path.
    pub steps: Vec<StepRecord>,
}

/// What came of a step: a node, one item of a node that maps, or one turn of a loop.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRecord {
    /// Which step, from the outermost node inward: `answer`, `answer[3]`, `refine#2`, `part/answer`.
    pub path: Arc<str>,
    /// The type of the node, or what it is instead, as in `switch`.
    pub kind: Arc<str>,
    /// What came of it.
    pub state: StepState,
    /// Stands for all that its output depends on.
    pub input: Digest,
    /// What it has yielded; `null` when it failed. A large value is kept elsewhere, and this is where.
    pub output: Value,
    /// Why it failed.
    pub error: Option<Arc<str>>,
    /// When it began.
    pub began: SystemTime,
    /// How long it took.
    pub took: Duration,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// It has an output.
    Done,
    /// It was not wanted.
    Skipped,
    /// It has an error.
    Failed,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum RunEnding {
    /// It has outputs.
    Done(Object),
    /// It has an error; it can be resumed.
    Failed(Arc<str>),
    /// Somebody ended it; it can be resumed.
    Interrupted,
}

/// Why a journal does not do what it is asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// There is no room for it; the run can be resumed when there is.
    #[error("the disk is full: {message}")]
    Full {
        /// What the system says.
        message: Arc<str>,
    },
    /// There is no such run.
    #[error("there is no run `{id}`")]
    Unknown {
        /// What was asked for.
        id: Arc<str>,
    },
    /// There are several runs whose name begins so.
    #[error("`{id}` is the beginning of several runs: {}", runs.join(", "))]
    Ambiguous {
        /// What was asked for.
        id: Arc<str>,
        /// The runs.
        runs: Vec<String>,
    },
    /// Another process has the run.
    #[error("run `{id}` is under way in another process")]
    Taken {
        /// The run.
        id: Arc<str>,
    },
    /// The run has come to its end.
    #[error("run `{id}` is done")]
    Done {
        /// The run.
        id: Arc<str>,
    },
    /// The journal cannot be read or written.
    #[error("the journal {file}: {message}")]
    Unusable {
        /// The journal's file.
        file: Arc<str>,
        /// What is wrong with it.
        message: Arc<str>,
    },
}

impl fmt::Display for StepState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        })
    }
}
