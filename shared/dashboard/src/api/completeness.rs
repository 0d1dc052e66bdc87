//! The route that says what came of what there was.

use axum::Json;
use axum::extract::{Path, Query, State};
use processing::Hour;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{LoggedIn, RANGE_TIMEOUT, Shared, time};
use crate::ProblemResponse;
use crate::contract::{Completeness, CompletenessBy, Problem};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct CompletenessQuery {
    /// Beginning of the span of reception times, RFC 3339: the hour it lies in is included.
    from: String,
    /// End of the span, RFC 3339: the hour it lies in is included, unless it is the hour's first moment.
    to: String,
    /// Over how long rows are summed; the whole span when absent.
    by: Option<CompletenessBy>,
}

/// What came of a mission's records: live, later, waiting, lost and why. Only at the hub.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/completeness", params(("mission" = String, Path), CompletenessQuery),
    responses((status = 200, body = Completeness), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 503, body = Problem),
        (status = 504, body = Problem)))]
pub(super) async fn completeness(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    query: Result<Query<CompletenessQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Completeness>, ProblemResponse> {
    let mission = app.mission(&who.principal, &name)?;
    let Query(query) = query.map_err(|error| ProblemResponse::bad_request(error.body_text()))?;
    let hours = Hour::span(time(&query.from)?, time(&query.to)?)
        .ok_or_else(|| ProblemResponse::bad_request("the range is empty: `to` is not after `from`"))?;
    let answer = app.backend.completeness(&mission, hours, query.by.unwrap_or_default());
    let answer = tokio::time::timeout(RANGE_TIMEOUT, answer).await.map_err(|_| {
        ProblemResponse::too_slow("the archive took longer than 30 s; ask for a shorter span, or try again")
    })?;
    answer.map(Json)
}
