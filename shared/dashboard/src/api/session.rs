//! Logging in, saying who is logged in, logging out.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};

use super::asking::JsonBody;
use super::who::{LoggedIn, unavailable};
use super::{Shared, refusals};
use crate::ProblemResponse;
use crate::access::{Action, Credential, LoginError, Principal, Resource, SESSION_DURATION};
use crate::contract::{Login, Session};
use crate::convert::rfc3339;

/// A body of somebody who is not known yet.
const LOGIN_BYTES_MAX: usize = 4 * 1_024;

fn cookie_header(name: &str, value: &str, max_age: Duration) -> HeaderValue {
    let text = format!("{name}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={}", max_age.as_secs());
    HeaderValue::from_str(&text).expect("the name is letters, the session id base64")
}

/// Who is logged in, and who answers.
#[utoipa::path(get, path = "/api/v1/session", responses((status = 200, body = Session), refusals::OfState))]
pub(super) async fn session(
    State(app): State<Shared>,
    who: LoggedIn,
) -> Result<Json<Session>, ProblemResponse> {
    who.may(Action::ReadSession, Resource::Server)?;
    let expires = rfc3339(who.expires);
    let Principal { name, grant } = who.principal;
    let (role, missions) = (grant.role, grant.missions.names());
    Ok(Json(Session { principal: name, role, missions, expires, server: app.backend.server() }))
}

/// Turns a one-time code into a session cookie.
#[utoipa::path(post, path = "/api/v1/session", request_body = Login,
    responses((status = 204), refusals::OfLogin))]
pub(super) async fn log_in(
    State(app): State<Shared>,
    client: Option<Extension<ConnectInfo<SocketAddr>>>,
    JsonBody(login): JsonBody<Login, LOGIN_BYTES_MAX>,
) -> Result<Response, ProblemResponse> {
    let client = client.map(|Extension(ConnectInfo(client))| client.ip());
    match app.backend.gate().log_in_from(client, &login.code, service::clock::now()).await {
        Ok(id) => {
            let cookie = cookie_header(&app.cookie, &id, SESSION_DURATION);
            Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
        }
        Err(LoginError::Store(error)) => Err(unavailable(&error)),
        Err(LoginError::SlowDown) => Err(ProblemResponse::slow_down(
            "too many wrong codes from your address in the last minute; wait a minute",
        )),
        Err(LoginError::WrongCode) => Err(ProblemResponse::wrong_code(
            "a code works once and for an hour; make a new one with `cloud-hub login-code` or `edge-node console`",
        )),
    }
}

/// Ends the session.
#[utoipa::path(delete, path = "/api/v1/session", responses((status = 204), refusals::OfChange))]
pub(super) async fn log_out(State(app): State<Shared>, who: LoggedIn) -> Result<Response, ProblemResponse> {
    who.may(Action::EndSession, Resource::Server)?;
    let Credential::Cookie(id) = who.credential else {
        return Err(ProblemResponse::not_allowed(
            "a token is no session that could end; revoke it with `cloud-hub api-token revoke`",
        ));
    };
    app.backend.gate().log_out(&id).await.map_err(|error| unavailable(&error))?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie_header(&app.cookie, "", Duration::ZERO))])
        .into_response())
}
