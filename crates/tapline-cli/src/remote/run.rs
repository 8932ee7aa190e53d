use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::{Map, Value};
use sse_stream::SseStream;

use crate::Ending;
use crate::arguments::{RunArguments, ServerArguments};
use crate::events::Events;
use crate::output::Output;
use crate::progress::Progress;
use crate::serve::{ExplainedPoint, InputView, NewRun, PipelineWhole, RunView, RunWhole, Signals};
use crate::summary::Summary;

use super::event::Told;
use super::{Remote, say, waiting};

/// How long to wait before a stream that broke is asked for again.
const AGAIN: Duration = Duration::from_millis(500);

/// Runs a pipeline of a server, and shows the same as when it runs here.
pub(crate) fn run(arguments: &RunArguments, server: &ServerArguments) -> Result<Ending> {
    let remote = Remote::new(server)?;
    let events = arguments.how.events.as_deref().map(Events::open).transpose()?;
    waiting(async {
        // From the beginning: a run that has begun there is ended there.
        let mut signals = Signals::listen()?;
        // The name of a file is enough: its folder is the server's.
        let named = arguments.file.to_string_lossy();
        let pipeline: PipelineWhole = tokio::select! {
            pipeline = remote.get(["pipelines", &*named]) => pipeline?,
            () = signals.next() => return Ok(Ending::Interrupted),
        };
        let inputs = inputs(&pipeline, &arguments.inputs)?;
        let progress = Progress::new(pipeline.nodes.len());
        let new = NewRun { pipeline: pipeline.pipeline.name, inputs };
        let mut is_interrupted = false;
        let mut begin = pin!(remote.post(["runs"], &new));
        let run: RunView = loop {
            tokio::select! {
                run = &mut begin => break run?,
                () = signals.next() => {
                    if std::mem::replace(&mut is_interrupted, true) {
                        return Ok(Ending::Interrupted);
                    }
                    // It may have begun, and has to be known to be ended.
                }
            }
        };
        let followed = tokio::select! {
            followed = follow(&remote, &run.id, &progress, events.as_ref()), if !is_interrupted => Some(followed),
            () = signals.next(), if !is_interrupted => None,
            else => None,
        };
        progress.finish();
        match followed {
            Some(followed) => followed.with_context(|| format!("run {} goes on there", run.id))?,
            None => {
                tokio::select! {
                    () = cancelled(&remote, &run.id) => {}
                    () = signals.next() => {}
                }
                return Ok(Ending::Interrupted);
            }
        }
        tokio::select! {
            ending = conclude(&remote, &run.id, arguments) => ending,
            () = signals.next() => Ok(Ending::Interrupted),
        }
    })
}

/// The inputs as they were typed: text as it is, any other type as JSON.
fn inputs(pipeline: &PipelineWhole, given: &[(String, String)]) -> Result<Map<String, Value>> {
    let typed = |(name, text): &(String, String)| {
        let declared = pipeline.inputs.iter().find(|input| input.name == *name);
        Ok((name.clone(), typed(declared, name, text)?))
    };
    given.iter().map(typed).collect()
}

fn typed(declared: Option<&InputView>, name: &str, text: &str) -> Result<Value> {
    match declared {
        // The server says what inputs there are.
        None => Ok(Value::from(text)),
        Some(input) if input.input_type == "string" => Ok(Value::from(text)),
        Some(input) => serde_json::from_str(text).with_context(|| {
            format!("the input `{name}` must be of type {}: `{text}` is none", input.input_type)
        }),
    }
}

/// Shows what happens, to the end of the run; a connection that breaks is made again.
async fn follow(remote: &Remote, id: &str, progress: &Progress, events: Option<&Events>) -> Result<()> {
    let mut last = None;
    loop {
        let request = remote.request(Method::GET, ["runs", id, "events"]);
        let request = match &last {
            Some(last) => request.header("last-event-id", last),
            None => request,
        };
        let answer = remote.answer(request).await?;
        let mut stream = SseStream::from_bytes_stream(answer.bytes_stream());
        while let Some(Ok(event)) = stream.next().await {
            last = event.id.or(last);
            let Some(line) = event.data.and_then(|data| serde_json::from_str::<Value>(&data).ok()) else {
                continue;
            };
            if let Some(events) = events {
                events.write_line(&line);
            }
            match serde_json::from_value(line) {
                Ok(Told::RunFinished { .. }) => return Ok(()),
                Ok(Told::Missed { count }) => say(format!("{count} events came too fast to be shown")),
                Ok(told) => told.to(progress),
                Err(error) => tracing::debug!(%error, "an event of another version"),
            }
        }
        let run: RunWhole = remote.get(["runs", id]).await?;
        if run.run.status != "running" {
            return Ok(());
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn cancelled(remote: &Remote, id: &str) {
    let cancelled: Result<RunWhole> = remote.post(["runs", id, "cancel"], &Map::new()).await;
    match cancelled {
        Ok(_) => say("interrupted: the run was ended, and no output was written by it from here on"),
        Err(error) => say(format!("the run could not be ended: {error:#}")),
    }
}

/// Shows what came of the run.
async fn conclude(remote: &Remote, id: &str, arguments: &RunArguments) -> Result<Ending> {
    let run: RunWhole = remote.get(["runs", id]).await?;
    let Some(summary) = run.summary else { bail!("the server does not know any more how run {id} ended") };
    if arguments.how.json {
        Output::Standard.line(summary);
    } else {
        let summary: Summary = serde_json::from_value(summary)?;
        summary.show();
    }
    for point in &arguments.how.explain {
        let explained: ExplainedPoint = remote.get(["points", point]).await?;
        Output::Error.line(explained.told);
    }
    match run.told {
        None => Ok(Ending::Done),
        Some(told) => {
            Output::Error.text(told);
            Ok(Ending::Failed)
        }
    }
}
