//! The routes of people: who is logged in, who gets a code, whose sessions end.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::asking::{JsonBody, in_time};
use super::who::Administrator;
use super::{Shared, refusals};
use crate::ProblemResponse;
use crate::contract::{MadeLoginCode, NewLoginCode, People};

const BODY_BYTES_MAX: usize = 64 * 1_024;

/// Who is logged in, or has a code to log in with. Only at the hub, only for operators of all missions.
#[utoipa::path(get, path = "/api/v1/people",
    responses((status = 200, body = People), refusals::OfAdministration))]
pub(super) async fn people(
    State(app): State<Shared>,
    _: Administrator,
) -> Result<Json<People>, ProblemResponse> {
    Ok(Json(in_time(app.backend.administration().people()).await?))
}

/// Makes a one-time code for somebody. It is a secret and in no other answer. Only at the hub, only for operators of all
/// missions.
#[utoipa::path(post, path = "/api/v1/login-codes", request_body = NewLoginCode,
    responses((status = 200, body = MadeLoginCode), refusals::OfAdministration))]
pub(super) async fn make_login_code(
    State(app): State<Shared>,
    Administrator(who): Administrator,
    JsonBody(new): JsonBody<NewLoginCode, BODY_BYTES_MAX>,
) -> Result<Json<MadeLoginCode>, ProblemResponse> {
    Ok(Json(in_time(app.backend.administration().make_login_code(new, &who.name)).await?))
}

/// Ends all login sessions of somebody, and the codes to begin others with: within 5 seconds at every hub. One's own are
/// no exception. Only at the hub, only for operators of all missions.
#[utoipa::path(delete, path = "/api/v1/people/{name}/sessions", params(("name" = String, Path)),
    responses((status = 204), refusals::OfAdministration))]
pub(super) async fn end_sessions(
    State(app): State<Shared>,
    Path(name): Path<String>,
    Administrator(who): Administrator,
) -> Result<StatusCode, ProblemResponse> {
    in_time(app.backend.administration().end_sessions(&name, &who.name)).await?;
    Ok(StatusCode::NO_CONTENT)
}
