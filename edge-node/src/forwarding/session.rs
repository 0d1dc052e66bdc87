//! One session with the hub, from HELLO to its end.

use std::sync::Arc;
use std::time::Duration;

use dashboard::node_report_json;
use delivery::{
    Ack, AlarmEntries, Backoff, ClockComparison, Frame, FrameDecodeError, LogNumber, LogsMissing, Next,
    Outbox, Wanted,
};
use link::{Client, Closed, Connection, FrameError, FrameReader, FrameWriter};
use service::logging::chain;
use service::metric::Metric;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::cap::LinkCap;
use super::logs::Logs;
use super::reading::ReadAhead;
use super::wanted_first::WantedFirst;
use super::ways::Ways;
use super::{Forwarder, documents, update_backlog};
use crate::journal::ReadFailed;
use crate::status::HubLink;

const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// Beyond what a slow link explains.
const CLOCK_DIFFERENCE_S: f64 = 2.0;
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// How often the clocks are compared.
const TIME_INTERVAL: Duration = Duration::from_secs(10);
/// What a stopping node gives its last batches to arrive.
const FAREWELL: Duration = Duration::from_secs(2);

/// A session that ended as sessions do.
pub(super) enum SessionEnd {
    /// The hub asked for it.
    Goodbye {
        /// Its reason.
        reason: String,
        /// Its wish.
        retry_after: Duration,
        /// Where else to go.
        hubs: Vec<String>,
    },
    /// Other journals take part from the next session on.
    OtherJournals,
    /// This node stops.
    Shutdown,
}

/// A session that could not begin or broke.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error("no connection to the hub")]
    Connect(#[from] link::ConnectError),
    #[error("the hub's answer cannot be read")]
    Frame(#[from] FrameDecodeError),
    #[error("a journal cannot be read")]
    Journal(#[from] ReadFailed),
    #[error("the hub's answer does not fit")]
    Logs(#[from] LogsMissing),
    #[error("the connection was lost")]
    Lost(#[source] Closed),
    #[error("{code}: {detail}")]
    Rejected { code: &'static str, detail: String, retry_after: Duration },
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

/// What outlasts a session.
pub(super) struct Standing<'a> {
    pub(super) forwarder: &'a Forwarder,
    pub(super) client: &'a Client,
    pub(super) outbox: &'a mut Outbox,
    pub(super) logs: &'a mut Logs,
    pub(super) backoff: &'a mut Backoff,
    pub(super) cap: &'a mut LinkCap,
    /// When this run of forwarding began: the outbox counts from there.
    pub(super) began: Instant,
}

impl Standing<'_> {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }
}

/// Runs a session on a fresh connection.
pub(super) async fn run(
    connection: &Connection,
    mut standing: Standing<'_>,
    shutdown: &CancellationToken,
) -> Result<SessionEnd, SessionError> {
    let (control, mut answers) = match timeout(HELLO_TIMEOUT, greet(connection, &mut standing)).await {
        Ok(greeted) => greeted?,
        Err(_) => return Err(SessionError::Silent),
    };
    let forwarder = standing.forwarder;
    let now = service::clock::now();
    forwarder.status.on_hub(HubLink::Connected { since: now });
    forwarder.status.on_contact(now);
    info!("session opened");

    // They end with this session, when the set is dropped.
    let mut beside = JoinSet::new();
    let ways = Ways::open(connection, &mut beside).await?;
    beside.spawn(documents::receive(connection.clone(), Arc::clone(&forwarder.documents)));
    let (ahead, clocks) = (ReadAhead::default(), ClockComparison::default());
    let keeps_alarms = true;
    let wanted_first = WantedFirst::default();
    let mut session =
        Session { standing, connection, control, ways, ahead, clocks, wanted_first, keeps_alarms };
    send(&mut session.control, &Frame::AlarmsKept(forwarder.node_alarms.kept())).await?;
    session.run(&mut answers, shutdown).await
}

async fn greet(
    connection: &Connection,
    standing: &mut Standing<'_>,
) -> Result<(FrameWriter, FrameReader), SessionError> {
    let forwarder = standing.forwarder;
    let (mut control, mut answers) = connection.open_bi().await?;
    control.set_priority(delivery::CONTROL_PRIORITY);
    // What came in while the hub was looked for is backlog. A journal that was replaced meanwhile shows right after.
    standing.logs.on_heads(standing.outbox);
    let hello = standing.outbox.hello(forwarder.boot, service::clock::now(), env!("CARGO_PKG_VERSION"));
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
    let behind_s = ok.hub_time.seconds_since(service::clock::now());
    if behind_s.abs() > CLOCK_DIFFERENCE_S {
        warn!(
            behind_s,
            "this machine's clock differs from the hub's, reception times are wrong by that much"
        );
    }
    let (now, known) = (standing.now(), standing.logs.known(standing.outbox));
    let proofs = standing.outbox.on_hello_ok(&ok, now)?;
    // The hub's history must be these journals' history.
    for proof in proofs {
        let known = known.get(usize::from(proof.log.0)).copied().unwrap_or(0);
        if standing.logs.may_be_fork(standing.outbox, &proof, known).await? {
            standing.outbox.on_fork(proof.log);
        }
    }
    Ok((control, answers))
}

async fn send(stream: &mut FrameWriter, frame: &Frame) -> Result<(), FrameError> {
    let (kind, body) = frame.encode();
    stream.send(kind, &[&body]).await
}

struct Session<'a> {
    standing: Standing<'a>,
    connection: &'a Connection,
    control: FrameWriter,
    ways: Ways,
    ahead: ReadAhead,
    clocks: ClockComparison,
    wanted_first: WantedFirst,
    /// Whether all entries of alarms could be kept: what the hub sends behind one that was not comes again.
    keeps_alarms: bool,
}

impl Session<'_> {
    async fn run(
        &mut self,
        answers: &mut FrameReader,
        shutdown: &CancellationToken,
    ) -> Result<SessionEnd, SessionError> {
        let forwarder = self.standing.forwarder;
        let mut heads = forwarder.journal.state();
        let mut alarm_heads = forwarder.alarms.state();
        let mut report = interval(REPORT_INTERVAL);
        report.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ask_time = interval(TIME_INTERVAL);
        ask_time.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut policies = forwarder.steering.policies();
        self.standing.outbox.set_policy(policies.current(), self.standing.began.elapsed());
        let mut leave_at: Option<Instant> = None;
        let mut is_journal_open = true;
        let mut holds = forwarder.documents.holds();
        // What is held now is news to this session's hub.
        holds.mark_changed();
        loop {
            heads.borrow_and_update();
            alarm_heads.borrow_and_update();
            if self.standing.logs.leave_forks(self.standing.outbox).await?
                || !self.standing.logs.on_heads(self.standing.outbox)
            {
                return self.leave("another journal began").await.map(|()| SessionEnd::OtherJournals);
            }
            let is_all_there = self.standing.logs.is_all_at_hub(self.standing.outbox);
            if leave_at.is_some_and(|at| is_all_there || Instant::now() >= at) {
                return self.leave("the node stops").await.map(|()| SessionEnd::Shutdown);
            }
            let now = self.standing.now();
            let ready_at = self.standing.cap.ready_at(now, service::clock::now());
            let next = match self.standing.outbox.next(now) {
                Next::Send(_) if ready_at > now => Next::At(ready_at),
                next => next,
            };
            // Sent before the next wait, not within it: what was taken out of the journal must not be dropped.
            if let Next::Send(wanted) = next
                && let Ok(place) = self.ways.queue(wanted.way).clone().try_reserve_owned()
            {
                let batch = self.read(&wanted).await?;
                let (last, bytes) = (batch.header.sequence, batch.bytes().len() as u64);
                let now = self.standing.now();
                self.standing.outbox.on_sent(&wanted, last, bytes, now);
                self.standing.cap.on_sent(bytes, now);
                place.send((wanted.log, batch));
                continue;
            }
            let waits_for = match next {
                Next::Send(wanted) => Some(self.ways.queue(wanted.way).clone()),
                Next::At(_) | Next::Nothing => None,
            };
            let room = async {
                match &waits_for {
                    Some(queue) => queue.reserve().await.is_ok(),
                    None => std::future::pending().await,
                }
            };
            let due = match next {
                Next::At(at) => self.standing.began + at.min(now + REPORT_INTERVAL),
                Next::Nothing | Next::Send(_) => Instant::now() + REPORT_INTERVAL,
            };
            tokio::select! {
                biased;
                frame = answers.next() => {
                    let frame = frame?.ok_or(SessionError::Unexpected)?;
                    if let Some(end) = self.on_frame(Frame::decode(frame.kind, &frame.body)?).await? {
                        return Ok(end);
                    }
                }
                has_room = room => {
                    if !has_room {
                        // A stream broke; the connection says why.
                        return Err(SessionError::Unexpected);
                    }
                }
                changed = heads.changed(), if is_journal_open => {
                    // The journal ended: the node is stopping and everything is committed.
                    if changed.is_err() {
                        is_journal_open = false;
                        leave_at.get_or_insert(Instant::now() + FAREWELL);
                    }
                }
                Ok(()) = alarm_heads.changed() => {}
                () = shutdown.cancelled(), if leave_at.is_none() => {
                    leave_at = Some(Instant::now() + FAREWELL);
                }
                () = tokio::time::sleep(Duration::from_millis(50)), if leave_at.is_some() => {}
                () = policies.changed() => {
                    let now = self.standing.now();
                    self.standing.outbox.set_policy(policies.current(), now);
                }
                Ok(()) = holds.changed() => {
                    let holds = Frame::Holds(holds.borrow_and_update().clone());
                    send(&mut self.control, &holds).await?;
                }
                _ = report.tick() => {
                    self.report().await?;
                    self.tell_what_waits().await?;
                    self.standing.logs.tell_drained(self.standing.outbox);
                    if self.standing.logs.has_changed() {
                        return self.leave("other journals take part").await.map(|()| SessionEnd::OtherJournals);
                    }
                }
                _ = ask_time.tick() => {
                    send(&mut self.control, &Frame::TimeAsk(service::clock::now())).await?;
                    if let Some(request) = forwarder.credentials.request().await {
                        send(&mut self.control, &request).await?;
                    }
                }
                () = tokio::time::sleep_until(due) => {}
            }
        }
    }

    async fn read(&mut self, wanted: &Wanted) -> Result<delivery::SealedBatch, SessionError> {
        let log = self.standing.logs.of(self.standing.outbox, wanted.log).ok_or(SessionError::Unexpected)?;
        let mission = self.standing.forwarder.missions.first().map_or("unknown", String::as_str);
        Ok(self.ahead.take(self.standing.outbox, wanted, log, mission).await?)
    }

    async fn on_frame(&mut self, frame: Option<Frame>) -> Result<Option<SessionEnd>, SessionError> {
        match frame {
            Some(Frame::Ack(ack)) => self.on_ack(&ack).await?,
            Some(Frame::Credit(credit)) => {
                self.standing.outbox.on_credit(credit);
                self.standing.forwarder.linger.set(self.standing.outbox.linger());
            }
            Some(Frame::Goodbye(goodbye)) => {
                let retry_after = Duration::from_millis(u64::from(goodbye.retry_after_ms));
                return Ok(Some(SessionEnd::Goodbye {
                    reason: goodbye.reason,
                    retry_after,
                    hubs: goodbye.hubs,
                }));
            }
            Some(Frame::TimeAnswer(answer)) => {
                self.clocks.on_answer(&answer, service::clock::now());
                self.standing.forwarder.status.on_clock(self.clocks.offset());
            }
            Some(Frame::SetAside(aside)) => {
                let (log, sequence, reason) = (aside.log.0, aside.sequence.0, aside.reason);
                warn!(log, sequence, reason, "the hub keeps a batch apart, it is not in the archive");
            }
            Some(Frame::Renewed(renewed)) => self.standing.forwarder.credentials.on_renewed(renewed).await,
            Some(Frame::RenewRefused(refused)) => {
                self.standing.forwarder.credentials.on_refused(&refused).await;
            }
            Some(Frame::AlarmEntries(entries)) => self.on_alarms(entries).await?,
            Some(Frame::SendFirst(wanted)) => {
                let journal = &self.standing.forwarder.journal;
                self.wanted_first.on_request(&wanted, journal).await?;
                self.tell_what_waits().await?;
            }
            Some(Frame::Forked(log)) => self.standing.outbox.on_fork(log),
            Some(_) => return Err(SessionError::Unexpected),
            None => {}
        }
        Ok(None)
    }

    async fn on_ack(&mut self, ack: &Ack) -> Result<(), SessionError> {
        // Only a hub that takes something is worth coming back to at once.
        self.standing.backoff.succeeded();
        let LogNumber(number) = ack.log;
        let now = self.standing.now();
        let store = self.standing.outbox.store_of(ack.log);
        let before = store.map_or(0, |store| self.standing.outbox.watermark(store));
        let is_news = self.standing.outbox.on_ack(ack, now);
        let after = store.map_or(0, |store| self.standing.outbox.watermark(store));
        Metric::EdgeForwardAcknowledgedBatches.add(after.saturating_sub(before));
        self.standing.forwarder.status.on_contact(service::clock::now());
        debug!(log = number, watermark = ack.watermark, safe = ack.safe, is_news, "acknowledged");
        self.standing.logs.acknowledge(self.standing.outbox, ack.log).await?;
        Ok(())
    }

    async fn on_alarms(&mut self, entries: AlarmEntries) -> Result<(), SessionError> {
        if !self.keeps_alarms {
            return Ok(());
        }
        match self.standing.forwarder.node_alarms.on_entries(entries).await {
            Ok(number) => send(&mut self.control, &Frame::AlarmsKept(number)).await?,
            Err(failure) => {
                self.keeps_alarms = false;
                warn!(error = chain(&failure), "alarms of the hub are taken again in the next session");
            }
        }
        Ok(())
    }

    async fn report(&mut self) -> Result<(), SessionError> {
        let forwarder = self.standing.forwarder;
        self.standing.outbox.on_round_trip(self.connection.rtt());
        if let Some(dropped) = self.standing.client.datagrams_dropped() {
            Metric::EdgeForwardDatagramsDropped.set(dropped as f64);
        }
        let store = forwarder.journal.state().borrow().store;
        update_backlog(&forwarder.journal, &forwarder.status, &self.standing.outbox.missing(store)).await?;
        let report = node_report_json(&forwarder.status.report());
        send(&mut self.control, &Frame::Report(report)).await?;
        Ok(())
    }

    /// Says of what the hub wants first how much of it still waits, where that changed.
    async fn tell_what_waits(&mut self) -> Result<(), SessionError> {
        for waits in self.wanted_first.next_news(self.standing.outbox) {
            send(&mut self.control, &Frame::StillWaits(waits)).await?;
        }
        Ok(())
    }

    async fn leave(&mut self, reason: &str) -> Result<(), SessionError> {
        self.report().await.ok();
        let (reason, hubs) = (reason.to_owned(), Vec::new());
        let goodbye = delivery::Goodbye { reason, retry_after_ms: 0, hubs };
        send(&mut self.control, &Frame::Goodbye(goodbye)).await?;
        Ok(())
    }
}
