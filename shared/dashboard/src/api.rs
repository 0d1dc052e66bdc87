//! The router: the API under `/api/v1`, health, metrics, and the web app for everything else.

mod completeness;
mod session;
mod who;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
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

use crate::access::{Action, Resource};
use crate::app::App;
use crate::contract::{
    Latest, LiveEvent, LiveRequest, Missions, NodeReport, Nodes, Page, Parameters, Problem, Samples,
};
use crate::convert::{self, rfc3339};
use crate::{Backend, LiveMission, ProblemResponse, assets, live_socket};

const BODY_BYTES_MAX: usize = 64 * 1_024;
const PAGE_LIMIT_DEFAULT: usize = 1_000;
const PAGE_LIMIT_MAX: usize = 10_000;
/// A range that takes longer is not answered: the database is in trouble, and the asker gone.
const RANGE_TIMEOUT: Duration = Duration::from_secs(30);
/// WebSocket messages from a browser; a subscription to ten thousand parameters fits.
const SOCKET_MESSAGE_BYTES_MAX: usize = 1 << 20;

pub(crate) use who::LoggedIn;

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
        .routes(routes!(session::session, session::log_in, session::log_out))
        .routes(routes!(missions))
        .routes(routes!(parameters))
        .routes(routes!(latest))
        .routes(routes!(samples))
        .routes(routes!(completeness::completeness))
        .routes(routes!(nodes))
        .routes(routes!(live))
}

/// The OpenAPI document, generated from the routes.
pub fn openapi() -> utoipa::openapi::OpenApi {
    documented().into_openapi()
}

/// The router both binaries serve. Its live streams end when `shutdown` is cancelled.
pub fn router(backend: Arc<dyn Backend>, shutdown: CancellationToken) -> Router {
    let app = Arc::new(App::new(backend, shutdown));
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
    .layer(from_fn(who::guard))
    .layer(CatchPanicLayer::new())
    .with_state(app)
}

/// All missions.
#[utoipa::path(get, path = "/api/v1/missions", responses((status = 200, body = Missions), (status = 401, body = Problem)))]
async fn missions(State(app): State<Shared>, who: LoggedIn) -> Result<Json<Missions>, ProblemResponse> {
    who.may(Action::ReadMissions, Resource::Server)?;
    let now = service::clock::now();
    let missions = app.missions(&who.principal).iter().map(|mission| mission.describe(now)).collect();
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

fn find(mission: &LiveMission, parameter: &str) -> Result<ParameterIndex, ProblemResponse> {
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
    Ok(Json(Nodes { at: rfc3339(service::clock::now()), nodes: app.nodes(&who.principal) }))
}

/// The live stream: a WebSocket of `LiveRequest` and `LiveEvent`.
#[utoipa::path(get, path = "/api/v1/live", responses((status = 101), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn live(
    State(app): State<Shared>,
    headers: HeaderMap,
    who: LoggedIn,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ProblemResponse> {
    who.may(Action::ReadNodes, Resource::Server)?;
    if !same_origin(&headers) {
        return Err(ProblemResponse::cross_site("a page of another site may not open this stream"));
    }
    // The library would take 128 KiB for each connection's read buffer at once.
    let upgrade = upgrade
        .read_buffer_size(4 * 1_024)
        .max_write_buffer_size(8 << 20)
        .max_message_size(SOCKET_MESSAGE_BYTES_MAX);
    Ok(upgrade.on_upgrade(move |socket| live_socket::serve(socket, app, who)))
}

/// Browsers always send an origin with a WebSocket; other clients send none.
fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    match (text(header::ORIGIN), text(header::HOST)) {
        (None, _) => true,
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, authority)| authority == host)
        }
        (Some(_), None) => false,
    }
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
