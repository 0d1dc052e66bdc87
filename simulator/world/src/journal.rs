//! A node's journal as the simulation has it: the rules of the true one (`edge-node/src/journal/batch_log.rs`) over a
//! disk that loses, tears and damages.

use std::collections::BTreeMap;
use std::rc::Rc;

use delivery::{
    BatchSequence, ChainHash, GapReason, Lane, LogRole, Position, SealedBatch, SealedBody, StoreId,
};

use crate::mutation::{DriverMutation, mutated};

#[derive(Clone, Debug)]
struct Stored {
    batch: Rc<SealedBatch>,
    is_damaged: bool,
}

/// What lies at a number.
#[derive(Debug)]
pub(crate) enum Found {
    Batch(Rc<SealedBatch>),
    /// Never will be there, up to this number.
    Missing {
        until: u64,
        reason: GapReason,
    },
}

/// A journal. Its clone is a copy of the disk.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    pub store: StoreId,
    pub lane: Lane,
    pub role: LogRole,
    batches: BTreeMap<u64, Stored>,
    /// Numbers that are known to be missing; durable as soon as they are known.
    gaps: BTreeMap<u64, GapReason>,
    head: Position,
    /// What of it a power cut leaves.
    durable: u64,
    reserved_until: u64,
    reserved_at_once: u64,
    acknowledged: u64,
    pruned: u64,
}

impl Journal {
    pub(crate) fn new(store: StoreId, lane: Lane, reserved_at_once: u64) -> Self {
        Self {
            store,
            lane,
            role: LogRole::Current,
            batches: BTreeMap::new(),
            gaps: BTreeMap::new(),
            head: Position::start(store, lane),
            durable: 0,
            reserved_until: 0,
            reserved_at_once,
            acknowledged: 0,
            pruned: 0,
        }
    }

    /// The newest durable number.
    pub(crate) fn durable(&self) -> u64 {
        self.durable
    }

    pub(crate) fn durable_head(&self) -> Option<BatchSequence> {
        (self.durable > 0).then_some(BatchSequence(self.durable))
    }

    pub(crate) fn acknowledged(&self) -> Option<BatchSequence> {
        (self.acknowledged > 0).then_some(BatchSequence(self.acknowledged))
    }

    pub(crate) fn pruned(&self) -> u64 {
        self.pruned
    }

    pub(crate) fn append(&mut self, body: SealedBody) -> Rc<SealedBatch> {
        let batch = Rc::new(body.seal(self.lane, &self.head));
        let number = batch.header.sequence.0;
        if number > self.reserved_until {
            // Durable before the number is used.
            self.reserved_until = number + self.reserved_at_once;
        }
        self.head = batch.position();
        self.batches.insert(number, Stored { batch: Rc::clone(&batch), is_damaged: false });
        batch
    }

    pub(crate) fn sync(&mut self) {
        self.durable = self.head.number();
    }

    /// Everything behind is gone. `torn` says that the newest of what is left is only half there.
    pub(crate) fn lose_after(&mut self, kept: u64, torn: bool) {
        self.batches.split_off(&(kept + 1));
        if torn && let Some((_, newest)) = self.batches.range_mut(self.durable + 1..).next_back() {
            newest.is_damaged = true;
        }
    }

    /// Numbers appended and not durable.
    pub(crate) fn unsynced(&self) -> u64 {
        self.head.number().saturating_sub(self.durable)
    }

    /// Turns a bit of some stored batch around; says whether there was one.
    pub(crate) fn damage(&mut self, place: u64) -> bool {
        let count = self.batches.len() as u64;
        let Some(stored) =
            (count > 0).then(|| self.batches.values_mut().nth((place % count) as usize)).flatten()
        else {
            return false;
        };
        stored.is_damaged = true;
        true
    }

    /// Opens the journal after whatever happened: numbers that may have been forwarded are never used again.
    pub(crate) fn recover(&mut self) {
        let mut seen = 0;
        while let Some((&last, stored)) = self.batches.last_key_value()
            && stored.is_damaged
        {
            seen = seen.max(last);
            self.batches.remove(&last);
            self.gaps.insert(last, GapReason::Damaged);
        }
        let end = self
            .batches
            .last_key_value()
            .map_or(Position::start(self.store, self.lane), |(_, stored)| stored.batch.position());
        // A disk may lose even what was behind that.
        self.pruned = self.pruned.min(end.number());
        if mutated(DriverMutation::NumberReusedAfterRestart) {
            self.gaps.split_off(&(end.number() + 1));
            (self.head, self.durable) = (end, end.number());
            return;
        }
        let covered = self.gaps.last_key_value().map_or(0, |(&last, _)| last);
        // Between what is left and the newest gap nothing is.
        for number in end.number().max(self.pruned) + 1..=covered {
            self.gaps.entry(number).or_insert(GapReason::Damaged);
        }
        let known = seen.max(self.acknowledged);
        // A gap at the end may have been declared with a chain that nobody knows any more. So behind what was reserved
        // a new chain begins, one number further than any that was ever used: the hub has no other chain there.
        let is_chain_lost = (end.number() + 1..=self.reserved_until).contains(&covered);
        let is_guessed = mutated(DriverMutation::ChainAtGapGuessed);
        if seen > 0 || known > end.number().max(covered) || is_chain_lost && !is_guessed {
            let beyond = self.reserved_until + u64::from(!is_guessed);
            for number in end.number() + 1..=beyond.max(known).max(covered) {
                self.gaps.entry(number).or_insert(GapReason::Damaged);
            }
        }
        self.head = match self.gaps.last_key_value() {
            Some((&last, _)) if last > end.number() => {
                let hash = ChainHash::after_gap(self.store, self.lane, BatchSequence(last));
                Position { sequence: Some(BatchSequence(last)), hash, ..end }
            }
            _ => end,
        };
        self.durable = self.head.number();
    }

    /// Whether each number up to the head is a batch, a gap, or was pruned.
    pub(crate) fn is_whole(&self) -> bool {
        (self.pruned + 1..=self.head.number())
            .all(|number| self.batches.contains_key(&number) || self.gaps.contains_key(&number))
    }

    /// A damaged batch is set aside when it is met, and is a gap from then on.
    pub(crate) fn read(&mut self, number: u64) -> Found {
        if let Some(stored) = self.batches.get(&number) {
            if !stored.is_damaged {
                return Found::Batch(Rc::clone(&stored.batch));
            }
            self.batches.remove(&number);
            self.gaps.insert(number, GapReason::Damaged);
        }
        if number <= self.pruned {
            // The hub had it, and lost it.
            return Found::Missing { until: self.pruned, reason: GapReason::Damaged };
        }
        let reason = self.gaps.get(&number).copied().unwrap_or(GapReason::Damaged);
        let until = (number..).take_while(|next| self.gaps.contains_key(next)).last().unwrap_or(number);
        Found::Missing { until, reason }
    }

    /// What a batch of this number was chained on to, as far as this journal knows.
    pub(crate) fn hash_at(&mut self, number: u64) -> Option<ChainHash> {
        if number == 0 {
            return Some(ChainHash::of_store(self.store, self.lane));
        }
        if self.batches.contains_key(&number)
            && let Found::Batch(batch) = self.read(number)
        {
            return Some(batch.position().hash);
        }
        if let Some(behind) = self.batches.get(&(number + 1)).filter(|stored| !stored.is_damaged) {
            return Some(behind.batch.previous);
        }
        (number == self.head.number()).then_some(self.head.hash)
    }

    /// Whether the hub names a number that it was never known to have, where nothing is left to compare: then the hub's
    /// may be another history.
    pub(crate) fn is_doubtful(&self, number: u64) -> bool {
        number > self.pruned && number > self.acknowledged
    }

    /// Forgets up to a number, but never the newest batch.
    pub(crate) fn prune(&mut self, number: u64) {
        let Some((&newest, _)) = self.batches.last_key_value() else { return };
        let last = number.min(newest.saturating_sub(1));
        if last > self.pruned {
            self.pruned = last;
            self.batches = self.batches.split_off(&(last + 1));
            self.gaps = self.gaps.split_off(&(last + 1));
        }
    }

    /// Gives up what is not at the hub, up to a number but never the newest batch; returns how many.
    pub(crate) fn evict(&mut self, number: u64) -> u64 {
        let Some((&newest, _)) = self.batches.last_key_value() else { return 0 };
        let last = number.min(newest.saturating_sub(1)).min(self.durable);
        let gone: Vec<u64> = self.batches.range(..=last).map(|(&number, _)| number).collect();
        for number in &gone {
            self.batches.remove(number);
            self.gaps.insert(*number, GapReason::Evicted);
        }
        gone.len() as u64
    }

    pub(crate) fn remember_acknowledged(&mut self, number: u64) {
        self.acknowledged = self.acknowledged.max(number);
    }

    /// A copy that was made before the newest hints were written.
    pub(crate) fn forget_acknowledged(&mut self) {
        self.acknowledged = self.acknowledged.min(self.batches.last_key_value().map_or(0, |(&last, _)| last));
    }

    /// Sound durable batches, oldest first.
    pub(crate) fn sound(&self) -> impl Iterator<Item = &Rc<SealedBatch>> + Clone {
        let sound = self.batches.range(..=self.durable).filter(|(_, stored)| !stored.is_damaged);
        sound.map(|(_, stored)| &stored.batch)
    }

    /// All that was appended, sound or not.
    pub(crate) fn appended(&self) -> impl Iterator<Item = &Rc<SealedBatch>> {
        self.batches.values().map(|stored| &stored.batch)
    }

    /// Whether the journal knows that a number is missing, or will when it looks.
    pub(crate) fn is_missing(&self, number: u64) -> bool {
        self.gaps.contains_key(&number) || self.batches.get(&number).is_some_and(|stored| stored.is_damaged)
    }
}
