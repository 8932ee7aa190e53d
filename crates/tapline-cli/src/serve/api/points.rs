use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Path, Shared};
use crate::explain;
use crate::serve::problem::{Problem, Redacted};
use crate::serve::problems::{BadRequest, NoToken, NotFound};

/// The hook points of the host.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Points {
    /// Their names.
    points: Vec<String>,
}

/// Why the hooks of a point stand where they stand.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ExplainedPoint {
    /// The name of the point.
    id: String,
    /// What is known of it.
    #[schema(value_type = Option<Object>)]
    point: Value,
    /// Its hooks as `tapline explain --json` writes them: those that are entered in calling order, then the others.
    #[schema(value_type = Vec<Object>)]
    hooks: Vec<Value>,
    /// Rules about order that match no hook.
    unmatched: Vec<String>,
    /// The same for people.
    pub(crate) told: String,
}

/// Lists hook points.
#[utoipa::path(get, path = "/v1/points", tag = "points", security(("token" = [])), responses(
    (status = 200, body = Points, description = "The hook points."),
    NoToken))]
pub(crate) async fn list(State(server): Shared) -> Redacted<Points> {
    let points = server.deployment.engine.host().registry().points();
    Redacted(Points { points: points.iter().map(|point| point.id.to_string()).collect() })
}

/// Explains a hook point.
#[utoipa::path(get, path = "/v1/points/{point}", tag = "points", security(("token" = [])),
    params(("point" = String, Path, description = "The name of the point, as in `node.execute`.")), responses(
    (status = 200, body = ExplainedPoint, description = "Its hooks, and why they stand so."),
    BadRequest,
    NoToken,
    NotFound))]
pub(crate) async fn explain(
    State(server): Shared,
    Path(point): Path<String>,
) -> Result<Redacted<ExplainedPoint>, Problem> {
    let explanation = explain::explanation(server.deployment.engine.host(), &point);
    let explanation = explanation.map_err(Problem::not_found)?;
    let mut json = serde_json::to_value(&explanation).map_err(Problem::broken)?;
    json["told"] = explain::for_people(&explanation).into();
    serde_json::from_value(json).map(Redacted).map_err(Problem::broken)
}
