//! Decides what the hub does with each batch of a session, and how much more a node may send.

use std::collections::BTreeMap;

use crate::mutation::{Mutation, mutated};
use crate::{
    Ack, BatchSequence, Credit, Lane, LogHead, LogNumber, LogPosition, Misfit, Ranges, SealedBatch, Span, Way,
};

/// The receiving state of one session: its logs, and its credit.
///
/// Of each log everything committed was received, and what was received and not yet committed is remembered with its
/// chain, so that the same number with another content is noticed. Memory: 64 bytes for each batch under way.
#[derive(Debug)]
pub struct Inbox {
    logs: Vec<Log>,
    granted: Credit,
    alarm_received: u64,
    telemetry_received: u64,
}

#[derive(Debug)]
struct Log {
    lane: Lane,
    is_forked: bool,
    is_open: bool,
    committed: Ranges,
    safe: u64,
    received: Ranges,
    /// What was received and is not committed, by first number.
    pending: BTreeMap<u64, Span>,
}

/// How a log was opened.
#[derive(Clone, Debug)]
pub struct OpenedLog {
    /// What is committed of it.
    pub committed: Ranges,
    /// What the node may forget.
    pub safe: u64,
    /// It ends before what is committed of it: nothing of it is taken.
    pub is_fork: bool,
}

/// What to do with a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum InboxVerdict {
    /// Commit it, then tell [`Inbox::on_committed`].
    Commit,
    /// It is committed, as far as its number tells: compare it with what the ledger has, and call it a fork when that
    /// is another.
    Compare,
    /// It is on its way to be committed: nothing to do.
    Duplicate,
    /// Its number is known with another content, or it does not continue what is here: keep it apart, tell the node.
    Fork,
    /// It is one of a journal that is known to be another one: compare it with what the ledger has, keep what differs
    /// apart, then tell [`Inbox::on_kept`].
    KeepApart,
}

/// A node that does not keep to the protocol. Its session ends, and somebody should look at it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Violation {
    /// More was sent than allowed.
    #[error("it sent {sent} bytes where {granted} were allowed")]
    Credit {
        /// Bytes sent before this batch.
        sent: u64,
        /// Bytes allowed.
        granted: u64,
    },
    /// The batch is of another lane than its log, or comes on a way its lane does not go.
    #[error("it sent a batch of lane {lane} on the way {way}")]
    Lane {
        /// The batch's lane.
        lane: u8,
        /// One word for the way.
        way: &'static str,
    },
    /// HELLO did not name the log, or it was refused.
    #[error("it sent a batch of log {log}, which is not open")]
    Log {
        /// The log.
        log: u8,
    },
    /// Some of the numbers are known and others are not.
    #[error("it sent {first} to {last} where some of that is here already")]
    Overlap {
        /// First number.
        first: u64,
        /// Last number.
        last: u64,
    },
    /// It leaves too many holes.
    #[error("it left more than {} holes", crate::RANGES_MAX)]
    Holes,
}

impl Inbox {
    /// A session of the logs of HELLO, each as it was opened.
    pub fn new(logs: impl IntoIterator<Item = (LogHead, OpenedLog)>, granted: Credit) -> Self {
        let logs = logs.into_iter().map(|(head, opened)| Log {
            lane: head.lane,
            is_forked: head.is_forked,
            is_open: !opened.is_fork,
            safe: opened.safe,
            received: opened.committed.clone(),
            committed: opened.committed,
            pending: BTreeMap::new(),
        });
        Self { logs: logs.collect(), granted, alarm_received: 0, telemetry_received: 0 }
    }

    /// Judges a batch that was checked for damage.
    pub fn on_batch(
        &mut self,
        number: LogNumber,
        way: Way,
        batch: &SealedBatch,
    ) -> Result<InboxVerdict, Violation> {
        let lane = batch.header.lane;
        let log = self.logs.get_mut(usize::from(number.0)).filter(|log| log.is_open);
        let log = log.ok_or(Violation::Log { log: number.0 })?;
        let goes = match way {
            Way::Alarm => lane == Lane::Alarm,
            Way::Live | Way::Backfill => lane == Lane::Telemetry,
            Way::Bulk | Way::Import => true,
        };
        if lane != log.lane || !goes {
            return Err(Violation::Lane { lane: lane.into(), way: way.word() });
        }
        let (received, granted) = match way {
            Way::Alarm => (&mut self.alarm_received, self.granted.alarm_bytes),
            _ => (&mut self.telemetry_received, self.granted.telemetry_bytes),
        };
        if *received >= granted {
            return Err(Violation::Credit { sent: *received, granted });
        }
        *received += batch.bytes().len() as u64;
        let span = Span::of(batch);
        if log.is_forked {
            return Ok(InboxVerdict::KeepApart);
        }
        match log.received.insert(span) {
            Ok(()) => {
                log.pending.insert(span.first, span);
                Ok(InboxVerdict::Commit)
            }
            Err(Misfit::Fork) => Ok(InboxVerdict::Fork),
            Err(Misfit::TooMany) => Err(Violation::Holes),
            Err(Misfit::Overlap) => Err(Violation::Overlap { first: span.first, last: span.last }),
            Err(Misfit::Held) => Ok(match log.pending.get(&span.first) {
                Some(known) if *known == span => InboxVerdict::Duplicate,
                Some(_) => InboxVerdict::Fork,
                None => InboxVerdict::Compare,
            }),
        }
    }

    /// Of a log so much is committed, and so much of that the node may forget; returns what to tell the node.
    pub fn on_committed(&mut self, number: LogNumber, committed: Ranges, safe: u64) -> Option<Ack> {
        let log = self.logs.get_mut(usize::from(number.0))?;
        log.committed = committed;
        let safe = if mutated(Mutation::SafeAboveCommitted) { log.committed.end() } else { safe };
        log.safe = log.safe.max(safe.min(log.committed.watermark()));
        let committed = &log.committed;
        log.pending.retain(|_, span| !committed.holds(span.last));
        Some(log.ack(number))
    }

    /// So much of a log may be forgotten by now; returns what to tell the node when that is news.
    pub fn on_safe(&mut self, number: LogNumber, safe: u64) -> Option<Ack> {
        let log = self.logs.get_mut(usize::from(number.0))?;
        let safe = safe.min(log.committed.watermark());
        if safe <= log.safe {
            return None;
        }
        log.safe = safe;
        Some(log.ack(number))
    }

    /// A batch of a journal that is another one was compared or kept apart, and so much of that is safe; returns what
    /// to tell the node.
    pub fn on_kept(&mut self, number: LogNumber, batch: &SealedBatch, safe: u64) -> Option<Ack> {
        let log = self.logs.get_mut(usize::from(number.0))?;
        // Whether its numbers follow each other matters to nobody: it is not the archive.
        let last = batch.header.sequence.0.max(log.committed.watermark());
        log.committed = Ranges::up_to(last, batch.position().hash);
        log.safe = log.safe.max(safe.min(last));
        Some(log.ack(number))
    }

    /// So many bytes that came on a way are dealt with: the node may send as many more.
    pub fn on_done(&mut self, way: Way, bytes: u64) {
        match way {
            Way::Alarm => self.granted.alarm_bytes += bytes,
            _ => self.granted.telemetry_bytes += bytes,
        }
    }

    /// How long the node may wait before it seals a batch.
    pub fn set_linger(&mut self, linger_ms: u16) {
        self.granted.linger_ms = linger_ms;
    }

    /// What the node may send, to be told.
    pub fn credit(&self) -> Credit {
        self.granted
    }

    /// Batches received and not committed.
    pub fn pending(&self) -> usize {
        self.logs.iter().map(|log| log.pending.len()).sum()
    }
}

impl Log {
    fn ack(&self, number: LogNumber) -> Ack {
        Ack {
            log: number,
            watermark: self.committed.watermark(),
            safe: self.safe,
            ranges: self.committed.spans().iter().map(|span| (span.first, span.last)).collect(),
        }
    }
}

impl OpenedLog {
    /// What HELLO_OK says of it.
    pub fn position(&self, epoch: crate::Epoch) -> LogPosition {
        LogPosition {
            epoch,
            is_fork: self.is_fork,
            watermark: self.committed.watermark(),
            safe: self.safe,
            hash: self.committed.hash(),
            spans: self.committed.spans().to_vec(),
        }
    }

    /// A log of which so much is committed, as its node's HELLO names it.
    pub fn judge(head: &LogHead, committed: Ranges, safe: u64) -> Self {
        let is_fork =
            !head.is_forked && committed.end() > head.head.map_or(0, |BatchSequence(number)| number);
        // Of a journal that is another one nothing counts: what it has is compared batch by batch.
        let committed = if head.is_forked && !mutated(Mutation::ForkedNumbersTrusted) {
            Ranges::up_to(0, crate::ChainHash::of_store(head.store, head.lane))
        } else {
            committed
        };
        let safe = if head.is_forked { 0 } else { safe.min(committed.watermark()) };
        Self { committed, safe, is_fork }
    }
}

#[cfg(test)]
mod tests;
