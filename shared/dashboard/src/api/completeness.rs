//! The route that says what came of what there was.

use axum::Json;
use axum::extract::State;
use processing::Hour;
use serde::Deserialize;
use utoipa::IntoParams;

use super::asking::{Asked, OfMission, in_time};
use super::{Shared, range, refusals};
use crate::ProblemResponse;
use crate::contract::{Completeness, CompletenessBy};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CompletenessQuery {
    /// Beginning of the span of reception times (RFC 3339, day of the year, or relative as `now-1h`): the hour it lies in is included.
    from: String,
    /// End of the span: the hour it lies in is included, unless it is the hour's first moment.
    to: String,
    /// Over how long rows are summed; the whole span when absent.
    by: Option<CompletenessBy>,
}

/// What came of a mission's records: live, later, waiting, lost and why. Only at the hub.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/completeness", params(("mission" = String, Path), CompletenessQuery),
    responses((status = 200, body = Completeness), refusals::OfQuestion))]
pub(super) async fn completeness(
    State(app): State<Shared>,
    OfMission(mission): OfMission,
    Asked(asked): Asked<CompletenessQuery>,
) -> Result<Json<Completeness>, ProblemResponse> {
    let (from, to) = range(&asked.from, &asked.to)?;
    let empty = || ProblemResponse::bad_request("the range is empty: `to` is not after `from`");
    let hours = Hour::span(from, to).ok_or_else(empty)?;
    in_time(app.backend.completeness(&mission, hours, asked.by.unwrap_or_default())).await.map(Json)
}
