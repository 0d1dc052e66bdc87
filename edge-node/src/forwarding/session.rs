//! One session with the hub, from HELLO to its end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use dashboard::node_report_json;
use delivery::{
    Ack, BatchSequence, ChainHash, Frame, FrameDecodeError, Gap, GapReason, Lane, Outbox, Position,
    ResumeError, SealedBatch,
};
use link::{Closed, Connection, FrameError, FrameReader, FrameWriter};
use service::metric::Metric;
use space_packet::ReceptionTime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::backoff::Backoff;
use super::{Forwarder, documents, update_backlog};
use crate::intake::events::NODE_LINK;
use crate::journal::{Batches, JournalState, ReadFailed};
use crate::status::HubLink;

const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// Beyond what a slow link explains.
const CLOCK_DIFFERENCE_S: f64 = 2.0;
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Read from the journal at once: a few batches, so that a backlog is not read one by one.
const READ_AHEAD_BYTES: usize = 256 * 1_024;
/// Batches handed to the lane's stream and not yet taken by QUIC. Few: what is there cannot be called back.
const LANE_QUEUE: usize = 2;
/// An older journal is larger than this only on paper; a session that lasts longer begins anew.
const DRAINING_MAX: Duration = Duration::from_secs(7 * 86_400);
/// What a stopping node gives its last batches to arrive.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long a session goes on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Until {
    /// The hub has everything the journal holds, which takes nothing new.
    Drained,
    /// The node stops.
    Shutdown,
}

/// A session that ended as sessions do.
pub(super) enum SessionEnd {
    /// The hub asked for it.
    Goodbye {
        /// Its reason.
        reason: String,
        /// Its wish.
        retry_after: Duration,
    },
    /// This node stops.
    Shutdown,
}

/// A session that could not begin or broke.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error("no connection to the hub")]
    Connect(#[from] link::ConnectError),
    #[error(
        "STO-SESSION-FORK: this journal is not the one the hub knows; was a disk image restored, or the node cloned? Recording goes on, nothing is sent"
    )]
    Fork,
    #[error("the hub's answer cannot be read")]
    Frame(#[from] FrameDecodeError),
    #[error("the journal cannot be read")]
    Journal(#[from] ReadFailed),
    #[error("the journal was lost and a new one began")]
    JournalReplaced,
    #[error("the connection was lost")]
    Lost(#[source] Closed),
    #[error("{code}: {detail}")]
    Rejected { code: &'static str, detail: String, retry_after: Duration },
    #[error("STO-SESSION-FORK")]
    Resume(#[from] ResumeError),
    #[error("the hub did not answer HELLO within {} s", HELLO_TIMEOUT.as_secs())]
    Silent,
    #[error("the hub said something else than was due")]
    Unexpected,
    #[error("the stream broke")]
    Stream(#[source] FrameError),
}

impl From<FrameError> for SessionError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Lost(closed) => Self::Lost(closed),
            other => Self::Stream(other),
        }
    }
}

impl From<Closed> for SessionError {
    fn from(closed: Closed) -> Self {
        Self::Lost(closed)
    }
}

/// Runs a session on a fresh connection.
pub(super) async fn run(
    connection: &Connection,
    outbox: &mut Outbox,
    forwarder: &Forwarder,
    backoff: &mut Backoff,
    shutdown: &CancellationToken,
    until: Until,
) -> Result<SessionEnd, SessionError> {
    let (control, mut answers, sent) =
        match timeout(HELLO_TIMEOUT, greet(connection, outbox, forwarder)).await {
            Ok(greeted) => greeted?,
            Err(_) => return Err(SessionError::Silent),
        };
    let now = service::clock::now();
    forwarder.status.on_hub(HubLink::Connected { since: now });
    forwarder.status.on_contact(now);
    let behind = outbox.appended().number() - outbox.acknowledged();
    info!(watermark = outbox.acknowledged(), batches_behind = behind, "session opened");

    let (lane, lane_queue) = mpsc::channel::<SealedBatch>(LANE_QUEUE);
    let stream = connection.open_uni().await?;
    // Both end with this session, when the set is dropped.
    let mut beside = JoinSet::new();
    beside.spawn(async move {
        if let Err(error) = send_lane(stream, lane_queue).await {
            debug!(%error, "the lane's stream broke");
        }
    });
    beside.spawn(documents::receive(connection.clone(), Arc::clone(&forwarder.documents)));
    let mut session = Session { outbox, forwarder, backoff, control, lane, ahead: VecDeque::new(), sent };
    session.run(&mut answers, shutdown, until).await
}

/// The journal grew, or another one began: then this session's numbers mean nothing any more.
fn on_head(outbox: &mut Outbox, state: &JournalState) -> Result<(), SessionError> {
    if state.store != outbox.store() {
        return Err(SessionError::JournalReplaced);
    }
    outbox.on_appended(state.head);
    Ok(())
}

async fn greet(
    connection: &Connection,
    outbox: &mut Outbox,
    forwarder: &Forwarder,
) -> Result<(FrameWriter, FrameReader, Position), SessionError> {
    on_head(outbox, &forwarder.journal.state().borrow())?;
    let (mut control, mut answers) = connection.open_bi().await?;
    let hello = outbox.hello(service::clock::now(), env!("CARGO_PKG_VERSION"));
    send(&mut control, &Frame::Hello(hello)).await?;
    let ok = loop {
        let frame = answers.next().await?.ok_or(SessionError::Unexpected)?;
        match Frame::decode(frame.kind, &frame.body)? {
            Some(Frame::HelloOk(ok)) => break ok,
            Some(Frame::HelloReject(reject)) => {
                return Err(SessionError::Rejected {
                    code: reject.code.code(),
                    detail: reject.detail,
                    retry_after: Duration::from_millis(u64::from(reject.retry_after_ms)),
                });
            }
            Some(_) => return Err(SessionError::Unexpected),
            None => {}
        }
    };
    let (watermark, hash) = outbox.on_hello_ok(&ok)?;
    let behind_s = ok.hub_time.seconds_since(service::clock::now());
    if behind_s.abs() > CLOCK_DIFFERENCE_S {
        warn!(
            behind_s,
            "this machine's clock differs from the hub's, reception times are wrong by that much"
        );
    }
    // The hub's history must be this journal's history. A batch pruned here was acknowledged before.
    if forwarder.journal.hash_at(watermark).await?.is_some_and(|ours| ours != hash) {
        return Err(SessionError::Fork);
    }
    // What lies before is only needed to say how much a gap is missing; unknown, that is told as nothing.
    let mut sent = Position { sequence: watermark, hash, records: 0, bytes: 0 };
    if let Some(sequence) = watermark
        && let Batches::Here(batches) = forwarder.journal.read(sequence, 1).await?
        && let Some(batch) = batches.first()
    {
        (sent.records, sent.bytes) = (batch.position().records, batch.position().bytes);
    }
    Ok((control, answers, sent))
}

async fn send(stream: &mut FrameWriter, frame: &Frame) -> Result<(), FrameError> {
    let (kind, body) = frame.encode();
    stream.send(kind, &[&body]).await
}

/// Writes batches to the lane's stream; waits here, and nowhere else, while QUIC's window is full.
async fn send_lane(
    mut stream: FrameWriter,
    mut batches: mpsc::Receiver<SealedBatch>,
) -> Result<(), FrameError> {
    while let Some(batch) = batches.recv().await {
        Metric::EdgeForwardSentBytes.add(batch.bytes().len() as u64);
        stream.send(Frame::BATCH, &[batch.bytes()]).await?;
    }
    Ok(())
}

struct Session<'a> {
    outbox: &'a mut Outbox,
    forwarder: &'a Forwarder,
    backoff: &'a mut Backoff,
    control: FrameWriter,
    lane: mpsc::Sender<SealedBatch>,
    /// Batches read from the journal and not yet handed on.
    ahead: VecDeque<SealedBatch>,
    /// Where the lane stands at the hub when it has everything that was handed on.
    sent: Position,
}

impl Session<'_> {
    async fn run(
        &mut self,
        answers: &mut FrameReader,
        shutdown: &CancellationToken,
        until: Until,
    ) -> Result<SessionEnd, SessionError> {
        let mut head = self.forwarder.journal.state();
        let mut report = interval(REPORT_INTERVAL);
        report.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_leaving = false;
        let mut leave_at: Option<Instant> = match until {
            Until::Drained => Some(Instant::now() + DRAINING_MAX),
            Until::Shutdown => None,
        };
        let mut holds = self.forwarder.documents.holds();
        // What is held now is news to this session's hub.
        holds.mark_changed();
        loop {
            on_head(self.outbox, &head.borrow_and_update())?;
            let nothing_left = self.outbox.acknowledged() == self.outbox.appended().number();
            if leave_at.is_some_and(|at| nothing_left || Instant::now() >= at) {
                return self.leave().await;
            }
            let next = self.outbox.next_batch();
            // Sent before the next wait, not within it: what was taken out of the journal must not be dropped.
            if let Some(sequence) = next
                && let Ok(place) = self.lane.clone().try_reserve_owned()
            {
                let batch = self.batch(sequence).await?;
                self.outbox.on_sent(&batch.header, batch.bytes().len() as u64);
                self.sent = batch.position();
                place.send(batch);
                continue;
            }
            let lane = self.lane.clone();
            tokio::select! {
                biased;
                frame = answers.next() => {
                    let frame = frame?.ok_or(SessionError::Unexpected)?;
                    match Frame::decode(frame.kind, &frame.body)? {
                        Some(Frame::Ack(ack)) => self.on_ack(ack).await?,
                        Some(Frame::Goodbye(goodbye)) => {
                            let retry_after = Duration::from_millis(u64::from(goodbye.retry_after_ms));
                            return Ok(SessionEnd::Goodbye { reason: goodbye.reason, retry_after });
                        }
                        Some(_) => return Err(SessionError::Unexpected),
                        None => {}
                    }
                }
                room = lane.reserve(), if next.is_some() => {
                    if room.is_err() {
                        // The lane's stream broke; the connection says why.
                        return Err(SessionError::Unexpected);
                    }
                }
                changed = head.changed() => {
                    // The journal ended: the node is stopping and everything is committed.
                    if changed.is_err() && leave_at.is_none() {
                        leave_at = Some(Instant::now() + FAREWELL);
                    }
                    if changed.is_err() {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                }
                () = shutdown.cancelled(), if !is_leaving => {
                    is_leaving = true;
                    leave_at = Some(Instant::now() + FAREWELL);
                }
                () = tokio::time::sleep(Duration::from_millis(50)), if leave_at.is_some() => {}
                Ok(()) = holds.changed() => {
                    let holds = Frame::Holds(holds.borrow_and_update().clone());
                    send(&mut self.control, &holds).await?;
                }
                _ = report.tick() => self.report().await?,
            }
        }
    }

    async fn batch(&mut self, sequence: BatchSequence) -> Result<SealedBatch, SessionError> {
        if self.ahead.front().is_none_or(|batch| batch.header.sequence != sequence) {
            self.ahead = match self.forwarder.journal.read(sequence, READ_AHEAD_BYTES).await? {
                Batches::Absent => return self.absent(sequence).await,
                Batches::Here(batches) => batches.into(),
                Batches::Missing { until, reason } => return self.gap(until, reason).await,
            };
        }
        self.ahead.pop_front().ok_or(SessionError::Fork)
    }

    /// Of a journal from before the beginning may be lost; of this one unacknowledged batches are never pruned, so one
    /// that was means another journal than the hub's.
    async fn absent(&self, sequence: BatchSequence) -> Result<SealedBatch, SessionError> {
        let tail = self.forwarder.journal.state().borrow().tail;
        match tail.filter(|tail| self.forwarder.is_older && sequence < *tail) {
            Some(tail) => self.gap(BatchSequence(tail.0 - 1), GapReason::Damaged).await,
            None => Err(SessionError::Fork),
        }
    }

    /// What stands in for batches that will never be here, so that the lane goes on behind them.
    async fn gap(&self, last: BatchSequence, reason: GapReason) -> Result<SealedBatch, SessionError> {
        let behind = match self.forwarder.journal.read(last.next(), 1).await? {
            Batches::Here(batches) => batches.into_iter().next(),
            Batches::Absent | Batches::Missing { .. } => None,
        };
        let lane = Lane::Telemetry;
        let continues = match &behind {
            Some(batch) => batch.previous,
            None => ChainHash::after_gap(self.outbox.store(), lane, last),
        };
        let before = (self.sent.records > 0 || self.sent.sequence.is_none()).then_some(self.sent.records);
        let records = behind
            .as_ref()
            .zip(before)
            .map_or(0, |(batch, before)| batch.header.records_before.saturating_sub(before));
        let fallback = self.forwarder.missions.first().map_or("unknown", String::as_str);
        let (mission, link) = behind
            .as_ref()
            .map_or((fallback, NODE_LINK), |batch| (&*batch.header.mission, &*batch.header.link));
        let first = BatchSequence(self.sent.number() + 1);
        warn!(first = first.0, last = last.0, reason = reason.word(), "a gap was declared to the hub");
        let gap = Gap { first, reason, records, continues };
        let noticed = ReceptionTime(service::clock::now());
        Ok(SealedBatch::seal_gap(lane, &self.sent, last, gap, (mission, link), noticed))
    }

    async fn on_ack(&mut self, ack: Ack) -> Result<(), SessionError> {
        // Only a hub that takes something is worth coming back to at once.
        self.backoff.succeeded();
        let before = self.outbox.acknowledged();
        self.outbox.on_acknowledged(ack);
        Metric::EdgeForwardAcknowledgedBatches.add(self.outbox.acknowledged() - before);
        self.forwarder.status.on_contact(service::clock::now());
        let (watermark, safe) =
            (BatchSequence(self.outbox.acknowledged()), BatchSequence(self.outbox.safe()));
        self.forwarder
            .journal
            .acknowledged(self.outbox.store(), watermark, safe)
            .await
            .map_err(ReadFailed::from)?;
        Ok(())
    }

    async fn report(&mut self) -> Result<(), SessionError> {
        if !self.forwarder.is_older {
            update_backlog(&self.forwarder.journal, &self.forwarder.status, self.outbox.acknowledged())
                .await?;
        }
        let report = node_report_json(&self.forwarder.status.report());
        send(&mut self.control, &Frame::Report(report)).await?;
        Ok(())
    }

    async fn leave(&mut self) -> Result<SessionEnd, SessionError> {
        self.report().await.ok();
        let goodbye = delivery::Goodbye { reason: "the node stops".to_owned(), retry_after_ms: 0 };
        send(&mut self.control, &Frame::Goodbye(goodbye)).await?;
        Ok(SessionEnd::Shutdown)
    }
}
