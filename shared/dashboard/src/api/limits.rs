//! The routes of a mission's limits: what is in force, versions, changes, and what changes would have done.

use std::collections::HashSet;

use axum::Json;
use axum::extract::{Path, State};
use mission_database::EffectiveSpan;

use super::asking::{JsonBody, in_time};
use super::{LoggedIn, Shared, refusals, time};
use crate::access::{Action, Resource};
use crate::app::App;
use crate::contract::{
    Limits, LimitsChange, LimitsContent, LimitsDocument, LimitsTrial, LimitsTrialQuestion, LimitsVersion,
    NewLimits,
};
use crate::limits::{WantedContent, WantedLimits, bounds_now, in_force};
use crate::{ProblemResponse, rfc3339};

/// A document has 1 MiB, and JSON may write a character as six.
const LIMITS_BYTES_MAX: usize = 7 * 1_024 * 1_024;
const TRIAL_BYTES_MAX: usize = 1_024 * 1_024;
const TEXT_BYTES_MAX: usize = 1_024 * 1_024;
const NOTE_BYTES_MAX: usize = 4 * 1_024;
const CHANGES_MAX: usize = 1_000;
/// What changes may write anew of who made them and why, which stands in every row.
const SAID_BYTES_MAX: usize = 4 * 1_024 * 1_024;
const TRIED_MAX: usize = 100;
const CONTEXTS_MAX: usize = 32;
const DAYS_DEFAULT: u32 = 7;
const DAYS_MAX: u32 = 31;
const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// The limits of a mission's parameters that are in force now, and all versions of the document that says them. A node
/// does not know who imported them.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/limits", params(("mission" = String, Path)),
    responses((status = 200, body = Limits), refusals::OfQuestion))]
pub(super) async fn limits(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
) -> Result<Json<Limits>, ProblemResponse> {
    let mission = app.mission(&who.principal, &name)?;
    let versions = in_time(app.backend.limits().versions(&mission)).await?;
    let (database, now) = (mission.database(), service::clock::now());
    Ok(Json(Limits {
        at: rfc3339(now),
        in_force: database.at(now).limits,
        newest: versions.first().map(|version| version.number),
        bounds: bounds_now(&database, now),
        limits: in_force(&database, now),
        versions,
    }))
}

/// One version of a mission's limits: its text, and what it says of each parameter. Only at the hub.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/limits/{number}",
    params(("mission" = String, Path), ("number" = u32, Path)),
    responses((status = 200, body = LimitsDocument), refusals::OfQuestion))]
pub(super) async fn limits_document(
    State(app): State<Shared>,
    Path((name, number)): Path<(String, String)>,
    who: LoggedIn,
) -> Result<Json<LimitsDocument>, ProblemResponse> {
    let mission = app.mission(&who.principal, &name)?;
    let unknown = || {
        let detail = format!("mission {name} has no version {number:?} of its limits");
        ProblemResponse::unknown_limits(detail)
    };
    let wanted = number.parse().map_err(|_| unknown())?;
    in_time(app.backend.limits().document(&mission, wanted)).await?.map(Json).ok_or_else(unknown)
}

/// Makes the next version of a mission's limits, from changes or from a whole document, for the hub and all nodes. It is
/// refused as a whole when a part of it is wrong, or when another version was made meanwhile. Only at the hub.
#[utoipa::path(put, path = "/api/v1/missions/{mission}/limits", request_body = NewLimits,
    params(("mission" = String, Path)),
    responses((status = 200, body = LimitsVersion), refusals::OfAct))]
pub(super) async fn put_limits(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    JsonBody(new): JsonBody<NewLimits, LIMITS_BYTES_MAX>,
) -> Result<Json<LimitsVersion>, ProblemResponse> {
    let mission = may_change(&app, &who, &name)?;
    if new.note.trim().is_empty() || new.note.len() > NOTE_BYTES_MAX || new.note.contains('\0') {
        let detail = format!(
            "say in `note` why, in 1 to {NOTE_BYTES_MAX} bytes without U+0000; the limits are as they were"
        );
        return Err(ProblemResponse::bad_request(detail));
    }
    let from = new.effective_from.as_deref().map(time).transpose()?;
    let (content, to) = match new.content {
        LimitsContent::Changes { changes } => {
            check_changes(&changes, CHANGES_MAX)?;
            check_said(&changes, new.note.len() + who.principal.name.len())?;
            (WantedContent::Changes(changes), None)
        }
        LimitsContent::Document { text, format, bounds, effective_to } => {
            if text.len() > TEXT_BYTES_MAX {
                let detail = format!(
                    "a document has at most {TEXT_BYTES_MAX} bytes here; a larger one comes in by `cloud-hub limits import`"
                );
                return Err(ProblemResponse::too_large(detail));
            }
            let to = effective_to.as_deref().map(time).transpose()?;
            (WantedContent::Document { text, format, bounds }, to)
        }
    };
    if let Some(to) = to
        && to <= from.unwrap_or_else(service::clock::now)
    {
        let detail = "`effective_to` is not after `effective_from`; the limits are as they were";
        return Err(ProblemResponse::bad_request(detail));
    }
    let wanted = WantedLimits {
        based_on: new.based_on,
        effective: EffectiveSpan { from, to },
        author: who.principal.name,
        note: new.note,
        content,
    };
    Ok(Json(in_time(app.backend.limits().put(&mission, wanted)).await?))
}

/// What changed limits would have raised in the last days, from archived samples, and what those in force would have.
/// Nothing is changed. Only at the hub.
#[utoipa::path(post, path = "/api/v1/missions/{mission}/limits/trial", request_body = LimitsTrialQuestion,
    params(("mission" = String, Path)),
    responses((status = 200, body = LimitsTrial), refusals::OfBody))]
pub(super) async fn try_limits(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    JsonBody(question): JsonBody<LimitsTrialQuestion, TRIAL_BYTES_MAX>,
) -> Result<Json<LimitsTrial>, ProblemResponse> {
    let mission = app.mission(&who.principal, &name)?;
    check_changes(&question.changes, TRIED_MAX)?;
    let days = question.days.unwrap_or(DAYS_DEFAULT);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(ProblemResponse::bad_request(format!("`days` is {days}; expected 1 to {DAYS_MAX}")));
    }
    let now = service::clock::now();
    let span = now.plus_nanos(-i64::from(days) * NANOS_PER_DAY)..now;
    Ok(Json(in_time(app.backend.limits().trial(&mission, question.changes, span)).await?))
}

/// The mission, if somebody may change its limits. One that is not there for them is told as such.
fn may_change(
    app: &App,
    who: &LoggedIn,
    name: &str,
) -> Result<std::sync::Arc<crate::LiveMission>, ProblemResponse> {
    let mission = app.mission(&who.principal, name)?;
    who.may(Action::ChangeLimits, Resource::Mission(name))?;
    Ok(mission)
}

/// That the note is not written so often that it becomes a document of many megabytes.
fn check_said(changes: &[LimitsChange], said_bytes: usize) -> Result<(), ProblemResponse> {
    let rows = changes.iter().map(|change| match change {
        LimitsChange::Overlay { contexts, .. } => contexts.len(),
        _ => 0,
    });
    let rows: usize = rows.sum();
    if rows.saturating_mul(said_bytes) > SAID_BYTES_MAX {
        let detail = format!(
            "a `note` of this length in {rows} rows is more than {SAID_BYTES_MAX} bytes; the limits are as they were: say it \
             shorter, or change fewer parameters at once"
        );
        return Err(ProblemResponse::too_large(detail));
    }
    Ok(())
}

/// How many changes there are, and that each parameter has one.
fn check_changes(changes: &[LimitsChange], max: usize) -> Result<(), ProblemResponse> {
    if !(1..=max).contains(&changes.len()) {
        let detail = format!("`changes` has {}; expected 1 to {max}", changes.len());
        return Err(ProblemResponse::bad_request(detail));
    }
    let mut seen = HashSet::new();
    for change in changes {
        let parameter = change.parameter();
        if !seen.insert(parameter) {
            let detail = format!("{parameter:?} is changed twice; expected one change of each parameter");
            return Err(ProblemResponse::bad_request(detail));
        }
        if let LimitsChange::Overlay { contexts, .. } = change
            && !(1..=CONTEXTS_MAX).contains(&contexts.len())
        {
            let detail =
                format!("{parameter:?} has {} contexts; expected 1 to {CONTEXTS_MAX}", contexts.len());
            return Err(ProblemResponse::bad_request(detail));
        }
    }
    Ok(())
}
