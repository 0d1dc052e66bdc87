//! The routes of messages about alarms, and of models.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::alarms::{alarm_of, may_deal};
use super::asking::{Asked as Question, JsonBody, in_time};
use super::paging::{Asked as Part, write};
use super::{LoggedIn, Shared, refusals};
use crate::ProblemResponse;
use crate::contract::{AlarmDeliveries, AlarmDelivery, AlarmTest, DetectionModels};

const CONTACT_BYTES_MAX: usize = 4 * 1_024;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct DeliveriesQuery {
    /// About this alarm only.
    alarm: Option<String>,
    /// Beginning of the span, included; everything when absent.
    from: Option<String>,
    /// End of the span, excluded.
    to: Option<String>,
    /// Rows of a page; 100 when absent, at most 1,000.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Messages about a mission's alarms, and what became of them, by when they were due, newest first. Only at the hub.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/alarm-deliveries",
    params(("mission" = String, Path), DeliveriesQuery),
    responses((status = 200, body = AlarmDeliveries), refusals::OfHub))]
pub(super) async fn deliveries(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    Question(query): Question<DeliveriesQuery>,
) -> Result<Json<AlarmDeliveries>, ProblemResponse> {
    app.mission(&who.principal, &name)?;
    let alarm = query.alarm.as_deref().map(alarm_of).transpose()?;
    let list = format!("alarm deliveries {name}");
    let (from, to) = (query.from.as_deref(), query.to.as_deref());
    let part = Part { from, to, limit: query.limit, cursor: query.cursor.as_deref() }.of(&list)?;
    let page = in_time(app.backend.alarms().deliveries(&name, alarm, part)).await?;
    Ok(Json(AlarmDeliveries { deliveries: page.rows, next: page.next.map(|place| write(&list, place)) }))
}

/// Sends a message that says it is a test to a contact, at once, and says what came of it. Only at the hub.
#[utoipa::path(post, path = "/api/v1/missions/{mission}/alarm-tests", request_body = AlarmTest,
    params(("mission" = String, Path)),
    responses((status = 200, body = AlarmDelivery), refusals::OfAct))]
pub(super) async fn send_test(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    JsonBody(AlarmTest { contact }): JsonBody<AlarmTest, CONTACT_BYTES_MAX>,
) -> Result<Json<AlarmDelivery>, ProblemResponse> {
    may_deal(&app, &who, &name)?;
    Ok(Json(in_time(app.backend.alarms().send_test(&name, &contact, &who.principal.name)).await?))
}

/// Detection models in force for a mission.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/models", params(("mission" = String, Path)),
    responses((status = 200, body = DetectionModels), refusals::OfQuestion))]
pub(super) async fn models(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
) -> Result<Json<DetectionModels>, ProblemResponse> {
    app.mission(&who.principal, &name)?;
    Ok(Json(DetectionModels { models: in_time(app.backend.alarms().models(&name)).await? }))
}
