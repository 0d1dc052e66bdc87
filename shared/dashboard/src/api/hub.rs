//! The route of the hub itself.

use axum::Json;
use axum::extract::State;

use super::asking::in_time;
use super::who::Administrator;
use super::{Shared, refusals};
use crate::ProblemResponse;
use crate::contract::HubStanding;

/// How the hub is: who leads, its database, whom it trusts, where nodes turn to, its missions. Only at the hub, only for
/// operators of all missions.
#[utoipa::path(get, path = "/api/v1/hub", responses((status = 200, body = HubStanding), refusals::OfAdministration))]
pub(super) async fn hub(
    State(app): State<Shared>,
    _: Administrator,
) -> Result<Json<HubStanding>, ProblemResponse> {
    Ok(Json(in_time(app.backend.administration().hub()).await?))
}
