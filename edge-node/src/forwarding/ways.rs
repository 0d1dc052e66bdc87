//! The streams batches go on, one for each way, the more urgent first.

use std::collections::BTreeMap;

use delivery::{Frame, LogNumber, SealedBatch, Way};
use link::{Closed, Connection, FrameError, FrameWriter};
use service::metric::Metric;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::debug;

/// Batches handed to a stream and not yet taken by QUIC. Few: what is there cannot be called back.
const QUEUE: usize = 2;

type Queued = (LogNumber, SealedBatch);

/// The streams of a session.
pub(super) struct Ways {
    queues: BTreeMap<Way, mpsc::Sender<Queued>>,
}

impl Ways {
    /// Opens a stream for each way; they end with `tasks`.
    pub(super) async fn open(connection: &Connection, tasks: &mut JoinSet<()>) -> Result<Self, Closed> {
        let mut queues = BTreeMap::new();
        for way in Way::OF_SESSION {
            let stream = connection.open_uni().await?;
            stream.set_priority(way.priority());
            let (queue, waiting) = mpsc::channel(QUEUE);
            queues.insert(way, queue);
            tasks.spawn(async move {
                if let Err(error) = send(stream, way, waiting).await {
                    debug!(%error, way = way.word(), "a stream of batches broke");
                }
            });
        }
        Ok(Self { queues })
    }

    /// The queue of a way: a place in it is what QUIC has room for.
    pub(super) fn queue(&self, way: Way) -> &mpsc::Sender<Queued> {
        self.queues.get(&way).expect("every way of a session has a stream")
    }
}

/// Waits here, and nowhere else, while QUIC's window is full.
async fn send(
    mut stream: FrameWriter,
    way: Way,
    mut batches: mpsc::Receiver<Queued>,
) -> Result<(), FrameError> {
    while let Some((log, batch)) = batches.recv().await {
        Metric::EdgeForwardSentBytes.add(batch.bytes().len() as u64);
        stream.send(Frame::BATCH, &[&Frame::batch_prefix(log, way), batch.bytes()]).await?;
    }
    Ok(())
}
