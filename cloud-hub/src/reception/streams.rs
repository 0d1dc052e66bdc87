//! Batches of a session: each way is a stream of its own, read and checked beside the others.

use delivery::{BatchError, Frame, FrameDecodeError, LogNumber, SealedBatch, Way};
use link::{Closed, Connection, FrameError, FrameReader};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Batches read of a stream and not taken by the session yet.
const READ_AHEAD: usize = 1;

/// A batch as it came.
pub(super) struct Incoming {
    pub(super) log: LogNumber,
    pub(super) way: Way,
    pub(super) batch: SealedBatch,
    /// Its records can be unpacked.
    pub(super) is_readable: bool,
}

/// Why a stream gives no more.
#[derive(Debug, thiserror::Error)]
pub(super) enum StreamEnd {
    #[error("a batch cannot be read")]
    Batch(#[from] BatchError),
    #[error("a frame cannot be read")]
    Frame(#[from] FrameDecodeError),
    #[error("a stream broke")]
    Stream(#[from] FrameError),
    #[error("the connection was lost")]
    Lost(#[from] Closed),
    #[error("it opened more than {} streams of batches", Way::OF_SESSION.len())]
    TooMany,
}

pub(super) type Arrival = Result<Incoming, StreamEnd>;

/// Reads every stream of a session until it is dropped. Alarms come by a queue of their own.
pub(super) fn receive(
    connection: Connection,
    tasks: &mut JoinSet<()>,
) -> (mpsc::Receiver<Arrival>, mpsc::Receiver<Arrival>) {
    let (alarms, urgent) = mpsc::channel(READ_AHEAD);
    let (others, rest) = mpsc::channel(READ_AHEAD);
    tasks.spawn(async move {
        let mut streams = JoinSet::new();
        let end = loop {
            match connection.accept_uni().await {
                Ok(_) if streams.len() == Way::OF_SESSION.len() => break StreamEnd::TooMany,
                Ok(stream) => {
                    streams.spawn(read(stream, alarms.clone(), others.clone()));
                }
                Err(closed) => break StreamEnd::Lost(closed),
            }
        };
        // The session hears of it in its own time; what came before stands before it in the queue.
        let _ = others.send(Err(end)).await;
    });
    (urgent, rest)
}

async fn read(mut stream: FrameReader, alarms: mpsc::Sender<Arrival>, others: mpsc::Sender<Arrival>) {
    loop {
        let arrival = match next(&mut stream).await {
            Ok(Some(incoming)) => Ok(incoming),
            // The goodbye comes on the control stream.
            Ok(None) => return,
            Err(end) => Err(end),
        };
        let is_over = arrival.is_err();
        let queue = match &arrival {
            Ok(incoming) if incoming.way == Way::Alarm => &alarms,
            _ => &others,
        };
        if queue.send(arrival).await.is_err() || is_over {
            return;
        }
    }
}

async fn next(stream: &mut FrameReader) -> Result<Option<Incoming>, StreamEnd> {
    while let Some(frame) = stream.next().await? {
        // A frame of another kind is of a later version, and skipped.
        if frame.kind == Frame::BATCH {
            let (log, way, sealed) = Frame::split_batch(&frame.body)?;
            let batch = SealedBatch::parse(sealed.to_vec())?;
            let is_readable = batch.open().is_ok();
            return Ok(Some(Incoming { log, way, batch, is_readable }));
        }
    }
    Ok(None)
}
