use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use tapline_core::{BoxFuture, Value};
use tapline_pipeline::{Digest, Journal, JournalError, Resumed, RunJournal, RunRecord};

use crate::claim::Claim;
use crate::folder::Folder;
use crate::run::SqliteRun;
use crate::writer::Writer;
use crate::{cache, column, id, runs, schema};

/// A journal in a folder that several processes share.
///
/// All its futures are cancel safe: what has been asked for is done, or not, and never by half. The thread that writes
/// ends when the journal and all its runs are dropped.
#[derive(Debug)]
pub struct SqliteJournal {
    folder: Folder,
    writer: Writer,
}

impl SqliteJournal {
    /// Opens the journal of a folder, and makes both where there are none. Blocks.
    ///
    /// # Errors
    /// When the folder cannot be made or written in, the disk is full, or the database is none, is that of something
    /// else, or was made by a newer version.
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        let folder = Folder::new(folder);
        folder.make()?;
        let connection = schema::open(&folder)?;
        let writer = Writer::start(connection, folder.clone())?;
        Ok(Self { folder, writer })
    }

    /// `None` when there is a run of that name.
    async fn begin_as(
        &self,
        id: Arc<str>,
        run: &Arc<RunRecord>,
        inputs: &Arc<str>,
    ) -> Result<Option<SqliteRun>, JournalError> {
        // Opening and locking a file does not wait for the disk, so it is done where we are.
        let Some(claim) = Claim::take(&self.folder, &id)?.map(Arc::new) else { return Ok(None) };
        let insert = {
            let (claim, id, run, inputs) = (claim.clone(), id.clone(), run.clone(), inputs.clone());
            move |connection: &_| claim.during(|| runs::insert(connection, &id, &run, &inputs))
        };
        match self.writer.write(insert).await {
            Ok(number) => Ok(number.map(|number| self.run(id, number, claim))),
            Err(error) => {
                self.folder.forget(&id);
                Err(error)
            }
        }
    }

    fn run(&self, id: Arc<str>, number: i64, claim: Arc<Claim>) -> SqliteRun {
        SqliteRun::new(id, number, claim, self.folder.clone(), self.writer.clone())
    }
}

impl Journal for SqliteJournal {
    /// A future that is dropped may leave a run that nobody has under way, as if its process had been killed.
    fn begin(&self, run: RunRecord) -> BoxFuture<'_, Result<Arc<dyn RunJournal>, JournalError>> {
        Box::pin(async move {
            let inputs = column::json(&run.inputs.clone().into());
            let inputs = inputs.map_err(|error| self.folder.unusable(error))?.into();
            let run = Arc::new(run);
            loop {
                let id = id::random().map_err(|error| self.folder.unusable(error))?;
                if let Some(run) = self.begin_as(id, &run, &inputs).await? {
                    return Ok(Arc::new(run) as Arc<dyn RunJournal>);
                }
            }
        })
    }

    fn resume(&self, id: &str) -> BoxFuture<'_, Result<Resumed, JournalError>> {
        let asked: Arc<str> = id.into();
        Box::pin(async move {
            let id = self.writer.write(move |connection| runs::named(connection, &asked)).await??;
            let Some(claim) = Claim::take(&self.folder, &id)?.map(Arc::new) else {
                return Err(JournalError::Taken { id });
            };
            let take_up = {
                let (claim, id) = (claim.clone(), id.clone());
                move |connection: &_| claim.during(|| runs::take_up(connection, &id, SystemTime::now()))
            };
            match self.writer.write(take_up).await? {
                Ok((number, kept)) => Ok((kept, Arc::new(self.run(id, number, claim)) as _)),
                // It came to its end, or was removed, a moment ago; its file has no use any more.
                Err(error) => {
                    self.folder.forget(&id);
                    Err(error)
                }
            }
        })
    }

    fn cached(&self, key: Digest) -> BoxFuture<'_, Result<Option<Value>, JournalError>> {
        Box::pin(self.writer.write(move |connection| cache::get(connection, &key, SystemTime::now())))
    }

    fn cache(&self, key: Digest, value: Value, until: SystemTime) -> BoxFuture<'_, Result<(), JournalError>> {
        Box::pin(async move {
            let value = column::json(&value).map_err(|error| self.folder.unusable(error))?;
            let put = move |connection: &_| cache::put(connection, &key, &value, until, SystemTime::now());
            self.writer.write(put).await
        })
    }
}

#[cfg(test)]
mod tests;
