use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use backon::{BackoffBuilder as _, ConstantBuilder, ExponentialBuilder};
use futures_util::FutureExt as _;
use tapline_core::{
    CallError, HookError, Name, Request, Value, within_ambient, within_carried, within_deadline,
};
use tapline_roles::{VALIDATOR, Validation};
use tokio::time::{Instant, timeout_at};

use super::error::{Ended, RunError, StepError, with_causes};
use super::event::RunEvent;
use super::frame::Frame;
use super::path::Path;
use super::place::Place;
use super::steps::Steps;
use crate::definition::{Backoff, CallDefinition, Retry, Rules, Step, ValidatorUse, Work};

static IDEMPOTENCY_KEY: Name = Name::new(|| "idempotency_key".into());

/// Why an attempt gave nothing.
enum Missed {
    /// The step failed by itself.
    Step(StepError),
    /// A step that it is made of failed, or the run ends.
    Inner(Ended),
}

impl Steps {
    /// Does the work of a step until it succeeds, or has failed as often as it may; what was kept of it before is taken
    /// instead.
    pub(super) async fn attempts(&self, step: &Step, path: Path<'_>, frame: &Frame) -> Result<Value, Ended> {
        self.meter.step().map_err(|exceeded| Ended::Run(RunError::Limit { exceeded }))?;
        let input = self.rendered(step, path, self.asked(step, frame))?;
        let Work::Call(call) = &step.work else { return self.tried(step, input, path, frame).await };
        let Some(keeper) = self.shared.keeper_for(&step.rules) else {
            return self.tried(step, input, path, frame).await;
        };
        Box::pin(async move {
            let asked = keeper.asked(&self.shared.host, call, &input);
            if let Some(output) = keeper.known(&path, asked, step.rules.cache).await.map_err(kept)? {
                self.reused.fetch_add(1, Ordering::Relaxed);
                return Ok(output);
            }
            let began = (SystemTime::now(), Instant::now());
            let done = self.tried(step, input, path, frame).await;
            keeper.keep(step, &path, asked, began, &done, &self.kept).await.map_err(kept)?;
            done
        })
        .await
    }

    pub(super) async fn tried(
        &self,
        step: &Step,
        input: Value,
        path: Path<'_>,
        frame: &Frame,
    ) -> Result<Value, Ended> {
        let mut delays = step.rules.retry.iter().flat_map(delays);
        let mut attempt = 1;
        loop {
            let missed = match self.attempt(step, input.clone(), (path, attempt), frame).await {
                Ok(output) => return Ok(output),
                Err(missed) => missed,
            };
            self.stop_at_limits()?;
            let delay = if missed.is_retryable() { delays.next() } else { None };
            let Some(wait) = delay else {
                return Err(match missed {
                    Missed::Step(cause) => self.failed(step, path, attempt, cause),
                    Missed::Inner(ended) => ended,
                });
            };
            let (at, error) = (path.to_string(), missed.message());
            let node = path.node();
            self.shared.observer.event(&RunEvent::Retry { node, path: &at, attempt, error: &error, wait });
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// A run that has used up what it may ends, whatever the file says of the step that noticed.
    fn stop_at_limits(&self) -> Result<(), Ended> {
        match self.shared.meter.is_exhausted() {
            Some(exceeded) => Err(Ended::Run(RunError::Limit { exceeded })),
            None => Ok(()),
        }
    }

    /// Does the work once, within the rules for it.
    async fn attempt(
        &self,
        step: &Step,
        input: Value,
        (path, attempt): (Path<'_>, usize),
        frame: &Frame,
    ) -> Result<Value, Missed> {
        if let Some(rate) = &step.rules.rate_limit {
            rate.turn().await;
        }
        let rules = &step.rules;
        let work = async {
            match &step.work {
                Work::Call(call) => {
                    self.call(call, rules, input, (path, attempt)).await.map_err(Missed::Step)
                }
                _ => Box::pin(self.compose(step, input, path, frame)).await.map_err(Missed::Inner),
            }
        };
        let output = match rules.timeout.run {
            None => work.await?,
            Some(limit) => within(limit, work).await?,
        };
        if let Some(exceeded) = self.meter.exceeded() {
            return Err(Missed::Step(StepError::Budget { exceeded }));
        }
        if let Some(schema) = &rules.output_schema {
            let violations = schema.violations(&output);
            if !violations.is_empty() {
                return Err(Missed::Step(StepError::Output { violations }));
            }
        }
        for used in &rules.validate {
            Box::pin(self.validate(used, &output)).await.map_err(Missed::Step)?;
        }
        Ok(output)
    }

    /// Has a plugin look at an output.
    async fn validate(&self, used: &ValidatorUse, output: &Value) -> Result<(), StepError> {
        let input = [("value", output.clone()), ("with", used.with.clone())].into_iter().collect();
        let answer =
            self.shared.host.request(Request::new(VALIDATOR, &used.validator, "validate", input)).await;
        let answer = answer.map_err(StepError::Call)?;
        let validator = Arc::clone(&used.validator);
        match answer.to::<Validation>() {
            Ok(validation) if validation.errors.is_empty() => Ok(()),
            Ok(validation) => Err(StepError::Invalid { validator, findings: validation.errors }),
            Err(error) => Err(StepError::NoValidation { validator, message: error.to_string() }),
        }
    }

    async fn call(
        &self,
        call: &CallDefinition,
        rules: &Rules,
        mut input: Value,
        (path, attempt): (Path<'_>, usize),
    ) -> Result<Value, StepError> {
        if let (Some(run), Value::Object(input)) = (self.shared.run_id(), &mut input) {
            let key = Value::from(format!("{run}/{path}"));
            Arc::make_mut(input).insert(IDEMPOTENCY_KEY.shared(), key);
        }
        let request = Request { input, ..call.request.clone() };
        let (meter, rates) = (Arc::clone(&self.meter), Arc::clone(&self.shared.provider_rates));
        let (run, plugin) = (self.shared.info_value.clone(), Arc::clone(&call.plugin));
        let place = Arc::new(Place { run, path: path.to_arc(), plugin, attempt });
        let is_read = rules.timeout.idle.is_some() || self.shared.wants_tokens;
        let answer = async {
            if is_read {
                Box::pin(self.read_along(request, rules.timeout.idle, path)).await
            } else {
                self.shared.host.request(request).await.map_err(StepError::Call)
            }
        };
        let answer = within_ambient(rates, within_ambient(meter, answer));
        let answer = within_carried(place, answer).await;
        // A provider that refuses because the budget is used up says so in its own words; these are the better ones.
        answer.map_err(|error| self.meter.exceeded().map_or(error, |exceeded| StepError::Budget { exceeded }))
    }

    /// Reads an answer piece by piece, and gives it up when no piece comes for too long.
    async fn read_along(
        &self,
        request: Request,
        idle: Option<Duration>,
        path: Path<'_>,
    ) -> Result<Value, StepError> {
        let (mut pieces, answer) = self.shared.host.request_streamed(request);
        let mut answer = std::pin::pin!(answer);
        let later = |idle: Duration| Instant::now().checked_add(idle);
        let tell = |piece: &Value| {
            let at = path.to_string();
            self.shared.observer.event(&RunEvent::Token { node: path.node(), path: &at, piece });
        };
        let (mut is_open, mut deadline) = (true, idle.and_then(later));
        loop {
            let silence = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                piece = pieces.next(), if is_open => match piece {
                    Some(piece) => {
                        tell(&piece);
                        deadline = idle.and_then(later);
                    }
                    None => is_open = false,
                },
                answer = &mut answer => {
                    // It may have given the last pieces and the whole in one go.
                    while let Some(Some(piece)) = pieces.next().now_or_never() {
                        tell(&piece);
                    }
                    return answer.map_err(StepError::Call);
                }
                () = silence => return Err(StepError::Idle { limit: idle.unwrap_or_default() }),
            }
        }
    }
}

/// Gives work up when its time is over; what it calls knows of the deadline.
async fn within(limit: Duration, work: impl Future<Output = Result<Value, Missed>>) -> Result<Value, Missed> {
    let Some(deadline) = Instant::now().checked_add(limit) else { return work.await };
    let done = timeout_at(deadline, within_deadline(deadline.into_std(), work)).await;
    // A handler that computes without ever waiting is back only when it is done, and then it is too late.
    let is_over = Instant::now() > deadline;
    match done {
        Ok(Err(Missed::Step(StepError::Call(error)))) if is_late(&error) && Instant::now() >= deadline => {
            Err(Missed::Step(StepError::Timeout { limit }))
        }
        Ok(done) if !is_over => done,
        Ok(Err(missed)) => Err(missed),
        Ok(Ok(_)) | Err(_) => Err(Missed::Step(StepError::Timeout { limit })),
    }
}

fn is_late(error: &HookError) -> bool {
    matches!(error.cause(), CallError::DeadlineExceeded { .. })
}

fn kept(error: crate::journal::JournalError) -> Ended {
    Ended::Run(RunError::Journal(error))
}

/// How long a step waits before each time that it is tried again.
fn delays(retry: &Retry) -> Box<dyn Iterator<Item = Duration> + Send> {
    match retry.backoff {
        Backoff::Constant => {
            Box::new(ConstantBuilder::default().with_delay(retry.delay).with_max_times(retry.max).build())
        }
        Backoff::Exponential => Box::new(
            ExponentialBuilder::default()
                .with_min_delay(retry.delay)
                .with_max_delay(retry.max_delay)
                .with_max_times(retry.max)
                .with_jitter()
                .build(),
        ),
    }
}

impl Missed {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Step(error) => error.is_retryable(),
            Self::Inner(Ended::Failed(failure)) => failure.cause.is_retryable(),
            Self::Inner(Ended::Run(_)) => false,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Step(error) => with_causes(error),
            Self::Inner(Ended::Failed(failure)) => with_causes(&failure.cause),
            Self::Inner(Ended::Run(error)) => with_causes(error),
        }
    }
}
