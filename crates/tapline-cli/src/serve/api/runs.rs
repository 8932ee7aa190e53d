#![expect(unused_qualifications, reason = "`utoipa` names the types of parameters so")]

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tapline::core::Object;
use utoipa::{IntoParams, ToSchema};

use super::{Body, Path, Query, Shared};
use crate::serve::problem::{Problem, Redacted};
use crate::serve::problems::{
    BadRequest, Conflict, NoJson, NoToken, NotFound, NotNow, Refused, TooLarge, TooMany, TooSlow,
};
use crate::serve::run_view::{RunView, RunWhole};
use crate::serve::runs::Run;

/// A run that is to begin.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRun {
    /// The name of the pipeline, or its file as it was named to the server.
    pub(crate) pipeline: String,
    /// Its inputs, by name.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(crate) inputs: Map<String, Value>,
}

/// Runs, the newest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RunsPage {
    pub(crate) runs: Vec<RunView>,
}

/// Which runs are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// So many at most; 50 unless said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u16>,
}

/// How a run is begun.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct How {
    /// Whether to answer when it has ended, and not when it has begun.
    #[serde(default)]
    wait: bool,
}

const LISTED: u16 = 50;
const MOST_LISTED: u16 = 1000;

/// Lists runs: those under way, and those that are kept.
#[utoipa::path(get, path = "/v1/runs", tag = "runs", params(Which), security(("token" = [])), responses(
    (status = 200, body = RunsPage, description = "Runs, the newest first."),
    BadRequest,
    NoToken,
    NotNow))]
pub(crate) async fn list(
    State(server): Shared,
    Query(which): Query<Which>,
) -> Result<Redacted<RunsPage>, Problem> {
    let limit = which.limit.unwrap_or(LISTED);
    if !(1..=MOST_LISTED).contains(&limit) {
        let detail = format!("`limit` has to be 1 to {MOST_LISTED}, not {limit}");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad-request", detail));
    }
    Ok(Redacted(RunsPage { runs: server.runs.list(limit.into()).await? }))
}

/// Begins a run.
#[utoipa::path(post, path = "/v1/runs", tag = "runs", params(How), request_body = NewRun,
    security(("token" = [])), responses(
    (status = 200, body = RunWhole, description = "It has ended, which was waited for; its status says how."),
    (status = 202, body = RunView, description = "It has begun.", headers(("Location" = String, description = "The run."))),
    BadRequest,
    NoToken,
    NotFound,
    TooSlow,
    Conflict,
    TooLarge,
    NoJson,
    Refused,
    TooMany,
    NotNow))]
pub(crate) async fn begin(
    State(server): Shared,
    Query(how): Query<How>,
    Body(new): Body<NewRun>,
) -> Result<Response, Problem> {
    let inputs: Object = serde_json::from_value(Value::Object(new.inputs))
        .map_err(|error| Problem::refused("inputs", error))?;
    let run = server.runs.begin(&new.pipeline, inputs).await?;
    answer(&run, how.wait).await
}

/// Goes on with a run that failed, was interrupted or was killed.
#[utoipa::path(post, path = "/v1/runs/{run}/resume", tag = "runs",
    params(How, ("run" = String, Path, description = "The name of the run.")),
    security(("token" = [])), responses(
    (status = 200, body = RunWhole, description = "It has ended, which was waited for; its status says how."),
    (status = 202, body = RunView, description = "It goes on.", headers(("Location" = String, description = "The run."))),
    BadRequest,
    NoToken,
    NotFound,
    Conflict,
    TooMany,
    NotNow))]
pub(crate) async fn resume(
    State(server): Shared,
    Path(id): Path<String>,
    Query(how): Query<How>,
) -> Result<Response, Problem> {
    let run = server.runs.resume(&id).await?;
    answer(&run, how.wait).await
}

async fn answer(run: &Run, is_awaited: bool) -> Result<Response, Problem> {
    if is_awaited {
        run.ended().await?;
        return Ok(Redacted(RunWhole::of(Some(run), None)).into_response());
    }
    let place = HeaderValue::try_from(format!("/v1/runs/{}", run.id)).map_err(Problem::broken)?;
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, place)], Redacted(RunView::of(run))).into_response())
}

/// Shows a run.
#[utoipa::path(get, path = "/v1/runs/{run}", tag = "runs",
    params(("run" = String, Path, description = "The name of the run, or the beginning of one that is kept.")),
    security(("token" = [])), responses(
    (status = 200, body = RunWhole, description = "What is known of it."),
    BadRequest,
    NoToken,
    NotFound,
    NotNow))]
pub(crate) async fn show(
    State(server): Shared,
    Path(id): Path<String>,
) -> Result<Redacted<RunWhole>, Problem> {
    let run = server.runs.get(&id);
    let kept = match server.runs.kept(&id).await {
        Ok(kept) => Some(kept),
        // One that is not kept is in memory alone.
        Err(_) if run.is_some() => None,
        Err(problem) => return Err(problem),
    };
    let run = run.or_else(|| server.runs.get(&kept.as_ref()?.summary.id));
    RunWhole::of(run.as_deref(), kept.as_ref()).map(Redacted).ok_or_else(|| no_run(&id))
}

/// Ends a run; one that is kept can be resumed.
#[utoipa::path(post, path = "/v1/runs/{run}/cancel", tag = "runs",
    params(("run" = String, Path, description = "The name of the run.")),
    security(("token" = [])), responses(
    (status = 200, body = RunWhole, description = "It has ended."),
    BadRequest,
    NoToken,
    NotFound,
    Conflict))]
pub(crate) async fn cancel(
    State(server): Shared,
    Path(id): Path<String>,
) -> Result<Redacted<RunWhole>, Problem> {
    let run = server.runs.get(&id).ok_or_else(|| no_run(&id))?;
    if let Some(outcome) = run.outcome() {
        let detail = format!("run {id} has ended: {}", outcome.status);
        return Err(Problem::conflict("ended", detail));
    }
    run.cancel();
    run.ended().await?;
    RunWhole::of(Some(&run), None).map(Redacted).ok_or_else(|| no_run(&id))
}

pub(super) fn no_run(id: &str) -> Problem {
    let detail = format!("no run `{id}` is under way here or ended lately");
    Problem { code: "no-such-run".to_owned(), ..Problem::not_found(detail) }
}
