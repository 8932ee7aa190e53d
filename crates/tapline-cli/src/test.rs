//! Tests of pipelines: cases in a file beside the pipeline, each played in a host of its own.

mod file;
mod mistakes;
mod fit;
mod complaints;
mod mocks;
mod traffic;
mod recorder;
mod player;
mod expect;
mod play;

use std::sync::Arc;

use anyhow::{Result, bail};
use tapline::host::Secrets;
use tapline::pipeline::Definition;
use tapline_test_kit::CaseResult;

use crate::arguments::PipelineTestArguments;
use crate::output::{self, Output};
use crate::project::Project;
use crate::{Ending, lock, results, run};

use file::{Case, CasesFile};
use fit::{Mode, Playable, fit, refuse_shared_recordings};
use mistakes::Mistakes;

/// What the cases have in common.
struct Stage {
    project: Project,
    definition: Arc<Definition>,
    secrets: Secrets,
}

/// Runs the cases of a pipeline.
pub(crate) fn test(arguments: &PipelineTestArguments) -> Result<Ending> {
    let mut project = Project::read(&arguments.file)?;
    let secrets = project.settings.secrets(|name| variable(name, arguments.record))?;
    output::keep(secrets.clone());
    project.warn();
    project.tell_checked();
    let Some(definition) = project.checked.definition.take() else { return Ok(Ending::Refused) };
    lock::refuse_more(&project)?;
    lock::warn(&project, &definition);
    let stage = Stage { project, definition: Arc::new(definition), secrets };

    let mut mistakes = Mistakes::read(arguments.file.with_extension("test.yaml"))?;
    let file = CasesFile::parse(&mut mistakes).unwrap_or_default();
    refuse_shared_recordings(&file.cases, &mut mistakes);
    let wanted: Vec<_> = file.cases.iter().filter(|case| is_wanted(case, &arguments.only)).collect();
    let mode = if arguments.record { Mode::Record } else { Mode::Replay };
    let cases = fit(&wanted, &stage, mode, &mut mistakes);
    if !mistakes.is_empty() {
        mistakes.tell();
        return Ok(Ending::Refused);
    }
    if cases.is_empty() {
        bail!("no case has {} in its name", quoted(&arguments.only));
    }
    if arguments.record && !cases.iter().any(Playable::is_recorded) {
        bail!("there is nothing to record: no case says with `replay` in which file");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let results = runtime.block_on(play_all(&stage, &cases, &mistakes, arguments.json));
    // A plugin that computes without end cannot be waited for.
    runtime.shutdown_background();
    Ok(results::conclude(&results?, arguments.json))
}

async fn play_all(
    stage: &Stage,
    cases: &[Playable<'_>],
    mistakes: &Mistakes,
    as_json: bool,
) -> Result<Vec<CaseResult>> {
    let mut results = Vec::new();
    for playable in cases {
        let name = &playable.case.name;
        let mismatches = play::play(stage, playable).await?;
        let place = mistakes.place(&name.referenced);
        let result = CaseResult { name: name.value.clone(), place, mismatches, log: Vec::new() };
        if !as_json {
            results::show(&result);
        }
        results.push(result);
    }
    Ok(results)
}

fn is_wanted(case: &Case, only: &[String]) -> bool {
    only.is_empty() || only.iter().any(|part| case.name.value.contains(part))
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}

/// A variable of the environment with a secret in it. What is replayed needs none, so something stands in for one that
/// is not there.
fn variable(name: &str, is_recording: bool) -> Option<String> {
    let value = run::variable(name);
    if value.is_some() || is_recording {
        return value;
    }
    Output::Error.line(format_args!("warning: `{name}` is not set, and `unset-{name}` stands in for it"));
    Some(format!("unset-{name}"))
}
