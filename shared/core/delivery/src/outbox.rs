//! Decides which batch goes to the hub next, on which way, and what the journals may forget.

mod log;
mod pace;

use std::time::Duration;

use crate::mutation::{Mutation, mutated};
use crate::{
    Ack, BatchSequence, BootId, ChainHash, Credit, Hello, HelloOk, LOGS_MAX, Lane, LogNumber,
    PROTOCOL_VERSION, StoreId, Way,
};
use log::Log;
use pace::Pace;

/// What a journal is to its node.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogRole {
    /// The one that takes what comes in now.
    Current,
    /// One from before, which only waits to be forwarded.
    Older,
    /// One from before that does not continue what the hub has under its name.
    Forked,
}

/// In which order a backlog goes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Order {
    /// What was received last goes first.
    NewestFirst,
    /// What was received first goes first.
    #[default]
    OldestFirst,
}

/// What operators decide about a backlog; alarms and live data always go.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct BacklogPolicy {
    /// It waits.
    pub is_paused: bool,
    /// Bytes a second at most.
    pub limit_bytes_per_s: Option<u64>,
    /// Which end of it goes first.
    pub order: Order,
}

/// A batch to be sent, or what stands in for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Wanted {
    /// Of which log.
    pub log: LogNumber,
    /// The batch.
    pub first: BatchSequence,
    /// Up to here nothing is at the hub or on its way: a declared gap ends here at the latest.
    pub until: BatchSequence,
    /// The way it goes.
    pub way: Way,
}

/// What an outbox wants.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    /// Nothing before this moment, unless something happens.
    At(Duration),
    /// Nothing until something happens.
    Nothing,
    /// This, then [`Outbox::on_sent`].
    Send(Wanted),
}

/// What the hub says a log's chain is at a number; the journal must have the same there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Proof {
    /// The log.
    pub log: LogNumber,
    /// The number; absent for the empty log.
    pub sequence: Option<BatchSequence>,
    /// The chain.
    pub hash: ChainHash,
}

/// The hub's answer does not name the logs it was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the hub answered for {found} logs where it was asked for {asked}")]
pub struct LogsMissing {
    /// How many HELLO named.
    pub asked: usize,
    /// How many the answer names.
    pub found: usize,
}

/// The forwarding state of a node: its logs, and at most one session.
///
/// Holds no socket, disk or clock: `now` is the time since any beginning the caller chose. Of each log the order
/// safe ≤ watermark ≤ head always stands, and a number is on its way once at most.
#[derive(Debug, Default)]
pub struct Outbox {
    logs: Vec<Log>,
    policy: BacklogPolicy,
    session: Option<OpenSession>,
}

#[derive(Debug)]
struct OpenSession {
    credit: Credit,
    first_credit: u64,
    sent: Sent,
    in_flight: Sent,
    backfill_from: Duration,
    pace: Pace,
}

/// Bytes of each kind.
#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    alarm: u64,
    live: u64,
    backlog: u64,
}

impl Sent {
    fn of(&mut self, way: Way) -> &mut u64 {
        match way {
            Way::Alarm => &mut self.alarm,
            Way::Live => &mut self.live,
            Way::Backfill | Way::Bulk | Way::Import => &mut self.backlog,
        }
    }
}

impl Outbox {
    /// Adds a log, of which everything up to `acknowledged` is known to be at the hub; it takes part from the next
    /// HELLO on. False when there is no room for more logs.
    pub fn add_log(
        &mut self,
        store: StoreId,
        lane: Lane,
        role: LogRole,
        head: Option<BatchSequence>,
        acknowledged: Option<BatchSequence>,
    ) -> bool {
        let number = |sequence: Option<BatchSequence>| sequence.map_or(0, |sequence| sequence.0);
        if self.logs.len() >= LOGS_MAX {
            return false;
        }
        self.logs.push(Log::new(store, lane, role, number(head), number(acknowledged)));
        true
    }

    /// Forgets a log; the session ends by it, since the numbers of the others change.
    pub fn remove_log(&mut self, store: StoreId) {
        self.on_session_lost();
        self.logs.retain(|log| log.store != store);
    }

    /// The number a log has in the next HELLO, and in the session it opens.
    pub fn number_of(&self, store: StoreId) -> Option<LogNumber> {
        self.logs.iter().position(|log| log.store == store).map(|index| LogNumber(index as u8))
    }

    /// Which journal a log is.
    pub fn store_of(&self, log: LogNumber) -> Option<StoreId> {
        self.log(log).map(|log| log.store)
    }

    /// A batch became durable.
    pub fn on_appended(&mut self, store: StoreId, head: Option<BatchSequence>) {
        if let Some(log) = self.logs.iter_mut().find(|log| log.store == store) {
            let head = head.map_or(0, |sequence| sequence.0);
            assert!(head >= log.head, "batches only grow");
            log.head = head;
        }
    }

    /// What to say first on a new connection.
    pub fn hello(&self, boot: BootId, node_time: space_packet::TaiTime, software: &str) -> Hello {
        Hello {
            protocol: PROTOCOL_VERSION,
            boot,
            logs: self.logs.iter().map(Log::hello).collect(),
            node_time,
            software: software.to_owned(),
        }
    }

    /// The hub opened a session. Returns what the journals must have too: the caller compares, and says with
    /// [`Outbox::on_fork`] where they have not. A batch that was pruned cannot be compared, and passes.
    pub fn on_hello_ok(&mut self, ok: &HelloOk, now: Duration) -> Result<Vec<Proof>, LogsMissing> {
        if ok.logs.len() != self.logs.len() {
            return Err(LogsMissing { asked: self.logs.len(), found: ok.logs.len() });
        }
        self.session = Some(OpenSession {
            credit: ok.credit,
            first_credit: ok.credit.telemetry_bytes,
            sent: Sent::default(),
            in_flight: Sent::default(),
            backfill_from: now + Duration::from_millis(u64::from(ok.backfill_after_ms)),
            pace: Pace::new(self.policy.limit_bytes_per_s),
        });
        let mut proofs = Vec::new();
        for (index, (log, position)) in self.logs.iter_mut().zip(&ok.logs).enumerate() {
            let log_number = LogNumber(index as u8);
            proofs.extend(log.on_opened(position).into_iter().map(|(number, hash)| Proof {
                log: log_number,
                sequence: (number > 0).then_some(BatchSequence(number)),
                hash,
            }));
        }
        Ok(proofs)
    }

    /// A log is not the one the hub knows: nothing more of it is sent under its name.
    pub fn on_fork(&mut self, log: LogNumber) {
        if let Some(log) = self.logs.get_mut(usize::from(log.0)) {
            log.is_fork = true;
            log.session = None;
        }
    }

    /// Journals that are not the ones the hub knows; the caller begins another in place of each.
    pub fn forks(&self) -> impl Iterator<Item = StoreId> + '_ {
        self.logs.iter().filter(|log| log.is_fork).map(|log| log.store)
    }

    /// The connection is gone; what was under way is sent again on the next one, if the hub has not got it.
    pub fn on_session_lost(&mut self) {
        self.session = None;
        if !mutated(Mutation::ResendLost) {
            self.logs.iter_mut().for_each(|log| log.session = None);
        }
    }

    /// The hub committed something; says whether that was news.
    pub fn on_ack(&mut self, ack: &Ack, now: Duration) -> bool {
        let Some(log) = self.logs.get_mut(usize::from(ack.log.0)) else { return false };
        let before = log.watermark;
        let arrived = log.on_ack(ack);
        let is_news = log.watermark > before || !arrived.is_empty();
        if let Some(session) = &mut self.session {
            for flight in arrived {
                *session.in_flight.of(flight.way) -= flight.bytes;
                match flight.way {
                    Way::Live => {
                        let latency = now.saturating_sub(flight.sent_at);
                        session.pace.on_live_acknowledged(latency, session.in_flight.backlog, now);
                    }
                    Way::Alarm => {}
                    Way::Backfill | Way::Bulk | Way::Import => {
                        let window_max = session.backlog_window_max();
                        session.pace.on_backlog_acknowledged(flight.bytes, window_max, now);
                    }
                }
            }
        }
        is_news
    }

    /// More may be sent.
    pub fn on_credit(&mut self, credit: Credit) {
        if let Some(session) = &mut self.session {
            let known = &mut session.credit;
            known.alarm_bytes = known.alarm_bytes.max(credit.alarm_bytes);
            known.telemetry_bytes = known.telemetry_bytes.max(credit.telemetry_bytes);
            known.linger_ms = credit.linger_ms;
        }
    }

    /// What a packet takes to the hub and back.
    pub fn on_round_trip(&mut self, round_trip: Duration) {
        if let Some(session) = &mut self.session {
            session.pace.set_round_trip(round_trip);
        }
    }

    /// What operators decided.
    pub fn set_policy(&mut self, policy: BacklogPolicy, now: Duration) {
        if let Some(session) = &mut self.session {
            session.pace.set_limit(policy.limit_bytes_per_s, now);
        }
        if policy.order == Order::NewestFirst && self.policy.order != Order::NewestFirst {
            self.logs.iter_mut().for_each(Log::restart_live);
        }
        self.policy = policy;
    }

    /// The hub wants some of a journal's backlog before the rest, from one number to another, as long as this session
    /// lasts. False when it wants more than can be kept in mind: then it goes in its turn.
    pub fn send_first(&mut self, store: StoreId, first: BatchSequence, last: BatchSequence) -> bool {
        let mut logs = self.logs.iter_mut();
        let log = logs.find(|log| log.store == store && log.role == LogRole::Current);
        log.is_some_and(|log| log.send_first((first.0, last.0)))
    }

    /// How many numbers of a run of a journal the hub does not have.
    pub fn count_missing(&self, store: StoreId, first: BatchSequence, last: BatchSequence) -> u64 {
        self.of_store(store).map_or(0, |log| log.count_missing((first.0, last.0)))
    }

    /// What to send now: alarms, then live data, then backlog, then journals from before.
    pub fn next(&mut self, now: Duration) -> Next {
        let Some(session) = &mut self.session else { return Next::Nothing };
        if mutated(Mutation::CreditIgnored) {
            session.credit.telemetry_bytes = u64::MAX;
        }
        if mutated(Mutation::AlarmBehindBacklog) {
            let telemetry = self.next_of_telemetry(now);
            return if telemetry == Next::Nothing {
                self.next_alarm().unwrap_or(telemetry)
            } else {
                telemetry
            };
        }
        self.next_alarm().unwrap_or_else(|| self.next_of_telemetry(now))
    }

    fn next_alarm(&mut self) -> Option<Next> {
        let session = self.session.as_ref()?;
        if session.sent.alarm >= session.credit.alarm_bytes {
            return None;
        }
        let is_alarm = |log: &Log| log.lane == Lane::Alarm && log.role == LogRole::Current;
        self.wanted(Way::Alarm, |log| is_alarm(log).then(|| log.next_of_all()).flatten()).map(Next::Send)
    }

    fn next_of_telemetry(&mut self, now: Duration) -> Next {
        let Some(session) = &self.session else { return Next::Nothing };
        if session.sent.live + session.sent.backlog >= session.credit.telemetry_bytes {
            return Next::Nothing;
        }
        let is_live = |log: &Log| log.lane == Lane::Telemetry && log.role == LogRole::Current;
        if let Some(wanted) = self.wanted(Way::Live, |log| is_live(log).then(|| log.next_live(now)).flatten())
        {
            return Next::Send(wanted);
        }
        self.next_of_backlog(now, is_live)
    }

    fn next_of_backlog(&mut self, now: Duration, is_live: impl Fn(&Log) -> bool) -> Next {
        let Some(session) = &self.session else { return Next::Nothing };
        let window = session.pace.window().min(session.backlog_window_max());
        if self.policy.is_paused || session.in_flight.backlog >= window {
            return Next::Nothing;
        }
        let ready_at = session.backfill_from.max(session.pace.ready_at());
        let order = self.policy.order;
        let wanted = self
            .wanted(Way::Backfill, |log| {
                let split = log.split();
                is_live(log).then(|| log.next_backfill(split, order)).flatten()
            })
            .or_else(|| {
                self.wanted(Way::Bulk, |log| {
                    (log.role != LogRole::Current).then(|| log.next_of_all()).flatten()
                })
            });
        match wanted {
            None => Next::Nothing,
            Some(_) if now < ready_at => Next::At(ready_at),
            Some(wanted) => Next::Send(wanted),
        }
    }

    fn wanted(&mut self, way: Way, mut next: impl FnMut(&mut Log) -> Option<(u64, u64)>) -> Option<Wanted> {
        self.logs.iter_mut().enumerate().find_map(|(index, log)| {
            let (first, until) = next(log)?;
            let (first, until) = (BatchSequence(first), BatchSequence(until));
            Some(Wanted { log: LogNumber(index as u8), first, until, way })
        })
    }

    /// What [`Outbox::next`] wanted, up to and including `last`, was handed to the session.
    pub fn on_sent(&mut self, wanted: &Wanted, last: BatchSequence, bytes: u64, now: Duration) {
        assert!(wanted.first <= last && last <= wanted.until, "what was wanted is what is sent");
        let (Some(session), Some(log)) = (&mut self.session, self.logs.get_mut(usize::from(wanted.log.0)))
        else {
            return;
        };
        log.on_sent((wanted.first.0, last.0), bytes, wanted.way, now);
        *session.sent.of(wanted.way) += bytes;
        *session.in_flight.of(wanted.way) += bytes;
        if matches!(wanted.way, Way::Backfill | Way::Bulk) {
            session.pace.on_sent(bytes, now);
        }
    }

    /// The chain at either end of what the hub has, as it said when the session began: a gap that ends where a span of
    /// the hub's begins continues with what that span is chained to.
    pub fn chain_at(&self, log: LogNumber, number: u64) -> Option<ChainHash> {
        self.log(log)?.chain_at(number)
    }

    /// Everything up to here is at the hub; 0 when nothing is.
    pub fn watermark(&self, store: StoreId) -> u64 {
        self.of_store(store).map_or(0, |log| log.watermark)
    }

    /// What a journal may forget; 0 when nothing.
    pub fn safe(&self, store: StoreId) -> u64 {
        self.of_store(store).map_or(0, |log| log.safe)
    }

    /// First and last of each run that the hub does not have, oldest first.
    pub fn missing(&self, store: StoreId) -> Vec<(u64, u64)> {
        self.of_store(store).map_or_else(Vec::new, Log::missing)
    }

    /// Whether the hub has all of a journal and keeps it safely.
    pub fn is_drained(&self, store: StoreId) -> bool {
        self.of_store(store).is_some_and(|log| log.safe >= log.head)
    }

    /// Whether a session is open.
    pub fn is_connected(&self) -> bool {
        self.session.is_some()
    }

    /// How long to wait for more records before a batch is sealed, as the hub wants it.
    pub fn linger(&self) -> Option<Duration> {
        self.session.as_ref().map(|session| Duration::from_millis(u64::from(session.credit.linger_ms)))
    }

    fn log(&self, number: LogNumber) -> Option<&Log> {
        self.logs.get(usize::from(number.0))
    }

    fn of_store(&self, store: StoreId) -> Option<&Log> {
        self.logs.iter().find(|log| log.store == store)
    }
}

impl OpenSession {
    /// A quarter of the credit is live data's own.
    fn backlog_window_max(&self) -> u64 {
        self.first_credit / 4 * 3
    }
}

#[cfg(test)]
mod tests;
