use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rmcp::model::{PaginatedRequestParams, ProtocolVersion};
use rmcp::service::{
    ClientInitializeError, ClientLifecycleMode, ClientServiceExt as _, RunningService, ServiceError,
};
use rmcp::{Peer, RoleClient};
use tapline_core::{CallContext, CallError, Failure, Level};
use tapline_process::{Enclosure, Ending, Group, Started, Walls, log_lines};
use tokio::time::timeout;

use crate::client::Client;
use crate::http::Elsewhere;
use crate::lines::Lines;
use crate::offer::{Offer, OfferedTool};
use crate::runtime::{Launch, Place};
use crate::tools::Quarantine;

/// A server, for as long as it answers.
pub(crate) struct Server {
    pub(crate) launch: Arc<Launch>,
    pub(crate) client: Client,
    pub(crate) ending: Arc<Ending>,
    pub(crate) peer: Peer<RoleClient>,
    quarantine: Mutex<Arc<Quarantine>>,
    /// Dropping it closes the connection.
    _service: RunningService<RoleClient, Client>,
}

/// Why a server was not started.
enum NotStarted {
    /// It does not know how it was greeted.
    Refused(CallError),
    Other(CallError),
}

/// A server has no more tools than this, nor pages of them.
const MOST_TOOLS: usize = 1000;

impl Server {
    /// Starts a server or connects to it, and looks whether its tools are those that were accepted.
    pub(crate) async fn start(
        launch: &Arc<Launch>,
        context: &Arc<CallContext>,
    ) -> Result<Arc<Self>, CallError> {
        match Self::start_as(launch, context, ClientLifecycleMode::Initialize).await {
            // Servers of later versions of the protocol are greeted in another way, and those before end at that.
            Err(NotStarted::Refused(_)) if matches!(launch.place, Place::Here(..)) => {
                let preferred_versions = vec![ProtocolVersion::LATEST];
                let lifecycle = ClientLifecycleMode::Discover { preferred_versions };
                Self::start_as(launch, context, lifecycle).await.map_err(NotStarted::error)
            }
            started => started.map_err(NotStarted::error),
        }
    }

    async fn start_as(
        launch: &Arc<Launch>,
        context: &Arc<CallContext>,
        lifecycle: ClientLifecycleMode,
    ) -> Result<Arc<Self>, NotStarted> {
        let ending = Arc::new(Ending::of(format!("MCP server `{}`: ", launch.plugin)));
        // Whoever gives up waiting for it ends it.
        let unready = ending.unless_ready();
        let ready = async {
            let client = Client::new(Arc::clone(context));
            let service = connect(launch, (&client, lifecycle), &ending, context).await?;
            let server = Self {
                launch: Arc::clone(launch),
                client,
                ending: Arc::clone(&ending),
                peer: service.peer().clone(),
                quarantine: Mutex::default(),
                _service: service,
            };
            server.look_again(context).await?;
            Ok(Arc::new(server))
        };
        let Ok(server) = timeout(launch.ready, ready).await else {
            ending.end(format!("it was not ready within {}", told(launch.ready)));
            return Err(NotStarted::Other(ending.fault()));
        };
        if server.is_ok() {
            unready.ready();
        }
        server
    }

    /// What the server says of itself now.
    pub(crate) async fn offer(&self) -> Result<Offer, CallError> {
        let info = self.peer.peer_info();
        let mut offer = Offer::default();
        if let Some(about) = info.as_ref().and_then(|info| info.server_info.as_ref()) {
            offer.name.clone_from(&about.name);
            offer.version.clone_from(&about.version);
        }
        let capabilities = info.as_ref().map(|info| &info.capabilities);
        offer.has_resources = capabilities.is_some_and(|can| can.resources.is_some());
        if capabilities.is_none_or(|can| can.tools.is_some()) {
            offer.tools = self.tools().await?;
        }
        Ok(offer)
    }

    async fn tools(&self) -> Result<Vec<OfferedTool>, CallError> {
        let (mut tools, mut cursor) = (Vec::new(), None);
        for _ in 0..MOST_TOOLS {
            let page = PaginatedRequestParams::default().with_cursor(cursor);
            let page = self.peer.list_tools(Some(page)).await.map_err(|error| self.error(error))?;
            tools.extend(page.tools.iter().map(OfferedTool::of));
            cursor = page.next_cursor;
            if cursor.is_none() && tools.len() <= MOST_TOOLS {
                return Ok(tools);
            }
            if tools.len() > MOST_TOOLS {
                break;
            }
        }
        self.ending.end(format!("it has more than {MOST_TOOLS} tools, or pages of them"));
        Err(self.ending.fault())
    }

    /// Compares the tools of the server with those that were accepted, once more.
    async fn look_again(&self, context: &Arc<CallContext>) -> Result<(), CallError> {
        let quarantine = self.launch.accepted.compare(&self.offer().await?);
        for (tool, difference) in quarantine.iter() {
            let line = format!("tool `{tool}` is not the one that was accepted: {difference}");
            context.log(Level::Warn, &line);
        }
        *self.quarantine.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(quarantine);
        Ok(())
    }

    /// Fails when a tool is not the one that was accepted.
    pub(crate) async fn check(&self, tool: &str, context: &Arc<CallContext>) -> Result<(), CallError> {
        if self.client.has_other_tools() {
            let looked = timeout(self.launch.ready, self.look_again(context)).await;
            looked.unwrap_or_else(|_| {
                self.ending.end(format!("it did not tell its tools within {}", told(self.launch.ready)));
                Err(self.ending.fault())
            })?;
        }
        let quarantine = Arc::clone(&self.quarantine.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(quarantine.check(&self.launch.plugin, tool)?)
    }

    /// What a call came to that the server has not answered.
    pub(crate) fn error(&self, error: ServiceError) -> CallError {
        match error {
            ServiceError::McpError(error) => {
                let message = format!("the server refused it with {}: {}", error.code.0, error.message);
                Failure::new("refused", message).into()
            }
            ServiceError::TransportSend(error) if !self.ending.has_ended() => {
                Failure::new("unreachable", format!("the server cannot be reached: {}", error.error)).into()
            }
            ServiceError::TransportClosed
            | ServiceError::TransportSend(_)
            | ServiceError::Cancelled { .. } => {
                self.ending.end("it has closed the connection");
                self.ending.fault()
            }
            other => Failure::new("unexpected", other.to_string()).into(),
        }
    }
}

/// The connection to a server, after both have greeted each other.
async fn connect(
    launch: &Arc<Launch>,
    (client, lifecycle): (&Client, ClientLifecycleMode),
    ending: &Arc<Ending>,
    context: &Arc<CallContext>,
) -> Result<RunningService<RoleClient, Client>, NotStarted> {
    let service = match &launch.place {
        Place::Here(enclosure, walls) => {
            let pipes = begin(launch, (enclosure, walls), ending, context)?;
            let longest = usize::try_from(launch.limits.output.0).unwrap_or(usize::MAX);
            let lines = Lines::new(pipes, longest, Arc::clone(ending), Arc::clone(context));
            client.clone().serve_with_lifecycle(lines, lifecycle).await
        }
        Place::Elsewhere(url) => {
            let headers = launch.declared.headers.clone().into_iter().collect();
            let bounds = (launch.declared.total.unwrap_or(launch.limits.wall), launch.limits.output.0);
            let (ending, context) = (Arc::clone(ending), Arc::clone(context));
            let elsewhere = Elsewhere::new((url.clone(), headers), bounds, ending, context);
            client.clone().serve_with_lifecycle(elsewhere, lifecycle).await
        }
    };
    service.map_err(|error| not_greeted(&error, ending))
}

fn not_greeted(error: &ClientInitializeError, ending: &Ending) -> NotStarted {
    if !ending.has_ended() {
        let error = match error {
            ClientInitializeError::TransportError { error, .. } => error.error.to_string(),
            other => other.to_string(),
        };
        ending.end(format!("it did not greet as the protocol has it: {error}"));
    }
    match error {
        ClientInitializeError::JsonRpcError(_) => NotStarted::Refused(ending.fault()),
        _ => NotStarted::Other(ending.fault()),
    }
}

/// Starts the process of a server, and watches over it.
fn begin(
    launch: &Arc<Launch>,
    (enclosure, walls): (&Enclosure, &Walls),
    ending: &Arc<Ending>,
    context: &Arc<CallContext>,
) -> Result<(tokio::process::ChildStdout, tokio::process::ChildStdin), CallError> {
    let unavailable = |reason: String| {
        ending.end(reason);
        ending.fault()
    };
    let enclosure = launch.enclosure(enclosure).map_err(unavailable)?;
    let started = enclosure.start(walls);
    let started = started.map_err(|error| unavailable(format!("its process cannot be started: {error}")))?;
    let Started { stdin, stdout, stderr, group } = started;
    tokio::spawn(log_lines(stderr, Level::Warn, Arc::clone(context), Arc::clone(ending.words())));
    tokio::spawn(watch(Arc::clone(launch), group, Arc::clone(ending)));
    Ok((stdout, stdin))
}

/// Waits for a process to exit or to be told to, and leaves nothing of it behind.
async fn watch(launch: Arc<Launch>, mut group: Group, ending: Arc<Ending>) {
    tokio::select! {
        () = group.exited() => {}
        () = ending.wanted() => {}
    }
    // What it wrote last is read before anybody is told.
    tokio::task::yield_now().await;
    ending.end("its process ended");
    match group.end(launch.grace).await {
        Ok(status) => tracing::debug!(plugin = launch.plugin, %status, "a server has ended"),
        Err(error) => tracing::warn!(plugin = launch.plugin, %error, "how a server ended is not known"),
    }
}

pub(crate) fn told(time: Duration) -> String {
    humantime::format_duration(time).to_string()
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ending.end("its plugin was ended");
    }
}

impl NotStarted {
    fn error(self) -> CallError {
        match self {
            Self::Refused(error) | Self::Other(error) => error,
        }
    }
}

impl From<CallError> for NotStarted {
    fn from(error: CallError) -> Self {
        Self::Other(error)
    }
}
