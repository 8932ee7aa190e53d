use serde::{Deserialize, Serialize};
use serde_json::Value;

use tapline::journal::{RunDetails, RunSummary};
use utoipa::ToSchema;

use crate::history::moment;
use crate::output::redacted_json;
use crate::summary::milliseconds;

use super::runs::Run;

/// A run in a list.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RunView {
    /// Its name.
    pub(crate) id: String,
    /// The pipeline's name.
    pub(crate) pipeline: String,
    /// The pipeline's file.
    pub(crate) file: String,
    /// `running`, `done`, `failed`, `interrupted`, or `killed` when its process ended before it did.
    pub(crate) status: String,
    /// When it began, as RFC 3339 has it.
    pub(crate) began: String,
    /// How long it was under way.
    pub(crate) milliseconds: f64,
}

/// All that is known of a run.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RunWhole {
    #[serde(flatten)]
    pub(crate) run: RunView,
    /// What it was given.
    #[schema(value_type = Object)]
    pub(crate) inputs: Value,
    /// What it has yielded; `null` unless it is done.
    #[schema(value_type = Option<Object>)]
    pub(crate) outputs: Option<Value>,
    /// Why it failed.
    pub(crate) error: Option<String>,
    /// The steps that are kept, if the run is.
    pub(crate) steps: Vec<StepView>,
    /// What `tapline run --json` writes; `null` while the run is under way, and when it ended long ago. What it says of
    /// plugins is counted since each was loaded, over all runs.
    #[schema(value_type = Option<Object>)]
    pub(crate) summary: Option<Value>,
    /// Why it failed, as `tapline run` shows it: the mistake in its place, what led to it, and how to go on.
    pub(crate) told: Option<String>,
}

/// A step of a run.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct StepView {
    /// Which step, from the outermost node inward: `answer`, `answer[3]`.
    pub(crate) path: String,
    /// The type of the node, or what it is instead.
    pub(crate) kind: String,
    /// `done`, `skipped` or `failed`.
    pub(crate) state: String,
    /// What it has yielded.
    #[schema(value_type = Value)]
    pub(crate) output: Value,
    /// Why it failed.
    pub(crate) error: Option<String>,
    /// How long it took.
    pub(crate) milliseconds: f64,
}

impl RunView {
    pub(crate) fn of(run: &Run) -> Self {
        let outcome = run.outcome();
        let took = || run.began.elapsed().map_or(0.0, milliseconds);
        let known = outcome.as_ref().and_then(|outcome| outcome.summary["milliseconds"].as_f64());
        Self {
            id: run.id.to_string(),
            pipeline: run.pipeline.to_string(),
            file: run.file.clone(),
            status: outcome.map_or("running", |outcome| outcome.status).to_owned(),
            began: moment(run.began),
            milliseconds: known.unwrap_or_else(took),
        }
    }

    pub(crate) fn kept(run: &RunSummary) -> Self {
        Self {
            id: run.id.to_string(),
            pipeline: run.pipeline.to_string(),
            file: run.file.to_string(),
            status: run.status.to_string(),
            began: moment(run.began),
            milliseconds: milliseconds(run.took),
        }
    }
}

impl RunWhole {
    /// Of what is in memory, and of what is kept, which may be either or both.
    pub(crate) fn of(run: Option<&Run>, kept: Option<&RunDetails>) -> Option<Self> {
        let view = run.map(RunView::of).or_else(|| Some(RunView::kept(&kept?.summary)))?;
        let outcome = run.and_then(Run::outcome);
        let summary = outcome.as_ref().map(|outcome| outcome.summary.clone());
        let of_summary =
            |key: &str| summary.as_ref().map(|summary| summary[key].clone()).filter(|it| !it.is_null());
        let kept_outputs = || Some(json(kept?.outputs.as_ref()?));
        let kept_error = || Some(kept?.error.as_ref()?.to_string());
        let inputs = kept.map(|kept| &kept.inputs).or(run.map(|run| &run.inputs));
        let steps = kept.map(steps).unwrap_or_default();
        Some(Self {
            run: view,
            inputs: inputs.map(json).unwrap_or_default(),
            outputs: of_summary("outputs").or_else(kept_outputs),
            error: of_summary("error")
                .and_then(|error| error.as_str().map(str::to_owned))
                .or_else(kept_error),
            steps,
            told: outcome.as_ref().and_then(|outcome| outcome.told.clone()),
            summary,
        })
    }
}

fn steps(kept: &RunDetails) -> Vec<StepView> {
    let steps = kept.steps.iter().map(|step| StepView {
        path: step.path.to_string(),
        kind: step.kind.to_string(),
        state: step.state.to_string(),
        output: json(&step.output),
        error: step.error.as_deref().map(str::to_owned),
        milliseconds: milliseconds(step.took),
    });
    steps.collect()
}

/// A value without secrets.
fn json(value: &impl Serialize) -> Value {
    redacted_json(serde_json::to_value(value).unwrap_or_default())
}
