//! What is wanted of a journal: the batch, or the gap that stands in for it.

use std::collections::{HashMap, VecDeque};

use delivery::{
    BatchSequence, ChainHash, Gap, GapReason, LogNumber, LogRole, Outbox, Position, SealedBatch, Wanted, Way,
};
use space_packet::ReceptionTime;
use tracing::warn;

use crate::intake::events::NODE_LINK;
use crate::journal::{Batches, JournalHandle, ReadFailed};

/// Read from a journal at once: a few batches, so that a backlog is not read one by one.
const READ_AHEAD_BYTES: usize = 256 * 1_024;

/// Batches read and not sent yet, for each cursor.
#[derive(Default)]
pub(super) struct ReadAhead {
    batches: HashMap<(LogNumber, Way), VecDeque<SealedBatch>>,
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
                    let last = until.min(wanted.until);
                    return declare(outbox, wanted, (journal, last, reason), mission).await;
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
                    return declare(outbox, wanted, (journal, last, reason), mission).await;
                }
            };
        }
        let batch = ahead.pop_front();
        Ok(batch.expect("a journal that answers with batches has one at least"))
    }
}

/// What stands in for batches that will never be here, so that the lane goes on behind them.
async fn declare(
    outbox: &Outbox,
    wanted: &Wanted,
    (journal, last, reason): (&JournalHandle, BatchSequence, GapReason),
    mission: &str,
) -> Result<SealedBatch, ReadFailed> {
    let (lane, store) = (journal.lane(), journal.state().borrow().store);
    let chain = async |number: u64| -> Result<ChainHash, ReadFailed> {
        let told = outbox.chain_at(wanted.log, number);
        let known = if told.is_some() { told } else { journal.chain_at(number).await? };
        Ok(known.unwrap_or_else(|| ChainHash::after_gap(store, lane, BatchSequence(number))))
    };
    let before = wanted.first.0 - 1;
    let previous_batch = one(journal, BatchSequence(before)).await?;
    let behind = one(journal, last.next()).await?;
    let previous = match &previous_batch {
        Some(batch) => Position { hash: chain(before).await?, ..batch.position() },
        None => Position {
            sequence: (before > 0).then_some(BatchSequence(before)),
            hash: chain(before).await?,
            records: 0,
            bytes: 0,
        },
    };
    // What lies before is only needed to say how much is missing; unknown, that is told as nothing.
    let is_counted = before == 0 || previous_batch.is_some();
    let records = behind
        .as_ref()
        .filter(|_| is_counted)
        .map_or(0, |batch| batch.header.records_before.saturating_sub(previous.records));
    let continues = match &behind {
        Some(batch) => batch.previous,
        None => journal.chain_at(last.0).await?.unwrap_or_else(|| ChainHash::after_gap(store, lane, last)),
    };
    let names = behind.as_ref().or(previous_batch.as_ref());
    let (mission, link) =
        names.map_or((mission, NODE_LINK), |batch| (&*batch.header.mission, &*batch.header.link));
    warn!(first = wanted.first.0, last = last.0, reason = reason.word(), "a gap was declared to the hub");
    let gap = Gap { first: wanted.first, reason, records, continues };
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
