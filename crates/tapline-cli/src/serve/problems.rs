//! The problems that requests end in, for the description of the API.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use super::problem::Problem;

/// A problem with this status.
pub(crate) enum With<const STATUS: u16> {}

/// The request is not as it should be.
pub(crate) type BadRequest = With<400>;
/// The token is missing or wrong.
pub(crate) type NoToken = With<401>;
/// There is no such thing.
pub(crate) type NotFound = With<404>;
/// The body did not come.
pub(crate) type TooSlow = With<408>;
/// It does not fit what there is now.
pub(crate) type Conflict = With<409>;
/// The body is too large.
pub(crate) type TooLarge = With<413>;
/// The body is no JSON.
pub(crate) type NoJson = With<415>;
/// It is understood, and wrong.
pub(crate) type Refused = With<422>;
/// Too many runs are under way.
pub(crate) type TooMany = With<429>;
/// The server is being stopped, or its disk cannot be used.
pub(crate) type NotNow = With<503>;

impl<const STATUS: u16> IntoResponses for With<STATUS> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let reason = StatusCode::from_u16(STATUS).ok().and_then(|status| status.canonical_reason());
        let schema = Ref::from_schema_name(Problem::name());
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new()
            .description(format!("{}; `code` and `detail` say more.", reason.unwrap_or_default()))
            .content("application/problem+json", content)
            .build();
        [(STATUS.to_string(), response.into())].into()
    }
}
