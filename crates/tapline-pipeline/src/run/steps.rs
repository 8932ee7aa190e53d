use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt as _, stream};
use tapline_core::{BoxFuture, Name, Value};
use tapline_roles::NodeError;

use super::error::{Ended, StepError, StepFailure, with_causes};
use super::event::RunEvent;
use super::frame::Frame;
use super::keeper::Pending;
use super::list::PagedList;
use super::meter::Meter;
use super::path::Path;
use super::shared::Shared;
use crate::definition::{
    CallDefinition, Definition, LoopDefinition, MapDefinition, OnError, RenderError, Step, Work,
};
use crate::diagnostic::{Code, Diagnostic};

static LAST: Name = Name::new(|| "last".into());
static ITERATION: Name = Name::new(|| "iteration".into());
static ERROR: Name = Name::new(|| "error".into());

/// Does the steps of one node, and counts what comes of them.
pub(super) struct Steps {
    pub(super) shared: Arc<Shared>,
    pub(super) definition: Arc<Definition>,
    /// The parts that the node lies in: `part/`.
    pub(super) within: Arc<str>,
    /// How deep pipelines run inside of each other.
    pub(super) depth: usize,
    pub(super) meter: Arc<Meter>,
    pub(super) items: AtomicUsize,
    pub(super) tolerated: AtomicUsize,
    pub(super) reused: AtomicUsize,
    /// What is being kept of items and turns, while others run.
    pub(super) kept: Pending,
}

/// What comes of a step that does not fail.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It has an output.
    Done(Value),
    /// It has an output whose rows are on disk.
    List(Arc<PagedList>),
    /// Its condition was false.
    Skipped,
    /// It failed, and the file says that it is left out with all that waits for it.
    LeftOut,
}

impl Outcome {
    pub(super) fn into_value(self) -> Value {
        if let Self::Done(value) = self { value } else { Value::Null }
    }
}

impl Steps {
    /// Does a step, with all that stands around its work.
    pub(super) async fn run(&self, step: &Step, path: Path<'_>, frame: &Frame) -> Result<Outcome, Ended> {
        if let Some(when) = &step.when
            && !self.rendered(step, path, when.is_true(frame))?
        {
            return Ok(Outcome::Skipped);
        }
        match &step.map {
            None => self.tolerant(step, path, frame).await,
            Some(map) => Box::pin(self.items(step, map, path, frame)).await.map(Outcome::Done),
        }
    }

    /// As [`run`](Self::run), for a node that is done page by page.
    pub(super) async fn run_paged(
        &self,
        step: &Step,
        call: &CallDefinition,
        rows: Option<(Arc<str>, Arc<PagedList>)>,
        path: Path<'_>,
        frame: &Frame,
    ) -> Result<Outcome, Ended> {
        if let Some(when) = &step.when
            && !self.rendered(step, path, when.is_true(frame))?
        {
            return Ok(Outcome::Skipped);
        }
        match self.paged(step, call, rows, path, frame).await {
            Err(Ended::Failed(failure)) => self.tolerate(step, failure, path, frame).await,
            done => done,
        }
    }

    /// As [`run`](Self::run), for steps inside of steps.
    pub(super) fn part<'s>(
        &'s self,
        step: &'s Step,
        path: Path<'s>,
        frame: &'s Frame,
    ) -> BoxFuture<'s, Result<Outcome, Ended>> {
        Box::pin(self.run(step, path, frame))
    }

    /// Does a step for every item of a list; the outputs keep the order of the items. As soon as one item is done, the
    /// next one begins, however long those before it take.
    async fn items(
        &self,
        step: &Step,
        map: &MapDefinition,
        path: Path<'_>,
        frame: &Frame,
    ) -> Result<Value, Ended> {
        let over = self.rendered(step, path, map.over.render(frame))?;
        let Some(items) = over.as_array() else {
            return Err(self.failed(step, path, 1, StepError::NotAList { found: over.kind() }));
        };
        let total = items.len();
        let mut outputs: Vec<Option<Value>> = vec![None; total];
        let one = |(place, item): (usize, &Value)| {
            let (frame, path) = (frame.with(&map.item, item.clone()), Path::Item(&path, place));
            async move {
                // A list of items that never wait would otherwise keep everyone else from their turn.
                tokio::task::coop::consume_budget().await;
                Ok::<_, Ended>((place, self.tolerant(step, path, &frame).await?))
            }
        };
        let mut running = std::pin::pin!(
            stream::iter(items.iter().enumerate()).map(one).buffer_unordered(map.parallel.max(1))
        );
        let (mut done, every) = (0, total.div_ceil(100).max(1));
        while let Some(item) = running.next().await {
            let (place, outcome) = item?;
            if !matches!(outcome, Outcome::LeftOut) {
                outputs[place] = Some(outcome.into_value());
            }
            done += 1;
            if done == total || done.is_multiple_of(every) {
                self.shared.observer.event(&RunEvent::Progress { node: path.node(), done, total });
            }
        }
        self.items.fetch_add(total, Ordering::Relaxed);
        let outputs: Vec<_> = outputs.into_iter().flatten().collect();
        let count = Value::from(outputs.len());
        Ok(Value::from_iter([("items", Value::from(outputs)), ("count", count)]))
    }

    /// Does a step once, and what the file says of its failure.
    async fn tolerant(&self, step: &Step, path: Path<'_>, frame: &Frame) -> Result<Outcome, Ended> {
        let done = match &step.repeat {
            None => self.attempts(step, path, frame).await,
            Some(repeat) => Box::pin(self.turns(step, repeat, path, frame)).await,
        };
        match done {
            Ok(output) => Ok(Outcome::Done(output)),
            Err(Ended::Failed(failure)) => Box::pin(self.tolerate(step, failure, path, frame)).await,
            Err(ended) => Err(ended),
        }
    }

    async fn tolerate(
        &self,
        step: &Step,
        failure: Box<StepFailure>,
        path: Path<'_>,
        frame: &Frame,
    ) -> Result<Outcome, Ended> {
        let message = with_causes(&failure.cause);
        // A step that is made of others fails with them, and that has been told.
        if matches!(step.work, Work::Call(_) | Work::Value(_)) || *failure.path == *path.to_arc() {
            self.tell_failed(&failure, &message).await;
        }
        if !matches!(step.on_error, OnError::Fail) {
            self.tolerated.fetch_add(1, Ordering::Relaxed);
            let event = RunEvent::Tolerated { node: path.node(), path: &failure.path, error: &message };
            self.shared.observer.event(&event);
        }
        match &step.on_error {
            OnError::Fail => Err(Ended::Failed(failure)),
            OnError::Continue => Ok(Outcome::Done(Value::Null)),
            OnError::Skip => Ok(Outcome::LeftOut),
            OnError::DeadLetter(file) => {
                let input = self.asked(step, frame).unwrap_or_default();
                let added = self.shared.dead_letters.add(file, &failure, &message, &input);
                added.map(|()| Outcome::LeftOut).map_err(|error| {
                    let file = file.display().to_string().into();
                    self.failed(step, path, 1, StepError::DeadLetter { file, message: error.to_string() })
                })
            }
            OnError::Fallback(instead) => {
                let error = [("message", Value::from(message)), ("path", Value::String(failure.path))];
                let frame = frame.with(&ERROR.shared(), error.into_iter().collect());
                self.part(instead, Path::Part(&path, "on_error"), &frame).await
            }
        }
    }

    async fn tell_failed(&self, failure: &StepFailure, message: &str) {
        let (node, path) = (failure.node.to_string(), failure.path.to_string());
        let told = NodeError { node, path, error: message.to_owned() };
        self.shared.points.node_error.call(&told).await;
    }

    /// Does a step as long as its condition is true.
    async fn turns(
        &self,
        step: &Step,
        repeat: &LoopDefinition,
        path: Path<'_>,
        frame: &Frame,
    ) -> Result<Value, Ended> {
        let mut last = self.rendered(step, path, repeat.start.render(frame))?;
        for turn in 0.. {
            let mut frame = frame.with(&LAST.shared(), last.clone());
            frame.push(ITERATION.shared(), Value::from(turn));
            if !self.rendered(step, path, repeat.condition.is_true(&frame))? {
                break;
            }
            if turn == repeat.max {
                return Err(self.failed(step, path, 1, StepError::Loop { max: repeat.max }));
            }
            tokio::task::coop::consume_budget().await;
            last = self.attempts(step, Path::Turn(&path, turn), &frame).await?;
        }
        Ok(last)
    }

    /// What a text has yielded, or the failure of the step.
    pub(super) fn rendered<T>(
        &self,
        step: &Step,
        path: Path<'_>,
        rendered: Result<T, RenderError>,
    ) -> Result<T, Ended> {
        rendered.map_err(|error| self.failed(step, path, 1, StepError::Render(error)))
    }

    pub(super) fn failed(&self, step: &Step, path: Path<'_>, attempts: usize, cause: StepError) -> Ended {
        let diagnostic = match &cause {
            StepError::Render(error) => error.diagnostic().clone(),
            cause => self.diagnostic(step, path, attempts, cause),
        };
        let (node, path, item) = (Arc::clone(path.node()), path.to_arc(), path.item());
        Ended::Failed(Box::new(StepFailure { node, path, item, attempts, diagnostic, cause }))
    }

    fn diagnostic(&self, step: &Step, path: Path<'_>, attempts: usize, cause: &StepError) -> Diagnostic {
        let on_item = path.item().map(|item| format!(" on item {item}")).unwrap_or_default();
        let tries = if attempts > 1 { format!(" after {attempts} attempts") } else { String::new() };
        let message = format!("node `{}` failed{on_item}{tries}", path.node());
        let message = match cause.code() {
            Code::NodeFailed => message,
            _ => format!("{message}: {cause}"),
        };
        let source = self.definition.document.source();
        let diagnostic = Diagnostic::error(source, cause.code(), &(step.span.start..step.span.end), message);
        diagnostic.maybe_hint(cause.hint().map(str::to_owned))
    }
}
