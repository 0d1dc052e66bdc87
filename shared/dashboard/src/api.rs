//! The router: the API under `/api/v1`, health, metrics, and the web app for everything else.

mod completeness;
mod live;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json, Router};
use mission_database::ParameterIndex;
use processing::{RangeAnswer, RangeQuery, Wanted};
use serde::Deserialize;
use space_packet::{TaiTime, UtcTime};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use utoipa::{IntoParams, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{
    Action, Decision, LoginError, Principal, Resource, SESSION_DURATION, StoreUnavailable, authorize,
};
use crate::app::App;
use crate::contract::{
    Latest, LiveEvent, LiveRequest, Login, Missions, NodeReport, Nodes, Page, Parameters, Problem, Samples,
    Session,
};
use crate::convert::{self, rfc3339};
use crate::{Backend, LiveMission, ProblemResponse, assets, grpc};

/// A header that a page of another site cannot make a browser send.
const CSRF_HEADER: &str = "x-sto-request";
const BODY_BYTES_MAX: usize = 64 * 1_024;
const PAGE_LIMIT_DEFAULT: usize = 1_000;
const PAGE_LIMIT_MAX: usize = 10_000;
/// A range that takes longer is not answered: the database is in trouble, and the asker gone.
pub(crate) const RANGE_TIMEOUT: Duration = Duration::from_secs(30);

type Shared = Arc<App>;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Space Telemetry Operations",
        description = "What hub and node answer. Log in with a one-time code; the session is a cookie."
    ),
    components(schemas(LiveEvent, LiveRequest, NodeReport, Problem))
)]
struct Documentation;

fn documented() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(Documentation::openapi())
        .routes(routes!(session, log_in, log_out))
        .routes(routes!(missions))
        .routes(routes!(parameters))
        .routes(routes!(latest))
        .routes(routes!(samples))
        .routes(routes!(completeness::completeness))
        .routes(routes!(nodes))
        .routes(routes!(live::live))
}

/// The OpenAPI document, generated from the routes.
pub fn openapi() -> utoipa::openapi::OpenApi {
    documented().into_openapi()
}

/// The router both binaries serve. Its live streams end when `shutdown` is cancelled.
pub fn router(backend: Arc<dyn Backend>, shutdown: CancellationToken) -> Router {
    router_of(Arc::new(App::new(backend, shutdown)))
}

fn router_of(app: Arc<App>) -> Router {
    let (api, document) = documented().split_for_parts();
    let document = Arc::new(document);
    api.route(
        "/api/v1/openapi.json",
        axum::routing::get(move || async move { Json(document.as_ref().clone()) }),
    )
    .route("/healthz", axum::routing::get(|| async { "ok\n" }))
    .route("/readyz", axum::routing::get(ready))
    .route("/metrics", axum::routing::get(metrics))
    .fallback(axum::routing::get(assets::serve))
    .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
    .layer(from_fn(guard))
    .with_state(Arc::clone(&app))
    // Beside what guards browsers: these calls carry no cookie.
    .merge(grpc::routes(app))
    .layer(CatchPanicLayer::new())
}

/// Headers on every answer; no unsafe request from another site.
async fn guard(request: Request, next: Next) -> Response {
    let foreign = !request.method().is_safe() && !request.headers().contains_key(CSRF_HEADER);
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

/// A request whose cookie stands for somebody.
pub(crate) struct LoggedIn {
    pub(crate) principal: Principal,
    pub(crate) expires: TaiTime,
    pub(crate) cookie: String,
}

impl LoggedIn {
    /// Whom the bearer of a call stands for: a program sends what a browser has as its cookie.
    pub(crate) async fn of_bearer(app: &App, bearer: Option<&str>) -> Result<Self, ProblemResponse> {
        let bearer = bearer.filter(|bearer| bearer.len() <= 64).ok_or_else(|| {
            ProblemResponse::not_logged_in(
                "send `authorization: Bearer` with the call; nothing is lost by it",
            )
        })?;
        Self::of_session(app, bearer.to_owned()).await
    }

    async fn of_session(app: &App, cookie: String) -> Result<Self, ProblemResponse> {
        match app.backend.gate().principal(&cookie, service::clock::now()).await {
            Ok(Some((principal, expires))) => Ok(Self { principal, expires, cookie }),
            Ok(None) => Err(ProblemResponse::not_logged_in("your session is over; log in with a new code")),
            Err(error) => Err(unavailable(&error)),
        }
    }

    pub(crate) fn may(&self, action: Action, resource: Resource<'_>) -> Result<(), ProblemResponse> {
        match authorize(&self.principal, action, resource) {
            Decision::Allow => Ok(()),
            Decision::Deny => Err(ProblemResponse::not_allowed("your role does not include this")),
        }
    }
}

impl FromRequestParts<Shared> for LoggedIn {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, ProblemResponse> {
        let cookie = session_cookie(&parts.headers, &app.cookie).ok_or_else(|| {
            ProblemResponse::not_logged_in("log in with a one-time code; nothing is lost by it")
        })?;
        Self::of_session(app, cookie).await
    }
}

fn session_cookie(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == wanted)?;
    (value.len() <= 64).then(|| value.to_owned())
}

fn unavailable(error: &StoreUnavailable) -> ProblemResponse {
    ProblemResponse::unavailable(format!("{error}; what nodes hold is safe, try again in a few seconds"))
}

fn cookie_header(name: &str, value: &str, max_age: Duration) -> HeaderValue {
    let text = format!("{name}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={}", max_age.as_secs());
    HeaderValue::from_str(&text).expect("the name is letters, the session id base64")
}

/// Who is logged in, and who answers.
#[utoipa::path(get, path = "/api/v1/session", responses((status = 200, body = Session), (status = 401, body = Problem)))]
async fn session(State(app): State<Shared>, who: LoggedIn) -> Result<Json<Session>, ProblemResponse> {
    who.may(Action::ReadSession, Resource::Server)?;
    let expires = rfc3339(who.expires);
    Ok(Json(Session { principal: who.principal.name, expires, server: app.backend.server() }))
}

/// Turns a one-time code into a session cookie.
#[utoipa::path(post, path = "/api/v1/session", request_body = Login, responses((status = 204), (status = 401, body = Problem), (status = 429, body = Problem)))]
async fn log_in(
    State(app): State<Shared>,
    client: Option<Extension<ConnectInfo<SocketAddr>>>,
    Json(login): Json<Login>,
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
#[utoipa::path(delete, path = "/api/v1/session", responses((status = 204), (status = 401, body = Problem)))]
async fn log_out(State(app): State<Shared>, who: LoggedIn) -> Result<Response, ProblemResponse> {
    who.may(Action::EndSession, Resource::Server)?;
    app.backend.gate().log_out(&who.cookie).await.map_err(|error| unavailable(&error))?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie_header(&app.cookie, "", Duration::ZERO))])
        .into_response())
}

/// All missions.
#[utoipa::path(get, path = "/api/v1/missions", responses((status = 200, body = Missions), (status = 401, body = Problem)))]
async fn missions(State(app): State<Shared>, who: LoggedIn) -> Result<Json<Missions>, ProblemResponse> {
    who.may(Action::ReadMissions, Resource::Server)?;
    let now = service::clock::now();
    let missions = app.backend.missions().iter().map(|mission| mission.describe(now)).collect();
    Ok(Json(Missions { missions }))
}

/// All parameters of a mission.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/parameters", params(("mission" = String, Path)),
    responses((status = 200, body = Parameters), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn parameters(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
) -> Result<Json<Parameters>, ProblemResponse> {
    let mission = app.mission(&who.principal, &name)?;
    Ok(Json(Parameters { parameters: mission.describe_parameters(service::clock::now()) }))
}

/// The newest sample of each parameter.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/latest", params(("mission" = String, Path)),
    responses((status = 200, body = Latest), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn latest(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
) -> Result<Json<Latest>, ProblemResponse> {
    let mission = app.mission(&who.principal, &name)?;
    Ok(Json(Latest { at: rfc3339(service::clock::now()), values: mission.latest(|_| true) }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct SamplesQuery {
    /// Full path of the parameter.
    parameter: String,
    /// Beginning of the range, RFC 3339, included.
    from: String,
    /// End of the range, RFC 3339, excluded.
    to: String,
    /// At most so many buckets; absent for the samples themselves.
    points: Option<usize>,
    /// Samples of a page; 1,000 when absent, at most 10,000.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// The archive as it was read up to this reading, 0 as it came; absent: as it is read now.
    reading: Option<u32>,
}

/// A range of one parameter, from the archive and from what came in this moment, as one.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/samples", params(("mission" = String, Path), SamplesQuery),
    responses((status = 200, body = Samples), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 503, body = Problem)))]
async fn samples(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    query: Result<Query<SamplesQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Samples>, ProblemResponse> {
    let mission = app.mission(&who.principal, &name)?;
    let Query(query) = query.map_err(|error| ProblemResponse::bad_request(error.body_text()))?;
    let parameter = find(&mission, &query.parameter)?;
    let from = time(query.cursor.as_deref().unwrap_or(&query.from))?;
    let to = time(&query.to)?;
    if to <= from {
        return Err(ProblemResponse::bad_request("the range is empty: `to` is not after `from`"));
    }
    let wanted = match query.points {
        Some(points) => Wanted::Pixels { points },
        None => Wanted::Page { limit: query.limit.unwrap_or(PAGE_LIMIT_DEFAULT).clamp(1, PAGE_LIMIT_MAX) },
    };
    let question = RangeQuery { parameter, from, to, wanted, reading: query.reading };
    let answer = tokio::time::timeout(RANGE_TIMEOUT, app.backend.range(&mission, question)).await.map_err(
        |_| {
            ProblemResponse::unavailable(
                "the archive took longer than 30 s; ask for a shorter range, or try again",
            )
        },
    )??;
    Ok(Json(match answer {
        RangeAnswer::Pixels(buckets) => Samples::Buckets(convert::buckets(&query.parameter, buckets)),
        RangeAnswer::Page { samples, next } => Samples::Page(Page {
            samples: mission.describe_samples(samples.iter().map(|(source, sample)| (*source, sample))),
            parameter: query.parameter,
            next: next.map(rfc3339),
        }),
    }))
}

pub(crate) fn find(mission: &LiveMission, parameter: &str) -> Result<ParameterIndex, ProblemResponse> {
    mission.database().find(parameter).ok_or_else(|| {
        let detail = format!("{parameter:?} is not a parameter of mission {}", mission.name());
        ProblemResponse::unknown_parameter(detail)
    })
}

fn time(text: &str) -> Result<TaiTime, ProblemResponse> {
    UtcTime::parse(text).map(UtcTime::to_tai).map_err(|error| ProblemResponse::bad_request(error.to_string()))
}

/// How all nodes stand.
#[utoipa::path(get, path = "/api/v1/nodes", responses((status = 200, body = Nodes), (status = 401, body = Problem)))]
async fn nodes(State(app): State<Shared>, who: LoggedIn) -> Result<Json<Nodes>, ProblemResponse> {
    who.may(Action::ReadNodes, Resource::Server)?;
    Ok(Json(Nodes { at: rfc3339(service::clock::now()), nodes: app.backend.nodes() }))
}

async fn ready(State(app): State<Shared>) -> Response {
    match app.backend.ready() {
        Ok(()) => "ready\n".into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

async fn metrics(State(app): State<Shared>, who: LoggedIn) -> Result<String, ProblemResponse> {
    who.may(Action::ReadMetrics, Resource::Server)?;
    Ok(app.backend.metrics())
}

#[cfg(test)]
mod tests;
