//! The requests that the server answers, each described where it is declared.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::{Json, Router};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use serde::de::DeserializeOwned;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Server;
use super::problem::{LARGEST_BODY, Problem};

mod events;
mod health;
mod metrics;
mod object;
mod pipelines;
mod plugins;
mod points;
mod runs;

use object::Object;
pub(crate) use pipelines::{InputView, PipelineWhole};
pub(crate) use points::ExplainedPoint;
pub(crate) use runs::NewRun;

/// The state of the server, as every request sees it.
pub(crate) type Shared = State<Arc<Server>>;

/// How long a request may take to send its body.
const SLOWEST_BODY: Duration = Duration::from_secs(30);
/// How long a body that is refused is read on.
const LINGER: Duration = Duration::from_secs(2);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "tapline serve",
        description = "Runs pipelines, and changes the plugins that they run on while they do.",
    ),
    modifiers(&Secured),
    tags(
        (name = "runs", description = "Begin runs, look at them, end them."),
        (name = "pipelines", description = "What can be run."),
        (name = "plugins", description = "Load, unload and replace plugins while pipelines run."),
        (name = "points", description = "Why hooks stand where they stand."),
        (name = "server", description = "How the server fares."),
    ),
)]
struct Description;

/// Says that every request names the token, but for those that say otherwise.
struct Secured;

impl Modify for Secured {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
    }
}

/// Everything that is answered.
pub(crate) fn router(server: &Arc<Server>) -> Router {
    let (secured, _) = secured().split_for_parts();
    let (open, _) = open().split_for_parts();
    let description = Arc::new(description());
    let described = axum::routing::get(move || std::future::ready(Json(Arc::clone(&description))));
    let secured = secured.layer(middleware::from_fn_with_state(Arc::clone(server), refuse_strangers));
    Router::new()
        .merge(secured)
        .merge(open)
        .route("/openapi.json", described)
        .fallback(|| {
            std::future::ready(Problem::not_found("there is nothing at this path; see /openapi.json"))
        })
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::from_fn_with_state(Arc::clone(server), metrics::count))
        .layer(axum::extract::DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(Arc::clone(server))
}

/// What only those who name the token are answered.
fn secured() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(runs::list, runs::begin))
        .routes(routes!(runs::show))
        .routes(routes!(runs::cancel))
        .routes(routes!(runs::resume))
        .routes(routes!(events::of_run))
        .routes(routes!(pipelines::list))
        .routes(routes!(pipelines::show))
        .routes(routes!(plugins::list, plugins::load))
        .routes(routes!(plugins::show, plugins::unload))
        .routes(routes!(plugins::reload))
        .routes(routes!(plugins::swap))
        .routes(routes!(plugins::restart))
        .routes(routes!(plugins::grants))
        .routes(routes!(points::list))
        .routes(routes!(points::explain))
        .routes(routes!(events::of_server))
        .routes(routes!(metrics::metrics))
}

/// What everybody is answered.
fn open() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new().routes(routes!(health::live)).routes(routes!(health::ready))
}

/// The description of the API.
pub(crate) fn description() -> utoipa::openapi::OpenApi {
    let (_, mut description) = secured().split_for_parts();
    description.merge(open().split_for_parts().1);
    description
}

/// Answers those alone who name the token.
async fn refuse_strangers(State(server): Shared, request: Request, next: Next) -> Result<Response, Problem> {
    let named = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = named.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    match token {
        Some(token) if server.token.is(token) => Ok(next.run(request).await),
        _ => {
            let detail = "name the token of the server: `Authorization: Bearer TOKEN`";
            Err(Problem::new(StatusCode::UNAUTHORIZED, "no-token", detail))
        }
    }
}

async fn no_such_method() -> Problem {
    let detail = "this path does not answer this method; see /openapi.json";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "no-such-method", detail)
}

/// The body of a request, as JSON.
pub(crate) struct Body<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        // One that says how large it is need not be read to learn it.
        if request.body().size_hint().lower() > LARGEST_BODY as u64 {
            let _ = tokio::time::timeout(LINGER, discard(request.into_body())).await;
            return Err(Problem::too_large());
        }
        let read = tokio::time::timeout(SLOWEST_BODY, Json::<Object<T>>::from_request(request, state)).await;
        let read = read.map_err(|_| {
            let detail = format!("the body was not there after {} seconds", SLOWEST_BODY.as_secs());
            Problem::new(StatusCode::REQUEST_TIMEOUT, "slow-body", detail)
        })?;
        let Json(Object(body)) = read?;
        Ok(Self(body))
    }
}

/// Reads what nobody wants: a client that is cut off while it writes does not read why.
async fn discard(mut body: axum::body::Body) {
    let mut left = 4 * LARGEST_BODY;
    while let Some(Ok(frame)) = body.frame().await {
        left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len()));
        if left == 0 {
            return;
        }
    }
}

/// The body of a request, as JSON; where there is none, what is meant without it.
pub(crate) struct AnyBody<T>(T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for AnyBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if request.body().is_end_stream() {
            return Ok(Self(T::default()));
        }
        Body::from_request(request, state).await.map(|Body(body)| Self(body))
    }
}

/// The query of a request.
pub(crate) struct Query<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self(axum::extract::Query::from_request_parts(parts, state).await?.0))
    }
}

/// The parameters in the path of a request.
pub(crate) struct Path<T>(T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self(axum::extract::Path::from_request_parts(parts, state).await?.0))
    }
}

/// Does something to its end, also when whoever asked for it goes away.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    tokio::spawn(work).await.unwrap_or_else(|broke| Err(Problem::broken(broke)))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for_for_ever() {
        let never = axum::body::Body::from_stream(stream::pending::<Result<String, Infallible>>());
        let request =
            Request::builder().header(header::CONTENT_TYPE, "application/json").body(never).unwrap();
        let problem = Body::<NewRun>::from_request(request, &()).await.err().unwrap();
        assert_eq!((problem.status, &*problem.code), (408, "slow-body"));
    }
}
