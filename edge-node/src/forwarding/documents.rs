//! Documents from the hub, each on a stream of its own, one after another.

use std::sync::Arc;

use delivery::{Frame, FrameDecodeError, IncomingDocument, TransferError};
use link::{Connection, FrameError, FrameReader};
use tracing::{debug, error, warn};

use crate::documents::NodeDocuments;

/// Tells the hub that a stream is read no further.
const NOT_WANTED: u32 = 1;

/// Why a stream is read no further.
#[derive(Debug, thiserror::Error)]
enum StreamError {
    #[error("a frame cannot be read")]
    Frame(#[from] FrameDecodeError),
    #[error("documents of {scope:?} were not asked for")]
    NotWanted { scope: String },
    #[error("the stream broke")]
    Stream(#[from] FrameError),
    #[error(transparent)]
    Transfer(#[from] TransferError),
    #[error("the hub said something else than was due")]
    Unexpected,
}

/// Takes documents until the connection ends. At most one is in memory, whatever the hub opens.
pub(super) async fn receive(connection: Connection, documents: Arc<NodeDocuments>) {
    while let Ok(mut stream) = connection.accept_uni().await {
        let mut incoming = None;
        let read = read(&mut stream, &mut incoming, &documents).await;
        if read.is_err() {
            stream.stop(NOT_WANTED);
        }
        let documents = Arc::clone(&documents);
        let work = match (read, incoming) {
            (Ok(()), Some(document)) => {
                // Parsing and disk. What began is finished even when the session ends meanwhile.
                tokio::task::spawn_blocking(move || documents.on_received(document))
            }
            // A stream of some later version.
            (Ok(()), None) => continue,
            (Err(StreamError::Transfer(error)), Some(document)) => {
                tokio::task::spawn_blocking(move || documents.on_damaged(document.head(), &error))
            }
            (Err(StreamError::Stream(error)), _) => {
                debug!(%error, "a document did not arrive");
                continue;
            }
            (Err(error), _) => {
                warn!(error = service::logging::chain(&error), "a stream of the hub is of no use");
                continue;
            }
        };
        if let Err(failure) = work.await {
            error!(%failure, "taking a document failed");
        }
    }
}

async fn read(
    stream: &mut FrameReader,
    incoming: &mut Option<IncomingDocument>,
    documents: &NodeDocuments,
) -> Result<(), StreamError> {
    while let Some(frame) = stream.next().await? {
        match (Frame::decode(frame.kind, &frame.body)?, incoming.as_mut()) {
            (Some(Frame::Document(head)), None) if documents.wants(head.mission.as_deref()) => {
                *incoming = Some(IncomingDocument::new(head));
            }
            (Some(Frame::Document(head)), None) => {
                return Err(StreamError::NotWanted { scope: head.scope().to_owned() });
            }
            (Some(Frame::DocumentPart(part)), Some(document)) => document.on_part(&part)?,
            (Some(_), _) => return Err(StreamError::Unexpected),
            (None, _) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
