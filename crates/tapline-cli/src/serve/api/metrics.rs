use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Shared;
use crate::serve::problem::Problem;
use crate::serve::problems::NoToken;

/// What Prometheus reads.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Tells what was counted, for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "server", security(("token" = [])), responses(
    (status = 200, body = String, content_type = "text/plain", description = "Metrics."), NoToken))]
pub(crate) async fn metrics(State(server): Shared) -> Result<impl IntoResponse, Problem> {
    let host = server.deployment.engine.host();
    let text = server.metrics.text(host, server.runs.under_way()).map_err(Problem::broken)?;
    Ok(([(header::CONTENT_TYPE, TEXT)], text))
}

/// Counts a request.
pub(crate) async fn count(State(server): Shared, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().as_str().to_owned();
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());
    let response = next.run(request).await;
    // Whoever makes up paths or methods makes up no labels.
    let route = route.as_deref().unwrap_or("none");
    let method = match &*method {
        "GET" | "POST" | "DELETE" | "HEAD" => &*method,
        _ => "other",
    };
    server.metrics.request(method, route, response.status().as_u16(), begun.elapsed());
    response
}
