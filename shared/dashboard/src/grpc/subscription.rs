//! A live subscription as the stream of a call.

use std::sync::Arc;

use futures_util::stream::unfold;
use proto::v1;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tonic::Status;

use super::{Replies, coded, convert, stopping};
use crate::ProblemResponse;
use crate::api::LoggedIn;
use crate::app::App;
use crate::live::LiveStream;
use crate::live_socket::{Session, stalled};

/// Updates that wait for the library to take them; the rest waits in the subscription, within its bounds.
const UPDATES_MAX: usize = 1;

/// Runs the subscription beside the call, so that it is heard of what comes while nobody reads.
pub(super) fn start(app: Arc<App>, who: &LoggedIn, stream: LiveStream) -> Replies<v1::LiveUpdate> {
    let session = Session::new(Arc::clone(&app), who);
    let (tell, told) = mpsc::channel(UPDATES_MAX);
    let (end, ended) = oneshot::channel();
    tokio::spawn(async move {
        let status = run(&app, session, stream, &tell).await;
        // Fails only when the caller is gone.
        let _ = end.send(status);
    });
    Box::pin(unfold(Some((told, ended)), |state| async move {
        let (mut told, ended) = state?;
        if let Some(update) = told.recv().await {
            return Some((Ok(update), Some((told, ended))));
        }
        let status = ended.await.unwrap_or_else(|_| stopping());
        Some((Err(status), None))
    }))
}

/// Serves the caller until it leaves, reads too slowly, its session is over, or the server stops; says which.
async fn run(
    app: &App,
    mut session: Session,
    mut stream: LiveStream,
    tell: &mpsc::Sender<v1::LiveUpdate>,
) -> Status {
    let mut seconds = app.heartbeats();
    let mut next: Option<(v1::LiveUpdate, Instant)> = None;
    loop {
        if next.is_none() {
            next = stream.next_update().map(|update| (convert::update(update), Instant::now()));
        }
        let since = next.as_ref().map(|(_, since)| *since);
        tokio::select! {
            room = tell.reserve(), if since.is_some() => match (room, next.take()) {
                (Ok(room), Some((update, _))) => room.send(update),
                _ => return Status::cancelled("the caller is gone"),
            },
            () = stalled(since, app.patience.message) => {
                let seconds = app.patience.message.as_secs();
                let text = format!("an update was not read for {seconds} s; call again and resume");
                return coded(Status::resource_exhausted(text), "STO-LIVE-TOO-SLOW");
            }
            () = tell.closed() => return Status::cancelled("the caller is gone"),
            () = stream.changed() => {}
            () = session.over() => {
                return ProblemResponse::not_logged_in("your session is over; log in again").into();
            }
            () = app.shutdown.cancelled() => return stopping(),
            _ = seconds.tick() => {
                session.check_again();
                stream.on_second();
            }
        }
    }
}
