//! Forwarding: connect, greet, compare, send, forget, and begin anew after a fork.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use delivery::{
    Ack, BatchSequence, ChainHash, ClockComparison, Credit, Frame, Gap, HelloOk, Lane, LogNumber, LogRole,
    Next, Position, Proof, RejectCode, SealedBatch, TimeAnswer, Wanted, Way,
};
use space_packet::ReceptionTime;

use super::{Machine, Process};
use crate::context::{Context, Event};
use crate::hub::MISSION;
use crate::journal::{Found, Journal};
use crate::mutation::{DriverMutation, mutated};
use crate::network::{CONTROL, ConnectionId, Side};

const WAIT_MIN_MS: u64 = 250;
const WAIT_MAX_MS: u64 = 15_000;

/// The link of a process, and what is to be checked of it.
#[derive(Debug)]
pub(crate) struct Link {
    pub connection: Option<ConnectionId>,
    pub is_open: bool,
    pub clock: ClockComparison,
    hub: usize,
    last_wait_ms: u64,
    not_before: Duration,
    /// When questions for the time were asked, by what they carry.
    asked: BTreeMap<i64, Duration>,
    sent: SentInSession,
}

/// What was sent in a session.
#[derive(Debug, Default)]
struct SentInSession {
    credit: Credit,
    alarm_bytes: u64,
    telemetry_bytes: u64,
    alarms: BTreeSet<u64>,
    /// What stands behind a number, of both ends of everything that was sent: damage may come later.
    chains: BTreeMap<(LogNumber, u64), ChainHash>,
    wake_at: Option<Duration>,
}

impl Link {
    pub(crate) fn new(hub: usize) -> Self {
        Self {
            connection: None,
            is_open: false,
            clock: ClockComparison::default(),
            hub,
            last_wait_ms: WAIT_MIN_MS,
            not_before: Duration::ZERO,
            asked: BTreeMap::new(),
            sent: SentInSession::default(),
        }
    }
}

impl Machine {
    /// Tries again after a while, elsewhere.
    fn reconnect(&mut self, context: &mut Context, is_elsewhere: bool) {
        let Some(process) = &mut self.process else { return };
        process.outbox.on_session_lost();
        let link = &mut process.link;
        if let Some(connection) = link.connection.take() {
            context.close(connection, Side::Edge);
        }
        link.is_open = false;
        link.sent = SentInSession::default();
        if is_elsewhere {
            link.hub = (link.hub + 1) % context.plan.hubs;
        }
        let longest = (link.last_wait_ms * 3).clamp(WAIT_MIN_MS * 2, WAIT_MAX_MS);
        let wait = context.random.millis(WAIT_MIN_MS, longest);
        link.last_wait_ms = wait.as_millis() as u64;
        let wait = wait.max(std::mem::take(&mut link.not_before));
        context.after(wait, Event::Connect { machine: self.index, run: self.run });
    }

    /// Which hub is tried next.
    pub(crate) fn hub(&self) -> usize {
        self.process.as_ref().map_or(0, |process| process.link.hub)
    }

    pub(crate) fn on_connected(&mut self, context: &mut Context, connection: Option<ConnectionId>) {
        let time = self.time(context);
        let Some(process) = &mut self.process else { return };
        let Some(connection) = connection else { return self.reconnect(context, true) };
        process.link.connection = Some(connection);
        let hello = process.outbox.hello(process.boot, time, "simulated");
        context.send(connection, Side::Edge, CONTROL, &Frame::Hello(hello));
    }

    pub(crate) fn on_lost(&mut self, context: &mut Context, connection: ConnectionId) {
        context.network.close(connection, Side::Edge);
        if self.process.as_ref().is_some_and(|process| process.link.connection == Some(connection)) {
            context.say(self.who(), format_args!("lost its connection"));
            self.reconnect(context, true);
        }
    }

    pub(crate) fn on_frame(&mut self, context: &mut Context, connection: ConnectionId, frame: Frame) {
        let Some(process) = &mut self.process else { return };
        if process.link.connection != Some(connection) {
            return;
        }
        match frame {
            Frame::HelloOk(ok) => self.on_hello_ok(context, &ok),
            Frame::HelloReject(reject) => {
                self.is_called_duplicate = reject.code == RejectCode::Duplicate;
                process.link.not_before = Duration::from_millis(u64::from(reject.retry_after_ms));
                self.reconnect(context, true);
            }
            Frame::Goodbye(goodbye) => {
                process.link.not_before = Duration::from_millis(u64::from(goodbye.retry_after_ms));
                self.reconnect(context, !goodbye.hubs.is_empty());
            }
            Frame::Ack(ack) => self.on_ack(context, &ack),
            Frame::Credit(credit) => {
                process.outbox.on_credit(credit);
                let known = &mut process.link.sent.credit;
                known.alarm_bytes = known.alarm_bytes.max(credit.alarm_bytes);
                known.telemetry_bytes = known.telemetry_bytes.max(credit.telemetry_bytes);
                self.pump(context);
            }
            Frame::TimeAnswer(answer) => self.on_time(context, &answer),
            Frame::Forked(log) => {
                process.outbox.on_fork(log);
                self.begin_anew(context);
            }
            other => context.checks.fail("I13", format_args!("a node was sent {other:?}")),
        }
    }

    fn on_hello_ok(&mut self, context: &mut Context, ok: &HelloOk) {
        let Some(process) = &mut self.process else { return };
        let proofs = match process.outbox.on_hello_ok(ok, context.now) {
            Ok(proofs) => proofs,
            Err(error) => return context.checks.fail("I13", format_args!("{error}")),
        };
        for Proof { log, sequence, hash } in proofs {
            let Some(store) = process.outbox.store_of(log) else { continue };
            let Some(journal) = self.disk.iter_mut().find(|journal| journal.store == store) else { continue };
            let number = sequence.map_or(0, |sequence| sequence.0);
            let own = journal.hash_at(number);
            let is_other = own.is_some_and(|own| own != hash);
            // As a fork everything is compared one by one, so nothing is taken for what it is not.
            let is_doubtful = own.is_none() && journal.is_doubtful(number);
            if is_doubtful {
                context.checks.may_fork.insert(self.node);
            }
            if (is_other || is_doubtful) && !mutated(DriverMutation::ProofIgnored) {
                process.outbox.on_fork(log);
            }
        }
        if process.outbox.forks().next().is_some() {
            return self.begin_anew(context);
        }
        process.link.is_open = true;
        process.link.sent.credit = ok.credit;
        if !self.remove_drained(context) {
            self.pump(context);
        }
    }

    /// Journals that the hub knows as others are kept, and new ones take what comes in.
    fn begin_anew(&mut self, context: &mut Context) {
        let Some(process) = &self.process else { return };
        let forks: Vec<_> = process.outbox.forks().collect();
        for store in forks {
            context.checks.on_fork(self.node, store);
            let Some(journal) = self.disk.iter_mut().find(|journal| journal.store == store) else { continue };
            let (role, lane) = (std::mem::replace(&mut journal.role, LogRole::Forked), journal.lane);
            context.say(self.who(), format_args!("finds that its journal of lane {lane:?} is a fork"));
            if role == LogRole::Current {
                self.begin_journal(context, lane);
            }
        }
        let outbox = self.outbox(context);
        if let Some(process) = &mut self.process {
            process.outbox = outbox;
        }
        self.reconnect(context, false);
    }

    fn on_ack(&mut self, context: &mut Context, ack: &Ack) {
        let Some(process) = &mut self.process else { return };
        if process.outbox.on_ack(ack, context.now) {
            // Only a hub that takes something is worth coming back to at once.
            process.link.last_wait_ms = WAIT_MIN_MS;
        }
        if let Some(store) = process.outbox.store_of(ack.log)
            && let Some(journal) = self.disk.iter_mut().find(|journal| journal.store == store)
        {
            let (watermark, safe) = (process.outbox.watermark(store), process.outbox.safe(store));
            if journal.role != LogRole::Forked {
                context.checks.on_acknowledged(store, watermark, context.now);
                journal.remember_acknowledged(watermark);
                let upto = if mutated(DriverMutation::PruneAtAck) { watermark } else { safe };
                journal.prune(upto.saturating_sub(context.plan.kept));
                context.checks.on_pruned(store, journal.pruned());
            }
        }
        if !self.remove_drained(context) {
            self.pump(context);
        }
    }

    /// Removes journals from before of which the hub safely has all; says whether there were any.
    fn remove_drained(&mut self, context: &mut Context) -> bool {
        let Some(process) = &mut self.process else { return false };
        let is_drained = |journal: &mut Journal| {
            journal.role != LogRole::Current && process.outbox.is_drained(journal.store)
        };
        let drained: Vec<Journal> = self.disk.extract_if(.., is_drained).collect();
        if drained.is_empty() {
            return false;
        }
        // The session ends by it, but for no fault of anybody: alarms must not wait for long.
        process.link.last_wait_ms = WAIT_MIN_MS;
        context.say(self.who(), format_args!("removes {} journals, the hub has all of them", drained.len()));
        drained.into_iter().for_each(|journal| context.checks.on_removed(self.node, journal));
        let outbox = self.outbox(context);
        if let Some(process) = &mut self.process {
            process.outbox = outbox;
        }
        self.reconnect(context, false);
        true
    }

    pub(crate) fn ask_time(&mut self, context: &mut Context) {
        let time = self.time(context);
        let Some(process) = &mut self.process else { return };
        if let (Some(connection), true) = (process.link.connection, process.link.is_open) {
            process.link.asked.insert(time.0, context.now);
            context.send(connection, Side::Edge, CONTROL, &Frame::TimeAsk(time));
        }
        context.after(Duration::from_secs(3), Event::TimeAsk { machine: self.index, run: self.run });
    }

    fn on_time(&mut self, context: &mut Context, answer: &TimeAnswer) {
        let (time, clock_ns) = (self.time(context), self.clock_ns);
        let Some(process) = &mut self.process else { return };
        let link = &mut process.link;
        // An answer to what was asked by another clock says nothing.
        if link.asked.remove(&answer.asked.0).is_none_or(|asked| asked < self.clock_set) {
            return;
        }
        link.clock.on_answer(answer, time);
        if let Some(round_trip) = link.clock.round_trip() {
            process.outbox.on_round_trip(round_trip);
        }
        if let Some(found) = link.clock.offset()
            && (found.offset_ns + clock_ns).abs() > found.error_ns
        {
            context
                .checks
                .fail("H3", format_args!("a clock {clock_ns} ns off was found to be {found:?} off"));
        }
    }

    /// Hands to the session whatever may go now.
    pub(crate) fn pump(&mut self, context: &mut Context) {
        let alarms =
            self.disk.iter().find(|journal| journal.lane == Lane::Alarm && journal.role == LogRole::Current);
        let alarms = alarms.map(|journal| journal.store);
        loop {
            let time = ReceptionTime(self.time(context));
            let Some(process) = &mut self.process else { return };
            let Some(connection) = process.link.connection.filter(|_| process.link.is_open) else { return };
            match process.outbox.next(context.now) {
                Next::Nothing => return,
                Next::At(at) => {
                    if process.link.sent.wake_at.is_none_or(|known| known <= context.now || at < known) {
                        process.link.sent.wake_at = Some(at);
                        let wake = Event::Wake { machine: self.index, run: self.run };
                        context.after(at - context.now, wake);
                    }
                    return;
                }
                Next::Send(wanted) => {
                    let Some(store) = process.outbox.store_of(wanted.log) else { return };
                    let Some(journal) = self.disk.iter_mut().find(|journal| journal.store == store) else {
                        return;
                    };
                    let (batch, last) = read(process, journal, &wanted, time);
                    let bytes = batch.bytes().len() as u64;
                    let chains = &mut process.link.sent.chains;
                    chains.insert((wanted.log, wanted.first.0 - 1), batch.previous);
                    chains.insert((wanted.log, last), batch.position().hash);
                    let missing = alarms.map_or_else(Vec::new, |store| process.outbox.missing(store));
                    check_sent(&mut process.link.sent, context, (&wanted, last, bytes), &missing);
                    process.outbox.on_sent(&wanted, BatchSequence(last), bytes, context.now);
                    let sealed = batch.bytes().to_vec();
                    let frame = Frame::Batch { log: wanted.log, way: wanted.way, sealed };
                    context.send(connection, Side::Edge, wanted.way.into(), &frame);
                }
            }
        }
    }
}

/// What is wanted, or a gap in its place; and the last number of it.
fn read(
    process: &mut Process,
    journal: &mut Journal,
    wanted: &Wanted,
    noticed: ReceptionTime,
) -> (std::rc::Rc<SealedBatch>, u64) {
    let first = wanted.first.0;
    let (until, reason) = match journal.read(first) {
        Found::Batch(batch) => return (batch, first),
        Found::Missing { until, reason } => (until, reason),
    };
    let is_beyond = mutated(DriverMutation::GapBeyondWanted);
    let last = if is_beyond { until } else { until.min(wanted.until.0) };
    let log = wanted.log;
    let sent = &process.link.sent.chains;
    // What the hub has, or will have before this, counts; the journal may have met more damage since.
    let chain_of = |number: u64, journal: &mut Journal| {
        let known = sent.get(&(log, number)).copied().or_else(|| process.outbox.chain_at(log, number));
        let known = known.or_else(|| journal.hash_at(number));
        known.unwrap_or_else(|| ChainHash::after_gap(journal.store, journal.lane, BatchSequence(number)))
    };
    let previous = chain_of(first - 1, journal);
    let continues = chain_of(last, journal);
    let gap = Gap { first: wanted.first, reason, records: 0, continues };
    let before = (first > 1).then(|| BatchSequence(first - 1));
    let position = Position { sequence: before, hash: previous, records: 0, bytes: 0 };
    let lane = journal.lane;
    let batch = SealedBatch::seal_gap(lane, &position, BatchSequence(last), gap, (MISSION, "node"), noticed);
    (std::rc::Rc::new(batch), last.min(wanted.until.0))
}

/// I6 and I7, at each batch.
fn check_sent(
    sent: &mut SentInSession,
    context: &mut Context,
    (wanted, last, bytes): (&Wanted, u64, u64),
    alarms_missing: &[(u64, u64)],
) {
    let (used, granted) = match wanted.way {
        Way::Alarm => (&mut sent.alarm_bytes, sent.credit.alarm_bytes),
        _ => (&mut sent.telemetry_bytes, sent.credit.telemetry_bytes),
    };
    if *used >= granted {
        let used = *used;
        context
            .checks
            .fail("I6", format_args!("a batch begins behind {used} bytes where {granted} are allowed"));
    }
    *used += bytes;
    if wanted.way == Way::Alarm {
        sent.alarms.extend(wanted.first.0..=last);
    } else if sent.alarm_bytes < sent.credit.alarm_bytes {
        let mut waiting = alarms_missing.iter().flat_map(|&(first, last)| first..=last);
        if let Some(number) = waiting.find(|number| !sent.alarms.contains(number)) {
            let way = wanted.way.word();
            context.checks.fail("I7", format_args!("{way} data are sent while alarm {number} waits"));
        }
    }
}
