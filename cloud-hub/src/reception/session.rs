//! One node's session: HELLO, then batches in, acknowledgements and documents out, until either side has had enough.

use std::sync::Arc;
use std::time::Duration;

use delivery::{
    BatchError, Frame, FrameDecodeError, Goodbye, HelloOk, HelloReject, Holds, Inbox, InboxVerdict, Lane,
    LanePosition, PROTOCOL_VERSION, RejectCode, SealedBatch,
};
use link::{Closed, Connection, FrameError, FrameReader, FrameWriter, NodeCertificate};
use provisioning::NotAllowed;
use service::logging::chain;
use service::metric::Metric;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::committer::{Progress, Submission};
use super::documents::Shelf;
use super::now_unix;
use crate::archive::{OpenedLane, Received, Registry};
use crate::fleet::Fleet;

const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// What a node may have under way: with a thousand nodes the hub holds at most 1 GiB, with ten, 10 MiB.
const CREDIT_BYTES: u64 = 1 << 20;
/// How soon a revoked node is thrown out.
const REVIEW_INTERVAL: Duration = Duration::from_secs(1);
/// What a hub that was restarted asks of its nodes before they come back.
const RETURN_AFTER_MS: u32 = 500;
/// What a node is asked for whose next session would end like the last until somebody has looked at it.
const LOOK_AFTER_MS: u32 = 60_000;

pub(super) struct Session {
    pub(super) connection: Connection,
    pub(super) peer: NodeCertificate,
    pub(super) registry: Registry,
    pub(super) fleet: Arc<Fleet>,
    pub(super) committer: mpsc::Sender<Submission>,
    pub(super) shelf: Arc<Shelf>,
}

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
enum SessionEnd {
    #[error("a batch cannot be read")]
    Batch(#[from] BatchError),
    #[error("the committer has stopped")]
    CommitterStopped,
    #[error("another session of this node was opened")]
    Fenced,
    #[error(
        "STO-SESSION-FORK: the node's journal does not continue what is archived; was a disk image restored, or the node cloned?"
    )]
    Fork,
    #[error("a frame cannot be read")]
    Frame(#[from] FrameDecodeError),
    #[error("the node said goodbye: {0}")]
    Goodbye(String),
    #[error("the hub stops")]
    HubStops,
    #[error("the connection was lost: {0}")]
    Lost(Closed),
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    #[error("batch {found} came where {expected} was due")]
    OutOfOrder { expected: u64, found: u64 },
    #[error("the session was refused: {0}")]
    Rejected(String),
    #[error("the node did not say HELLO")]
    Silent,
    #[error("a stream broke")]
    Stream(#[source] FrameError),
    #[error("the node said something else than was due")]
    Unexpected,
}

impl From<FrameError> for SessionEnd {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Lost(closed) => Self::Lost(closed),
            other => Self::Stream(other),
        }
    }
}

impl From<Closed> for SessionEnd {
    fn from(closed: Closed) -> Self {
        Self::Lost(closed)
    }
}

impl Session {
    pub(super) async fn run(self, shutdown: CancellationToken) {
        let node = self.peer.node_id;
        let opened = match timeout(HELLO_TIMEOUT, self.greet()).await {
            Ok(opened) => opened,
            Err(_) => Err(SessionEnd::Silent),
        };
        let (mut control, requests, lane) = match opened {
            Ok(opened) => opened,
            Err(end) => {
                Metric::HubSessionsRefused.add(1);
                info!(%node, reason = %end, "session could not begin");
                self.fleet.on_refused(node, &end.to_string());
                // The answer is on its way; the node closes when it has read it.
                let _ = timeout(Duration::from_secs(2), self.connection.closed()).await;
                return;
            }
        };
        let now = service::clock::now();
        let superseded = self.fleet.on_session(node, lane.session, now);
        metrics::gauge!(Metric::HubSessionsOpen.name()).increment(1);
        info!(%node, session = lane.session.0, epoch = lane.key.epoch, "session opened");
        let end = self.serve(&mut control, requests, &lane, &superseded, &shutdown).await;
        metrics::gauge!(Metric::HubSessionsOpen.name()).decrement(1);
        match &end {
            SessionEnd::Fork | SessionEnd::OutOfOrder { .. } | SessionEnd::Batch(_) => {
                error!(%node, reason = %end, "session ended, somebody must look at this node");
            }
            _ => info!(%node, reason = %end, "session ended"),
        }
        self.fleet.on_session_ended(node, lane.session, &end.to_string(), service::clock::now());
        self.farewell(&mut control, &end).await;
    }

    async fn farewell(&self, control: &mut FrameWriter, end: &SessionEnd) {
        if let SessionEnd::NotAllowed(refusal) = end {
            self.connection.close(refusal.close_code(), &refusal.to_string());
            return;
        }
        let retry_after_ms = match end {
            SessionEnd::HubStops => RETURN_AFTER_MS,
            SessionEnd::Fork | SessionEnd::OutOfOrder { .. } | SessionEnd::Batch(_) => LOOK_AFTER_MS,
            _ => 0,
        };
        let goodbye = Frame::Goodbye(Goodbye { reason: end.to_string(), retry_after_ms });
        if send(control, &goodbye).await.is_ok() && control.finish().await.is_ok() {
            let _ = timeout(Duration::from_secs(1), control.delivered()).await;
        }
        self.connection.close(link::CLOSE_DONE, "the session is over");
    }

    async fn greet(&self) -> Result<(FrameWriter, FrameReader, OpenedLane), SessionEnd> {
        let (mut control, mut requests) = self.connection.accept_bi().await?;
        let hello = loop {
            let frame = requests.next().await?.ok_or(SessionEnd::Unexpected)?;
            match Frame::decode(frame.kind, &frame.body)? {
                Some(Frame::Hello(hello)) => break hello,
                Some(_) => return Err(SessionEnd::Unexpected),
                None => {}
            }
        };
        if hello.protocol != PROTOCOL_VERSION {
            let detail = format!("the hub speaks version {PROTOCOL_VERSION}, the node {}", hello.protocol);
            return reject(&mut control, RejectCode::Version, detail, 60_000).await;
        }
        let head =
            hello.lanes.iter().find(|head| head.lane == Lane::Telemetry).and_then(|head| head.sequence);
        let opened = self.registry.open_session(self.peer.node_id, hello.store, Lane::Telemetry, head).await;
        let lane = match opened {
            Ok(Some(lane)) => lane,
            Ok(None) => {
                let detail =
                    "the journal ends before what the hub has of it; a disk image was restored".to_owned();
                return reject(&mut control, RejectCode::Fork, detail, LOOK_AFTER_MS).await;
            }
            Err(error) => {
                warn!(error = chain(&error), "session could not be opened in the database");
                let detail = "the hub's database does not answer at the moment".to_owned();
                return reject(&mut control, RejectCode::Busy, detail, 1_000).await;
            }
        };
        let position = LanePosition {
            lane: Lane::Telemetry,
            watermark: lane.watermark,
            safe: lane.watermark,
            hash: lane.hash,
            credit_bytes: CREDIT_BYTES,
        };
        let ok = HelloOk {
            epoch: delivery::Epoch(lane.key.epoch),
            session: lane.session,
            lanes: vec![position],
            hub_time: service::clock::now(),
        };
        send(&mut control, &Frame::HelloOk(ok)).await?;
        Ok((control, requests, lane))
    }

    async fn serve(
        &self,
        control: &mut FrameWriter,
        mut requests: FrameReader,
        lane: &OpenedLane,
        superseded: &CancellationToken,
        shutdown: &CancellationToken,
    ) -> SessionEnd {
        let (progress, mut committed) = watch::channel(Progress::Committed(lane.watermark));
        let progress = Arc::new(progress);
        let mut inbox = Inbox::new(Lane::Telemetry, lane.watermark, lane.hash);
        let mut batches = LaneReceiver { stream: LaneStream::Awaited, read: None };
        let (holds, held) = watch::channel(Holds::default());
        // Ends with this session, when the set is dropped.
        let mut beside = JoinSet::new();
        beside.spawn(Arc::clone(&self.shelf).supply(self.connection.clone(), self.peer.node_id, held));
        let mut review = interval(REVIEW_INTERVAL);
        review.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step: Result<(), SessionEnd> = tokio::select! {
                biased;
                () = shutdown.cancelled() => Err(SessionEnd::HubStops),
                () = superseded.cancelled() => Err(SessionEnd::Fenced),
                Ok(()) = committed.changed() => {
                    let progress = *committed.borrow_and_update();
                    acknowledge(control, &mut inbox, progress).await
                }
                received = self.next_batch(&mut batches) => received.and_then(|(place, batch)| {
                    match inbox.on_batch(&batch) {
                        InboxVerdict::Commit => {
                            let received = Received { lane: lane.key, session: lane.session, batch };
                            place.send(Submission { received, progress: Arc::clone(&progress) });
                            Ok(())
                        }
                        InboxVerdict::Duplicate => Ok(()),
                        InboxVerdict::Fork => Err(SessionEnd::Fork),
                        InboxVerdict::OutOfOrder { expected } => {
                            let found = batch.header.sequence.0;
                            Err(SessionEnd::OutOfOrder { expected: expected.0, found })
                        }
                    }
                }),
                frame = requests.next() => self.on_request(frame, &holds),
                _ = review.tick() => {
                    self.fleet.allowed().judge(&self.peer, now_unix()).map_err(SessionEnd::from)
                }
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    fn on_request(
        &self,
        frame: Result<Option<link::Frame>, FrameError>,
        holds: &watch::Sender<Holds>,
    ) -> Result<(), SessionEnd> {
        let frame = frame?.ok_or(SessionEnd::Unexpected)?;
        let now = service::clock::now();
        match Frame::decode(frame.kind, &frame.body)? {
            Some(Frame::Report(json)) => self.fleet.on_report(self.peer.node_id, &json, now),
            Some(Frame::Goodbye(goodbye)) => return Err(SessionEnd::Goodbye(goodbye.reason)),
            Some(Frame::Holds(said)) => drop(holds.send_replace(said)),
            Some(_) => return Err(SessionEnd::Unexpected),
            None => self.fleet.on_contact(self.peer.node_id, now),
        }
        Ok(())
    }

    /// The next batch, with a place in the committer's queue: while that is full nothing is read, and QUIC tells the
    /// node. May be dropped at any wait without losing anything.
    async fn next_batch(
        &self,
        lane: &mut LaneReceiver,
    ) -> Result<(mpsc::Permit<'_, Submission>, SealedBatch), SessionEnd> {
        while lane.read.is_none() {
            let frame = match &mut lane.stream {
                LaneStream::Awaited => {
                    lane.stream = LaneStream::Open(self.connection.accept_uni().await?);
                    continue;
                }
                LaneStream::Open(reader) => reader.next().await?,
                // The goodbye comes on the other stream.
                LaneStream::Ended => std::future::pending().await,
            };
            match frame {
                Some(frame) if frame.kind == Frame::BATCH => {
                    let batch = SealedBatch::parse(frame.body.to_vec())?;
                    // What does not open must not get into the ledger, where every start would meet it again.
                    batch.open()?;
                    lane.read = Some(batch);
                }
                Some(_) => {}
                None => lane.stream = LaneStream::Ended,
            }
        }
        // Only asked for with a batch in hand: a thousand silent nodes must not hold a thousand places.
        let place = self.committer.reserve().await.map_err(|_| SessionEnd::CommitterStopped)?;
        let batch = lane.read.take().expect("the loop above ends with a batch in hand");
        Ok((place, batch))
    }
}

/// What comes on a lane's stream.
struct LaneReceiver {
    stream: LaneStream,
    /// A batch that waits for a place in the committer's queue.
    read: Option<SealedBatch>,
}

/// The stream a lane's batches come on.
enum LaneStream {
    Awaited,
    Ended,
    Open(FrameReader),
}

async fn acknowledge(
    control: &mut FrameWriter,
    inbox: &mut Inbox,
    progress: Progress,
) -> Result<(), SessionEnd> {
    match progress {
        Progress::Fenced => Err(SessionEnd::Fenced),
        Progress::Committed(None) => Ok(()),
        Progress::Committed(Some(watermark)) => {
            send(control, &Frame::Ack(inbox.on_committed(watermark))).await?;
            Ok(())
        }
    }
}

async fn reject<T>(
    control: &mut FrameWriter,
    code: RejectCode,
    detail: String,
    retry_after_ms: u32,
) -> Result<T, SessionEnd> {
    let end = SessionEnd::Rejected(format!("{}: {detail}", code.code()));
    send(control, &Frame::HelloReject(HelloReject { code, detail, retry_after_ms })).await?;
    control.finish().await?;
    Err(end)
}

async fn send(stream: &mut FrameWriter, frame: &Frame) -> Result<(), FrameError> {
    let (kind, body) = frame.encode();
    stream.send(kind, &[&body]).await
}
