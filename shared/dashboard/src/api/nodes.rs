//! The routes of one node: all that is known of it, and its rights.

use axum::Json;
use axum::extract::{Path, State};

use super::asking::{JsonBody, in_time};
use super::who::Administrator;
use super::{LoggedIn, Shared, refusals};
use crate::ProblemResponse;
use crate::access::{Action, MissionScope, Principal, Resource};
use crate::app::App;
use crate::contract::{NodeDetail, NodeKnowledge, NodeMissions, NodeRevocation};
use crate::convert::rfc3339;

const BODY_BYTES_MAX: usize = 64 * 1_024;
const REASON_BYTES_MAX: usize = 1_024;

/// All that is known of a node. Readers of some missions are told of those only.
#[utoipa::path(get, path = "/api/v1/nodes/{node}", params(("node" = String, Path)),
    responses((status = 200, body = NodeDetail), refusals::OfNode))]
pub(super) async fn node(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
) -> Result<Json<NodeDetail>, ProblemResponse> {
    who.may(Action::ReadNodes, Resource::Server)?;
    detail(&app, &who.principal, &name).await
}

/// Takes a node's right to forward; it goes on recording. Its session ends within two seconds. Only at the hub.
#[utoipa::path(post, path = "/api/v1/nodes/{node}/revoke", request_body = NodeRevocation,
    params(("node" = String, Path)),
    responses((status = 200, body = NodeDetail), refusals::OfAdministration))]
pub(super) async fn revoke(
    State(app): State<Shared>,
    Path(name): Path<String>,
    Administrator(who): Administrator,
    JsonBody(NodeRevocation { reason }): JsonBody<NodeRevocation, BODY_BYTES_MAX>,
) -> Result<Json<NodeDetail>, ProblemResponse> {
    let reason = reason.trim();
    if reason.is_empty() || reason.len() > REASON_BYTES_MAX || reason.chars().any(char::is_control) {
        let detail = format!(
            "say in `reason` why, in 1 to {REASON_BYTES_MAX} bytes without control characters; {name:?} may forward as before"
        );
        return Err(ProblemResponse::admin_text(detail));
    }
    in_time(app.backend.administration().revoke(&name, reason, &who.name)).await?;
    detail(&app, &who, &name).await
}

/// Says which missions a node may send for, within two seconds. What it sends for others is kept apart. Only at the hub.
#[utoipa::path(put, path = "/api/v1/nodes/{node}/missions", request_body = NodeMissions,
    params(("node" = String, Path)),
    responses((status = 200, body = NodeDetail), refusals::OfAdministration))]
pub(super) async fn set_missions(
    State(app): State<Shared>,
    Path(name): Path<String>,
    Administrator(who): Administrator,
    JsonBody(NodeMissions { missions }): JsonBody<NodeMissions, BODY_BYTES_MAX>,
) -> Result<Json<NodeDetail>, ProblemResponse> {
    in_time(app.backend.administration().set_missions(&name, missions, &who.name)).await?;
    detail(&app, &who, &name).await
}

/// A node as a principal may know it. One that it may not know of and one that is not there are the same answer.
async fn detail(app: &App, principal: &Principal, name: &str) -> Result<Json<NodeDetail>, ProblemResponse> {
    let unknown = || ProblemResponse::unknown_node(format!("there is no node {name:?} for you here"));
    let node = app.nodes(principal).into_iter().find(|node| node.name == name).ok_or_else(unknown)?;
    let mut known = in_time(app.backend.administration().node(name)).await?.ok_or_else(unknown)?;
    cut(&mut known, &principal.grant.missions);
    Ok(Json(NodeDetail { at: rfc3339(service::clock::now()), node, known }))
}

/// Leaves out what speaks of missions that a reader may not know of.
fn cut(known: &mut NodeKnowledge, scope: &MissionScope) {
    if *scope == MissionScope::All {
        return;
    }
    known.missions.iter_mut().for_each(|missions| missions.retain(|mission| scope.includes(mission)));
    known.documents.retain(|standing| standing.mission.as_ref().is_none_or(|name| scope.includes(name)));
    known.sessions.iter_mut().for_each(|session| session.reason = None);
    known.events = None;
}
