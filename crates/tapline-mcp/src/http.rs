//! Messages of JSON-RPC as streamable HTTP has them: each a request, whose answer is a message or a stream of them.
//!
//! Requests are the host's, as those of any plugin: only to where the plugin was granted, with secrets in their places.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage, ServerResult};
use rmcp::transport::Transport;
use sse_stream::{Error as SseError, Sse, SseStream};
use tapline_core::{CallContext, CallError, Failure, HttpBody, HttpRequest, HttpResponse};
use tapline_process::Ending;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A server at an address.
pub(crate) struct Elsewhere {
    connection: Arc<Connection>,
    received: UnboundedReceiver<ServerJsonRpcMessage>,
}

/// What each request needs.
struct Connection {
    url: String,
    headers: Vec<(String, String)>,
    /// How long a request may take, and how many bytes its answer may have.
    within: Duration,
    limit: u64,
    context: Arc<CallContext>,
    ending: Arc<Ending>,
    session: Mutex<Session>,
    receive: UnboundedSender<ServerJsonRpcMessage>,
}

/// What the server has said when it was greeted.
#[derive(Default, Clone)]
struct Session {
    id: Option<String>,
    version: Option<String>,
}

const SESSION: &str = "mcp-session-id";
const VERSION: &str = "mcp-protocol-version";
/// So much of what a server says besides an error is shown, in bytes.
const SHOWN: usize = 200;

impl Elsewhere {
    pub(crate) fn new(
        (url, headers): (String, Vec<(String, String)>),
        (within, limit): (Duration, u64),
        ending: Arc<Ending>,
        context: Arc<CallContext>,
    ) -> Self {
        let (receive, received) = unbounded_channel();
        let session = Mutex::default();
        let connection =
            Arc::new(Connection { url, headers, within, limit, context, ending, session, receive });
        Self { connection, received }
    }
}

impl Connection {
    fn session(&self) -> Session {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn request(&self, method: &str) -> HttpRequest {
        let Session { id, version } = self.session();
        let said = [(SESSION, id), (VERSION, version)];
        let said = said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let request = HttpRequest::new(method, &*self.url).timeout(self.within).limit(self.limit);
        self.headers
            .iter()
            .cloned()
            .chain(said)
            .fold(request, |request, (name, value)| request.header(name, value))
    }

    /// Sends a message, and reads what comes back in a task of its own.
    async fn post(self: Arc<Self>, message: ClientJsonRpcMessage) -> Result<(), CallError> {
        let request = self.request("POST").header("accept", "application/json, text/event-stream");
        let mut answer = self.context.http(request.json(&message)?).await?;
        let had_session = self.session().id.is_some();
        if let Some(id) = header(&answer, SESSION) {
            self.session.lock().unwrap_or_else(PoisonError::into_inner).id = Some(id.to_owned());
        }
        match answer.status {
            202 | 204 => Ok(()),
            200 => {
                tokio::spawn(self.read(answer));
                Ok(())
            }
            404 if had_session => {
                self.ending.end("it has forgotten the session");
                Err(self.ending.fault())
            }
            status => {
                let body = answer.bytes().await.unwrap_or_default();
                let body = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]).into_owned();
                let message = format!("the server answered with status {status}: {body}");
                Err(Failure::new("unreachable", message).into())
            }
        }
    }

    async fn read(self: Arc<Self>, answer: HttpResponse) {
        let is_stream =
            header(&answer, "content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
        let read = if is_stream { self.read_events(answer).await } else { self.read_one(answer).await };
        if let Err(reason) = read {
            self.ending.end(reason);
        }
    }

    async fn read_one(&self, mut answer: HttpResponse) -> Result<(), String> {
        let body = answer.bytes().await.map_err(|error| format!("its answer cannot be read: {error}"))?;
        // Some acknowledge a notification with an empty body.
        if body.trim_ascii().is_empty() { Ok(()) } else { self.take(&body) }
    }

    async fn read_events(&self, answer: HttpResponse) -> Result<(), String> {
        let mut events = events(answer.body);
        while let Some(event) = events.next().await {
            let event = event.map_err(|error| format!("its answer broke off: {error}"))?;
            let data = event.data.unwrap_or_default();
            if !data.trim().is_empty() {
                self.take(data.as_bytes())?;
            }
        }
        Ok(())
    }

    fn take(&self, text: &[u8]) -> Result<(), String> {
        let message: ServerJsonRpcMessage = serde_json::from_slice(text)
            .map_err(|error| format!("it sent a message that cannot be read: {error}"))?;
        if let ServerJsonRpcMessage::Response(response) = &message
            && let ServerResult::InitializeResult(greeting) = &response.result
        {
            let version = greeting.protocol_version.to_string();
            self.session.lock().unwrap_or_else(PoisonError::into_inner).version = Some(version);
        }
        // Nobody listens once the connection is closed.
        let _ = self.receive.send(message);
        Ok(())
    }
}

/// The events of a body.
fn events(body: Box<dyn HttpBody>) -> BoxStream<'static, Result<Sse, SseError>> {
    let chunks = stream::unfold(body, |mut body| async move {
        let chunk = body.chunk().await.map_err(io::Error::other).transpose()?;
        Some((chunk.map(Bytes::from), body))
    });
    Box::pin(SseStream::from_bytes_stream(chunks))
}

fn header<'a>(answer: &'a HttpResponse, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
}

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SendError(CallError);

impl Transport<RoleClient> for Elsewhere {
    type Error = SendError;

    fn send(
        &mut self,
        message: ClientJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let sent = Arc::clone(&self.connection).post(message);
        async move { sent.await.map_err(SendError) }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        tokio::select! {
            message = self.received.recv() => message,
            () = self.connection.ending.wanted() => None,
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        if self.connection.session().id.is_some() {
            // A server that keeps the session forgets it in its own time.
            let _ = self.connection.context.http(self.connection.request("DELETE")).await;
        }
        Ok(())
    }
}
