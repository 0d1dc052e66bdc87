//! What a running node answers to commands on its own machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::extract::{Path as UrlPath, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use delivery::Lane;
use service::config::Secret;
use service::logging::chain;

use super::carrying::{Custody, ReceiptError, framed};
use super::{Desk, DeskError, RecordId, SeenRequest};
use crate::forwarding::{Decision, Steering};

/// Begins every path.
pub const PREFIX: &str = "/local/v1";
/// Most rows of one answer.
const ROWS_MAX: usize = 10_000;

/// Made anew with each start, and read by commands: who can read the data directory may ask.
pub fn token_file(data: &Path) -> PathBuf {
    data.join("access").join("local-token")
}

/// The routes; every one wants the token.
pub fn router(desk: Arc<Desk>, token: Secret<String>) -> Router {
    Router::new()
        .route("/alarms", get(open_alarms))
        .route("/alarms/acknowledge", post(acknowledge))
        .route("/forward", get(decision).post(decide))
        .route("/journal", get(list))
        .route("/journal/verify", get(verify))
        .route("/carried", post(note_custody))
        .route("/carried/batches", get(carry))
        .route("/carried/logs", get(logs))
        .route("/carried/receipt", post(take_receipt))
        .route("/quarantine", get(quarantine))
        .route("/quarantine/{id}", get(show))
        .route("/quarantine/retry", post(retry))
        .with_state(desk)
        .layer(from_fn_with_state(Arc::new(token), authorize))
}

async fn authorize(State(token): State<Arc<Secret<String>>>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
    let expected = format!("Bearer {}", token.reveal());
    if verify_slices_are_equal(given, expected.as_bytes()).is_err() {
        return (StatusCode::UNAUTHORIZED, "only commands on this machine may ask this\n").into_response();
    }
    next.run(request).await
}

impl IntoResponse for DeskError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NoAlarm(_) | Self::NoRecord(_) => StatusCode::NOT_FOUND,
            Self::Forgotten { .. } | Self::NoAlarms | Self::NotRunning | Self::NotSeen(_) => {
                StatusCode::CONFLICT
            }
            Self::Journal(_) | Self::NotDecided(_) | Self::Released(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, chain(&self)).into_response()
    }
}

fn steering(desk: &Desk) -> Result<&Steering, DeskError> {
    desk.steering.as_deref().ok_or(DeskError::NotRunning)
}

async fn decision(State(desk): State<Arc<Desk>>) -> Result<Json<Decision>, DeskError> {
    Ok(Json(steering(&desk)?.decision()))
}

async fn decide(
    State(desk): State<Arc<Desk>>,
    Json(wanted): Json<Decision>,
) -> Result<Json<Decision>, DeskError> {
    let steering = steering(&desk)?;
    steering.decide(wanted).map_err(DeskError::NotDecided)?;
    tracing::info!(?wanted, "somebody decided about the backlog");
    Ok(Json(steering.decision()))
}

async fn open_alarms(State(desk): State<Arc<Desk>>) -> Result<Response, DeskError> {
    Ok(Json(desk.open_alarms()?).into_response())
}

async fn acknowledge(
    State(desk): State<Arc<Desk>>,
    Json(seen): Json<SeenRequest>,
) -> Result<Response, DeskError> {
    Ok(Json(desk.acknowledge(seen).await?).into_response())
}

/// Which journal is asked for: without a word about it, that of telemetry.
#[derive(serde::Deserialize)]
struct LaneQuery {
    #[serde(default)]
    alarm: bool,
}

impl LaneQuery {
    fn lane(&self) -> Lane {
        if self.alarm { Lane::Alarm } else { Lane::Telemetry }
    }
}

#[derive(serde::Deserialize)]
struct ListQuery {
    from: Option<u64>,
    count: Option<usize>,
}

async fn list(
    State(desk): State<Arc<Desk>>,
    Query(asked): Query<LaneQuery>,
    Query(query): Query<ListQuery>,
) -> Result<Response, DeskError> {
    let count = query.count.unwrap_or(20).min(ROWS_MAX);
    Ok(Json(desk.list(asked.lane(), query.from, count).await?).into_response())
}

async fn verify(
    State(desk): State<Arc<Desk>>,
    Query(asked): Query<LaneQuery>,
) -> Result<Response, DeskError> {
    Ok(Json(desk.verify(asked.lane()).await?).into_response())
}

#[derive(serde::Deserialize)]
struct QuarantineQuery {
    mission: Option<String>,
    cause: Option<String>,
    count: Option<usize>,
}

async fn quarantine(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<QuarantineQuery>,
) -> Result<Response, DeskError> {
    let count = query.count.unwrap_or(100).min(ROWS_MAX);
    let rows = desk.quarantine(query.mission.as_deref(), query.cause.as_deref(), count).await?;
    Ok(Json(rows).into_response())
}

async fn show(State(desk): State<Arc<Desk>>, UrlPath(id): UrlPath<RecordId>) -> Result<Response, DeskError> {
    Ok(Json(desk.quarantined(id).await?).into_response())
}

/// Which records to try again.
#[derive(serde::Deserialize, serde::Serialize)]
pub struct RetryRequest {
    /// These; all when empty.
    pub ids: Vec<RecordId>,
    /// Of this mission only.
    pub mission: Option<String>,
}

async fn retry(
    State(desk): State<Arc<Desk>>,
    Json(asked): Json<RetryRequest>,
) -> Result<Response, DeskError> {
    Ok(Json(desk.retry(&asked.ids, asked.mission.as_deref()).await?).into_response())
}

async fn logs(State(desk): State<Arc<Desk>>) -> Response {
    Json(desk.logs()).into_response()
}

#[derive(serde::Deserialize)]
struct CarryQuery {
    from: u64,
}

async fn carry(
    State(desk): State<Arc<Desk>>,
    Query(asked): Query<LaneQuery>,
    Query(query): Query<CarryQuery>,
) -> Result<Response, DeskError> {
    Ok(framed(&desk.carry(asked.lane(), query.from).await?).into_response())
}

async fn note_custody(State(desk): State<Arc<Desk>>, Json(custody): Json<Custody>) -> Response {
    desk.note_custody(&custody);
    Json(()).into_response()
}

/// A receipt, and who brings it.
#[derive(serde::Deserialize, serde::Serialize)]
pub struct ReceiptRequest {
    /// The file.
    pub file: Vec<u8>,
    /// Account that takes it.
    pub who: String,
}

impl IntoResponse for ReceiptError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Identity(_) | Self::Journal(_) | Self::Keep { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Fork { .. } | Self::NotEnrolled | Self::NotForUs { .. } | Self::Older { .. } => {
                StatusCode::CONFLICT
            }
        };
        (status, chain(&self)).into_response()
    }
}

async fn take_receipt(
    State(desk): State<Arc<Desk>>,
    Json(asked): Json<ReceiptRequest>,
) -> Result<Response, ReceiptError> {
    Ok(Json(desk.take_receipt(&asked.file, &asked.who).await?).into_response())
}
