//! Who asks: by the cookie of a browser or the token of a program; and what no page of another site may send.

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use space_packet::TaiTime;

use super::Shared;
use crate::access::{
    Action, Credential, Decision, KnownPrincipal, Principal, Resource, StoreUnavailable, authorize,
};
use crate::app::App;
use crate::{ProblemResponse, assets};

/// A header that a page of another site cannot make a browser send.
pub(super) const CSRF_HEADER: &str = "x-sto-request";

/// A request whose cookie or token stands for somebody.
pub(crate) struct LoggedIn {
    pub(crate) principal: Principal,
    pub(crate) expires: TaiTime,
    pub(crate) credential: Credential,
}

impl LoggedIn {
    pub(crate) fn may(&self, action: Action, resource: Resource<'_>) -> Result<(), ProblemResponse> {
        match authorize(&self.principal, action, resource) {
            Decision::Allow => Ok(()),
            Decision::Deny => Err(ProblemResponse::not_allowed("your role does not include this")),
        }
    }
}

/// Somebody who may administer: asked for before a body is read.
pub(super) struct Administrator(pub(super) Principal);

impl FromRequestParts<Shared> for Administrator {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, ProblemResponse> {
        let who = LoggedIn::from_request_parts(parts, app).await?;
        who.may(Action::Administer, Resource::Server)?;
        Ok(Self(who.principal))
    }
}

impl FromRequestParts<Shared> for LoggedIn {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, ProblemResponse> {
        Self::of(app, credential(&parts.headers, &app.cookie)).await
    }
}

impl LoggedIn {
    /// Whom the bearer of a call stands for: it takes no cookie, so that no page can make one.
    pub(crate) async fn of_bearer(app: &App, headers: &HeaderMap) -> Result<Self, ProblemResponse> {
        Self::of(app, bearer(headers).map(|token| Credential::Token(token.to_owned()))).await
    }

    async fn of(app: &App, credential: Option<Credential>) -> Result<Self, ProblemResponse> {
        let credential = credential.ok_or_else(|| {
            ProblemResponse::not_logged_in(
                "log in with a one-time code, or send a token; nothing is lost by it",
            )
        })?;
        match app.backend.gate().principal(&credential, service::clock::now()).await {
            Ok(Some(KnownPrincipal { principal, expires })) => Ok(Self { principal, expires, credential }),
            Ok(None) => Err(ProblemResponse::not_logged_in(match credential {
                Credential::Cookie(_) => "your session is over; log in with a new code",
                Credential::Token(_) => {
                    "the token is unknown, expired or revoked; make a new one with `cloud-hub api-token add`"
                }
            })),
            Err(error) => Err(unavailable(&error)),
        }
    }
}

/// A token counts alone: a request that has one is never carried out for whoever the cookie stands for.
fn credential(headers: &HeaderMap, cookie: &str) -> Option<Credential> {
    match bearer(headers) {
        Some(token) => Some(Credential::Token(token.to_owned())),
        None => session_cookie(headers, cookie).map(Credential::Cookie),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn session_cookie(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == wanted)?;
    (value.len() <= 64).then(|| value.to_owned())
}

pub(super) fn unavailable(error: &StoreUnavailable) -> ProblemResponse {
    ProblemResponse::unavailable(format!("{error}; what nodes hold is safe, try again in a few seconds"))
}

/// Headers on every answer; no unsafe request from another site. No such page can send a token either.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    let proves_its_origin =
        request.headers().contains_key(CSRF_HEADER) || bearer(request.headers()).is_some();
    let foreign = !request.method().is_safe() && !proves_its_origin;
    let mut response = if foreign {
        let detail = format!("send the header {CSRF_HEADER} with every request that changes something");
        ProblemResponse::cross_site(detail).into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, assets::CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
