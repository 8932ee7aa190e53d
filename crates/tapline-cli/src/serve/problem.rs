use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) because: Vec<String>,
    /// The plugins that stand in the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) plugins: Vec<String>,
    /// The pipelines that stand in the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) pipelines: Vec<String>,
    /// Mistakes in pipeline files, as `tapline check --format json` writes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) mistakes: Vec<Value>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &str, detail: impl ToString) -> Self {
        Self {
            status: status.as_u16(),
            code: code.to_owned(),
            detail: detail.to_string(),
            because: Vec::new(),
            plugins: Vec::new(),
            pipelines: Vec::new(),
            mistakes: Vec::new(),
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

    /// Something broke here.
    pub(crate) fn broken(detail: impl ToString) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "broken", detail)
    }

    /// As [`refused`](Self::refused), with what led to it.
    pub(crate) fn error(code: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut problem = Self::refused(code, error);
        let mut cause = error.source();
        while let Some(error) = cause {
            problem.because.push(error.to_string());
            cause = error.source();
        }
        problem
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

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
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
        let code = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => "too-large",
            _ => "bad-request",
        };
        Self::new(rejection.status(), code, rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status(), "bad-request", rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::new(rejection.status(), "bad-request", rejection.body_text())
    }
}
