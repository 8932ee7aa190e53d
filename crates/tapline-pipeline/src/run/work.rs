//! What a step does: asks a plugin, is a value, or is made of other steps.

use std::sync::Arc;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use indexmap::IndexMap;
use tapline_core::{Name, Object, Value};

use super::Run;
use super::error::{Ended, RunError, StepError};
use super::frame::Frame;
use super::path::Path;
use super::steps::{Outcome, Steps};
use crate::definition::{CallDefinition, PartDefinition, RenderError, Step, Work};

static WITH: Name = Name::new(|| "with".into());
static SCOPE: Name = Name::new(|| "scope".into());

/// So deep may pipelines run inside of each other unless the file says it.
const DEPTH: usize = 16;

impl Steps {
    /// What the step's plugin or part is asked; `null` for a step that asks nobody.
    pub(super) fn asked(&self, step: &Step, frame: &Frame) -> Result<Value, RenderError> {
        match &step.work {
            Work::Call(call) => asked(call, frame),
            Work::Pipeline(part) => part.with.render(frame),
            _ => Ok(Value::Null),
        }
    }

    /// Does the work of a step that no plugin handles.
    pub(super) async fn compose(
        &self,
        step: &Step,
        input: Value,
        path: Path<'_>,
        frame: &Frame,
    ) -> Result<Value, Ended> {
        let outcome = match &step.work {
            Work::Call(_) => return Ok(Value::Null),
            Work::Value(value) => return self.rendered(step, path, value.render(frame)),
            Work::All(parts) => return self.all(parts, path, frame).await,
            Work::Pipeline(part) => return self.pipeline(step, part, input, path).await,
            Work::Switch(cases) => self.switch(cases, path, frame).await?,
            Work::First(parts) => self.first(parts, path, frame).await?,
            Work::Fallback(parts) => self.fallback(parts, path, frame).await?,
        };
        Ok(outcome.into_value())
    }

    async fn switch(&self, cases: &[Step], path: Path<'_>, frame: &Frame) -> Result<Outcome, Ended> {
        for (place, case) in cases.iter().enumerate() {
            match self.part(case, Path::Part(&path, &place.to_string()), frame).await? {
                Outcome::Skipped => {}
                outcome => return Ok(outcome),
            }
        }
        Ok(Outcome::Skipped)
    }

    async fn all(
        &self,
        parts: &IndexMap<Arc<str>, Step>,
        path: Path<'_>,
        frame: &Frame,
    ) -> Result<Value, Ended> {
        let path = &path;
        let running: FuturesUnordered<_> = parts
            .iter()
            .enumerate()
            .map(|(place, (name, part))| async move {
                Ok::<_, Ended>((place, self.part(part, Path::Part(path, name), frame).await?))
            })
            .collect();
        let mut outcomes: Vec<_> = running.try_collect().await?;
        outcomes.sort_by_key(|(place, _)| *place);
        let kept = outcomes.into_iter().filter(|(_, outcome)| !matches!(outcome, Outcome::LeftOut));
        let named = kept.filter_map(|(place, outcome)| {
            Some((Arc::clone(parts.get_index(place)?.0), outcome.into_value()))
        });
        Ok(named.collect())
    }

    /// Whoever is done first is taken; the failure that came last is told when all have failed.
    async fn first(&self, parts: &[Step], path: Path<'_>, frame: &Frame) -> Result<Outcome, Ended> {
        let path = &path;
        let mut running: FuturesUnordered<_> = parts
            .iter()
            .enumerate()
            .map(|(place, part)| {
                async move {
                    let name = place.to_string();
                    self.part(part, Path::Part(path, &name), frame).await
                }
                .boxed()
            })
            .collect();
        let mut failure = None;
        while let Some(done) = running.next().await {
            match done {
                Err(Ended::Failed(failed)) => failure = Some(failed),
                done => return done,
            }
        }
        failure.map_or(Ok(Outcome::Skipped), |failure| Err(Ended::Failed(failure)))
    }

    async fn fallback(&self, parts: &[Step], path: Path<'_>, frame: &Frame) -> Result<Outcome, Ended> {
        let mut failure = None;
        for (place, part) in parts.iter().enumerate() {
            match self.part(part, Path::Part(&path, &place.to_string()), frame).await {
                Err(Ended::Failed(failed)) => failure = Some(failed),
                done => return done,
            }
        }
        failure.map_or(Ok(Outcome::Skipped), |failure| Err(Ended::Failed(failure)))
    }

    async fn pipeline(
        &self,
        step: &Step,
        part: &PartDefinition,
        input: Value,
        path: Path<'_>,
    ) -> Result<Value, Ended> {
        let limit = self.shared.depth.unwrap_or(DEPTH);
        if self.depth >= limit {
            return Err(Ended::Run(RunError::Depth { limit }));
        }
        let given = input.as_object().cloned().unwrap_or_default();
        let inputs = part.definition.input_values(&given).map_err(|errors| {
            let message = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            self.failed(step, path, 1, StepError::Inputs { file: Arc::clone(&part.file), message })
        })?;
        let run = Run::inside(self, &part.definition, inputs, format!("{path}/").into());
        let outputs = Box::pin(run.outputs()).await;
        outputs.map(Value::from).map_err(|error| match error {
            RunError::Step(failure) => Ended::Failed(failure),
            error => Ended::Run(error),
        })
    }
}

/// What a plugin is asked: its settings, and the variables that the expressions in them name.
fn asked(call: &CallDefinition, frame: &Frame) -> Result<Value, RenderError> {
    use tapline_template::Scope as _;
    let with = call.with.render(frame)?;
    if call.scope.is_empty() {
        return Ok(Object::from_iter([(WITH.shared(), with)]).into());
    }
    let named = call.scope.iter().filter_map(|name| Some((Arc::clone(name), frame.variable(name)?.clone())));
    Ok(Object::from_iter([(WITH.shared(), with), (SCOPE.shared(), named.collect())]).into())
}
