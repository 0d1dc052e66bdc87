//! Opening: which batches at the end are sound, where the chain goes on, and what the notes say.

use std::collections::{HashMap, VecDeque};

use delivery::{BatchSequence, ChainHash, Position, SealedBatch, Severity, StoreId};
use tracing::error;

use super::{BatchLog, Checked, LogOptions, RESERVED_AT_ONCE};
use crate::events::event;
use crate::journal::gaps::Gaps;
use crate::journal::store::{Note, Store, fact, number_in};
use crate::journal::{GapReason, JournalError};

/// Batches checked when the journal is opened. Older ones were checked when they were newest.
const CHECKED_AT_OPEN: u64 = 64;
/// Requests whose receipts are kept in memory: 2 MiB, and a producer repeats a request within seconds.
const RECEIPTS_MAX: usize = 65_536;

impl<S: Store> BatchLog<S> {
    /// Opens the journal an engine holds, or begins a new one.
    pub(in crate::journal) fn recover(mut store: S, options: LogOptions) -> Result<Self, JournalError> {
        let LogOptions { lane, new_store, key } = options;
        let id = name(&mut store, new_store)?;
        let gaps = store.fact(fact::GAPS)?.map_or_else(Gaps::default, |bytes| Gaps::decode(&bytes));
        let acknowledged = number_in(store.fact(fact::ACKNOWLEDGED)?);
        let reserved_until = number_in(store.fact(fact::RESERVED_UNTIL)?).unwrap_or(0);
        let start = Position::start(id, lane);
        let mut journal = Self {
            store,
            id,
            lane,
            key,
            head: start,
            committed: start,
            tail: None,
            bytes_before_tail: 0,
            acknowledged,
            acknowledged_durable: acknowledged,
            reserved_until,
            gaps,
            quarantined: VecDeque::new(),
            receipts: HashMap::new(),
            events: Vec::new(),
            is_read_only: false,
        };
        journal.find_end()?;
        journal.find_tail()?;
        journal.read_notes()?;
        journal.store.flush()?;
        journal.committed = journal.head;
        Ok(journal)
    }

    /// Finds the newest sound batch. What is unsound behind it is set aside, and then its numbers and all that were
    /// reserved are given up: some of them may have been forwarded.
    fn find_end(&mut self) -> Result<(), JournalError> {
        let mut seen = 0;
        let newest = loop {
            let Some(last) = self.store.last()? else { break None };
            match self.check(last)? {
                Checked::Sound(batch) => break Some(batch),
                Checked::Absent => break None,
                Checked::Unsound(damage) => {
                    seen = seen.max(last);
                    self.set_aside(last, &damage)?;
                }
            }
        };
        if let Some(newest) = &newest {
            self.check_before(newest.header.sequence.0)?;
        }
        let start = Position::start(self.id, self.lane);
        let end = newest.as_deref().map_or(start, SealedBatch::position);
        let known = number_in(self.store.fact(fact::HEAD)?).max(self.acknowledged).unwrap_or(0).max(seen);
        // What was lost at an earlier start is in the gaps; only what is not is news.
        let covered = self.gaps.records().last().map_or(0, |gap| gap.last.0);
        let is_end_lost = self.store.was_end_torn() || seen > 0 || known > end.number().max(covered);
        if is_end_lost {
            let reserved = if self.reserved_until == 0 { RESERVED_AT_ONCE } else { 0 };
            let floor = known.max(end.number());
            // One further than any number that may have been used: the hub may hold that one, and what is chained to
            // the end of a gap must be chained to nothing that anybody has.
            let last = self.reserved_until.max(floor.saturating_add(reserved)).saturating_add(1);
            self.give_up(end.number() + 1, last)?;
        }
        self.head = match self.gaps.records().last() {
            Some(gap) if gap.last.0 > end.number() => Position {
                sequence: Some(gap.last),
                hash: ChainHash::after_gap(self.id, self.lane, gap.last),
                ..end
            },
            _ => end,
        };
        Ok(())
    }

    fn give_up(&mut self, first: u64, last: u64) -> Result<(), JournalError> {
        if first > last {
            return Ok(());
        }
        self.remember_gap(first, last, GapReason::Damaged)?;
        error!(first, last, "the journal's end is damaged, recording goes on behind it");
        self.events.push(event(
            "STO-JOURNAL-END-DAMAGED",
            Severity::Error,
            "The journal's end was damaged; its last batches were set aside and recording goes on behind them.",
            &[("first", first.to_string()), ("last", last.to_string())],
        ));
        Ok(())
    }

    /// Checks the batches that were newest when the node stopped; damage further in is met when it is read.
    fn check_before(&mut self, newest: u64) -> Result<(), JournalError> {
        let lowest = newest.saturating_sub(CHECKED_AT_OPEN);
        let mut number = self.store.next_from(lowest)?.unwrap_or(newest);
        while number < newest {
            // An engine may still hold what is a gap already.
            if self.gaps.at(number).is_none()
                && let Checked::Unsound(damage) = self.check(number)?
            {
                self.set_aside(number, &damage)?;
            }
            number = self.store.next_from(number + 1)?.unwrap_or(newest);
        }
        Ok(())
    }

    fn read_notes(&mut self) -> Result<(), JournalError> {
        let (gaps, newest) = (&self.gaps, self.store.last()?.unwrap_or(0));
        let (receipts, quarantined) = (&mut self.receipts, &mut self.quarantined);
        let tail = self.tail.unwrap_or(u64::MAX);
        self.store.visit_notes(&mut |number, bytes| {
            // A receipt counts only with its batch.
            if number < tail || number > newest || gaps.at(number).is_some() {
                return;
            }
            let note = Note::decode(bytes);
            if note.is_quarantined {
                quarantined.push_front(number);
            }
            for receipt in note.receipts {
                if receipts.len() < RECEIPTS_MAX || receipts.contains_key(&receipt.key) {
                    let records = receipts.entry(receipt.key).or_default();
                    *records = receipt.records.max(*records);
                }
            }
        })
    }
}

/// The journal's id; a new journal gets one. Batches without an id belong to an unknown chain.
fn name<S: Store>(store: &mut S, new_store: StoreId) -> Result<StoreId, JournalError> {
    let known = store.fact(fact::STORE_ID)?.and_then(|bytes| bytes.try_into().ok());
    if let Some(id) = known {
        return Ok(StoreId(id));
    }
    if let Some(newest) = store.last()? {
        let newest = BatchSequence(newest).0;
        return Err(JournalError::Corrupt(
            format!("its id cannot be read, and it holds batches up to {newest}").into(),
        ));
    }
    store.set_fact(fact::STORE_ID, &new_store.0)?;
    store.flush()?;
    Ok(new_store)
}
