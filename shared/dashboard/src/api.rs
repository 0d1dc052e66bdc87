//! The router: the API under `/api/v1`, health, metrics, and the web app for everything else.

mod alarm_messages;
pub(crate) mod alarms;
mod asking;
mod backfill;
mod buckets;
mod completeness;
mod cursor;
mod dashboards;
mod dictionaries;
pub(crate) mod etag;
mod events;
mod export;
mod hub;
mod latest;
mod limits;
mod live;
mod nodes;
mod orbits;
mod packets;
mod paging;
mod passes;
mod people;
mod refusals;
mod rules;
mod samples;
mod session;
mod statistics;
mod tokens;
mod who;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use mission_database::ParameterIndex;
use space_packet::{TaiTime, parse_moment};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::predicate::SizeAbove;
use tower_http::compression::{CompressionLayer, CompressionLevel};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Action, Resource};
use crate::app::App;
use crate::contract::{
    LiveEvent, LiveRequest, Missions, NodeReport, Nodes, Order, Parameters, Problem, ServerRole,
};
use crate::convert::rfc3339;
use crate::{Backend, LiveMission, ProblemResponse, assets, grpc, reference};

/// Bytes from which an answer is packed for whoever takes that: below, the head of a packed one costs what it saves.
const PACKED_FROM: u16 = 1_024;
const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
/// A range that takes longer is not answered: the database is in trouble, and the asker gone.
pub(crate) const RANGE_TIMEOUT: Duration = Duration::from_secs(30);

use asking::OfMission;
pub(crate) use who::LoggedIn;

type Shared = Arc<App>;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Space Telemetry Operations",
        description = "What hub and node answer. Log in with a one-time code and keep the cookie, or send an API token: `authorization: Bearer …`."
    ),
    components(schemas(LiveEvent, LiveRequest, NodeReport, Order, Problem))
)]
struct Documentation;

fn documented() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(Documentation::openapi())
        .routes(routes!(session::session, session::log_in, session::log_out))
        .routes(routes!(missions))
        .routes(routes!(parameters))
        .routes(routes!(latest::latest, latest::latest_of))
        .routes(routes!(latest::at))
        .routes(routes!(samples::samples))
        .routes(routes!(buckets::buckets))
        .routes(routes!(statistics::statistics))
        .routes(routes!(statistics::aligned))
        .routes(routes!(completeness::completeness))
        .routes(routes!(packets::packets))
        .routes(routes!(packets::packet))
        .routes(routes!(events::node_events, events::post_event))
        .routes(routes!(events::gaps))
        .routes(routes!(events::hub_events))
        .routes(routes!(events::apart))
        .routes(routes!(export::export))
        .routes(routes!(alarms::alarms))
        .routes(routes!(alarms::alarm))
        .routes(routes!(alarms::act))
        .routes(routes!(alarms::acknowledge))
        .routes(routes!(rules::alarm_rules, rules::put_alarm_rules))
        .routes(routes!(rules::alarm_rules_document))
        .routes(routes!(rules::check_alarm_rules))
        .routes(routes!(rules::detection_rules, rules::put_detection_rules))
        .routes(routes!(rules::detection_rules_document))
        .routes(routes!(rules::check_detection_rules))
        .routes(routes!(alarm_messages::deliveries))
        .routes(routes!(alarm_messages::send_test))
        .routes(routes!(alarm_messages::models))
        .routes(routes!(orbits::places))
        .routes(routes!(orbits::put_place))
        .routes(routes!(orbits::elements, orbits::put_elements))
        .routes(routes!(orbits::track))
        .routes(routes!(passes::passes))
        .routes(routes!(passes::pass_track))
        .routes(routes!(dashboards::dashboards, dashboards::create_dashboard))
        .routes(routes!(dashboards::dashboard, dashboards::remove_dashboard))
        .routes(routes!(dashboards::change_dashboard))
        .routes(routes!(dashboards::export_dashboard))
        .routes(routes!(limits::limits, limits::put_limits))
        .routes(routes!(limits::limits_document))
        .routes(routes!(limits::try_limits))
        .routes(routes!(backfill::backfill_requests, backfill::ask_for_backfill))
        .routes(routes!(nodes))
        .routes(routes!(nodes::node))
        .routes(routes!(nodes::revoke))
        .routes(routes!(nodes::set_missions))
        .routes(routes!(tokens::enrolment_tokens, tokens::make_enrolment_token))
        .routes(routes!(tokens::end_enrolment_token))
        .routes(routes!(tokens::api_tokens, tokens::make_api_token))
        .routes(routes!(tokens::revoke_api_token))
        .routes(routes!(people::people))
        .routes(routes!(people::make_login_code))
        .routes(routes!(people::end_sessions))
        .routes(routes!(dictionaries::dictionaries, dictionaries::import))
        .routes(routes!(dictionaries::dictionary))
        .routes(routes!(hub::hub))
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
    let reference = reference::page(&serde_json::to_value(&document).expect("it is JSON"));
    let document = Arc::new(document);
    api.route(
        "/api/v1/openapi.json",
        axum::routing::get(move |headers: HeaderMap| async move { etag::json(&headers, document.as_ref()) }),
    )
    .route(
        "/api/docs",
        axum::routing::get(move |headers: HeaderMap| async move { etag::text(&headers, HTML, &reference) }),
    )
    .route(
        reference::STYLE_PATH,
        axum::routing::get(|headers: HeaderMap| async move { etag::text(&headers, CSS, reference::STYLE) }),
    )
    .route("/healthz", axum::routing::get(|| async { "ok\n" }))
    .route("/readyz", axum::routing::get(ready))
    .route("/metrics", axum::routing::get(metrics))
    .method_not_allowed_fallback(method_not_allowed)
    .fallback(assets::serve)
    .layer(from_fn(who::guard))
    .layer(
        CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(SizeAbove::new(PACKED_FROM)),
    )
    .with_state(Arc::clone(&app))
    // Beside what guards browsers: these calls carry no cookie.
    .merge(grpc::routes(app))
    .layer(CatchPanicLayer::custom(|_| unexpected_end().into_response()))
}

/// All missions.
#[utoipa::path(get, path = "/api/v1/missions",
    responses((status = 200, body = Missions), (status = 304), refusals::OfState))]
async fn missions(
    State(app): State<Shared>,
    who: LoggedIn,
    headers: HeaderMap,
) -> Result<Response, ProblemResponse> {
    who.may(Action::ReadMissions, Resource::Server)?;
    let now = service::clock::now();
    let missions = app.missions(&who.principal).iter().map(|mission| mission.describe(now)).collect();
    Ok(etag::json(&headers, &Missions { missions }))
}

/// All parameters of a mission.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/parameters", params(("mission" = String, Path)),
    responses((status = 200, body = Parameters), (status = 304), refusals::OfQuestion))]
async fn parameters(OfMission(mission): OfMission, headers: HeaderMap) -> Response {
    etag::json(&headers, &Parameters { parameters: mission.describe_parameters(service::clock::now()) })
}

pub(crate) fn find(mission: &LiveMission, parameter: &str) -> Result<ParameterIndex, ProblemResponse> {
    mission.database().find(parameter).ok_or_else(|| {
        let detail = format!("{parameter:?} is not a parameter of mission {}", mission.name());
        ProblemResponse::unknown_parameter(detail)
    })
}

fn time(text: &str) -> Result<TaiTime, ProblemResponse> {
    parse_moment(text, service::clock::now()).map_err(|error| ProblemResponse::bad_request(error.to_string()))
}

/// A range that is not empty; both ends are read by one clock.
fn range(from: &str, to: &str) -> Result<(TaiTime, TaiTime), ProblemResponse> {
    let now = service::clock::now();
    let moment =
        |text| parse_moment(text, now).map_err(|error| ProblemResponse::bad_request(error.to_string()));
    let (from, to) = (moment(from)?, moment(to)?);
    if to <= from {
        return Err(ProblemResponse::bad_request("the range is empty: `to` is not after `from`"));
    }
    Ok((from, to))
}

/// The archive has answered another question than it was asked.
fn unexpected() -> ProblemResponse {
    ProblemResponse::internal("the archive answered another question; nothing is lost, report this")
}

/// How all nodes stand.
#[utoipa::path(get, path = "/api/v1/nodes", responses((status = 200, body = Nodes), refusals::OfState))]
async fn nodes(State(app): State<Shared>, who: LoggedIn) -> Result<Json<Nodes>, ProblemResponse> {
    who.may(Action::ReadNodes, Resource::Server)?;
    Ok(Json(Nodes { at: rfc3339(service::clock::now()), nodes: app.nodes(&who.principal) }))
}

async fn method_not_allowed(method: Method, uri: Uri) -> ProblemResponse {
    ProblemResponse::method_not_allowed(format!("{method} is nothing that {} answers", uri.path()))
}

fn unexpected_end() -> ProblemResponse {
    ProblemResponse::internal(
        "the request ended unexpectedly; nothing is lost, report this with the server's log",
    )
}

async fn ready(State(app): State<Shared>) -> Response {
    match app.backend.ready() {
        Ok(()) => match app.backend.server().role {
            Some(ServerRole::Follower) => "ready, follower\n".into_response(),
            Some(ServerRole::Leader) | None => "ready\n".into_response(),
        },
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

async fn metrics(State(app): State<Shared>, who: LoggedIn) -> Result<String, ProblemResponse> {
    who.may(Action::ReadMetrics, Resource::Server)?;
    Ok(app.backend.metrics())
}

#[cfg(test)]
mod tests;
