use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tapline_core::BoxFuture;
use tapline_pipeline::{JournalError, RunEnding, RunJournal, StepRecord};

use crate::claim::Claim;
use crate::folder::Folder;
use crate::runs::Ending;
use crate::writer::Writer;
use crate::{column, runs, steps};

/// A run that is under way here.
#[derive(Debug)]
pub(crate) struct SqliteRun {
    id: Arc<str>,
    number: i64,
    /// `None` when the run has ended.
    claim: Mutex<Option<Arc<Claim>>>,
    folder: Folder,
    writer: Writer,
}

impl SqliteRun {
    pub(crate) const fn new(
        id: Arc<str>,
        number: i64,
        claim: Arc<Claim>,
        folder: Folder,
        writer: Writer,
    ) -> Self {
        Self { id, number, claim: Mutex::new(Some(claim)), folder, writer }
    }

    /// What is asked of the writer holds the claim, too: nothing of this run is written when it is somebody else's.
    fn claim(&self) -> Result<Arc<Claim>, JournalError> {
        let claim = self.claim.lock().unwrap_or_else(PoisonError::into_inner);
        claim.clone().ok_or_else(|| self.folder.unusable(format_args!("run `{}` has ended", self.id)))
    }

    fn release(&self) {
        drop(self.claim.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl RunJournal for SqliteRun {
    fn id(&self) -> &str {
        &self.id
    }

    fn step(&self, step: StepRecord) -> BoxFuture<'_, Result<(), JournalError>> {
        Box::pin(async move {
            let (claim, number) = (self.claim()?, self.number);
            let output = column::json(&step.output).map_err(|error| self.folder.unusable(error))?;
            let put = move |connection: &_| claim.during(|| steps::put(connection, number, &step, &output));
            self.writer.write(put).await
        })
    }

    fn end(&self, ending: RunEnding) -> BoxFuture<'_, Result<(), JournalError>> {
        Box::pin(async move {
            let (claim, number) = (self.claim()?, self.number);
            let ending = Ending::of(ending).map_err(|error| self.folder.unusable(error))?;
            let is_done = ending.is_done();
            let end = move |connection: &_| {
                claim.during(|| runs::end(connection, number, &ending, SystemTime::now()))
            };
            self.writer.write(end).await?;
            if is_done {
                self.folder.forget(&self.id);
            }
            self.release();
            Ok(())
        })
    }
}
