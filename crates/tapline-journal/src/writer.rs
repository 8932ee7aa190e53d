use std::slice;
use std::thread;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tapline_pipeline::JournalError;
use tokio::sync::{mpsc, oneshot};

use crate::folder::Folder;

/// So much is written in one transaction.
const LARGEST_BATCH: usize = 128;
/// So much may wait; whoever asks for more waits before it is taken.
const MOST_WAITING: usize = 128;

/// The one thread that talks to the database of a journal. It ends when all copies of this are dropped.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    tasks: mpsc::Sender<Box<dyn Task>>,
    folder: Folder,
}

impl Writer {
    pub(crate) fn start(connection: Connection, folder: Folder) -> Result<Self, JournalError> {
        let (tasks, asked) = mpsc::channel(MOST_WAITING);
        let writer = Self { tasks, folder: folder.clone() };
        let body = move || write_all(connection, asked, &folder);
        let started = thread::Builder::new().name("tapline-journal".to_owned()).spawn(body);
        started.map_err(|error| writer.folder.io(&error))?;
        Ok(writer)
    }

    /// Does some work within a transaction, and answers when the disk has it. Work must be repeatable: it is done once
    /// more when others that shared its transaction fail.
    ///
    /// Work of a future that is dropped is done all the same, unless it was not taken yet.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, JournalError> {
        let (answer, answered) = oneshot::channel();
        let task = Box::new(Asked { work, outcome: None, answer });
        let ended = || self.folder.unusable("its writer has ended");
        self.tasks.send(task).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

trait Task: Send {
    fn perform(&mut self, connection: &Connection) -> rusqlite::Result<()>;

    fn answer(self: Box<Self>, committed: Result<(), JournalError>);
}

struct Asked<T, W> {
    work: W,
    outcome: Option<T>,
    answer: oneshot::Sender<Result<T, JournalError>>,
}

impl<T: Send, W: Fn(&Connection) -> rusqlite::Result<T> + Send> Task for Asked<T, W> {
    fn perform(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.outcome = Some((self.work)(connection)?);
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), JournalError>) {
        let Self { work, outcome, answer } = *self;
        // What the work holds of a claim is given back before whoever waits goes on.
        drop(work);
        let outcome = match committed {
            Ok(()) => outcome.map(Ok),
            Err(error) => Some(Err(error)),
        };
        if let Some(outcome) = outcome {
            // Nobody listens when the future was dropped.
            let _ = answer.send(outcome);
        }
    }
}

fn write_all(mut connection: Connection, mut asked: mpsc::Receiver<Box<dyn Task>>, folder: &Folder) {
    let mut batch = Vec::with_capacity(LARGEST_BATCH);
    while asked.blocking_recv_many(&mut batch, LARGEST_BATCH) > 0 {
        let committed = commit(&mut connection, &mut batch);
        let is_for_all = batch.len() == 1 || committed.as_ref().err().is_none_or(is_busy);
        for mut task in batch.drain(..) {
            let committed = match &committed {
                Ok(()) => Ok(()),
                Err(error) if is_for_all => Err(folder.sqlite(error)),
                // One of them may be too large for the disk while there is room for the others.
                Err(_) => {
                    commit(&mut connection, slice::from_mut(&mut task)).map_err(|error| folder.sqlite(&error))
                }
            };
            task.answer(committed);
        }
    }
}

fn commit(connection: &mut Connection, tasks: &mut [Box<dyn Task>]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for task in tasks {
        task.perform(&transaction)?;
    }
    transaction.commit()
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}
