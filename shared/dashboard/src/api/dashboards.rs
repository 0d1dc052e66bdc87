//! The routes of dashboards that people keep.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::asking::{JsonBody, in_time};
use super::{LoggedIn, Shared, etag, refusals};
use crate::ProblemResponse;
use crate::access::{Action, Resource};
use crate::app::App;
use crate::contract::{Dashboard, DashboardChange, DashboardFile, Dashboards, NewDashboard};
use crate::dashboards as keeping;

/// Widgets have 1 MiB together; JSON may be written with spaces.
const BODY_BYTES_MAX: usize = 2 * 1_024 * 1_024;

/// Whether somebody may keep dashboards of a mission. One that is not there for them is told as such.
fn may_keep(app: &App, who: &LoggedIn, mission: &str) -> Result<(), ProblemResponse> {
    app.mission(&who.principal, mission)?;
    who.may(Action::KeepDashboards, Resource::Mission(mission))
}

/// The dashboards of a mission that one may see, by title.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/dashboards", params(("mission" = String, Path)),
    responses((status = 200, body = Dashboards), (status = 304, description = "The asker has this answer already: its `If-None-Match` says so."), refusals::OfQuestion))]
pub(super) async fn dashboards(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    asker: HeaderMap,
) -> Result<Response, ProblemResponse> {
    app.mission(&who.principal, &name)?;
    let dashboards = in_time(keeping::list(app.backend.dashboards(), &name, &who.principal)).await?;
    Ok(etag::json(&asker, &Dashboards { dashboards }))
}

/// Keeps a new dashboard: one that was just made, or a file from elsewhere.
#[utoipa::path(post, path = "/api/v1/missions/{mission}/dashboards", request_body = NewDashboard,
    params(("mission" = String, Path)),
    responses((status = 200, body = Dashboard), refusals::OfAct))]
pub(super) async fn create_dashboard(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    JsonBody(new): JsonBody<NewDashboard, BODY_BYTES_MAX>,
) -> Result<Json<Dashboard>, ProblemResponse> {
    may_keep(&app, &who, &name)?;
    in_time(keeping::create(app.backend.dashboards(), &name, new, &who.principal)).await.map(Json)
}

/// One dashboard. Ask again with `If-None-Match` to learn whether somebody changed it.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/dashboards/{dashboard}",
    params(("mission" = String, Path), ("dashboard" = String, Path)),
    responses((status = 200, body = Dashboard), (status = 304, description = "The asker has this answer already: its `If-None-Match` says so."), refusals::OfQuestion))]
pub(super) async fn dashboard(
    State(app): State<Shared>,
    Path((name, id)): Path<(String, String)>,
    who: LoggedIn,
    asker: HeaderMap,
) -> Result<Response, ProblemResponse> {
    app.mission(&who.principal, &name)?;
    let found = in_time(keeping::find(app.backend.dashboards(), &name, &id, &who.principal)).await?;
    Ok(etag::json(&asker, &found))
}

/// Forgets a dashboard: its author may, and an operator of all missions who may see it.
#[utoipa::path(delete, path = "/api/v1/missions/{mission}/dashboards/{dashboard}",
    params(("mission" = String, Path), ("dashboard" = String, Path)),
    responses((status = 204), refusals::OfAct))]
pub(super) async fn remove_dashboard(
    State(app): State<Shared>,
    Path((name, id)): Path<(String, String)>,
    who: LoggedIn,
) -> Result<StatusCode, ProblemResponse> {
    may_keep(&app, &who, &name)?;
    in_time(keeping::remove(app.backend.dashboards(), &name, &id, &who.principal)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Merges a change into a dashboard. What others changed since `base` stays: a widget that both put has both copies then.
#[utoipa::path(post, path = "/api/v1/missions/{mission}/dashboards/{dashboard}/changes", request_body = DashboardChange,
    params(("mission" = String, Path), ("dashboard" = String, Path)),
    responses((status = 200, body = Dashboard), refusals::OfAct))]
pub(super) async fn change_dashboard(
    State(app): State<Shared>,
    Path((name, id)): Path<(String, String)>,
    who: LoggedIn,
    JsonBody(change): JsonBody<DashboardChange, BODY_BYTES_MAX>,
) -> Result<Json<Dashboard>, ProblemResponse> {
    may_keep(&app, &who, &name)?;
    in_time(keeping::change(app.backend.dashboards(), &name, &id, change, &who.principal)).await.map(Json)
}

/// A dashboard as a file, which another mission or server takes as a new dashboard.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/dashboards/{dashboard}/export",
    params(("mission" = String, Path), ("dashboard" = String, Path)),
    responses((status = 200, body = DashboardFile), refusals::OfQuestion))]
pub(super) async fn export_dashboard(
    State(app): State<Shared>,
    Path((name, id)): Path<(String, String)>,
    who: LoggedIn,
    asker: HeaderMap,
) -> Result<Response, ProblemResponse> {
    app.mission(&who.principal, &name)?;
    let file = in_time(keeping::export(app.backend.dashboards(), &name, &id, &who.principal)).await?;
    let mut response = etag::json(&asker, &file);
    // Names and ids are letters, digits, dashes and underscores.
    if let Ok(disposition) =
        HeaderValue::from_str(&format!("attachment; filename=\"{name}_{id}.dashboard.json\""))
    {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}
