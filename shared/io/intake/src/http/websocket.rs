//! `GET /api/v1/ingest/{mission}/stream`: binary messages are packets, text messages samples as JSON; the answers say
//! how far they are durable.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use processing::SampleFormat;
use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::access::Shown;
use super::cause::{Cause, Refusal, RefusedRecord};
use super::ingest::{is_partial, parse_body};
use super::parse::Format;
use super::session::{BYTES_WAITING_MAX, Session};
use super::taking::STOP_WAIT;
use super::{Client, Front, HttpLink};
use crate::config::Door;

/// A producer that says nothing for so long, not even to a ping, is gone.
const SILENCE_MAX: Duration = Duration::from_secs(60);
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// How long a message to the producer may take to leave.
const SEND_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a producer has to read why its message was too long.
const LINGER: Duration = Duration::from_secs(2);
/// The library would take 128 KiB for each connection at once.
const READ_BUFFER_BYTES: usize = 4 * 1_024;
const WRITE_BUFFER_BYTES_MAX: usize = 1 << 20;

/// What a producer is told.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Told {
    /// So much is durable since the connection began.
    Ack { messages: u64, records: u64, quarantined: u64 },
    /// A message, or some of its records, were not taken.
    Refused { message: u64, cause: Cause, text: String, refused: Vec<RefusedRecord>, refused_count: usize },
}

pub(super) async fn open(
    State(front): State<Arc<Front>>,
    Path(mission): Path<String>,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let link = match front.find(Door::WebSocket, &mission, &Shown::of(&uri, &headers)) {
        Ok(link) => link,
        Err(refusal) => return refusal.into_response(),
    };
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let admitted = is_partial(query.as_deref()).and_then(|is_partial| Ok((link.admit()?, is_partial)));
    let (client, is_partial) = match admitted {
        Ok(admitted) => admitted,
        Err(refusal) => {
            link.count(&refusal, 0);
            return refusal.into_response();
        }
    };
    // What is taken before it is durable bounds a message too.
    let bytes_max = link.body_bytes_max().min(BYTES_WAITING_MAX);
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_write_buffer_size(WRITE_BUFFER_BYTES_MAX)
        .max_message_size(bytes_max)
        .max_frame_size(bytes_max)
        .on_upgrade(move |socket| {
            let tasks = link.tasks.clone();
            let connection = Connection::new(link, client, is_partial, bytes_max, socket);
            tasks.track_future(connection.run())
        })
}

struct Connection {
    link: Arc<HttpLink>,
    is_partial: bool,
    bytes_max: usize,
    session: Session,
    write: SplitSink<WebSocket, Message>,
    read: SplitStream<WebSocket>,
    heard: Instant,
    _client: Client,
}

/// How a connection ends.
enum End {
    /// The producer is gone, or cannot be told anything.
    Gone,
    /// With a reason.
    With(u16, &'static str),
}

impl Connection {
    fn new(
        link: Arc<HttpLink>,
        client: Client,
        is_partial: bool,
        bytes_max: usize,
        socket: WebSocket,
    ) -> Self {
        let (write, read) = socket.split();
        let session = Session::new(Arc::clone(&link));
        Self { link, is_partial, bytes_max, session, write, read, heard: Instant::now(), _client: client }
    }

    async fn run(mut self) {
        let End::With(code, reason) = self.serve().await else { return };
        let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        let _ = timeout(SEND_TIME_MAX, self.write.send(close)).await;
        if code == close_code::SIZE {
            // Closing while bytes come that nobody reads would take the refusal with it.
            let _ = timeout(LINGER, self.link.stop.cancelled()).await;
        }
    }

    async fn serve(&mut self) -> End {
        let stop = self.link.stop.clone();
        let mut ping = interval(PING_INTERVAL);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let producer = Arc::clone(&self.session.producer);
        // Set when no more is read: the last acknowledgements are still wanted.
        let mut last: Option<(Instant, End)> = None;
        loop {
            if let Some(told) = self.session.acknowledged() {
                let (messages, records, quarantined) = (told.messages, told.records, told.quarantined);
                if !self.tell(&Told::Ack { messages, records, quarantined }).await {
                    return End::Gone;
                }
            }
            let (is_ending, due) = (last.is_some(), last.as_ref().map(|(due, _)| *due));
            if is_ending && self.session.is_idle() {
                return last.map_or(End::Gone, |(_, end)| end);
            }
            let has_room = self.session.has_room();
            if !has_room {
                // It is we who do not listen.
                self.heard = Instant::now();
            }
            let end = tokio::select! {
                () = producer.durable.changed() => None,
                () = stop.cancelled(), if !is_ending => Some(End::With(close_code::AWAY, "the link closes")),
                () = sleep_until(due.unwrap_or(self.heard + SILENCE_MAX)), if is_ending || has_room => {
                    return End::With(close_code::POLICY, "nothing was heard for too long");
                }
                _ = ping.tick() => (!self.send(Message::Ping(Bytes::new())).await).then_some(End::Gone),
                message = self.read.next(), if has_room && !is_ending => {
                    self.heard = Instant::now();
                    let end = self.on_message(message).await;
                    // Many small messages lie in one read, and the runtime cannot see them: without this a producer of
                    // such holds a thread for all of them, and every other door waits.
                    tokio::task::yield_now().await;
                    end
                }
            };
            if let Some(end) = end {
                last = Some((Instant::now() + STOP_WAIT, end));
            }
        }
    }

    async fn on_message(&mut self, message: Option<Result<Message, axum::Error>>) -> Option<End> {
        let (format, body) = match message {
            Some(Ok(Message::Binary(body))) => (Format::Packets, body),
            Some(Ok(Message::Text(text))) => (Format::Samples(SampleFormat::Json), Bytes::from(text)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return None,
            Some(Ok(Message::Close(_))) => return Some(End::With(close_code::NORMAL, "all is durable")),
            Some(Err(error)) if error.to_string().contains("Space limit exceeded") => {
                let text = format!("a message is longer than the {} bytes taken", self.bytes_max);
                let refusal = Refusal::new(Cause::BodyTooLarge, text);
                self.link.count(&refusal, 0);
                self.refuse(refusal).await;
                return Some(End::With(close_code::SIZE, "message too large"));
            }
            Some(Err(_)) | None => return Some(End::Gone),
        };
        let bytes = body.len();
        match parse_body(&self.link, format, body, self.is_partial).await {
            Err(refusal) => {
                self.link.count(&refusal, bytes);
                (!self.refuse(refusal).await).then_some(End::Gone)
            }
            Ok(mut parsed) => {
                self.link.count_records(&parsed);
                let (refused, refused_count) = (std::mem::take(&mut parsed.refused), parsed.refused_count);
                let message = self.session.seen;
                if self.session.hand_over(parsed, bytes).await.is_err() {
                    return Some(End::With(close_code::AWAY, "intake is stopping"));
                }
                let cause = refused.first()?.cause;
                let text = format!("{refused_count} records are refused, the others are taken");
                let told = Told::Refused { message, cause, text, refused, refused_count };
                (!self.tell(&told).await).then_some(End::Gone)
            }
        }
    }

    async fn refuse(&mut self, refusal: Refusal) -> bool {
        let told = Told::Refused {
            message: self.session.seen,
            cause: refusal.cause,
            text: refusal.message,
            refused: refusal.refused,
            refused_count: refusal.refused_count,
        };
        self.session.on_refused();
        self.tell(&told).await
    }

    async fn tell(&mut self, told: &Told) -> bool {
        let text = serde_json::to_string(told).expect("numbers and texts are always JSON");
        self.send(Message::Text(text.into())).await
    }

    async fn send(&mut self, message: Message) -> bool {
        matches!(timeout(SEND_TIME_MAX, self.write.send(message)).await, Ok(Ok(())))
    }
}
