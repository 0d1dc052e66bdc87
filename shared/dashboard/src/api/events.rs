//! The routes of what is to be known beside telemetry: events of nodes and of the hub, declared gaps, and batches that
//! are kept apart.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::asking::{JsonBody, in_time};
use super::paging::{Asked, write};
use super::{LoggedIn, Shared, refusals};
use crate::ProblemResponse;
use crate::access::{Action, Resource};
use crate::contract::{ApartBatches, Gaps, HubEvents, NewEvent, NodeEvent, NodeEvents, Order};
use crate::records::{EventFilter, PostedEvent};

const EVENT_BYTES_MAX: usize = 32 * 1_024;
const EVENT_CHARACTERS_MAX: usize = 2_000;
const HUB_EVENTS: &str = "hub events";
const APART: &str = "apart";

type Asking<T> = Result<Query<T>, QueryRejection>;

fn asked<T>(query: Asking<T>) -> Result<T, ProblemResponse> {
    query.map(|Query(query)| query).map_err(|error| ProblemResponse::bad_request(error.body_text()))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct NodeEventsQuery {
    /// Beginning of the span, included; everything when absent.
    from: Option<String>,
    /// End of the span, excluded.
    to: Option<String>,
    /// Of, or about, the node with this name only.
    node: Option<String>,
    /// With this code only.
    code: Option<String>,
    /// In which order pages and their events come; `asc` when absent.
    order: Option<Order>,
    /// Rows of a page; 100 when absent, at most 1,000.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    /// Beginning of the span, included; everything when absent.
    from: Option<String>,
    /// End of the span, excluded.
    to: Option<String>,
    /// Of, or about, the node with this name only.
    node: Option<String>,
    /// With this code only.
    code: Option<String>,
    /// Rows of a page; 100 when absent, at most 1,000.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SpanQuery {
    /// Beginning of the span, included; everything when absent.
    from: Option<String>,
    /// End of the span, excluded.
    to: Option<String>,
    /// Rows of a page; 100 when absent, at most 1,000.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

impl NodeEventsQuery {
    fn part(&self) -> Asked<'_> {
        let (from, to) = (self.from.as_deref(), self.to.as_deref());
        Asked { from, to, limit: self.limit, cursor: self.cursor.as_deref() }
    }

    /// What a cursor belongs to: a place in one order says nothing in the other.
    fn list(&self, mission: &str) -> String {
        match self.order() {
            Order::Asc => format!("events {mission}"),
            Order::Desc => format!("events {mission} backwards"),
        }
    }

    fn order(&self) -> Order {
        self.order.unwrap_or_default()
    }
}

impl EventsQuery {
    fn part(&self) -> Asked<'_> {
        let (from, to) = (self.from.as_deref(), self.to.as_deref());
        Asked { from, to, limit: self.limit, cursor: self.cursor.as_deref() }
    }
}

impl SpanQuery {
    fn part(&self) -> Asked<'_> {
        let (from, to) = (self.from.as_deref(), self.to.as_deref());
        Asked { from, to, limit: self.limit, cursor: self.cursor.as_deref() }
    }
}

/// What nodes had to say about a mission and what people posted, by when it was recorded. Only at the hub.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/events", params(("mission" = String, Path), NodeEventsQuery),
    responses((status = 200, body = NodeEvents), refusals::OfQuestion))]
pub(super) async fn node_events(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    query: Asking<NodeEventsQuery>,
) -> Result<Json<NodeEvents>, ProblemResponse> {
    let mission = app.mission(&who.principal, &name)?;
    let query = asked(query)?;
    let list = query.list(&name);
    let (slice, order) = (query.part().of(&list)?, query.order());
    let filter = EventFilter { code: query.code, node: query.node };
    let page = in_time(app.backend.records().node_events(&mission, slice, order, filter)).await?;
    Ok(Json(NodeEvents { events: page.rows, next: page.next.map(|place| write(&list, place)) }))
}

/// Adds an event to a mission's, with the name of whoever posts it and the hub's time. Only at the hub.
#[utoipa::path(post, path = "/api/v1/missions/{mission}/events", request_body = NewEvent,
    params(("mission" = String, Path)),
    responses((status = 200, body = NodeEvent), refusals::OfAct))]
pub(super) async fn post_event(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    JsonBody(NewEvent { id, severity, text }): JsonBody<NewEvent, EVENT_BYTES_MAX>,
) -> Result<Json<NodeEvent>, ProblemResponse> {
    let mission = app.mission(&who.principal, &name)?;
    who.may(Action::PostEvents, Resource::Mission(&name))?;
    let id = data_encoding::HEXLOWER.decode(id.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    let id = id.ok_or_else(|| {
        let detail = "`id` is not 32 hexadecimal digits in lower case; nothing was posted";
        ProblemResponse::bad_request(detail)
    })?;
    let characters = text.chars().count();
    if text.trim().is_empty() || characters > EVENT_CHARACTERS_MAX || text.contains('\0') {
        let detail = format!(
            "`text` has {characters} characters; expected 1 to {EVENT_CHARACTERS_MAX}, not all blank and none of them U+0000; nothing was posted"
        );
        return Err(ProblemResponse::bad_request(detail));
    }
    let posted = PostedEvent { id, severity, text, author: who.principal.name };
    Ok(Json(in_time(app.backend.records().post_event(&mission, posted)).await?))
}

/// Batches that a mission's nodes lost, by when they noticed. Only at the hub.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/gaps", params(("mission" = String, Path), SpanQuery),
    responses((status = 200, body = Gaps), refusals::OfQuestion))]
pub(super) async fn gaps(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    query: Asking<SpanQuery>,
) -> Result<Json<Gaps>, ProblemResponse> {
    let mission = app.mission(&who.principal, &name)?;
    let query = asked(query)?;
    let list = format!("gaps {name}");
    let page = in_time(app.backend.records().gaps(&mission, query.part().of(&list)?)).await?;
    Ok(Json(Gaps { gaps: page.rows, next: page.next.map(|place| write(&list, place)) }))
}

/// What the hub refused or somebody should know of, newest first. Only at the hub, only for operators.
#[utoipa::path(get, path = "/api/v1/events", params(EventsQuery),
    responses((status = 200, body = HubEvents), refusals::OfEvidence))]
pub(super) async fn hub_events(
    State(app): State<Shared>,
    who: LoggedIn,
    query: Asking<EventsQuery>,
) -> Result<Json<HubEvents>, ProblemResponse> {
    who.may(Action::ReadEvidence, Resource::Server)?;
    let query = asked(query)?;
    let slice = query.part().of(HUB_EVENTS)?;
    let filter = EventFilter { code: query.code, node: query.node };
    let page = in_time(app.backend.records().hub_events(slice, filter)).await?;
    Ok(Json(HubEvents { events: page.rows, next: page.next.map(|place| write(HUB_EVENTS, place)) }))
}

/// Batches that are kept out of the archive, oldest first. Only at the hub, only for operators.
#[utoipa::path(get, path = "/api/v1/apart", params(SpanQuery),
    responses((status = 200, body = ApartBatches), refusals::OfEvidence))]
pub(super) async fn apart(
    State(app): State<Shared>,
    who: LoggedIn,
    query: Asking<SpanQuery>,
) -> Result<Json<ApartBatches>, ProblemResponse> {
    who.may(Action::ReadEvidence, Resource::Server)?;
    let slice = asked(query)?.part().of(APART)?;
    let page = in_time(app.backend.records().apart(slice)).await?;
    Ok(Json(ApartBatches { batches: page.rows, next: page.next.map(|place| write(APART, place)) }))
}
