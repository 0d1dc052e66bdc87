//! The routes of what decides about alarms: rules, messages to people, models.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::alarms::{alarm_of, book, may_deal};
use super::asking::{Asked as Question, JsonBody, in_time};
use super::paging::{Asked as Part, write};
use super::{LoggedIn, Shared, refusals};
use crate::ProblemResponse;
use crate::alarms::{WantedRules, rules_in_force};
use crate::contract::{
    AlarmDeliveries, AlarmDelivery, AlarmRules, AlarmTest, DetectionModels, NewRules, RulesDocument,
    RulesVersion,
};

/// A rules document has 1 MiB, and JSON may write a character as six.
const RULES_BYTES_MAX: usize = 7 * 1_024 * 1_024;
const TEXT_BYTES_MAX: usize = 1_024 * 1_024;
const REASON_BYTES_MAX: usize = 4 * 1_024;
const CONTACT_BYTES_MAX: usize = 4 * 1_024;

/// The alarm rules of a mission that count, and all versions of their document.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/alarm-rules", params(("mission" = String, Path)),
    responses((status = 200, body = AlarmRules), refusals::OfQuestion))]
pub(super) async fn rules(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
) -> Result<Json<AlarmRules>, ProblemResponse> {
    let book = book(&app, &who.principal, &name)?;
    let versions = in_time(app.backend.alarms().rules(&name)).await?;
    Ok(Json(AlarmRules { in_force: rules_in_force(&book.rules()), versions }))
}

/// One version of the rules document.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/alarm-rules/{number}",
    params(("mission" = String, Path), ("number" = u32, Path)),
    responses((status = 200, body = RulesDocument), refusals::OfQuestion))]
pub(super) async fn rules_document(
    State(app): State<Shared>,
    Path((name, number)): Path<(String, String)>,
    who: LoggedIn,
) -> Result<Json<RulesDocument>, ProblemResponse> {
    app.mission(&who.principal, &name)?;
    let unknown = || {
        let detail = format!("mission {name} has no version {number:?} of its alarm rules");
        ProblemResponse::unknown_rules(detail)
    };
    let wanted = number.parse().map_err(|_| unknown())?;
    let found = in_time(app.backend.alarms().rules_text(&name, wanted)).await?.ok_or_else(unknown)?;
    Ok(Json(RulesDocument { version: found.version, text: found.text }))
}

/// Brings a new version of the rules document into force. What is wrong with it is told and left out. Only at the hub.
#[utoipa::path(put, path = "/api/v1/missions/{mission}/alarm-rules", request_body = NewRules,
    params(("mission" = String, Path)),
    responses((status = 200, body = RulesVersion), refusals::OfAct))]
pub(super) async fn put_rules(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    JsonBody(NewRules { text, reason }): JsonBody<NewRules, RULES_BYTES_MAX>,
) -> Result<Json<RulesVersion>, ProblemResponse> {
    may_deal(&app, &who, &name)?;
    if text.len() > TEXT_BYTES_MAX {
        return Err(ProblemResponse::too_large(format!(
            "a rules document has at most {TEXT_BYTES_MAX} bytes"
        )));
    }
    if reason.trim().is_empty() || reason.len() > REASON_BYTES_MAX {
        let detail =
            format!("say in `reason` why, in 1 to {REASON_BYTES_MAX} bytes; the rules are as they were");
        return Err(ProblemResponse::bad_request(detail));
    }
    let new = WantedRules { text, author: who.principal.name, reason };
    Ok(Json(in_time(app.backend.alarms().put_rules(&name, new)).await?))
}

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
