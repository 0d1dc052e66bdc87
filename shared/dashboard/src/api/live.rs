//! The live stream's route.

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use super::{LoggedIn, Shared, refusals};
use crate::access::{Action, Resource};
use crate::{ProblemResponse, live_socket};

/// WebSocket messages from a client; a subscription to ten thousand parameters fits.
const SOCKET_MESSAGE_BYTES_MAX: usize = 1 << 20;

/// The live stream: a WebSocket of `LiveRequest` and `LiveEvent`.
#[utoipa::path(get, path = "/api/v1/live", responses((status = 101), refusals::OfStream))]
pub(super) async fn live(
    State(app): State<Shared>,
    headers: HeaderMap,
    who: LoggedIn,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ProblemResponse> {
    who.may(Action::ReadNodes, Resource::Server)?;
    if !same_origin(&headers) {
        return Err(ProblemResponse::cross_site("a page of another site may not open this stream"));
    }
    let upgrade = upgrade.map_err(|error| ProblemResponse::bad_request(error.body_text()))?;
    // The library would take 128 KiB for each connection's read buffer at once.
    let upgrade = upgrade
        .read_buffer_size(4 * 1_024)
        .max_write_buffer_size(8 << 20)
        .max_message_size(SOCKET_MESSAGE_BYTES_MAX);
    Ok(upgrade.on_upgrade(move |socket| live_socket::serve(socket, app, who)))
}

/// Browsers always send an origin with a WebSocket; other clients send none.
pub(super) fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    match (text(header::ORIGIN), text(header::HOST)) {
        (None, _) => true,
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, authority)| authority == host)
        }
        (Some(_), None) => false,
    }
}
