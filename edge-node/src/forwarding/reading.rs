//! What is wanted of a journal: the batch, or the gap that stands in for it.

use std::collections::{HashMap, VecDeque};

use delivery::{
    BatchSequence, ChainHash, Gap, GapReason, LogNumber, LogRole, Outbox, Position, SealedBatch, Span,
    Wanted, Way,
};
use intake::config::NODE_LINK;
use space_packet::ReceptionTime;
use tracing::warn;

use crate::journal::{Batches, JournalHandle, ReadFailed};

/// Read from a journal at once: a few batches, so that a backlog is not read one by one.
const READ_AHEAD_BYTES: usize = 256 * 1_024;

/// Ends of what was sent that are remembered.
const SENT_MAX: usize = 1_024;

/// Batches read and not sent yet, for each cursor; and the chain at both ends of what was sent.
#[derive(Default)]
pub(super) struct ReadAhead {
    batches: HashMap<(LogNumber, Way), VecDeque<SealedBatch>>,
    sent: VecDeque<((LogNumber, u64), ChainHash)>,
}

impl ReadAhead {
    /// What to send for `wanted`: it begins with its first number and ends with its last at the latest.
    pub(super) async fn take(
        &mut self,
        outbox: &Outbox,
        wanted: &Wanted,
        (journal, role): (&JournalHandle, LogRole),
        mission: &str,
    ) -> Result<SealedBatch, ReadFailed> {
        let ahead = self.batches.entry((wanted.log, wanted.way)).or_default();
        if ahead.front().is_none_or(|batch| batch.header.sequence != wanted.first) {
            *ahead = match journal.read(wanted.first, READ_AHEAD_BYTES).await? {
                Batches::Here(batches) => batches.into(),
                Batches::Missing { until, reason } => {
                    let gap = Missing { first: wanted.first, last: until.min(wanted.until), reason };
                    return self.declare(outbox, wanted.log, journal, gap, mission).await;
                }
                Batches::Absent => {
                    // What is not here any more was at the hub once, or lay before a salvaged journal's beginning.
                    let reason = match role {
                        LogRole::Current => GapReason::Forgotten,
                        LogRole::Older | LogRole::Forked => GapReason::Damaged,
                    };
                    let tail = journal.state().borrow().tail;
                    let behind =
                        tail.filter(|tail| *tail > wanted.first).map(|tail| BatchSequence(tail.0 - 1));
                    let last = behind.map_or(wanted.until, |last| last.min(wanted.until));
                    let gap = Missing { first: wanted.first, last, reason };
                    return self.declare(outbox, wanted.log, journal, gap, mission).await;
                }
            };
        }
        let batch = ahead.pop_front().expect("a journal that answers with batches has one at least");
        self.remember(wanted.log, &batch);
        Ok(batch)
    }

    async fn declare(
        &mut self,
        outbox: &Outbox,
        log: LogNumber,
        journal: &JournalHandle,
        gap: Missing,
        mission: &str,
    ) -> Result<SealedBatch, ReadFailed> {
        // What the hub has, or will have before this, counts; the journal may have met more damage since.
        let told = |number: u64| {
            let sent = self.sent.iter().rev().find(|(end, _)| *end == (log, number));
            sent.map(|(_, chain)| *chain).or_else(|| outbox.chain_at(log, number))
        };
        let batch = declared_gap(journal, gap, told, mission).await?;
        let (first, last, reason) = (gap.first.0, gap.last.0, gap.reason.word());
        warn!(first, last, reason, "a gap was declared to the hub");
        self.remember(log, &batch);
        Ok(batch)
    }

    fn remember(&mut self, log: LogNumber, batch: &SealedBatch) {
        let span = Span::of(batch);
        self.sent.push_back(((log, span.first - 1), span.previous));
        self.sent.push_back(((log, span.last), span.hash));
        let surplus = self.sent.len().saturating_sub(SENT_MAX);
        self.sent.drain(..surplus);
    }
}

/// Batches that will never be here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Missing {
    /// The first of them.
    pub(crate) first: BatchSequence,
    /// The last of them, or of the piece that is declared.
    pub(crate) last: BatchSequence,
    /// Why.
    pub(crate) reason: GapReason,
}

/// What stands in for batches that will never be here, so that the lane goes on behind them. `told` says what the hub
/// has, or will have before this, for the chain at a number.
pub(crate) async fn declared_gap(
    journal: &JournalHandle,
    missing: Missing,
    told: impl Fn(u64) -> Option<ChainHash>,
    mission: &str,
) -> Result<SealedBatch, ReadFailed> {
    let Missing { first, last, reason } = missing;
    let (lane, store) = (journal.lane(), journal.state().borrow().store);
    let chain = async |number: u64| -> Result<ChainHash, ReadFailed> {
        let known = match told(number) {
            Some(known) => Some(known),
            None => journal.chain_at(number).await?,
        };
        Ok(known.unwrap_or_else(|| ChainHash::after_gap(store, lane, BatchSequence(number))))
    };
    let before = first.0 - 1;
    let (previous_batch, behind) =
        (one(journal, BatchSequence(before)).await?, one(journal, last.next()).await?);
    let hash = chain(before).await?;
    let previous = match &previous_batch {
        Some(batch) => Position { hash, ..batch.position() },
        None => {
            let sequence = (before > 0).then_some(BatchSequence(before));
            Position { sequence, hash, records: 0, bytes: 0 }
        }
    };
    // What lies before is only needed to say how much is missing; unknown, that is told as nothing.
    let is_counted = before == 0 || previous_batch.is_some();
    let counted = behind.as_ref().filter(|_| is_counted);
    let records = counted.map_or(0, |batch| batch.header.records_before.saturating_sub(previous.records));
    let continues = chain(last.0).await?;
    let names = behind.as_ref().or(previous_batch.as_ref());
    let (mission, link) =
        names.map_or((mission, NODE_LINK), |batch| (&*batch.header.mission, &*batch.header.link));
    let gap = Gap { first, reason, records, continues };
    let noticed = ReceptionTime(service::clock::now());
    Ok(SealedBatch::seal_gap(lane, &previous, last, gap, (mission, link), noticed))
}

async fn one(journal: &JournalHandle, sequence: BatchSequence) -> Result<Option<SealedBatch>, ReadFailed> {
    if sequence.0 == 0 {
        return Ok(None);
    }
    Ok(match journal.read(sequence, 1).await? {
        Batches::Here(batches) => batches.into_iter().next(),
        Batches::Absent | Batches::Missing { .. } => None,
    })
}
