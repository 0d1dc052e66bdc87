//! The routes of backfill that somebody asks for.

use axum::Json;
use axum::extract::{Path, State};

use super::asking::{JsonBody, in_time};
use super::{LoggedIn, Shared, range, refusals};
use crate::ProblemResponse;
use crate::access::{Action, Resource};
use crate::backfill::WantedBackfill;
use crate::contract::{BackfillRequest, BackfillRequests, NewBackfillRequest};

const REQUEST_BYTES_MAX: usize = 4 * 1_024;

/// What of a mission nodes were asked to send first, and what came of it. Only at the hub.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/backfill", params(("mission" = String, Path)),
    responses((status = 200, body = BackfillRequests), refusals::OfQuestion))]
pub(super) async fn backfill_requests(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
) -> Result<Json<BackfillRequests>, ProblemResponse> {
    let mission = app.mission(&who.principal, &name)?;
    let requests = in_time(app.backend.backfill().requests(&mission)).await?;
    Ok(Json(BackfillRequests { requests }))
}

/// Asks a node to send first what it still has of a span of reception times. It is asked again in each session until that
/// is served, or for a day. Only at the hub.
#[utoipa::path(post, path = "/api/v1/missions/{mission}/backfill", request_body = NewBackfillRequest,
    params(("mission" = String, Path)),
    responses((status = 200, body = BackfillRequest), refusals::OfAct))]
pub(super) async fn ask_for_backfill(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    JsonBody(new): JsonBody<NewBackfillRequest, REQUEST_BYTES_MAX>,
) -> Result<Json<BackfillRequest>, ProblemResponse> {
    let mission = app.mission(&who.principal, &name)?;
    who.may(Action::AskForBackfill, Resource::Mission(&name))?;
    let (from, to) = range(&new.from, &new.to)?;
    let wanted = WantedBackfill { node: new.node, span: from..to, by: who.principal.name };
    Ok(Json(in_time(app.backend.backfill().ask(&mission, wanted)).await?))
}
