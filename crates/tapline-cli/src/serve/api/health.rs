use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Shared;
use crate::serve::metrics::answers;
use crate::serve::problem::{Problem, Redacted};
use crate::serve::problems::NotNow;

/// How the server fares.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Health {
    /// `ready`, or `degraded` when a pipeline cannot run or a plugin does not answer.
    status: String,
    /// The version of the command.
    version: String,
    /// How many runs are under way.
    runs: usize,
    /// The pipelines that cannot run.
    stopped: Vec<String>,
    /// The plugins that do not answer, each with its state.
    plugins: Vec<String>,
}

/// Whether the process answers.
#[utoipa::path(get, path = "/health/live", tag = "server", security(()),
    responses((status = 204, description = "It does.")))]
pub(crate) async fn live() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Whether runs are begun.
#[utoipa::path(get, path = "/health/ready", tag = "server", security(()), responses(
    (status = 200, body = Health, description = "They are."),
    NotNow))]
pub(crate) async fn ready(State(server): Shared) -> Result<Redacted<Health>, Problem> {
    if server.runs.is_draining() {
        let detail = "the server is being stopped, and begins no runs";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", detail));
    }
    let host = server.deployment.engine.host();
    let pipelines = server.deployment.pipelines();
    let stopped = pipelines.values().filter(|pipeline| pipeline.now.is_err());
    let stopped: Vec<_> = stopped.map(|pipeline| pipeline.name.to_string()).collect();
    let plugins: Vec<_> = host
        .plugins()
        .iter()
        .filter_map(|info| {
            let (id, state) = (info.manifest.id(), host.state(info.manifest.id()));
            (!answers(&state)).then(|| format!("{id}: {state}"))
        })
        .collect();
    let is_whole = stopped.is_empty() && plugins.is_empty();
    Ok(Redacted(Health {
        status: if is_whole { "ready" } else { "degraded" }.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        runs: server.runs.under_way(),
        stopped,
        plugins,
    }))
}
