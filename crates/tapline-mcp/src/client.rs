//! What a server may ask of us, which is nothing, and what it tells.
#![expect(deprecated, reason = "servers of earlier versions of the protocol ask for these")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::model::{
    ClientCapabilities, CreateMessageRequestParams, CreateMessageResult, CustomRequest, CustomResult,
    ElicitRequestParams, ElicitResult, ErrorCode, ErrorData, Implementation, InitializeRequestParams,
    ListRootsResult, LoggingLevel, LoggingMessageNotificationParam, ProgressNotificationParam, ProgressToken,
};
use rmcp::service::{NotificationContext, RequestContext};
use rmcp::{ClientHandler, RoleClient};
use tapline_core::{CallContext, Level, Value};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// This end of the connection to a server.
#[derive(Clone)]
pub(crate) struct Client(Arc<State>);

struct State {
    context: Arc<CallContext>,
    /// Whether the server has said that its tools are others now.
    has_other_tools: AtomicBool,
    /// The calls that want to know how far they have come.
    watched: Mutex<HashMap<ProgressToken, Sender<Value>>>,
}

/// How far a call has come, for as long as somebody wants to know.
pub(crate) struct Watched {
    client: Client,
    token: ProgressToken,
    pub(crate) progress: Receiver<Value>,
}

/// So many steps of a call may wait to be told; more are left out.
const STEPS: usize = 64;

impl Client {
    pub(crate) fn new(context: Arc<CallContext>) -> Self {
        Self(Arc::new(State { context, has_other_tools: AtomicBool::new(false), watched: Mutex::default() }))
    }

    /// Whether the server has said that its tools are others, since this was asked last.
    pub(crate) fn has_other_tools(&self) -> bool {
        self.0.has_other_tools.swap(false, Ordering::SeqCst)
    }

    pub(crate) fn watch(&self, token: ProgressToken) -> Watched {
        let (sender, progress) = channel(STEPS);
        self.watched().insert(token.clone(), sender);
        Watched { client: self.clone(), token, progress }
    }

    fn watched(&self) -> std::sync::MutexGuard<'_, HashMap<ProgressToken, Sender<Value>>> {
        self.0.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses what nobody has granted.
    fn refuse(&self, what: &str) -> ErrorData {
        self.0.context.log(Level::Warn, &format!("the server asked for {what}, and was refused"));
        let message = format!("{what} is not granted to this server");
        ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.client.watched().remove(&self.token);
    }
}

impl ClientHandler for Client {
    fn get_info(&self) -> InitializeRequestParams {
        let client = Implementation::new("tapline", env!("CARGO_PKG_VERSION"));
        InitializeRequestParams::new(ClientCapabilities::default(), client)
    }

    async fn create_message(
        &self,
        _params: CreateMessageRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        Err(self.refuse("sampling"))
    }

    async fn list_roots(&self, _context: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        Err(self.refuse("roots"))
    }

    async fn create_elicitation(
        &self,
        _request: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        Err(self.refuse("elicitation"))
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _context: RequestContext<RoleClient>,
    ) -> Result<CustomResult, ErrorData> {
        Err(self.refuse(&request.method))
    }

    async fn on_progress(&self, step: ProgressNotificationParam, _context: NotificationContext<RoleClient>) {
        let watching = self.watched().get(&step.progress_token).cloned();
        let number = |number: f64| Value::from_serialize(&number).unwrap_or_default();
        let Some(watching) = watching else { return };
        let total = step.total.map(|total| ("total", number(total)));
        let message = step.message.map(|message| ("message", Value::from(message)));
        let told = [("progress", number(step.progress))].into_iter().chain(total).chain(message);
        // Whoever is behind by so many steps can do without one.
        let _ = watching.try_send(Value::from_iter(told));
    }

    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.0.has_other_tools.store(true, Ordering::SeqCst);
    }

    async fn on_logging_message(
        &self,
        line: LoggingMessageNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        let level = match line.level {
            LoggingLevel::Debug => Level::Debug,
            LoggingLevel::Info | LoggingLevel::Notice => Level::Info,
            LoggingLevel::Warning => Level::Warn,
            _ => Level::Error,
        };
        let text = line.data.as_str().map_or_else(|| line.data.to_string(), str::to_owned);
        self.0.context.log(level, &text);
    }
}
