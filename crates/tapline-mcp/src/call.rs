//! A call of a tool.

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, CancelledNotification,
    CancelledNotificationParam, ClientRequest, ContentBlock, RequestId, ServerResult,
};
use rmcp::service::{PeerRequestOptions, ServiceError};
use rmcp::{Peer, RoleClient};
use tapline_core::{CallContext, CallError, Failure, Value};
use tokio::time::{Instant, sleep_until};

use crate::client::Watched;
use crate::server::{Server, told};

impl Server {
    /// Has the server do what a tool does. A future that is dropped before its end tells the server that nobody waits any
    /// more.
    pub(crate) async fn call(
        &self,
        tool: &str,
        arguments: &Value,
        context: &Arc<CallContext>,
    ) -> Result<Value, CallError> {
        self.check(tool, context).await?;
        let mut params = CallToolRequestParams::new(tool.to_owned());
        match serde_json::Value::from(arguments) {
            serde_json::Value::Object(arguments) => params = params.with_arguments(arguments),
            serde_json::Value::Null => {}
            _ => return Err(Failure::new("invalid-config", "the arguments of a tool are an object").into()),
        }
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        let sent = self.peer.send_request_with_option(request, PeerRequestOptions::no_options()).await;
        let sent = sent.map_err(|error| self.error(error))?;
        let mut open = Open { peer: &self.peer, id: Some(sent.id.clone()) };
        let watched = self.client.watch(sent.progress_token.clone());
        let answer = self.wait(sent.rx, watched, context).await?;
        open.id = None;
        let answer =
            answer.unwrap_or(Err(ServiceError::TransportClosed)).map_err(|error| self.error(error))?;
        finished(tool, answer)
    }

    /// Waits for an answer within the times that were chosen, and tells what comes before it.
    async fn wait<T>(
        &self,
        answer: impl Future<Output = T>,
        mut watched: Watched,
        context: &Arc<CallContext>,
    ) -> Result<T, CallError> {
        let (idle, total) = (self.launch.declared.idle, self.launch.declared.total);
        let begun = Instant::now();
        let (mut silent_by, done_by) = (after(begun, idle), after(begun, total));
        let mut answer = std::pin::pin!(answer);
        loop {
            let step = tokio::select! {
                biased;
                step = watched.progress.recv() => step,
                answer = &mut answer => return Ok(answer),
                () = until(silent_by) => return Err(too_long("said nothing", idle)),
                () = until(done_by) => return Err(too_long("was not done", total)),
            };
            silent_by = after(Instant::now(), idle);
            if let Some(step) = step.filter(|_| context.is_streamed()) {
                // Whoever has stopped reading along may still wait for the answer.
                let _ = context.emit(step).await;
            }
        }
    }
}

fn after(begun: Instant, time: Option<Duration>) -> Option<Instant> {
    time.and_then(|time| begun.checked_add(time))
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

fn too_long(what: &str, time: Option<Duration>) -> CallError {
    Failure::new("timed-out", format!("the tool {what} within {}", told(time.unwrap_or_default()))).into()
}

/// What came of a call.
fn finished(tool: &str, answer: ServerResult) -> Result<Value, CallError> {
    match answer {
        ServerResult::CallToolResult(result) => output(tool, result),
        ServerResult::InputRequiredResult(_) => {
            let message = format!(
                "tool `{tool}` asks for more than its arguments, which is not granted to this server"
            );
            Err(Failure::new("denied", message).into())
        }
        // A tool that has nothing to say may leave everything out.
        ServerResult::EmptyResult(_) => Ok(Value::Null),
        _ => {
            Err(Failure::new("unexpected", format!("tool `{tool}` answered with no result of a tool")).into())
        }
    }
}

/// The structured content where there is some; else the text, or the list of what there is.
fn output(tool: &str, result: CallToolResult) -> Result<Value, CallError> {
    let texts = result.content.iter().map(|block| match block {
        ContentBlock::Text(text) => Some(text.text.as_str()),
        _ => None,
    });
    let texts: Vec<_> = texts.collect();
    if result.is_error == Some(true) {
        let said: Vec<_> = texts.iter().copied().flatten().collect();
        let said = if said.is_empty() { format!("tool `{tool}` failed") } else { said.join("\n") };
        return Err(Failure::new("tool-failed", said).into());
    }
    match (result.structured_content, &*texts) {
        (Some(structured), _) => Ok(structured.into()),
        (None, []) => Ok(Value::Null),
        (None, [Some(text)]) => Ok((*text).into()),
        (None, _) => Value::from_serialize(&result.content)
            .map_err(|error| Failure::from_error("wrong-type", error).into()),
    }
}

/// A call that the server has not answered.
struct Open<'a> {
    peer: &'a Peer<RoleClient>,
    id: Option<RequestId>,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current()) else { return };
        let peer = self.peer.clone();
        runtime.spawn(async move {
            let params =
                CancelledNotificationParam::new(Some(id), Some("nobody waits for it any more".to_owned()));
            // A server that has ended needs to be told nothing.
            let _ = peer.send_notification(CancelledNotification::new(params).into()).await;
        });
    }
}
