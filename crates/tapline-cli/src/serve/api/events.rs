use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::Stream;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::runs::no_run;
use super::{Path, Shared};
use crate::serve::Server;
use crate::serve::feed::{Found, Reader};
use crate::serve::problem::Problem;
use crate::serve::problems::{BadRequest, NoToken, NotFound};

/// How often a stream without events says that it is there.
const ALIVE: Duration = Duration::from_secs(15);

/// An event, as the fields of a stream say it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct StreamedEvent {
    /// What kind of event it is.
    event: String,
    /// Its number, counted from 1; `missed` has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// All of it, as a JSON object.
    data: String,
}

/// Follows a run: what has happened so far, and then what happens, to its end.
///
/// Each event has the kind that `tapline run --events` writes as its name, and the same object as its data.
#[utoipa::path(get, path = "/v1/runs/{run}/events", tag = "runs", security(("token" = [])),
    params(
        ("run" = String, Path, description = "The name of the run."),
        ("Last-Event-ID" = Option<String>, Header, description = "The number of the last event that was read.")),
    responses(
        (status = 200, body = StreamedEvent, content_type = "text/event-stream", description = "The events."),
        BadRequest,
        NoToken,
        NotFound))]
pub(crate) async fn of_run(
    State(server): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let run = server.runs.get(&id).ok_or_else(|| no_run(&id))?;
    Ok(sse(&server, run.feed.after(last_read(&headers).unwrap_or(0))))
}

/// Follows the server: plugins that change, pipelines that stop or are ready again, runs that begin and end.
#[utoipa::path(get, path = "/v1/events", tag = "server", security(("token" = [])),
    params(("Last-Event-ID" = Option<String>, Header, description = "The number of the last event that was read.")),
    responses(
        (status = 200, body = StreamedEvent, content_type = "text/event-stream", description = "The events."),
        NoToken))]
pub(crate) async fn of_server(
    State(server): Shared,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = &server.deployment.events;
    let from = last_read(&headers).unwrap_or_else(|| events.latest());
    sse(&server, events.after(from))
}

fn last_read(headers: &HeaderMap) -> Option<u64> {
    headers.get("last-event-id")?.to_str().ok()?.parse().ok()
}

/// What a reader finds, until it or the server comes to its end.
fn sse(server: &Arc<Server>, reader: Reader) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
    let server = Arc::clone(server);
    let events = stream::unfold((reader, server), |(mut reader, server)| async move {
        let found = tokio::select! {
            found = reader.next() => found?,
            () = server.ended() => return None,
        };
        Some((Ok(event(found)), (reader, server)))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE))
}

fn event(found: Found) -> Event {
    match found {
        Found::Event(event) => {
            Event::default().event(&event.kind).id(event.number.to_string()).data(&*event.json)
        }
        Found::Missed(count) => {
            let json = json!({ "event": "missed", "count": count });
            Event::default().event("missed").data(json.to_string())
        }
    }
}
