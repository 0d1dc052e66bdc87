//! The journal's rules over any engine: the chain, gaps, reserved numbers, receipts, what is set aside.

mod recovery;

use std::collections::{HashMap, VecDeque};

use delivery::{
    BATCH_BYTES_MAX, BatchError, BatchSequence, Event, Lane, Position, SealedBatch, SealedBody, Severity,
    StoreId,
};
use tracing::error;

use super::envelope::{self, JournalKey};
use super::gaps::Gaps;
use super::store::{Note, Store, fact, number_in};
use super::{Found, GapReason, GapRecord, Journal, JournalError, Receipt};
use crate::events::event;

/// Numbers reserved at once: one sync for so many batches, and at most so many are given up after a damaged end.
const RESERVED_AT_ONCE: u64 = 4_096;
/// Batches behind the new tail that are looked at to count what lies before it.
const TAIL_SEARCH: u64 = 64;

/// Which journal is opened, or begun where there is none.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// The lane of its batches.
    pub lane: Lane,
    /// Its name, when it is begun.
    pub new_store: StoreId,
    /// What its batches are encrypted with; plain without one.
    pub key: Option<JournalKey>,
}

/// A journal over an engine.
pub struct BatchLog<S: Store> {
    store: S,
    id: StoreId,
    lane: Lane,
    key: Option<JournalKey>,
    /// Newest batch, or the end of the gap behind it.
    head: Position,
    /// What of it was committed.
    committed: Position,
    tail: Option<u64>,
    bytes_before_tail: u64,
    acknowledged: Option<u64>,
    /// What of it a power cut leaves.
    acknowledged_durable: Option<u64>,
    reserved_until: u64,
    gaps: Gaps,
    quarantined: VecDeque<u64>,
    receipts: HashMap<[u8; 16], u32>,
    events: Vec<Event>,
    is_read_only: bool,
}

/// What became of an attempt to read a stored batch.
enum Checked {
    Absent,
    Sound(Box<SealedBatch>),
    Unsound(BatchError),
}

impl<S: Store> BatchLog<S> {
    /// The same journal, but it takes nothing new: what it holds only waits to be forwarded.
    #[must_use]
    pub fn into_read_only(mut self) -> Self {
        self.is_read_only = true;
        self
    }

    /// Reads and checks, and changes nothing. A wrong key is an error: the batch is sound.
    fn check(&mut self, number: u64) -> Result<Checked, JournalError> {
        let value = match self.store.get(number)? {
            None => return Ok(Checked::Absent),
            Some(Err(damage)) => return Ok(Checked::Unsound(damage)),
            Some(Ok(value)) => value,
        };
        let opened = envelope::open(self.key.as_ref(), self.id, number, value)?;
        Ok(match opened.and_then(SealedBatch::parse) {
            Ok(batch) if batch.header.lane != self.lane => {
                Checked::Unsound(BatchError::Malformed { what: "it is of another lane" })
            }
            Ok(batch) if batch.header.sequence.0 == number => Checked::Sound(Box::new(batch)),
            Ok(_) => Checked::Unsound(BatchError::Malformed { what: "it lies under another's number" }),
            Err(damage) => Checked::Unsound(damage),
        })
    }

    fn remember_gap(&mut self, first: u64, last: u64, reason: GapReason) -> Result<(), JournalError> {
        self.gaps.insert(first, last, reason);
        self.store.set_fact(fact::GAPS, &self.gaps.encode())
    }

    fn set_aside(&mut self, number: u64, damage: &BatchError) -> Result<(), JournalError> {
        self.store.set_aside(number)?;
        self.quarantined.retain(|&other| other != number);
        self.remember_gap(number, number, GapReason::Damaged)?;
        error!(sequence = number, cause = %damage, "batch is damaged on disk, it was set aside");
        self.events.push(event(
            "STO-JOURNAL-DAMAGED",
            Severity::Error,
            "A batch was damaged on disk; it was set aside and is missing from now on.",
            &[("sequence", number.to_string()), ("cause", damage.to_string())],
        ));
        Ok(())
    }

    /// A hole nobody recorded: from `number` to the next batch or gap.
    fn meet_hole(&mut self, number: u64) -> Result<Found, JournalError> {
        let batch = self.store.next_from(number)?;
        let gap = self.gaps.after(number).map(|gap| gap.first.0);
        let end = batch.into_iter().chain(gap).min().map_or(self.head.number(), |next| next - 1);
        self.remember_gap(number, end, GapReason::Damaged)?;
        error!(first = number, last = end, "batches are missing from the journal");
        self.events.push(event(
            "STO-JOURNAL-MISSING",
            Severity::Error,
            "Batches are missing from the journal's files.",
            &[("first", number.to_string()), ("last", end.to_string())],
        ));
        Ok(Found::Missing { until: BatchSequence(end), reason: GapReason::Damaged })
    }

    /// No number is used before a bound above it is durable, so that none is ever used twice.
    fn reserve(&mut self, number: u64) -> Result<(), JournalError> {
        if number <= self.reserved_until {
            return Ok(());
        }
        let reserved_until = number.saturating_add(RESERVED_AT_ONCE);
        self.store.set_fact(fact::RESERVED_UNTIL, &reserved_until.to_be_bytes())?;
        self.store.set_fact(fact::HEAD, &self.committed.number().to_be_bytes())?;
        self.store.flush()?;
        self.reserved_until = reserved_until;
        Ok(())
    }

    /// Counts what lies before the tail: the first sound batch knows.
    fn find_tail(&mut self) -> Result<(), JournalError> {
        self.tail = self.store.first()?;
        let Some(tail) = self.tail else {
            self.bytes_before_tail = self.head.bytes;
            return Ok(());
        };
        let mut next = Some(tail);
        while let Some(number) = next.filter(|number| number - tail < TAIL_SEARCH) {
            if let Checked::Sound(batch) = self.check(number)? {
                self.bytes_before_tail = batch.header.bytes_before;
                return Ok(());
            }
            next = self.store.next_from(number + 1)?;
        }
        // The count stays behind by a little until the next prune; recording must not stop for it.
        Ok(())
    }

    /// Removes up to `last`, but never the newest batch.
    fn remove_up_to(&mut self, last: u64) -> Result<(), JournalError> {
        let (Some(tail), Some(newest)) = (self.tail, self.store.last()?) else { return Ok(()) };
        let last = last.min(newest.saturating_sub(1));
        if last < tail {
            return Ok(());
        }
        self.store.remove_up_to(last)?;
        while self.quarantined.front().is_some_and(|&number| number <= last) {
            self.quarantined.pop_front();
        }
        self.find_tail()
    }
}

impl<S: Store> Journal for BatchLog<S> {
    fn store(&self) -> StoreId {
        self.id
    }

    fn lane(&self) -> Lane {
        self.lane
    }

    fn head(&self) -> Position {
        self.head
    }

    fn tail(&self) -> Option<BatchSequence> {
        self.tail.map(BatchSequence)
    }

    fn retained_bytes(&self) -> u64 {
        self.head.bytes.saturating_sub(self.bytes_before_tail)
    }

    fn reusable_bytes(&self) -> u64 {
        self.store.reusable_bytes(self.retained_bytes())
    }

    fn append(&mut self, body: SealedBody, receipts: &[Receipt]) -> Result<SealedBatch, JournalError> {
        if self.is_read_only {
            return Err(JournalError::ReadOnly);
        }
        let batch = body.seal(self.lane, &self.head);
        assert!(batch.bytes().len() <= BATCH_BYTES_MAX, "the builder keeps batches below a journal value");
        let number = batch.header.sequence.0;
        self.reserve(number)?;
        let is_quarantined = batch.header.quarantined > 0;
        let note = Note { is_quarantined, receipts: receipts.to_vec() }.encode();
        let value = envelope::seal(self.key.as_ref(), self.id, number, batch.bytes())?;
        self.store.put(number, &value, note.as_deref())?;
        self.head = batch.position();
        if is_quarantined {
            self.quarantined.push_back(number);
        }
        if self.tail.is_none() {
            self.tail = Some(number);
            self.bytes_before_tail = batch.header.bytes_before;
        }
        Ok(batch)
    }

    fn commit(&mut self) -> Result<(), JournalError> {
        self.store.flush()?;
        self.committed = self.head;
        self.acknowledged_durable = self.acknowledged;
        Ok(())
    }

    fn discard_after(&mut self, committed: &Position) -> Result<(), JournalError> {
        let kept = committed.number();
        if self.store.last()?.is_some_and(|newest| newest > kept) {
            self.store.remove_after(kept)?;
            // Numbers behind a gap at the end stay given up: the gap is durable already.
            match self.gaps.at(self.head.number()).map(|gap| gap.last.0) {
                Some(last) => self.remember_gap(kept + 1, last, GapReason::Damaged)?,
                None => self.head = *committed,
            }
        }
        self.committed = self.head;
        while self.quarantined.back().is_some_and(|&number| number > kept) {
            self.quarantined.pop_back();
        }
        self.find_tail()
    }

    fn read(&mut self, sequence: BatchSequence) -> Result<Found, JournalError> {
        let number = sequence.0;
        if let Some(gap) = self.gaps.at(number) {
            return Ok(Found::Missing { until: gap.last, reason: gap.reason });
        }
        if number > self.head.number() {
            return Ok(Found::Absent);
        }
        if self.tail.is_none_or(|tail| number < tail) {
            // What the hub has was pruned; the rest never is, so it is lost.
            let is_pruned = self.acknowledged.unwrap_or(0) >= number;
            return if is_pruned { Ok(Found::Absent) } else { self.meet_hole(number) };
        }
        match self.check(number)? {
            Checked::Absent => self.meet_hole(number),
            Checked::Sound(batch) => Ok(Found::Batch(batch)),
            Checked::Unsound(damage) => {
                self.set_aside(number, &damage)?;
                let until = self.gaps.at(number).map_or(sequence, |gap| gap.last);
                Ok(Found::Missing { until, reason: GapReason::Damaged })
            }
        }
    }

    fn prune(&mut self, sequence: BatchSequence) -> Result<(), JournalError> {
        if self.acknowledged_durable < self.acknowledged.min(Some(sequence.0)) {
            // Otherwise a power cut could make what was pruned look lost. A full disk is what pruning helps.
            match self.store.flush() {
                Ok(()) => self.acknowledged_durable = self.acknowledged,
                Err(JournalError::NoSpace { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.remove_up_to(sequence.0)?;
        let forgotten = self.tail.map_or(0, |tail| tail - 1).min(self.acknowledged.unwrap_or(0));
        if self.gaps.forget_up_to(forgotten) {
            self.store.set_fact(fact::GAPS, &self.gaps.encode())?;
        }
        Ok(())
    }

    fn evict(&mut self, up_to: BatchSequence) -> Result<(), JournalError> {
        let (Some(tail), Some(newest)) = (self.tail, self.store.last()?) else { return Ok(()) };
        let last = up_to.0.min(newest.saturating_sub(1));
        let first = tail.max(self.acknowledged.unwrap_or(0) + 1);
        if first <= last {
            // Durable before anything goes: a crash in between must not make damage of it.
            self.remember_gap(first, last, GapReason::Evicted)?;
            self.store.flush()?;
            self.events.push(event(
                "STO-JOURNAL-EVICTED",
                Severity::Error,
                "The journal was full: the oldest batches were given up before the hub had them.",
                &[("first", first.to_string()), ("last", last.to_string())],
            ));
        }
        self.remove_up_to(last)
    }

    fn remember_acknowledged(&mut self, sequence: BatchSequence) -> Result<(), JournalError> {
        if self.acknowledged.is_some_and(|known| known == sequence.0) {
            return Ok(());
        }
        self.store.set_fact(fact::ACKNOWLEDGED, &sequence.0.to_be_bytes())?;
        self.acknowledged = Some(sequence.0);
        Ok(())
    }

    fn acknowledged(&self) -> Option<BatchSequence> {
        self.acknowledged.map(BatchSequence)
    }

    fn gaps(&self) -> Vec<GapRecord> {
        self.gaps.records().to_vec()
    }

    fn quarantined(&self, from: BatchSequence, max: usize) -> Vec<BatchSequence> {
        let start = self.quarantined.partition_point(|&number| number < from.0);
        self.quarantined.range(start..).take(max).map(|&number| BatchSequence(number)).collect()
    }

    fn receipts_at_open(&mut self) -> HashMap<[u8; 16], u32> {
        std::mem::take(&mut self.receipts)
    }

    fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }
}

impl<S: Store> Drop for BatchLog<S> {
    fn drop(&mut self) {
        // So that a missing end is noticed at the next start. A disk that fails now said so before.
        let head = self.committed.number();
        if number_in(self.store.fact(fact::HEAD).ok().flatten()) < Some(head) {
            let kept = self.store.set_fact(fact::HEAD, &head.to_be_bytes());
            drop(kept.and_then(|()| self.store.flush()));
        }
    }
}
