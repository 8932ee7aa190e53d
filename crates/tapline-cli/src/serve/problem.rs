use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::output::redacted_json;

/// Why something was not done, as RFC 9457 has it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Problem {
    /// The status of the answer.
    pub(crate) status: u16,
    /// What kind of problem it is, for programs.
    pub(crate) code: String,
    /// What is wrong with what, for people.
    pub(crate) detail: String,
    /// What led to it, the nearest cause first.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) because: Box<[String]>,
    /// The plugins that stand in the way.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) plugins: Box<[String]>,
    /// The pipelines that stand in the way.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) pipelines: Box<[String]>,
    /// Mistakes in pipeline files, as `tapline check --format json` writes them.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) mistakes: Box<[Value]>,
}

/// The largest body of a request, in bytes.
pub(crate) const LARGEST_BODY: usize = 8 << 20;
/// So many characters of what is wrong are told.
const LONGEST: usize = 1000;

impl Problem {
    #[expect(clippy::needless_pass_by_value, reason = "most of what is handed over was made for it")]
    pub(crate) fn new(status: StatusCode, code: &str, detail: impl ToString) -> Self {
        Self {
            status: status.as_u16(),
            code: code.to_owned(),
            detail: shortened(&detail.to_string()),
            because: Box::default(),
            plugins: Box::default(),
            pipelines: Box::default(),
            mistakes: Box::default(),
        }
    }

    /// What is asked for is not there.
    pub(crate) fn not_found(detail: impl ToString) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    /// What is asked for does not fit what there is.
    pub(crate) fn conflict(code: &str, detail: impl ToString) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// What is asked for is understood, and wrong.
    pub(crate) fn refused(code: &str, detail: impl ToString) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// The body of a request is too large.
    pub(crate) fn too_large() -> Self {
        let detail = format!("the body may have {LARGEST_BODY} bytes at most");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
    }

    /// Something broke here.
    pub(crate) fn broken(detail: impl ToString) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "broken", detail)
    }

    /// As [`refused`](Self::refused), with what led to it.
    pub(crate) fn error(code: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        let causes = std::iter::successors(error.source(), |error| error.source());
        Self { because: causes.map(ToString::to_string).collect(), ..Self::refused(code, error) }
    }

    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status.as_u16();
        self
    }

    pub(crate) fn plugins(mut self, plugins: impl IntoIterator<Item = impl ToString>) -> Self {
        self.plugins = plugins.into_iter().map(|plugin| plugin.to_string()).collect();
        self
    }

    pub(crate) fn pipelines(mut self, pipelines: impl IntoIterator<Item = impl ToString>) -> Self {
        self.pipelines = pipelines.into_iter().map(|pipeline| pipeline.to_string()).collect();
        self
    }
}

/// Answers with a value as JSON that holds no secret.
#[derive(Debug)]
pub(crate) struct Redacted<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Redacted<T> {
    fn into_response(self) -> Response {
        match serde_json::to_value(self.0) {
            Ok(json) => Json(redacted_json(json)).into_response(),
            Err(error) => Problem::broken(error).into_response(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Redacted(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let (status, text) = (rejection.status(), rejection.body_text());
        match status {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                Self::new(status, "no-json", "send JSON, and say so: `content-type: application/json`")
            }
            StatusCode::PAYLOAD_TOO_LARGE => Self::too_large(),
            _ => Self::new(status, "bad-request", format!("the body: {}", reason(&text))),
        }
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        let detail = format!("the query: {}", reason(&rejection.body_text()));
        Self::new(rejection.status(), "bad-request", detail)
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        let detail = format!("the path: {}", reason(&rejection.body_text()));
        Self::new(rejection.status(), "bad-request", detail)
    }
}

/// What is wrong, without where it was noticed in the code.
fn reason(text: &str) -> &str {
    text.split_once(": ").map_or(text, |(_, reason)| reason)
}

/// As much of a text as people read; a name that somebody made up may have no end.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
