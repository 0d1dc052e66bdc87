//! The routes of rules, of alarms and of detection: what counts, versions, new ones, and what a text would say.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use processing::alarm::AlarmRules as ReadAlarmRules;
use processing::watch::DetectionRules as ReadDetectionRules;

use super::alarms::{book, may_deal};
use super::asking::{JsonBody, in_time};
use super::{App, LoggedIn, Shared, refusals};
use crate::ProblemResponse;
use crate::alarms::{RulesKind, WantedRules};
use crate::contract::{
    AlarmRules, AlarmRulesInForce, DetectionRules, DetectionRulesInForce, NewRules, RulesDocument,
    RulesToCheck, RulesVersion,
};

/// A rules document has 1 MiB, and JSON may write a character as six.
const RULES_BYTES_MAX: usize = 7 * 1_024 * 1_024;
const TEXT_BYTES_MAX: usize = 1_024 * 1_024;
const REASON_BYTES_MAX: usize = 4 * 1_024;

/// The alarm rules of a mission that count, and all versions of their document. A node has the newest.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/alarm-rules", params(("mission" = String, Path)),
    responses((status = 200, body = AlarmRules), refusals::OfQuestion))]
pub(super) async fn alarm_rules(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
) -> Result<Json<AlarmRules>, ProblemResponse> {
    let book = book(&app, &who.principal, &name)?;
    let versions = in_time(app.backend.alarms().rules(&name, RulesKind::Alarms)).await?;
    Ok(Json(AlarmRules { in_force: book.rules().as_ref().into(), versions }))
}

/// The detection rules of a mission that count, and all versions of their document. A node has the newest.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/detection-rules", params(("mission" = String, Path)),
    responses((status = 200, body = DetectionRules), refusals::OfQuestion))]
pub(super) async fn detection_rules(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
) -> Result<Json<DetectionRules>, ProblemResponse> {
    app.mission(&who.principal, &name)?;
    let alarms = app.backend.alarms();
    let versions = in_time(alarms.rules(&name, RulesKind::Detection)).await?;
    Ok(Json(DetectionRules { in_force: alarms.detection_rules(&name).as_ref().into(), versions }))
}

/// One version of the alarm rules.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/alarm-rules/{number}",
    params(("mission" = String, Path), ("number" = u32, Path)),
    responses((status = 200, body = RulesDocument), refusals::OfQuestion))]
pub(super) async fn alarm_rules_document(
    State(app): State<Shared>,
    Path((name, number)): Path<(String, String)>,
    who: LoggedIn,
) -> Result<Json<RulesDocument>, ProblemResponse> {
    document(&app, &who, RulesKind::Alarms, (&name, &number)).await
}

/// One version of the detection rules.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/detection-rules/{number}",
    params(("mission" = String, Path), ("number" = u32, Path)),
    responses((status = 200, body = RulesDocument), refusals::OfQuestion))]
pub(super) async fn detection_rules_document(
    State(app): State<Shared>,
    Path((name, number)): Path<(String, String)>,
    who: LoggedIn,
) -> Result<Json<RulesDocument>, ProblemResponse> {
    document(&app, &who, RulesKind::Detection, (&name, &number)).await
}

/// Brings a new version of the alarm rules into force. What is wrong with it is told and left out. Only at the hub.
#[utoipa::path(put, path = "/api/v1/missions/{mission}/alarm-rules", request_body = NewRules,
    params(("mission" = String, Path)),
    responses((status = 200, body = RulesVersion), refusals::OfAct))]
pub(super) async fn put_alarm_rules(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    JsonBody(new): JsonBody<NewRules, RULES_BYTES_MAX>,
) -> Result<Json<RulesVersion>, ProblemResponse> {
    put(&app, who, &name, (RulesKind::Alarms, new)).await
}

/// Brings a new version of the detection rules into force. What is wrong with it is told and left out. Only at the hub.
#[utoipa::path(put, path = "/api/v1/missions/{mission}/detection-rules", request_body = NewRules,
    params(("mission" = String, Path)),
    responses((status = 200, body = RulesVersion), refusals::OfAct))]
pub(super) async fn put_detection_rules(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    JsonBody(new): JsonBody<NewRules, RULES_BYTES_MAX>,
) -> Result<Json<RulesVersion>, ProblemResponse> {
    put(&app, who, &name, (RulesKind::Detection, new)).await
}

/// What of a text would count as alarm rules. Nothing is changed.
#[utoipa::path(post, path = "/api/v1/missions/{mission}/alarm-rules/check", request_body = RulesToCheck,
    params(("mission" = String, Path)),
    responses((status = 200, body = AlarmRulesInForce), refusals::OfBody))]
pub(super) async fn check_alarm_rules(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    JsonBody(RulesToCheck { text }): JsonBody<RulesToCheck, RULES_BYTES_MAX>,
) -> Result<Json<AlarmRulesInForce>, ProblemResponse> {
    app.mission(&who.principal, &name)?;
    let source_name = RulesKind::Alarms.file_name();
    read(&app, text, move |text| AlarmRulesInForce::from(&ReadAlarmRules::parse(source_name, text))).await
}

/// What of a text would count as detection rules. Nothing is changed.
#[utoipa::path(post, path = "/api/v1/missions/{mission}/detection-rules/check", request_body = RulesToCheck,
    params(("mission" = String, Path)),
    responses((status = 200, body = DetectionRulesInForce), refusals::OfBody))]
pub(super) async fn check_detection_rules(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    JsonBody(RulesToCheck { text }): JsonBody<RulesToCheck, RULES_BYTES_MAX>,
) -> Result<Json<DetectionRulesInForce>, ProblemResponse> {
    app.mission(&who.principal, &name)?;
    let source_name = RulesKind::Detection.file_name();
    read(&app, text, move |text| DetectionRulesInForce::from(&ReadDetectionRules::parse(source_name, text)))
        .await
}

async fn document(
    app: &App,
    who: &LoggedIn,
    kind: RulesKind,
    (mission, number): (&str, &str),
) -> Result<Json<RulesDocument>, ProblemResponse> {
    app.mission(&who.principal, mission)?;
    let unknown = || {
        let detail = format!("mission {mission} has no version {number:?} of its {}", kind.name());
        match kind {
            RulesKind::Alarms => ProblemResponse::unknown_alarm_rules(detail),
            RulesKind::Detection => ProblemResponse::unknown_detection_rules(detail),
        }
    };
    let wanted = number.parse().map_err(|_| unknown())?;
    let found = in_time(app.backend.alarms().rules_text(mission, kind, wanted)).await?.ok_or_else(unknown)?;
    Ok(Json(RulesDocument { version: found.version, text: found.text }))
}

async fn put(
    app: &App,
    who: LoggedIn,
    mission: &str,
    (kind, new): (RulesKind, NewRules),
) -> Result<Json<RulesVersion>, ProblemResponse> {
    may_deal(app, &who, mission)?;
    let NewRules { based_on, text, reason } = new;
    check_length(&text)?;
    if reason.trim().is_empty() || reason.len() > REASON_BYTES_MAX || reason.contains('\0') {
        let detail = format!(
            "say in `reason` why, in 1 to {REASON_BYTES_MAX} bytes without U+0000; the rules are as they were"
        );
        return Err(ProblemResponse::bad_request(detail));
    }
    let wanted = WantedRules { kind, based_on, text, author: who.principal.name, reason };
    Ok(Json(in_time(app.backend.alarms().put_rules(mission, wanted)).await?))
}

fn check_length(text: &str) -> Result<(), ProblemResponse> {
    if text.len() > TEXT_BYTES_MAX {
        let detail =
            format!("a rules document has at most {TEXT_BYTES_MAX} bytes; the rules are as they were");
        return Err(ProblemResponse::too_large(detail));
    }
    Ok(())
}

async fn read<T: Send + 'static>(
    app: &App,
    text: String,
    reading: impl FnOnce(&str) -> T + Send + 'static,
) -> Result<Json<T>, ProblemResponse> {
    check_length(&text)?;
    // A document of the largest size takes a core for longer than other requests should wait, and there are few cores.
    let closed = |_| ProblemResponse::internal("the text could not be read; report this");
    let turn = async { Arc::clone(&app.rules_read).acquire_owned().await.map_err(closed) };
    let turn = in_time(turn).await?;
    let read = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        reading(&text)
    });
    read.await.map(Json).map_err(|_| ProblemResponse::internal("the text could not be read; report this"))
}
