//! One node's session: HELLO, then batches in, acknowledgements and documents out, until either side has had enough.

use std::sync::Arc;
use std::time::{Duration, Instant};

use delivery::{
    AlarmEntries, BatchError, Frame, FrameDecodeError, Holds, Inbox, InboxVerdict, LogNumber, RejectCode,
    SealedBatch, SetAside, TimeAnswer, Violation, Way,
};
use link::{Closed, Connection, FrameError, FrameReader, FrameWriter, NodeCertificate};
use provisioning::NotAllowed;
use service::logging::chain;
use service::metric::Metric;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::backfill::Asking;
use super::committer::{Load, Progress, Submission};
use super::documents::Shelf;
use super::greeting::{OpenLog, Opened, goodbye};
use super::now_unix;
use super::renewal::{self, Renewals};
use super::streams::{self, Arrival, Incoming, StreamEnd};
use crate::alarms::Telling;
use crate::archive::{ApartCause, ArchiveError, Evidence, Received, Registry};
use crate::backfill::OpenRequests;
use crate::fleet::{Fleet, ReportRefused};

const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// How soon a revoked node is thrown out, and how often a node is told what it may forget.
const REVIEW_INTERVAL: Duration = Duration::from_secs(1);
/// What a node says on its control stream between two reviews, which is 1 or 2 a second of one that works; more than a
/// link that was dark for minutes brings at once.
const REQUESTS_MAX: u32 = 2_000;
/// How long a node may leave no room for what it is told: its session then does nothing else.
const DEAF_AFTER: Duration = Duration::from_secs(30);
const FAREWELL: Duration = Duration::from_secs(1);
/// What a hub that was restarted asks of its nodes before they come back.
const RETURN_AFTER_MS: u32 = 500;
/// What a node is asked for whose next session would end like the last until somebody has looked at it.
pub(super) const LOOK_AFTER_MS: u32 = 60_000;

/// What sessions are told at the start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Memory for batches under way, of all sessions.
    pub memory_bytes: u64,
    /// What is committed may be forgotten by its node so much later.
    pub safe_delay: Duration,
    /// Where nodes may go when this hub stops.
    pub others: Vec<String>,
    /// When the hub began to receive.
    pub started: Instant,
}

pub(super) struct Session {
    pub(super) connection: Connection,
    pub(super) peer: NodeCertificate,
    pub(super) registry: Registry,
    pub(super) evidence: Evidence,
    pub(super) fleet: Arc<Fleet>,
    pub(super) committer: mpsc::Sender<Submission>,
    pub(super) load: Arc<Load>,
    pub(super) shelf: Arc<Shelf>,
    pub(super) renewals: Arc<Renewals>,
    pub(super) alarms: Telling,
    pub(super) requests: Arc<OpenRequests>,
    pub(super) settings: Arc<Settings>,
}

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionEnd {
    #[error("STO-SESSION-APART-FULL: too many batches of this node are kept apart; the rest stays with it")]
    ApartFull,
    #[error("STO-SESSION-DAMAGED: a batch cannot be read: {0}")]
    Batch(#[from] BatchError),
    #[error("the committer has stopped")]
    CommitterStopped,
    #[error("the database does not answer")]
    Database(#[from] ArchiveError),
    #[error(
        "STO-SESSION-VIOLATION: the node has not read what it was told for {} s",
        DEAF_AFTER.as_secs()
    )]
    Deaf,
    #[error("another session of this node was opened")]
    Fenced,
    #[error(
        "STO-SESSION-FORK: the node's journal does not continue what is archived; was a disk image restored, or the node cloned?"
    )]
    Fork,
    #[error("STO-SESSION-VIOLATION: a frame cannot be read: {0}")]
    Frame(#[from] FrameDecodeError),
    #[error("the node said goodbye: {0}")]
    Goodbye(String),
    #[error("the hub stops")]
    HubStops,
    #[error("the connection was lost: {0}")]
    Lost(Closed),
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    #[error("STO-SESSION-VIOLATION: it said more than {REQUESTS_MAX} things within a second")]
    Flood,
    #[error("the session was refused: {code}: {detail}")]
    Rejected { code: &'static str, detail: String },
    #[error("the node did not say HELLO")]
    Silent,
    #[error("a stream broke: {0}")]
    Stream(#[source] FrameError),
    #[error("STO-SESSION-VIOLATION: it opened more than {} streams of batches", Way::OF_SESSION.len())]
    Streams,
    #[error("STO-SESSION-VIOLATION: the node said something else than was due")]
    Unexpected,
    #[error("STO-SESSION-VIOLATION: the node does not keep to the protocol: {0}")]
    Violation(#[from] Violation),
}

impl SessionEnd {
    /// What somebody must look at, by its code: the node's next session would end likewise.
    fn code(&self) -> Option<&'static str> {
        Some(match self {
            Self::ApartFull => "STO-SESSION-APART-FULL",
            Self::Batch(_) => "STO-SESSION-DAMAGED",
            Self::Fork => "STO-SESSION-FORK",
            Self::Deaf
            | Self::Flood
            | Self::Frame(_)
            | Self::Stream(FrameError::Empty | FrameError::TooLong { .. })
            | Self::Streams
            | Self::Unexpected
            | Self::Violation(_) => "STO-SESSION-VIOLATION",
            Self::NotAllowed(refusal) => refusal.code(),
            Self::Rejected { code, .. } if *code != RejectCode::Busy.code() => code,
            _ => return None,
        })
    }
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

impl From<StreamEnd> for SessionEnd {
    fn from(end: StreamEnd) -> Self {
        match end {
            StreamEnd::Batch(error) => Self::Batch(error),
            StreamEnd::Frame(error) => Self::Frame(error),
            StreamEnd::Lost(closed) => Self::Lost(closed),
            StreamEnd::Stream(error) => error.into(),
            StreamEnd::TooMany => Self::Streams,
        }
    }
}

/// Bytes that came and are not committed yet.
struct UnderWay {
    log: LogNumber,
    last: u64,
    way: Way,
    bytes: u64,
}

/// What an open session works with.
struct Serving<'a> {
    session: &'a Session,
    control: &'a mut FrameWriter,
    logs: &'a [OpenLog],
    number: delivery::SessionNumber,
    inbox: Inbox,
    under_way: Vec<UnderWay>,
    renewal_asked: Option<Instant>,
    alarms: AlarmsTold,
    asking: Asking,
    /// Since the last review.
    requests: u32,
    /// A report was refused, which is written down once.
    has_refused_report: bool,
}

/// What a node was told of alarms.
struct AlarmsTold {
    /// What it says to have, once it has said so.
    kept: watch::Sender<Option<u64>>,
    /// The newest number that it can have.
    newest: u64,
}

/// Where an open session hears from.
struct Sources<'a> {
    alarms: mpsc::Receiver<Arrival>,
    alarm_entries: mpsc::Receiver<AlarmEntries>,
    news: &'a Notify,
    others: mpsc::Receiver<Arrival>,
    requests: &'a mut FrameReader,
    review: Interval,
}

impl Session {
    pub(super) async fn run(self, shutdown: CancellationToken) {
        let node = self.peer.node_id;
        let opened = match timeout(HELLO_TIMEOUT, self.greet()).await {
            Ok(opened) => opened,
            Err(_) => Err(SessionEnd::Silent),
        };
        let mut opened = match opened {
            Ok(opened) => opened,
            Err(end) => {
                Metric::HubSessionsRefused.add(1);
                info!(%node, reason = %end, "session could not begin");
                self.fleet.on_refused(node, &end.to_string());
                self.note(&end).await;
                // The answer is on its way; the node closes when it has read it.
                let _ = timeout(Duration::from_secs(2), self.connection.closed()).await;
                return;
            }
        };
        let now = service::clock::now();
        let superseded = self.fleet.on_session(node, opened.session, now);
        metrics::gauge!(Metric::HubSessionsOpen.name()).increment(1);
        info!(%node, session = opened.session.0, logs = opened.logs.len(), "session opened");
        let number = opened.session;
        let end = self.serve(&mut opened, &superseded, &shutdown).await;
        metrics::gauge!(Metric::HubSessionsOpen.name()).decrement(1);
        if end.code().is_some() {
            error!(%node, reason = %end, "session ended, somebody must look at this node");
        } else {
            info!(%node, reason = %end, "session ended");
        }
        self.note(&end).await;
        self.fleet.on_session_ended(node, number, &end.to_string(), service::clock::now());
        self.farewell(&mut opened.control, &end).await;
    }

    /// Writes down what somebody should know of.
    async fn note(&self, end: &SessionEnd) {
        if let Some(code) = end.code()
            && let Err(error) = self.evidence.note(self.peer.node_id, code, &end.to_string()).await
        {
            warn!(error = chain(&error), "what a node did could not be written down");
        }
    }

    async fn farewell(&self, control: &mut FrameWriter, end: &SessionEnd) {
        if let SessionEnd::NotAllowed(refusal) = end {
            self.connection.close(refusal.close_code(), &refusal.to_string());
            return;
        }
        let (retry_after_ms, others) = match end {
            SessionEnd::HubStops => (RETURN_AFTER_MS, self.settings.others.as_slice()),
            // Its node begins another journal, and is welcome with it.
            SessionEnd::Fork => (0, &[][..]),
            end if end.code().is_some() => (LOOK_AFTER_MS, &[][..]),
            _ => (0, &[][..]),
        };
        let goodbye = goodbye(end.to_string(), retry_after_ms, others);
        // One that does not read does not hear it.
        let _ = timeout(FAREWELL, async {
            if send(control, &goodbye).await.is_ok() && control.finish().await.is_ok() {
                let _ = control.delivered().await;
            }
        })
        .await;
        self.connection.close(link::CLOSE_DONE, "the session is over");
    }

    async fn serve(
        &self,
        opened: &mut Opened,
        superseded: &CancellationToken,
        shutdown: &CancellationToken,
    ) -> SessionEnd {
        let Opened { control, requests, session, logs, inbox, news } = opened;
        let inbox = std::mem::replace(inbox, Inbox::new([], delivery::Credit::default()));
        let (holds, held) = watch::channel(Holds::default());
        // Ends with this session, when the set is dropped.
        let mut beside = JoinSet::new();
        let (alarms, others) = streams::receive(self.connection.clone(), &mut beside);
        beside.spawn(Arc::clone(&self.shelf).supply(self.connection.clone(), self.peer.node_id, held));
        let (kept, said) = watch::channel(None);
        let (to_tell, alarm_entries) = mpsc::channel(1);
        let (fleet, node) = (Arc::clone(&self.fleet), self.peer.node_id);
        let may_know = move |mission: &str| fleet.may_send(node, mission);
        beside.spawn(self.alarms.clone().tell(node, said, to_tell, may_know));
        let mut review = interval(REVIEW_INTERVAL);
        review.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sources = Sources { alarms, alarm_entries, news, others, requests, review };
        let mut serving = Serving {
            session: self,
            control,
            logs,
            number: *session,
            inbox,
            under_way: Vec::new(),
            renewal_asked: None,
            alarms: AlarmsTold { kept, newest: 0 },
            asking: Asking::new(Arc::clone(&self.requests), self.peer.node_id),
            requests: 0,
            has_refused_report: false,
        };
        loop {
            // A step that waits, for a node that does not read or for the database, does not keep the session.
            let step: Result<(), SessionEnd> = tokio::select! {
                biased;
                () = shutdown.cancelled() => Err(SessionEnd::HubStops),
                () = superseded.cancelled() => Err(SessionEnd::Fenced),
                step = serving.step(&mut sources, &holds) => step,
            };
            if let Err(end) = step {
                return end;
            }
        }
    }
}

impl Serving<'_> {
    async fn step(
        &mut self,
        sources: &mut Sources<'_>,
        holds: &watch::Sender<Holds>,
    ) -> Result<(), SessionEnd> {
        tokio::select! {
            biased;
            () = sources.news.notified() => self.on_news().await,
            // Before what the node may send without end.
            _ = sources.review.tick() => self.review().await,
            Some(arrival) = sources.alarms.recv() => self.on_arrival(arrival).await,
            frame = sources.requests.next() => self.on_request(frame, holds).await,
            Some(entries) = sources.alarm_entries.recv() => {
                self.alarms.newest = entries.number;
                Ok(send(self.control, &Frame::AlarmEntries(entries)).await?)
            }
            Some(arrival) = sources.others.recv() => self.on_arrival(arrival).await,
        }
    }

    async fn on_arrival(&mut self, arrival: Arrival) -> Result<(), SessionEnd> {
        let Incoming { log, way, batch, is_readable } = arrival?;
        let verdict = self.inbox.on_batch(log, way, &batch)?;
        let bytes = batch.bytes().len() as u64;
        match verdict {
            InboxVerdict::Commit => {
                let open = &self.logs[usize::from(log.0)];
                let apart = self.judge(&batch, is_readable);
                if let Some(cause) = apart {
                    self.tell_apart(log, &batch, cause).await?;
                }
                let last = batch.header.sequence.0;
                self.under_way.push(UnderWay { log, last, way, bytes });
                let received = Received { lane: open.key, session: self.number, way, batch, apart };
                // While the committer's queue is full nothing is read, and QUIC tells the node.
                let submission = Submission { received, lane: Arc::clone(&open.lane) };
                self.session.committer.send(submission).await.map_err(|_| SessionEnd::CommitterStopped)?;
            }
            InboxVerdict::Duplicate => self.on_done(way, bytes).await?,
            InboxVerdict::Compare => {
                if !self.is_in_ledger(log, &batch).await? {
                    return self.on_fork(log, &batch).await;
                }
                self.on_done(way, bytes).await?;
            }
            InboxVerdict::Fork => return self.on_fork(log, &batch).await,
            InboxVerdict::KeepApart => {
                if !self.is_in_ledger(log, &batch).await? {
                    self.keep_apart(log, &batch).await?;
                }
                let safe = self.logs[usize::from(log.0)].lane.on_kept(batch.header.sequence.0);
                if let Some(ack) = self.inbox.on_kept(log, &batch, safe) {
                    send(self.control, &Frame::Ack(ack)).await?;
                }
                self.on_done(way, bytes).await?;
            }
        }
        Ok(())
    }

    /// Whether a batch may go into the archive.
    fn judge(&self, batch: &SealedBatch, is_readable: bool) -> Option<ApartCause> {
        let node = self.session.peer.node_id;
        if !self.session.fleet.may_send(node, &batch.header.mission) {
            return Some(ApartCause::Mission);
        }
        (!is_readable).then_some(ApartCause::Unreadable)
    }

    /// A batch is committed, but not into the archive: node and mission control are told.
    async fn tell_apart(
        &mut self,
        log: LogNumber,
        batch: &SealedBatch,
        cause: ApartCause,
    ) -> Result<(), SessionEnd> {
        let mission = &batch.header.mission;
        let (code, reason) = match cause {
            ApartCause::Mission => {
                ("STO-BATCH-MISSION", format!("the node has no right to send for mission {mission:?}"))
            }
            ApartCause::Unreadable => ("STO-BATCH-UNREADABLE", "its records cannot be unpacked".to_owned()),
            ApartCause::Fork => ("STO-SESSION-FORK", "its number is known with another content".to_owned()),
        };
        let sequence = batch.header.sequence;
        let text = format!("{code}: batch {} is kept apart: {reason}", sequence.0);
        warn!(node = %self.session.peer.node_id, text);
        self.session.evidence.note(self.session.peer.node_id, code, &text).await?;
        send(self.control, &Frame::SetAside(SetAside { log, sequence, reason })).await?;
        Ok(())
    }

    async fn is_in_ledger(&self, log: LogNumber, batch: &SealedBatch) -> Result<bool, SessionEnd> {
        let key = self.logs[usize::from(log.0)].key;
        let known = self.session.registry.chain_in_ledger(key, batch.header.sequence).await?;
        Ok(known == Some(batch.position().hash))
    }

    async fn keep_apart(&self, log: LogNumber, batch: &SealedBatch) -> Result<(), SessionEnd> {
        let key = self.logs[usize::from(log.0)].key;
        let is_kept = self.session.evidence.keep_apart(key, batch, ApartCause::Fork).await?;
        if is_kept { Ok(()) } else { Err(SessionEnd::ApartFull) }
    }

    /// Nothing of it is lost: it is kept apart, and the node begins another journal.
    async fn on_fork(&mut self, log: LogNumber, batch: &SealedBatch) -> Result<(), SessionEnd> {
        self.keep_apart(log, batch).await?;
        send(self.control, &Frame::Forked(log)).await?;
        Err(SessionEnd::Fork)
    }

    async fn on_news(&mut self) -> Result<(), SessionEnd> {
        for (index, open) in self.logs.iter().enumerate() {
            if let Some(progress) = open.lane.take_news() {
                self.on_progress(LogNumber(index as u8), progress).await?;
            }
        }
        Ok(())
    }

    async fn on_progress(&mut self, log: LogNumber, progress: Progress) -> Result<(), SessionEnd> {
        let Progress::Committed(ranges) = progress else { return Err(SessionEnd::Fenced) };
        let inbox = &mut self.inbox;
        self.under_way.retain(|under_way| {
            let is_done = under_way.log == log && ranges.holds(under_way.last);
            if is_done {
                inbox.on_done(under_way.way, under_way.bytes);
            }
            !is_done
        });
        let safe = self.logs[usize::from(log.0)].lane.safe();
        if let Some(ack) = self.inbox.on_committed(log, ranges, safe) {
            write(self.control, &Frame::Ack(ack)).await?;
        }
        self.grant().await
    }

    async fn on_done(&mut self, way: Way, bytes: u64) -> Result<(), SessionEnd> {
        self.inbox.on_done(way, bytes);
        self.grant().await
    }

    async fn grant(&mut self) -> Result<(), SessionEnd> {
        self.inbox.set_linger(self.session.load.linger_ms());
        send(self.control, &Frame::Credit(self.inbox.credit())).await?;
        Ok(())
    }

    async fn on_request(
        &mut self,
        frame: Result<Option<link::Frame>, FrameError>,
        holds: &watch::Sender<Holds>,
    ) -> Result<(), SessionEnd> {
        let frame = frame?.ok_or(SessionEnd::Unexpected)?;
        self.requests += 1;
        if self.requests > REQUESTS_MAX {
            return Err(SessionEnd::Flood);
        }
        let (now, node) = (service::clock::now(), self.session.peer.node_id);
        match Frame::decode(frame.kind, &frame.body)? {
            Some(Frame::Report(json)) => {
                if let Err(refused) = self.session.fleet.on_report(node, &json, now) {
                    self.on_report_refused(&refused).await?;
                }
            }
            Some(Frame::Goodbye(goodbye)) => return Err(SessionEnd::Goodbye(goodbye.reason)),
            Some(Frame::AlarmsKept(number)) => self.on_alarms_kept(number)?,
            Some(Frame::StillWaits(waits)) => self.asking.on_answer(waits)?,
            Some(Frame::Holds(said)) => {
                self.session.fleet.on_holds(node, &said);
                holds.send_replace(said);
            }
            Some(Frame::TimeAsk(asked)) => {
                let answer = TimeAnswer { asked, received: now, answered: service::clock::now() };
                send(self.control, &Frame::TimeAnswer(answer)).await?;
            }
            Some(Frame::Renew(request)) => {
                let asked_before = self.renewal_asked.replace(Instant::now());
                if asked_before.is_some_and(|asked| asked.elapsed() < renewal::INTERVAL_MIN) {
                    return Err(SessionEnd::Unexpected);
                }
                let answer = self.session.renewals.answer(&self.session.peer, &request, now_unix()).await;
                send(self.control, &answer).await?;
            }
            Some(_) => return Err(SessionEnd::Unexpected),
            None => self.session.fleet.on_contact(node, now),
        }
        Ok(())
    }

    /// The first of a session may say anything: what it has may be of another database.
    fn on_alarms_kept(&mut self, number: u64) -> Result<(), SessionEnd> {
        if self.alarms.kept.borrow().is_none() {
            self.alarms.newest = number;
        }
        if number > self.alarms.newest {
            return Err(SessionEnd::Unexpected);
        }
        self.alarms.kept.send_replace(Some(number));
        Ok(())
    }

    async fn on_report_refused(&mut self, refused: &ReportRefused) -> Result<(), SessionEnd> {
        if !std::mem::replace(&mut self.has_refused_report, true) {
            let (node, text) = (self.session.peer.node_id, format!("{}: {refused}", ReportRefused::CODE));
            warn!(%node, text);
            self.session.evidence.note(node, ReportRefused::CODE, &text).await?;
        }
        Ok(())
    }

    /// Whether the node may stay; and what has become safe since the last commit.
    async fn review(&mut self) -> Result<(), SessionEnd> {
        self.requests = 0;
        self.session.fleet.allowed().judge(&self.session.peer, now_unix())?;
        for (index, open) in self.logs.iter().enumerate() {
            let log = LogNumber(index as u8);
            if let Some(ack) = self.inbox.on_safe(log, open.lane.safe()) {
                send(self.control, &Frame::Ack(ack)).await?;
            }
        }
        self.asking.review(self.control).await
    }
}

async fn write(stream: &mut FrameWriter, frame: &Frame) -> Result<(), SessionEnd> {
    let (kind, body) = frame.encode();
    Ok(timeout(DEAF_AFTER, stream.write(kind, &[&body])).await.map_err(|_| SessionEnd::Deaf)??)
}

pub(super) async fn send(stream: &mut FrameWriter, frame: &Frame) -> Result<(), SessionEnd> {
    write(stream, frame).await?;
    Ok(timeout(DEAF_AFTER, stream.flush()).await.map_err(|_| SessionEnd::Deaf)??)
}
