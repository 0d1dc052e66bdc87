//! What lies in the journal, and whether it is sound.

use dashboard::rfc3339;
use delivery::{BatchSequence, ChainHash, Content, GapReason, Lane};
use serde::{Deserialize, Serialize};

use super::{Desk, DeskError, READ_BYTES};
use crate::journal::{Batches, JournalHandle};

/// What the journal holds.
#[derive(Debug, Deserialize, Serialize)]
pub struct JournalListing {
    /// Which journal.
    pub store: String,
    /// Newest batch; 0 when there is none.
    pub newest: u64,
    /// Oldest batch.
    pub oldest: u64,
    /// Whether it takes nothing more.
    pub is_full: bool,
    /// Batches that are missing between others and that the hub was not told of yet.
    pub gaps: Vec<GapRow>,
    /// The newest batches, oldest first.
    pub batches: Vec<BatchRow>,
}

/// Batches that are missing.
#[derive(Debug, Deserialize, Serialize)]
pub struct GapRow {
    /// First number.
    pub first: u64,
    /// Last number.
    pub last: u64,
    /// Why.
    pub reason: String,
}

/// One batch.
#[derive(Debug, Deserialize, Serialize)]
pub struct BatchRow {
    /// Its number.
    pub sequence: u64,
    /// Its mission.
    pub mission: String,
    /// Its link.
    pub link: String,
    /// What its records are.
    pub content: String,
    /// Records.
    pub records: u32,
    /// Of those, how many are in quarantine.
    pub quarantined: u32,
    /// Sealed bytes.
    pub bytes: usize,
    /// Earliest reception.
    pub first_reception: String,
    /// Latest reception.
    pub last_reception: String,
}

/// Whether what lies in the journal is what was written.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Verification {
    /// Batches read.
    pub batches: u64,
    /// Records in them.
    pub records: u64,
    /// Their sealed bytes.
    pub bytes: u64,
    /// Batches that are missing.
    pub gaps: Vec<GapRow>,
    /// Batches that are not what was written, or do not continue the one before, and how.
    pub problems: Vec<String>,
}

/// What a kind of record is called.
pub(super) fn word(content: Content) -> &'static str {
    match content {
        Content::Alarms => "alarms",
        Content::Events => "events",
        Content::Packets => "packets",
        Content::Samples => "samples",
        Content::Unframed => "unframed",
    }
}

impl Desk {
    /// The newest `count` batches of a lane, or those from a number on.
    pub async fn list(
        &self,
        lane: Lane,
        from: Option<u64>,
        count: usize,
    ) -> Result<JournalListing, DeskError> {
        let journal = self.journal_of(lane);
        let state = *journal.state().borrow();
        let (oldest, newest) = (state.tail.map_or(0, |tail| tail.0), state.head.number());
        let mut next = from.unwrap_or((newest + 1).saturating_sub(count as u64)).max(oldest).max(1);
        let mut rows: Vec<BatchRow> = Vec::new();
        while next <= newest && rows.len() < count {
            match journal.read(BatchSequence(next), READ_BYTES).await? {
                Batches::Absent => next += 1,
                Batches::Missing { until, .. } => next = until.0 + 1,
                Batches::Here(batches) => {
                    next += batches.len() as u64;
                    rows.extend(batches.iter().map(|batch| BatchRow {
                        sequence: batch.header.sequence.0,
                        mission: batch.header.mission.clone(),
                        link: batch.header.link.clone(),
                        content: word(batch.header.content).to_owned(),
                        records: batch.header.records,
                        quarantined: batch.header.quarantined,
                        bytes: batch.bytes().len(),
                        first_reception: rfc3339(batch.header.first_reception.0),
                        last_reception: rfc3339(batch.header.last_reception.0),
                    }));
                }
            }
        }
        rows.truncate(count);
        let gaps = gaps_of(journal).await?;
        let store = format!("{:?}", state.store);
        Ok(JournalListing { store, newest, oldest, is_full: state.is_full, gaps, batches: rows })
    }

    /// Reads everything of a lane: check sums, hashes, the chain, and that every record opens.
    pub async fn verify(&self, lane: Lane) -> Result<Verification, DeskError> {
        let journal = self.journal_of(lane);
        let state = *journal.state().borrow();
        let is_pruned = |number: u64| journal.state().borrow().tail.is_some_and(|tail| number < tail.0);
        let (mut next, newest) = (state.tail.map_or(1, |tail| tail.0), state.head.number());
        let mut found = Verification::default();
        // Known from the second batch on: what lies before the first is not here any more.
        let mut expected: Option<ChainHash> = None;
        while next <= newest {
            match journal.read(BatchSequence(next), READ_BYTES).await? {
                // Pruned while this was reading, or in a gap that nothing is known of.
                Batches::Absent if is_pruned(next) => next += 1,
                Batches::Absent => {
                    found.problems.push(format!("batch {next} is not there, and no gap says so"));
                    (expected, next) = (None, next + 1);
                }
                Batches::Missing { until, reason } => {
                    if reason == GapReason::Damaged {
                        found.problems.push(format!("batches {next} to {} are damaged or missing", until.0));
                    }
                    (expected, next) = (None, until.0 + 1);
                }
                Batches::Here(batches) => {
                    for batch in batches {
                        let sequence = batch.header.sequence.0;
                        if expected.is_some_and(|hash| hash != batch.previous) {
                            found.problems.push(format!("batch {sequence} does not continue the one before"));
                        }
                        if let Err(error) = batch.open() {
                            found.problems.push(format!("batch {sequence} does not open: {error}"));
                        }
                        found.batches += 1;
                        found.records += u64::from(batch.header.records);
                        found.bytes += batch.bytes().len() as u64;
                        (expected, next) = (Some(batch.hash), sequence + 1);
                    }
                }
            }
        }
        found.gaps = gaps_of(journal).await?;
        Ok(found)
    }
}

async fn gaps_of(journal: &JournalHandle) -> Result<Vec<GapRow>, DeskError> {
    let gaps = journal.gaps().await?.into_iter();
    Ok(gaps
        .map(|gap| GapRow { first: gap.first.0, last: gap.last.0, reason: gap.reason.word().to_owned() })
        .collect())
}
