use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use tapline::pipeline::RunSettings;
use tapline_test_kit::Mismatch;

use super::Stage;
use super::complaints::Complaints;
use super::expect::compare;
use super::fit::{Playable, Traffic};
use super::mocks::Mocks;
use super::player::Player;
use super::recorder::Recorder;
use crate::output::Output;
use crate::results::counted;
use crate::run;

/// Plays a case in a host of its own: says what was not as expected.
pub(super) async fn play(stage: &Stage, playable: &Playable<'_>) -> Result<Vec<Mismatch>> {
    let Stage { project, definition, secrets } = stage;
    let engine = run::engine(project, secrets.clone(), definition, None).await?;
    let complaints = Arc::new(Complaints::default());
    let mocks = Mocks::new(playable.case, Arc::clone(&complaints));
    mocks.join(&engine)?;
    let recorder = Arc::new(Recorder::default());
    match &playable.traffic {
        Traffic::Real => {}
        Traffic::Recorded(_) => recorder.join(&engine)?,
        Traffic::Replayed(exchanges) => Player::new(exchanges, Arc::clone(&complaints)).join(&engine)?,
    }
    let settings = RunSettings::new(playable.inputs.clone()).folder(&project.folder);
    let report = engine.run_with(Arc::clone(definition), settings).await?;
    let expect = &playable.case.expect;
    let ended_as_expected = report.outputs.is_err() == expect.error.is_some();
    let mut mismatches = complaints.take();
    mismatches.extend(compare(expect, report, &mocks));
    if let Traffic::Recorded(file) = &playable.traffic {
        mismatches.extend(keep(&recorder, file, ended_as_expected));
    }
    if let Err(error) = engine.host().shut_down().await {
        mismatches.push(Mismatch::other("a plugin does not end", format!("{:#}", anyhow::Error::new(error))));
    }
    Ok(mismatches)
}

/// Writes a recording, unless the run came to another end than the case expects: a server that is down for a moment
/// does not take the place of what was recorded before.
fn keep(recorder: &Recorder, file: &Path, ended_as_expected: bool) -> Option<Mismatch> {
    let file_name = file.display();
    if !ended_as_expected {
        return Some(Mismatch::other("nothing was recorded", format!("{file_name} is as it was")));
    }
    match recorder.write(file) {
        Ok(count) => {
            Output::Error.line(format_args!("recorded {} in {file_name}", counted(count, "request")));
            None
        }
        Err(error) => {
            Some(Mismatch::other("the recording cannot be written", format!("{file_name}: {error}")))
        }
    }
}
