//! One log of an outbox: what the hub has of it, what is on its way, and the two cursors.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{LogRole, Order};
use crate::mutation::{Mutation, mutated};
use crate::{Ack, BatchSequence, ChainHash, Lane, LogHead, LogPosition, RANGES_MAX, StoreId, Way};

/// Newest first goes in blocks of so many batches, each in its own order: one more span at the hub, not one a batch.
const BLOCK: u64 = 64;
/// Live data that lag so long behind become backlog, so that what is shown is fresh; twice as long each time.
const LAG_MAX: Duration = Duration::from_secs(5);
/// From so many spans on live data go on in order instead: each restart of the live cursor adds one.
const SPANS_FOR_RESTART: usize = RANGES_MAX / 2;
/// Runs of one log that are wanted first at once: each adds a span at the hub.
const WANTED_FIRST_MAX: usize = 8;
/// From so many spans on what is wanted first goes in its turn.
const SPANS_FOR_WANTED_FIRST: usize = 12;
/// From so many on a session adds none at all: live data go on behind the last span.
const SPANS_FOR_SPLIT: usize = RANGES_MAX - 4;

#[derive(Debug)]
pub(super) struct InFlight {
    last: u64,
    pub(super) bytes: u64,
    pub(super) way: Way,
    pub(super) sent_at: Duration,
}

/// Numbers from the first to the last.
pub(super) type Run = (u64, u64);

#[derive(Debug)]
pub(super) struct Log {
    pub(super) store: StoreId,
    pub(super) lane: Lane,
    pub(super) role: LogRole,
    /// Newest durable batch.
    pub(super) head: u64,
    /// Everything up to here is at the hub, as far as is known.
    pub(super) watermark: u64,
    pub(super) safe: u64,
    /// What is at the hub beyond, in order.
    ranges: Vec<Run>,
    /// Its journal is not the one the hub knows; somebody must begin another.
    pub(super) is_fork: bool,
    pub(super) session: Option<LogSession>,
}

#[derive(Debug)]
pub(super) struct LogSession {
    /// Chains the hub named, by number.
    chains: BTreeMap<u64, ChainHash>,
    /// Up to here is backlog, beyond it live.
    split: u64,
    live_next: u64,
    /// Since when live data lag behind.
    lags_since: Option<Duration>,
    lag_max: Duration,
    /// Nothing is missing below, but what is on its way.
    backfill_next: u64,
    /// What goes next when the newest go first.
    block: Option<Run>,
    /// What the hub wants before the rest of the backlog, as it asked.
    wanted_first: Vec<Run>,
    pub(super) in_flight: BTreeMap<u64, InFlight>,
}

impl Log {
    pub(super) fn new(store: StoreId, lane: Lane, role: LogRole, head: u64, acknowledged: u64) -> Self {
        let watermark = acknowledged.min(head);
        Self {
            store,
            lane,
            role,
            head,
            watermark,
            // What was committed may be lost again by a failover: only the hub says what is safe.
            safe: 0,
            ranges: Vec::new(),
            is_fork: false,
            session: None,
        }
    }

    pub(super) fn hello(&self) -> LogHead {
        LogHead {
            lane: self.lane,
            store: self.store,
            head: (self.head > 0).then_some(BatchSequence(self.head)),
            is_forked: self.role == LogRole::Forked,
        }
    }

    /// The hub opened the log; returns what of its chain this journal must have too, oldest first.
    pub(super) fn on_opened(&mut self, position: &LogPosition) -> Vec<(u64, ChainHash)> {
        let end = position.spans.last().map_or(position.watermark, |span| span.last);
        // A journal that is known to be another one has its own numbers at the hub, so nothing is compared.
        self.is_fork = self.role != LogRole::Forked && (position.is_fork || end > self.head);
        if self.is_fork {
            return Vec::new();
        }
        // After a failover to an older database the hub may stand behind what it acknowledged before.
        self.watermark = position.watermark.min(self.head);
        self.safe = position.safe.min(self.watermark);
        self.ranges = position.spans.iter().map(|span| (span.first, span.last)).collect();
        let ends: BTreeMap<u64, ChainHash> = std::iter::once((position.watermark, position.hash))
            .chain(position.spans.iter().map(|span| (span.last, span.hash)))
            .collect();
        // What a span is chained to stands right before it.
        let starts = position.spans.iter().map(|span| (span.first - 1, span.previous));
        let split = if position.spans.len() < SPANS_FOR_SPLIT { self.head } else { end };
        let before = self.session.take().filter(|_| mutated(Mutation::ResendLost));
        self.session = Some(LogSession {
            chains: ends.clone().into_iter().chain(starts).collect(),
            split,
            live_next: split + 1 + u64::from(mutated(Mutation::LiveSkipsAtSplit)),
            lags_since: None,
            lag_max: LAG_MAX,
            backfill_next: before.map_or(1, |session| session.backfill_next),
            block: None,
            wanted_first: Vec::new(),
            in_flight: BTreeMap::new(),
        });
        if self.role == LogRole::Forked { Vec::new() } else { ends.into_iter().collect() }
    }

    /// Returns what was on its way and has arrived.
    pub(super) fn on_ack(&mut self, ack: &Ack) -> Vec<InFlight> {
        let Some(session) = &mut self.session else { return Vec::new() };
        if ack.watermark.max(ack.ranges.last().map_or(0, |range| range.1)) > self.head {
            return Vec::new();
        }
        // Acknowledgements may overtake each other, so a lower one is old news, not an error.
        if ack.watermark >= self.watermark {
            self.watermark = ack.watermark;
            if mutated(Mutation::AckRangesAsWatermark) {
                self.watermark = ack.ranges.last().map_or(ack.watermark, |range| range.1);
            }
            self.ranges.clone_from(&ack.ranges);
        }
        self.safe = self.safe.max(ack.safe.min(self.watermark));
        let (watermark, ranges) = (self.watermark, &self.ranges);
        session.wanted_first.retain(|run| count_missing(watermark, ranges, *run) > 0);
        let is_here = |last: u64| last <= watermark || ranges.iter().any(|&(a, b)| a <= last && last <= b);
        session.in_flight.extract_if(.., |_, flight| is_here(flight.last)).map(|(_, flight)| flight).collect()
    }

    /// The chain the hub named at a number.
    pub(super) fn chain_at(&self, number: u64) -> Option<ChainHash> {
        self.session.as_ref()?.chains.get(&number).copied()
    }

    /// What the alarm and bulk ways send next: everything, oldest first.
    pub(super) fn next_of_all(&mut self) -> Option<Run> {
        self.next_backfill(self.head, Order::OldestFirst)
    }

    /// What the live cursor sends next.
    pub(super) fn next_live(&mut self, now: Duration) -> Option<Run> {
        let (head, spans) = (self.head, self.ranges.len());
        let session = self.session.as_mut()?;
        if session.live_next > head {
            session.lags_since = None;
            return None;
        }
        let since = *session.lags_since.get_or_insert(now);
        if now >= since + session.lag_max && spans < SPANS_FOR_RESTART {
            session.lags_since = None;
            session.lag_max *= 2;
            session.split = head;
            session.live_next = head + 1;
            return None;
        }
        // Behind the last span nothing is at the hub.
        let from = session.live_next;
        self.first_missing(from, head)
    }

    /// What the backlog sends next, up to a number: what the hub wants first, then by its cursor.
    pub(super) fn next_backfill(&mut self, to: u64, order: Order) -> Option<Run> {
        if let Some(run) = self.next_wanted_first(to) {
            return Some(run);
        }
        let session = self.session.as_ref()?;
        match order {
            Order::OldestFirst => {
                let from = session.backfill_next.max(self.watermark + 1);
                let run = self.first_missing(from, to);
                // What is in between is at the hub or on its way there; both are only forgotten with the session.
                let next = run.map_or(from.max(to.saturating_add(1)), |run| run.0);
                self.session.as_mut()?.backfill_next = next.min(to.saturating_add(1));
                run
            }
            Order::NewestFirst => {
                if let Some((from, block_to)) = session.block
                    && let Some(run) = self.first_missing(from, block_to)
                {
                    return Some(run);
                }
                let (from, last) = self.last_missing(to)?;
                let block = (from.max(last.saturating_sub(BLOCK - 1)), last);
                self.session.as_mut()?.block = Some(block);
                Some(block)
            }
        }
    }

    fn next_wanted_first(&self, to: u64) -> Option<Run> {
        if self.ranges.len() >= SPANS_FOR_WANTED_FIRST {
            return None;
        }
        let mut wanted = self.session.as_ref()?.wanted_first.iter();
        wanted.find_map(|&(first, last)| self.first_missing(first.max(self.watermark + 1), last.min(to)))
    }

    /// The hub wants some of it before the rest of the backlog.
    pub(super) fn send_first(&mut self, run: Run) -> bool {
        let missing = self.count_missing(run);
        let Some(session) = &mut self.session else { return false };
        if missing == 0 || session.wanted_first.contains(&run) {
            return true;
        }
        let has_room = session.wanted_first.len() < WANTED_FIRST_MAX;
        if has_room {
            session.wanted_first.push(run);
        }
        has_room
    }

    /// How many numbers of a run are not at the hub.
    pub(super) fn count_missing(&self, run: Run) -> u64 {
        count_missing(self.watermark, &self.ranges, (run.0, run.1.min(self.head)))
    }

    /// Where backlog ends and live data begin.
    pub(super) fn split(&self) -> u64 {
        self.session.as_ref().map_or(self.head, |session| session.split)
    }

    /// Begins live data anew at the head: what lags becomes backlog.
    pub(super) fn restart_live(&mut self) {
        let (head, spans) = (self.head, self.ranges.len());
        if let Some(session) = &mut self.session
            && spans < SPANS_FOR_RESTART
        {
            session.split = head;
            session.live_next = head + 1;
            session.lags_since = None;
        }
    }

    pub(super) fn on_sent(&mut self, (first, last): Run, bytes: u64, way: Way, now: Duration) {
        let Some(session) = &mut self.session else { return };
        if way == Way::Live {
            session.live_next = last + 1;
        }
        session.in_flight.insert(first, InFlight { last, bytes, way, sent_at: now });
    }

    /// What is not at the hub, oldest first.
    pub(super) fn missing(&self) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut from = self.watermark + 1;
        for &(first, last) in &self.ranges {
            if from < first {
                runs.push((from, first - 1));
            }
            from = last + 1;
        }
        if from <= self.head {
            runs.push((from, self.head));
        }
        runs
    }

    /// Runs that need not be sent: at the hub, or on their way. In order, and apart or touching.
    fn taken(&self, from: u64) -> impl Iterator<Item = Run> + '_ {
        let flights = self.session.iter().flat_map(move |session| {
            let before = session.in_flight.range(..from).next_back();
            before
                .into_iter()
                .chain(session.in_flight.range(from..))
                .map(|(&first, flight)| (first, flight.last))
        });
        let ranges = std::iter::once((0, self.watermark)).chain(self.ranges.iter().copied());
        merge(flights, ranges)
    }

    fn first_missing(&self, from: u64, to: u64) -> Option<Run> {
        let mut from = from;
        for (first, last) in self.taken(from) {
            if first > from {
                return (from <= to).then(|| (from, to.min(first - 1)));
            }
            from = from.max(last.saturating_add(1));
        }
        (from <= to).then_some((from, to))
    }

    fn last_missing(&self, to: u64) -> Option<Run> {
        let (mut from, mut found) = (self.watermark + 1, None);
        for (first, last) in self.taken(from) {
            if first > to {
                break;
            }
            if from < first {
                found = Some((from, first - 1));
            }
            from = from.max(last.saturating_add(1));
        }
        if from <= to { Some((from, to)) } else { found }
    }
}

fn count_missing(watermark: u64, ranges: &[Run], (first, last): Run) -> u64 {
    let first = first.max(watermark.saturating_add(1));
    let length = |first: u64, last: u64| last.saturating_add(1).saturating_sub(first);
    let held = ranges.iter().map(|&(a, b)| length(a.max(first), b.min(last)));
    // What a hub says of ranges that overlap counts them twice.
    length(first, last).saturating_sub(held.sum())
}

/// Two sequences of runs, each in order, as one in order.
fn merge(left: impl Iterator<Item = Run>, right: impl Iterator<Item = Run>) -> impl Iterator<Item = Run> {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    std::iter::from_fn(move || match (left.peek(), right.peek()) {
        (Some(a), Some(b)) if a <= b => left.next(),
        (Some(_), None) => left.next(),
        _ => right.next(),
    })
}
