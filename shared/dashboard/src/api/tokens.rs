//! The routes of tokens: those that enrol nodes, and those of programs. A token's text is in one answer only.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::asking::{JsonBody, in_time};
use super::who::Administrator;
use super::{Shared, refusals};
use crate::ProblemResponse;
use crate::contract::{
    ApiTokens, EnrolmentTokens, MadeApiToken, MadeEnrolmentToken, NewApiToken, NewEnrolmentToken,
};

const BODY_BYTES_MAX: usize = 64 * 1_024;
const HOURS: std::ops::RangeInclusive<u32> = 1..=720;
const DAYS: std::ops::RangeInclusive<u32> = 1..=3_650;

/// Tokens that make, or made, machines nodes. Only at the hub, only for operators of all missions.
#[utoipa::path(get, path = "/api/v1/enrolment-tokens",
    responses((status = 200, body = EnrolmentTokens), refusals::OfAdministration))]
pub(super) async fn enrolment_tokens(
    State(app): State<Shared>,
    _: Administrator,
) -> Result<Json<EnrolmentTokens>, ProblemResponse> {
    Ok(Json(in_time(app.backend.administration().enrolment_tokens()).await?))
}

/// Makes a token that makes one machine a node. Its text is a secret and in no other answer. Only at the hub, only for
/// operators of all missions.
#[utoipa::path(post, path = "/api/v1/enrolment-tokens", request_body = NewEnrolmentToken,
    responses((status = 200, body = MadeEnrolmentToken), refusals::OfAdministration))]
pub(super) async fn make_enrolment_token(
    State(app): State<Shared>,
    Administrator(who): Administrator,
    JsonBody(new): JsonBody<NewEnrolmentToken, BODY_BYTES_MAX>,
) -> Result<Json<MadeEnrolmentToken>, ProblemResponse> {
    if !HOURS.contains(&new.hours) {
        let (least, most) = (HOURS.start(), HOURS.end());
        let detail = format!("`hours` is {}; {least} to {most} are taken. No token was made", new.hours);
        return Err(ProblemResponse::bad_request(detail));
    }
    Ok(Json(in_time(app.backend.administration().make_enrolment_token(new, &who.name)).await?))
}

/// Ends a token that was not used yet. Only at the hub, only for operators of all missions.
#[utoipa::path(delete, path = "/api/v1/enrolment-tokens/{id}", params(("id" = String, Path)),
    responses((status = 204), refusals::OfAdministration))]
pub(super) async fn end_enrolment_token(
    State(app): State<Shared>,
    Path(text): Path<String>,
    Administrator(who): Administrator,
) -> Result<StatusCode, ProblemResponse> {
    let id = data_encoding::HEXLOWER.decode(text.as_bytes()).ok().and_then(|id| id.try_into().ok());
    let id = id.ok_or_else(|| {
        ProblemResponse::enrolment_token_unknown("an id has 32 hexadecimal digits; take one of the list")
    })?;
    in_time(app.backend.administration().end_enrolment_token(id, &who.name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tokens of programs. Only at the hub, only for operators of all missions.
#[utoipa::path(get, path = "/api/v1/api-tokens",
    responses((status = 200, body = ApiTokens), refusals::OfAdministration))]
pub(super) async fn api_tokens(
    State(app): State<Shared>,
    _: Administrator,
) -> Result<Json<ApiTokens>, ProblemResponse> {
    Ok(Json(in_time(app.backend.administration().api_tokens()).await?))
}

/// Makes a token for a program. Its text is a secret and in no other answer. Only at the hub, only for operators of all
/// missions.
#[utoipa::path(post, path = "/api/v1/api-tokens", request_body = NewApiToken,
    responses((status = 200, body = MadeApiToken), refusals::OfAdministration))]
pub(super) async fn make_api_token(
    State(app): State<Shared>,
    Administrator(who): Administrator,
    JsonBody(new): JsonBody<NewApiToken, BODY_BYTES_MAX>,
) -> Result<Json<MadeApiToken>, ProblemResponse> {
    if !DAYS.contains(&new.days) {
        let (least, most) = (DAYS.start(), DAYS.end());
        let detail = format!("`days` is {}; {least} to {most} are taken. No token was made", new.days);
        return Err(ProblemResponse::bad_request(detail));
    }
    Ok(Json(in_time(app.backend.administration().make_api_token(new, &who.name)).await?))
}

/// Ends a program's token: within 5 seconds every hub refuses it. Only at the hub, only for operators of all missions.
#[utoipa::path(delete, path = "/api/v1/api-tokens/{name}", params(("name" = String, Path)),
    responses((status = 204), refusals::OfAdministration))]
pub(super) async fn revoke_api_token(
    State(app): State<Shared>,
    Path(name): Path<String>,
    Administrator(who): Administrator,
) -> Result<StatusCode, ProblemResponse> {
    in_time(app.backend.administration().revoke_api_token(&name, &who.name)).await?;
    Ok(StatusCode::NO_CONTENT)
}
