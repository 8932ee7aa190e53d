//! A host that stays up: runs pipelines for whoever asks over http, and changes its plugins meanwhile.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::Ending;
use crate::arguments::ServeArguments;
use crate::history;
use crate::output::Output;

mod api;
mod connections;
mod deployment;
mod feed;
mod log;
mod metrics;
mod pipeline;
mod problem;
mod problems;
mod run_view;
mod runs;
mod signals;
mod token;
mod watching;

pub(crate) use api::{ExplainedPoint, InputView, NewRun, PipelineWhole, description};
pub(crate) use deployment::{Another, Loaded, NewPlugin, Reloaded, Replacement, Swapped, Unloaded};
pub(crate) use problem::Problem;
pub(crate) use run_view::{RunView, RunWhole};
pub(crate) use signals::Signals;

use connections::Connections;
use deployment::Deployment;
use metrics::Metrics;
use runs::Runs;
use token::Token;

/// The server.
pub(crate) struct Server {
    pub(crate) deployment: Arc<Deployment>,
    pub(crate) runs: Arc<Runs>,
    pub(crate) token: Token,
    pub(crate) metrics: Arc<Metrics>,
    /// Whether it is over.
    over: watch::Sender<bool>,
}

/// The file of the token, in the folder that keeps the runs.
pub(crate) const TOKEN: &str = "token";
/// Where a server keeps its token that was started in the current folder.
pub(crate) fn token_here() -> PathBuf {
    Path::new(history::FOLDER).join(TOKEN)
}

/// How long runs that were interrupted may take to put their things away.
const GRACE: Duration = Duration::from_secs(2);
/// How long requests may take to be answered when everything else is over.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// So many files are left for runs, beside the connections.
const SPARE_FILES: u32 = 512;

/// Serves pipelines until a signal ends it.
pub(crate) fn serve(arguments: &ServeArguments) -> Result<Ending> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ending = runtime.block_on(stay(arguments));
    // Code that computes without end cannot be waited for.
    runtime.shutdown_background();
    ending
}

async fn stay(arguments: &ServeArguments) -> Result<Ending> {
    // Before anything that takes time: whoever gives up early is heard.
    let mut signals = Signals::listen()?;
    let token = Token::of(&arguments.token_file())?;
    let listener = bound(arguments).await?;
    let started = Deployment::start(&arguments.files, arguments.locked, arguments.audit.as_deref());
    let deployment = tokio::select! {
        started = started => match started? {
            Some(deployment) => Arc::new(deployment),
            None => return Ok(Ending::Refused),
        },
        () = signals.next() => return Ok(Ending::Interrupted),
    };
    let watching = arguments.watch.then(|| watching::Watching::begin(&deployment)).transpose()?;
    let metrics = Arc::new(Metrics::default());
    let runs = Runs::new(Arc::clone(&deployment), Arc::clone(&metrics), arguments.runs as usize);
    let server = Arc::new(Server { deployment, runs, token, metrics, over: watch::Sender::new(false) });
    let address = listener.local_addr()?;
    let files = connections::raise_open_files().unwrap_or(u32::MAX);
    let limit = arguments.connections.min(files.saturating_sub(SPARE_FILES)).max(1);
    let connections = Connections::new(limit);
    let router = api::router(&server);
    tokio::spawn(Arc::clone(&connections).serve(listener, router, server.over.subscribe()));
    say_ready(&server, address, &arguments.token_file());
    signals.next().await;
    drop(watching);
    let ending = drain(&server, arguments.drain, &mut signals).await;
    server.over.send_replace(true);
    if ending == Ending::Done {
        // Answers that are under way are given.
        let _ = tokio::time::timeout(LAST_ANSWERS, connections.all_left()).await;
    }
    Ok(ending)
}

async fn bound(arguments: &ServeArguments) -> Result<TcpListener> {
    let listener = TcpListener::bind(arguments.listen).await;
    let listener = listener.with_context(|| format!("{} cannot be listened on", arguments.listen))?;
    if !arguments.listen.ip().is_loopback() {
        Output::Error.line(format_args!(
            "warning: {} is reached from other machines, and neither the token nor anything else is encrypted on the way",
            arguments.listen
        ));
    }
    Ok(listener)
}

fn say_ready(server: &Server, address: SocketAddr, token: &Path) {
    let names: Vec<_> = server.deployment.pipelines().keys().map(ToString::to_string).collect();
    let (names, token) = (names.join(", "), token.display());
    Output::Error.line(format_args!("serving {names} on http://{address}; the token is in {token}"));
    // Nothing, unless systemd has started us and waits for it.
    let _ = sd_notify::notify(&[NotifyState::Ready]);
}

/// Begins no more runs, and gives those that are under way their time.
async fn drain(server: &Server, time: Duration, signals: &mut Signals) -> Ending {
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    server.runs.close();
    let under_way = server.runs.under_way();
    Output::Error.line(format_args!(
        "stopping: no runs are begun, and {under_way} come to their end first; another signal ends them"
    ));
    tokio::select! {
        () = put_away(server, time) => Ending::Done,
        () = signals.next() => Ending::Interrupted,
    }
}

async fn put_away(server: &Server, time: Duration) {
    if tokio::time::timeout(time, server.runs.drained()).await.is_err() {
        server.runs.stop_all();
        let _ = tokio::time::timeout(GRACE, server.runs.drained()).await;
        Output::Error.line("the runs that took longer were interrupted, and can be resumed");
    }
    if let Err(error) = server.deployment.close().await {
        Output::Error.line(format_args!("warning: {error}"));
    }
    history::tidy(&server.deployment.folder);
}

impl Server {
    /// Waits until the server is over. Cancel safe.
    pub(crate) async fn ended(&self) {
        let mut over = self.over.subscribe();
        // The sender is here, so it cannot be gone.
        let _ = over.wait_for(|over| *over).await;
    }
}
