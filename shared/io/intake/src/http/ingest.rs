//! `POST /api/v1/ingest/{mission}`: one request, answered when all of it is durable.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use processing::SampleFormat;
use serde::Serialize;
use tokio::sync::watch;

use super::access::Shown;
use super::body::{self, Held, Packing};
use super::cause::{Cause, Refusal, RefusedRecord};
use super::idempotency::{Begun, KeyedRequest};
use super::parse::{self, Format, Parsed};
use super::taking::{Outcome, Taken, Taking, unless_stopped};
use super::{Client, Front, HttpLink};
use crate::Wording;
use crate::config::Door;

/// How long a request waits for its records to become durable.
const DURABLE_WAIT: Duration = Duration::from_secs(30);
const RETRY_SLOW: Duration = Duration::from_secs(5);
/// A longer body is read beside the tasks that drive sockets.
pub(super) const READ_AT_ONCE_BYTES: usize = 64 * 1_024;
const KEY_BYTES_MAX: usize = 255;
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// What became of a request.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Answer {
    /// Records that are durable.
    pub(super) accepted: u64,
    /// Of them, how many are in quarantine; absent when an earlier run of the program took them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) quarantined: Option<u64>,
    /// Always.
    pub(super) durable: bool,
    /// Whether the request was known already.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) repeated: bool,
    /// Records that were not taken, or the first of them.
    pub(super) refused: Vec<RefusedRecord>,
    /// How many were not taken.
    pub(super) refused_count: usize,
}

pub(super) async fn ingest(
    State(front): State<Arc<Front>>,
    Path(mission): Path<String>,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
    mut body: Body,
) -> Response {
    let link = match front.find(Door::Http, &mission, &Shown::of(&uri, &headers)) {
        Ok(link) => link,
        Err(refusal) => return refusal.into_response(),
    };
    let mut bytes = 0;
    // The link has not ended before its producers are told.
    let _task = link.tasks.token();
    let taken = take(&front, &link, query.as_deref(), &headers, &mut body, &mut bytes);
    match unless_stopped(&link.stop, taken).await.unwrap_or_else(|| stopped(link.wording())) {
        Ok(answer) => Json(answer).into_response(),
        Err(refusal) => {
            link.count(&refusal, bytes);
            if refusal.cause != Cause::BodySlow {
                body::discard(&mut body).await;
            }
            refusal.into_response()
        }
    }
}

/// What a producer is told whose request outlasts its link.
pub(super) fn stopped<T>(wording: &Wording) -> Result<T, Refusal> {
    let message = format!("{} is stopping", wording.owner);
    Outcome::Stopped.taken(wording).and_then(|_| Err(Refusal::new(Cause::Stopping, message)))
}

async fn take(
    front: &Front,
    link: &Arc<HttpLink>,
    query: Option<&str>,
    headers: &HeaderMap,
    body: &mut Body,
    bytes: &mut usize,
) -> Result<Answer, Refusal> {
    let client = link.admit()?;
    let is_partial = is_partial(query)?;
    let (format, packing, key) = (format(headers)?, Packing::of(headers)?, idempotency_key(headers)?);
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let (body, held) = body::read(body, packing, announced, link.body_bytes_max(), &front.memory).await?;
    *bytes = body.len();
    let hash = blake3::hash(&body);
    let mut parsed = parse_body(link, format, body, is_partial).await?;
    let key = match key {
        Some(key) => Some(key),
        None => parsed.idempotency_key.take().map(checked_key).transpose()?,
    };
    let request = key.map(|key| KeyedRequest::new(&link.config().name, &key, &hash, is_partial));
    finish(link, parsed, request, (client, held)).await
}

/// Takes what was parsed, and says what became of it.
pub(super) async fn finish(
    link: &Arc<HttpLink>,
    mut parsed: Parsed,
    request: Option<KeyedRequest>,
    holding: (Client, Held),
) -> Result<Answer, Refusal> {
    let pieces = std::mem::take(&mut parsed.pieces);
    let mut repeated = false;
    let taken = match request {
        None => {
            let taking = Taking { pieces, key: None, skipped: 0 };
            wait(start(link, taking, holding, |_| {}), link.wording()).await?
        }
        Some(request) => match link.context.known.begin(request, parsed.records) {
            Begun::Durable(taken) => {
                repeated = true;
                taken
            }
            Begun::New(ticket, skipped) => {
                let pieces = parse::skip(pieces, skipped as usize);
                let taking = Taking { pieces, key: Some(request.key), skipped };
                let end = start(link, taking, holding, move |outcome| ticket.end(outcome));
                wait(end, link.wording()).await?
            }
            Begun::Other => {
                let message =
                    "the Idempotency-Key was used with another body, or another `partial`; nothing was taken";
                return Err(Refusal::new(Cause::IdempotencyKeyReused, message));
            }
            Begun::Running(told) => {
                repeated = true;
                wait(told, link.wording()).await?
            }
        },
    };
    // Counted once: a repeated request is not refused again.
    if !repeated {
        link.count_records(&parsed);
    }
    let Taken { accepted, quarantined } = taken;
    let (refused, refused_count) = (parsed.refused, parsed.refused_count);
    Ok(Answer { accepted, quarantined, durable: true, repeated, refused, refused_count })
}

/// Takes in a task of its own: a producer that goes away, or a link that closes, does not leave half a request, and whoever
/// repeats it finds it under way.
fn start(
    link: &Arc<HttpLink>,
    taking: Taking,
    holding: (Client, Held),
    told: impl FnOnce(Outcome) + Send + 'static,
) -> watch::Receiver<Option<Outcome>> {
    let (tell, end) = watch::channel(None);
    let taker = Arc::clone(link);
    tokio::spawn(async move {
        let outcome = taking.run(&taker).await;
        drop(holding);
        told(outcome);
        tell.send_replace(Some(outcome));
    });
    end
}

async fn wait(mut told: watch::Receiver<Option<Outcome>>, wording: &Wording) -> Result<Taken, Refusal> {
    let outcome = tokio::time::timeout(DURABLE_WAIT, told.wait_for(Option::is_some)).await;
    match outcome {
        Ok(Ok(outcome)) => outcome.unwrap_or(Outcome::Stopped).taken(wording),
        Ok(Err(_)) => Outcome::Stopped.taken(wording),
        Err(_) => {
            let (cause, slow) = wording.slow;
            let message = format!(
                "the records are handed over and may or may not be durable: {slow}; \
                 repeat with the same Idempotency-Key"
            );
            Err(Refusal::later(cause, RETRY_SLOW, message))
        }
    }
}

/// Reads a body, a long one beside the tasks that drive sockets.
pub(super) async fn parse_body(
    link: &Arc<HttpLink>,
    format: Format,
    body: Bytes,
    is_partial: bool,
) -> Result<Parsed, Refusal> {
    if body.len() <= READ_AT_ONCE_BYTES {
        return parse::read(format, &body, &link.rules(&link.database(), is_partial));
    }
    let reader = Arc::clone(link);
    let reading = tokio::task::spawn_blocking(move || {
        parse::read(format, &body, &reader.rules(&reader.database(), is_partial))
    });
    // Only a runtime that stops takes no such task.
    reading.await.unwrap_or_else(|_| stopped(link.wording()))
}

fn format(headers: &HeaderMap) -> Result<Format, Refusal> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" => Ok(Format::Samples(SampleFormat::Json)),
        "application/ndjson" | "application/x-ndjson" => Ok(Format::Samples(SampleFormat::NdJson)),
        "application/octet-stream" => Ok(Format::Packets),
        "application/protobuf" | "application/x-protobuf" => Ok(Format::Protobuf),
        other => {
            let shown: String = other.chars().take(80).collect();
            let message = format!(
                "Content-Type {shown:?} is not taken; application/octet-stream, application/json, \
                 application/x-ndjson and application/x-protobuf are"
            );
            Err(Refusal::new(Cause::ContentType, message))
        }
    }
}

/// `?partial=true`.
pub(super) fn is_partial(query: Option<&str>) -> Result<bool, Refusal> {
    match query.unwrap_or_default() {
        "" | "partial=false" => Ok(false),
        "partial=true" => Ok(true),
        other => {
            let shown: String = other.chars().take(80).collect();
            let message = format!("{shown:?} is not known; `partial=true` and `partial=false` are");
            Err(Refusal::new(Cause::QueryMalformed, message))
        }
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    checked_key(value.to_str().unwrap_or_default().to_owned()).map(Some)
}

pub(super) fn checked_key(key: String) -> Result<String, Refusal> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX || key.chars().any(char::is_control) {
        let message = format!("an Idempotency-Key is 1 to {KEY_BYTES_MAX} bytes of printable text");
        return Err(Refusal::new(Cause::IdempotencyKeyMalformed, message));
    }
    Ok(key)
}
