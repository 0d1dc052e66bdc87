//! `/api/v1/live` over a WebSocket: events out, requests in, and an end for who does not read.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use futures_util::future::BoxFuture;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt, SinkExt, StreamExt};
use space_packet::TaiTime;
use tokio::time::{Instant, sleep_until, timeout};

use crate::ProblemResponse;
use crate::access::Credential;
use crate::api::LoggedIn;
use crate::app::App;
use crate::contract::{LiveEvent, LiveRequest};
use crate::live::{LiveStream, LiveUpdate};

/// Close code of a stream whose session is over, after HTTP's 401.
const SESSION_OVER: u16 = 4401;
/// Close code of a stream that was not read, after HTTP's 408.
const TOO_SLOW: u16 = 4408;
/// How long the other side gets to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves one client until it leaves, reads too slowly, its session is over, or the server stops.
pub(crate) async fn serve(socket: WebSocket, app: Arc<App>, who: LoggedIn) {
    let mut session = Session::new(Arc::clone(&app), &who);
    let mut heartbeats = app.heartbeats();
    let principal = who.principal;
    let mut stream = LiveStream::new(Arc::clone(&app), principal.clone());
    let mut socket = Socket::new(socket);
    let (mut heartbeat, mut refused) = (Some(app.heartbeat(&principal)), None);
    loop {
        if socket.sending_since.is_none() {
            let text = heartbeat.take().or_else(|| {
                let event = refused.take().or_else(|| stream.next_update().map(LiveUpdate::into_event))?;
                Some(Utf8Bytes::from(event.to_json()))
            });
            if let Some(text) = text
                && socket.send(Message::Text(text)).await.is_err()
            {
                return;
            }
        }
        let is_idle = socket.sending_since.is_none();
        tokio::select! {
            sent = socket.sink.flush(), if !is_idle => {
                if sent.is_err() {
                    return;
                }
                socket.sending_since = None;
            }
            () = stalled(socket.sending_since, app.patience.message) => {
                return socket.close(TOO_SLOW, too_slow(&app), app.patience.farewell).await;
            }
            message = socket.incoming.next(), if is_idle => match message {
                Some(Ok(Message::Text(text))) => refused = take(&mut stream, &text).err(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Binary(_) | Message::Close(_)) | Err(_)) | None => return,
            },
            () = stream.changed() => {}
            () = session.over() => {
                return socket.close(SESSION_OVER, "the session is over".into(), CLOSE_TIMEOUT).await;
            }
            () = app.shutdown.cancelled() => {
                return socket.close(close_code::AWAY, "the server stops".into(), CLOSE_TIMEOUT).await;
            }
            _ = heartbeats.tick() => {
                session.check_again();
                stream.on_second();
                heartbeat = Some(app.heartbeat(&principal));
            }
        }
    }
}

/// Waits until a message is on its way for too long.
pub(crate) async fn stalled(since: Option<Instant>, patience: Duration) {
    match since {
        Some(since) => sleep_until(since + patience).await,
        None => std::future::pending().await,
    }
}

fn too_slow(app: &App) -> Utf8Bytes {
    let seconds = app.patience.message.as_secs();
    format!("STO-LIVE-TOO-SLOW: a message was not read for {seconds} s; connect again and resume").into()
}

/// Carries out what a client sent, or says why not.
fn take(stream: &mut LiveStream, text: &str) -> Result<(), LiveEvent> {
    let refused = |id: Option<String>, problem: &ProblemResponse| LiveEvent::Refused {
        id,
        code: problem.code().to_owned(),
        detail: problem.detail().to_owned(),
    };
    let request = serde_json::from_str(text).map_err(|error| {
        refused(None, &ProblemResponse::bad_request(format!("the message cannot be read: {error}")))
    })?;
    match request {
        LiveRequest::Close { id } => {
            stream.close(&id);
            Ok(())
        }
        LiveRequest::Open { id, of, resume } => {
            let opened = stream.open(&id, of, resume.as_deref());
            opened.map_err(|problem| refused(Some(id), &problem))
        }
        LiveRequest::Subscribe { mission, parameters } => {
            stream.subscribe(&mission, &parameters).map_err(|problem| refused(None, &problem))
        }
    }
}

/// Both halves of a WebSocket, so that what comes is heard of while what goes is waited for.
struct Socket {
    sink: SplitSink<WebSocket, Message>,
    incoming: SplitStream<WebSocket>,
    /// A message is on its way since then.
    sending_since: Option<Instant>,
}

impl Socket {
    fn new(socket: WebSocket) -> Self {
        let (sink, incoming) = socket.split();
        Self { sink, incoming, sending_since: None }
    }

    /// Begins to send; `sink.flush()` ends it. Only called when nothing is on its way, so that it waits for nothing.
    async fn send(&mut self, message: Message) -> Result<(), axum::Error> {
        self.sending_since = Some(Instant::now());
        self.sink.feed(message).await
    }

    async fn close(mut self, code: u16, reason: Utf8Bytes, patience: Duration) {
        let closing = async {
            if self.sink.send(Message::Close(Some(CloseFrame { code, reason }))).await.is_ok() {
                // Gone before the other side answered, the connection would take the frame with it.
                while let Some(Ok(_)) = self.incoming.next().await {}
            }
        };
        let _ = timeout(patience, closing).await;
    }
}

/// The session a stream belongs to. It is looked up beside the stream: a store that answers slowly or not at
/// all stops no telemetry.
pub(crate) struct Session {
    app: Arc<App>,
    credential: Credential,
    expires: TaiTime,
    /// The look-up on its way; whether the session is there still.
    check: Option<BoxFuture<'static, bool>>,
}

impl Session {
    pub(crate) fn new(app: Arc<App>, who: &LoggedIn) -> Self {
        Self { app, credential: who.credential.clone(), expires: who.expires, check: None }
    }

    /// Looks the session up, if that is not being done already.
    pub(crate) fn check_again(&mut self) {
        let now = service::clock::now();
        if self.expires <= now {
            self.check = Some(std::future::ready(false).boxed());
        } else if self.check.is_none() {
            let (app, credential) = (Arc::clone(&self.app), self.credential.clone());
            // An unavailable store says nothing about the session.
            let check =
                async move { !matches!(app.backend.gate().principal(&credential, now).await, Ok(None)) };
            self.check = Some(check.boxed());
        }
    }

    /// Waits for a look-up that does not find the session.
    pub(crate) async fn over(&mut self) {
        loop {
            let Some(check) = &mut self.check else { return std::future::pending().await };
            let there = check.await;
            self.check = None;
            if !there {
                return;
            }
        }
    }
}
